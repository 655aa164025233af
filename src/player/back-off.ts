/** When to try again what has failed: soon at first, then ever more rarely. */
import { addTime, type LocalTime, nanosFromMs } from '../core/units.js';

/** Counts the failures of one thing that is tried again. */
export class BackOff {
  /** Not before this; undefined while nothing has failed. */
  tryAt: LocalTime | undefined;
  readonly #firstMs: number;
  readonly #longestMs: number;
  #nextMs: number;

  /** Pauses double from `firstMs` up to `longestMs`. */
  constructor(init: { readonly firstMs: number; readonly longestMs: number }) {
    this.#firstMs = init.firstMs;
    this.#longestMs = init.longestMs;
    this.#nextMs = init.firstMs;
  }

  /** It failed at `now`; gives how long to wait. Milliseconds. */
  failed(now: LocalTime): number {
    const waitMs = this.#nextMs;
    this.tryAt = addTime(now, nanosFromMs(waitMs));
    this.#nextMs = Math.min(this.#longestMs, 2 * waitMs);
    return waitMs;
  }

  /** Nothing failed: it was not there to be tried. It is looked for again after `waitMs`, however often that has been so. */
  missing(now: LocalTime, waitMs: number): void {
    this.tryAt = addTime(now, nanosFromMs(waitMs));
  }

  /** It has worked for long enough: the next failure is a first one. */
  worked(): void {
    this.tryAt = undefined;
    this.#nextMs = this.#firstMs;
  }
}
