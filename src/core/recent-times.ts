/**
 * RecentTimes: how long something took lately, nearly always: what whoever depends on it has to allow for.
 *
 * What took long a while ago says little of now: while a house forms its disks and processors are busy with much else. So the last minute
 * counts, and what is older only as long as there is too little else to go by.
 */
import { NS_PER_S } from './units.js';

/** How many are kept: of a busier minute the latest are as good as all. */
const KEPT = 64;
/** Older ones do not count. Nanoseconds. */
const COUNTS_FOR_NS = 60n * NS_PER_S;
/** But so many of the latest do at least, however old: a house that nobody touched for an hour is no quicker for it. */
const COUNTED_MIN = 8;
/** Of so many one does not count: a single stall of a disk is no reason to wait for the next. Who waits has a little in hand besides. */
const ONE_OF = 8;

/** The latest times that something took. */
export class RecentTimes {
  /** The oldest first. */
  readonly #times: { readonly at: bigint; readonly tookMs: number }[] = [];

  /** At `at` (nanoseconds of any one clock, never less than before) it was over, and had taken `tookMs`, 0 or more. */
  add(at: bigint, tookMs: number): void {
    this.#times.push({ at, tookMs });
    if (this.#times.length > KEPT) this.#times.shift();
  }

  /** How many are known. */
  get count(): number {
    return this.#times.length;
  }

  /**
   * What nearly all took at most, as of `at`, milliseconds: of three or fewer all, of four to eleven all but one, and so on; 0 before the first.
   */
  typicalMs(at: bigint): number {
    const first = this.#times.findIndex((time) => at - time.at <= COUNTS_FOR_NS);
    const recent = first < 0 ? 0 : this.#times.length - first;
    const counted = Math.min(this.#times.length, Math.max(recent, COUNTED_MIN));
    return this.#longestOf(counted, Math.round(counted / ONE_OF));
  }

  /** Of the latest `counted` the one that `passed` others are longer than; 0 of none. (A leader asks at every commit: sorting takes longer than all else there.) */
  #longestOf(counted: number, passed: number): number {
    /** The longest so far, the longest first. */
    const longest: number[] = [];
    for (let index = this.#times.length - counted; index < this.#times.length; index++) {
      const { tookMs } = this.#times[index]!;
      if (longest.length > passed && tookMs <= longest[passed]!) continue;
      let at = Math.min(longest.length, passed);
      for (; at > 0 && longest[at - 1]! < tookMs; at--) longest[at] = longest[at - 1]!;
      longest[at] = tookMs;
    }
    return longest[passed] ?? 0;
  }
}
