/** How the local clock of another node is read from this one's: what the clock over UDP measures, and all that it measures. */
import { type LocalTime, localTime } from '../core/units.js';

/**
 * A peer's local clock as a line over this node's: peer = peerAt + (local - localAt) * (1 + driftPpm / 1e6). Both are
 * CLOCK_MONOTONIC_RAW, each of its own machine and since its own boot.
 */
export interface PeerLine {
  readonly localAt: LocalTime;
  readonly peerAt: LocalTime;
  /** By how much the peer's crystal is faster than this one's, parts per million. */
  readonly driftPpm: number;
  /** At `localAt` the line is wrong by at most so much, nanoseconds: half the least round trip, which hides any asymmetry, and the filter's own doubt. */
  readonly boundNs: number;
  /** By how much `boundNs` grows with time from `localAt` on: what is not known of the drift. Parts per million. */
  readonly boundPpm: number;
}

/** What the peer's local clock reads when this node's reads `local`. */
export function peerTimeAt(line: PeerLine, local: LocalTime): LocalTime {
  const elapsed = local - line.localAt;
  return localTime(line.peerAt + elapsed + BigInt(Math.round((Number(elapsed) * line.driftPpm) / 1e6)));
}

/** By how much {@link peerTimeAt} may be wrong at `local`, nanoseconds. */
export function peerBoundAt(line: PeerLine, local: LocalTime): number {
  return line.boundNs + (Math.abs(Number(local - line.localAt)) * line.boundPpm) / 1e6;
}
