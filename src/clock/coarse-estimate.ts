/**
 * CoarseEstimate: the leader's cluster time as its heartbeats tell it, over a connection that delays them.
 *
 * Of the last {@link SAMPLES_KEPT} heartbeats the one that hurried most counts: a message can be late but not early, so the largest
 * difference between the leader's time and its receipt here is the nearest to the truth, short of it by the fastest way through the
 * network. Good to milliseconds: enough for stamps, not for sound.
 */
import { type ClusterTime, clusterTime, type LocalTime, localTime } from '../core/units.js';
import { COARSE_DRIFT_PPM } from './cluster-limits.js';

/** Heartbeats that an estimate rests on: at ten a second, some six seconds. */
const SAMPLES_KEPT = 64;

/** The heartbeats of one leader. */
export class CoarseEstimate {
  /** Leader's time less local time. */
  #samples: bigint[] = [];
  #offset = 0n;
  #heardAt: LocalTime = localTime(0n);

  /** Another leader, or another epoch: what was heard says nothing any more. */
  clear(): void {
    this.#samples = [];
  }

  /** A heartbeat that said `timeNs` as it left came at `at`. */
  note(at: LocalTime, timeNs: bigint): void {
    this.#heardAt = at;
    this.#samples.push(timeNs - at);
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift();
    let offset = this.#samples[0]!;
    for (const sample of this.#samples) if (sample > offset) offset = sample;
    this.#offset = offset;
  }

  /** By how much more than when it was heard the estimate for `at` may be wrong, either way: it goes on at the local clock's rate. Nanoseconds. */
  doubtNs(at: LocalTime): bigint {
    return ((at - this.#heardAt) * COARSE_DRIFT_PPM) / 1_000_000n;
  }

  /** Cluster time when the local clock shows `at`, or a little less than it; null where nothing was heard. */
  at(at: LocalTime): ClusterTime | null {
    return this.#samples.length === 0 ? null : clusterTime(at + this.#offset);
  }
}
