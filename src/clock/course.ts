/** Course: where a reading of cluster time should be, and how sure that is. */
import { type ClockClaim, type ClockLine, readClock } from '../core/clock-line.js';
import { addTime, type LocalTime } from '../core/units.js';
import { RATE_PPM_MAX } from './cluster-limits.js';
import { type PeerLine, peerBoundAt, peerTimeAt } from './peer-line.js';

/** Cluster time over this node's local clock, as it was worked out at `line.localAt`. */
export interface Course {
  readonly line: ClockLine;
  /** By how much the line is wrong at most, at `line.localAt`. Nanoseconds. */
  readonly boundNs: number;
  /** By how much that grows from there on. Parts per million. */
  readonly boundPpm: number;
}

/**
 * Another node's claim, read from this one's clock: cluster(local) = claim(peer(local)). The rate is that of both together, so that a
 * reading that runs along this line has no standing error, however much the two crystals differ.
 */
export function composed(claim: ClockClaim, peer: PeerLine, at: LocalTime): Course {
  const clusterAt = readClock(claim, peerTimeAt(peer, at));
  const driftPpm = claim.driftPpm + peer.driftPpm + (claim.driftPpm * peer.driftPpm) / 1e6;
  return {
    line: { localAt: at, clusterAt, driftPpm: Math.max(-RATE_PPM_MAX, Math.min(RATE_PPM_MAX, driftPpm)) },
    boundNs: peerBoundAt(peer, at) + claim.boundNs,
    boundPpm: peer.boundPpm,
  };
}

/** The same course, as of `at`. */
export function courseAt({ line, boundNs, boundPpm }: Course, at: LocalTime): Course {
  const grownNs = (Math.abs(Number(at - line.localAt)) * boundPpm) / 1e6;
  const { driftPpm } = line;
  return { line: { localAt: at, clusterAt: readClock(line, at), driftPpm }, boundNs: boundNs + grownNs, boundPpm };
}

/** The same course, elsewhere by `byNs`, which is not known any better for it. */
export function moved({ line, boundNs, boundPpm }: Course, byNs: bigint): Course {
  const grownNs = Math.abs(Number(byNs));
  return { line: { ...line, clusterAt: addTime(line.clusterAt, byNs) }, boundNs: boundNs + grownNs, boundPpm };
}
