/**
 * Claims: what the other nodes say cluster time is, and what most of them agree on.
 *
 * Each node says so as a line over its own local clock; how that clock is read from here, the clock over UDP knows. Each claim becomes an
 * interval around this node's own reading. A leader outside of what most have in common lies: its clock does what no clock should, or its
 * program does. Two nodes alone cannot tell which of them is wrong.
 *
 * The claims of nodes that follow the leader rest on their own measurements of it. So what a claim and the leader's own word differ by, as
 * seen from here, is what the triangle of the three lacks to close: errors of measurement that no pair sees by itself. As much of it as the other
 * two measurements cannot have done, by their own bounds, this node's has, and its bound grows by that.
 */
import { type ClockClaim, readClock } from '../core/clock-line.js';
import type { NodeId } from '../core/ids.js';
import type { ClusterTime, LocalTime } from '../core/units.js';
import { CLAIM_NS, DOUBT_NS } from './cluster-limits.js';
import { type Interval, majorityOf } from './majority.js';
import { type PeerLine, peerBoundAt, peerTimeAt } from './peer-line.js';

/** This node's own reading, which is a claim like the others where `boundNs` is given. */
export interface OwnReading {
  readonly at: LocalTime;
  readonly epoch: number;
  readonly reading: ClusterTime;
  readonly boundNs: number | null;
}

/** What most nodes agree on, nanoseconds against this node's own reading. */
export interface Agreed {
  readonly low: number;
  readonly high: number;
  /** How far the farthest claim is from a course that is off by `offNs`, beyond what its bound explains. Nanoseconds, 0 or more. */
  gapNs(offNs: number): number;
}

/** Claims of the other nodes, while they are fresh. */
export class Claims {
  readonly #peers: { lineOf(node: NodeId): PeerLine | null } | null;
  readonly #claims = new Map<NodeId, { readonly claim: ClockClaim; readonly heardAt: LocalTime }>();

  constructor(components: { readonly peers: { lineOf(node: NodeId): PeerLine | null } | null }) {
    this.#peers = components.peers;
  }

  /** A node says its time; null takes back what it said. */
  note(at: LocalTime, node: NodeId, claim: ClockClaim | null): void {
    if (claim === null) this.#claims.delete(node);
    else this.#claims.set(node, { claim, heardAt: at });
  }

  clear(): void {
    this.#claims.clear();
  }

  /** Null where too few are known for anybody to be outvoted. */
  agreed(own: OwnReading): Agreed | null {
    const intervals: Interval<NodeId | null>[] = [];
    for (const [node, { claim, heardAt }] of this.#claims) {
      if (own.at - heardAt > CLAIM_NS) {
        this.#claims.delete(node);
        continue;
      }
      const peer = this.#peers?.lineOf(node) ?? null;
      if (peer === null || claim.epoch !== own.epoch) continue;
      const offNs = Number(readClock(claim, peerTimeAt(peer, own.at)) - own.reading);
      const boundNs = peerBoundAt(peer, own.at) + claim.boundNs + DOUBT_NS / 2;
      intervals.push({ of: node, low: offNs - boundNs, high: offNs + boundNs });
    }
    if (own.boundNs !== null) {
      const boundNs = own.boundNs + DOUBT_NS / 2;
      intervals.push({ of: null, low: -boundNs, high: boundNs });
    }
    if (intervals.length < 2) return null;
    const majority = majorityOf(intervals);
    if (majority === null || majority.inside.length < 2) return null;
    const { low, high, inside } = majority;
    const agreeing = intervals.filter((interval) => inside.includes(interval.of));
    const gapNs = (offNs: number) => Math.max(...agreeing.map((one) => Math.max(one.low - offNs, offNs - one.high, 0)));
    return { low, high, gapNs };
  }
}
