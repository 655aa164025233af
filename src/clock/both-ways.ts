/**
 * BothWays: takes out of a line what depends on who asked and who answered.
 *
 * A probe leaves from a timer, an answer right after an arrival, with everything it needs still in the processor's caches. So stamps of departure
 * are late by different amounts, some microseconds, always the same way round: each of two nodes takes the other's clock to be ahead. The error
 * is the same in both directions of the pair, and has opposite signs when it is told as the offset between the two clocks: the mean of both
 * measurements is without it. (What the *paths* do differently stays: both directions see it alike.)
 *
 * So each answer says how the answering node reads the asker's clock. The correction is half of the disagreement, smoothed, and never more
 * than half the least round trip, which is as much as a pair of ways can hide. A peer that is further off than that and the line's own
 * bound reads a clock that is gone: it has not heard yet that this machine began anew, or slept. What it says counts for nothing then.
 *
 * A queue that comes and goes on one of the ways moves the two measurements at different times, by much more than stamps do, and what is
 * smoothed goes on correcting what is over. So all of the correction is in the bound: the line that was measured is right to its own bound,
 * wherever the corrected one lies.
 */
import { type LocalTime, localTime } from '../core/units.js';
import { REVERSE_WEIGHT } from './constants.js';
import { type PeerLine, peerTimeAt } from './peer-line.js';

/** What a peer says of this node's clock. */
export interface Reverse {
  /** When the peer's clock read this ... */
  readonly peerAt: LocalTime;
  /** ... this node's read that, by the peer's own measurement, not corrected by ours. */
  readonly localAt: LocalTime;
}

/** The correction of one pair, from one end of it. */
export class BothWays {
  #correctionNs: number | null = null;

  /** `line` as it is with what the peer said; as it was measured before the peer said anything. */
  corrected(line: PeerLine): PeerLine {
    const correctionNs = Math.round(this.#correctionNs ?? 0);
    return {
      ...line,
      peerAt: localTime(line.peerAt - BigInt(correctionNs)),
      boundNs: line.boundNs + Math.abs(correctionNs),
    };
  }

  /** One of the two clocks began anew. */
  reset(): void {
    this.#correctionNs = null;
  }

  /** @param line this node's own measurement, not corrected */
  take(line: PeerLine, reverse: Reverse, roundTripNs: number): void {
    const most = roundTripNs / 2;
    const half = Number(peerTimeAt(line, reverse.localAt) - reverse.peerAt) / 2;
    if (Math.abs(half) > most + line.boundNs) {
      this.reset();
      return;
    }
    const now = Math.max(-most, Math.min(most, half));
    const before = this.#correctionNs ?? now;
    this.#correctionNs = before + REVERSE_WEIGHT * (now - before);
  }
}
