/**
 * ReplayWindow: which numbers of a rising sequence were seen, so that none counts twice.
 *
 * The highest, and a bit for each of the 64 below it: datagrams overtake one another, but not by more. RFC 4303, section 3.4.3, and RFC 6479 do
 * the same for IPsec.
 */

/** How far a number may be below the highest and still count. */
const WIDTH = 64n;
const MASK = (1n << WIDTH) - 1n;

/** The numbers of one sender. */
export class ReplayWindow {
  #highest = -1n;
  /** Bit n: the highest less n was seen. */
  #seen = 0n;

  /** True the first time that `sequence` (0 or more) comes, false from then on, and for what is too far back to know. */
  isFresh(sequence: bigint): boolean {
    if (sequence > this.#highest) {
      const ahead = sequence - this.#highest;
      this.#seen = ahead >= WIDTH ? 1n : ((this.#seen << ahead) | 1n) & MASK;
      this.#highest = sequence;
      return true;
    }
    const behind = this.#highest - sequence;
    if (behind >= WIDTH) return false;
    const bit = 1n << behind;
    if ((this.#seen & bit) !== 0n) return false;
    this.#seen |= bit;
    return true;
  }
}
