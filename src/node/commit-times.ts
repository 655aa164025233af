/**
 * CommitTimes: how long it lately took from a leader's stamp until an entry was applied.
 *
 * A change of sound takes effect at its stamp plus the lead. The lead has to cover the commit, or every command would be obeyed late, and
 * an SD card takes anything from 5 to some hundred milliseconds for one. So the leader adds what its recent commits took.
 */
import { NS_PER_MS } from '../core/units.js';

/** Commits that count: some evenings of pressing play. */
const KEPT = 64;
/** Of these the one that all but two in a hundred stayed below: a single stall of a card shall not slow the house down for days. */
const SHARE = 0.98;

/** The latest commits of one leader. */
export class CommitTimes {
  /** The latest, milliseconds, in any order: the oldest is the next to be replaced. */
  readonly #tookMs = new Float64Array(KEPT);
  #count = 0;

  /** An entry was applied so long after its stamp. */
  add(tookNs: bigint): void {
    this.#tookMs[this.#count++ % KEPT] = Number(tookNs) / Number(NS_PER_MS);
  }

  /** What nearly all of them took at most, milliseconds; 0 before the first. */
  get typicalMs(): number {
    const sorted = this.#tookMs.slice(0, this.#count).sort();
    return sorted[Math.ceil(SHARE * sorted.length) - 1] ?? 0;
  }
}
