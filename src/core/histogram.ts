/**
 * Histogram: how often something took how long, in buckets, since it was made. What is added is never taken back, so whoever looks at it now and
 * then can tell what happened in between.
 */

/** A histogram as it stands. */
export interface HistogramCounts {
  /** Upper bounds of the buckets, ascending; a last one without a bound comes on top. */
  readonly bounds: readonly number[];
  /** How many were at most each bound; one more than there are bounds, and the last is all. */
  readonly atMost: readonly number[];
  readonly sum: number;
}

/** Counts values of any one unit. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** Of each bucket alone: adding to one is all that an event costs. */
  readonly #counts: number[];
  #sum = 0;

  constructor(init: { readonly bounds: readonly number[] }) {
    this.#bounds = init.bounds;
    this.#counts = new Array<number>(init.bounds.length + 1).fill(0);
  }

  add(value: number): void {
    const at = this.#bounds.findIndex((bound) => value <= bound);
    this.#counts[at < 0 ? this.#bounds.length : at]! += 1;
    this.#sum += value;
  }

  counts(): HistogramCounts {
    let sofar = 0;
    const atMost = this.#counts.map((count) => {
      sofar += count;
      return sofar;
    });
    return { bounds: this.#bounds, atMost, sum: this.#sum };
  }
}
