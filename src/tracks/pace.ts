/**
 * Pace: how much one peer is asked for at once, and how long is waited for it.
 *
 * The window is the count of chunks that may be on their way from the peer. It grows by one for each window that came in full; but while
 * control messages take much longer than when nothing is copied it halves, again and again, and does not grow: additive increase, multiplicative decrease, by which TCP
 * shares links (D.-M. Chiu, R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance in Computer Networks",
 * 1989). Consensus must not wait for files, so its delay is the signal, long before anything is lost.
 *
 * A peer that lets a chunk be late is set aside for a while, longer each time; what it gives after all brings it back.
 */
import { assert } from '../core/assert.js';
import type { RoundTrip } from '../ports/peer-mail.js';
import {
  ASIDE_MS_MAX,
  ASIDE_MS_MIN,
  PATIENCE_FACTOR,
  PATIENCE_MS_MIN,
  RATE_AT_FIRST,
  ROUND_TRIP_FACTOR,
  ROUND_TRIP_MS_CALM,
  SHRINK_MS,
  WINDOW_MAX,
} from './exchange-limits.js';

/** How much the latest chunk counts for a rate, against all before it. */
const RATE_WEIGHT = 0.25;

/** How fast chunks come, going by those that came. Times are local milliseconds. */
export class Rate {
  /** Bytes a millisecond; null before the first chunk. */
  #rate: number | null = null;
  #lastArrivalMs = Number.NEGATIVE_INFINITY;

  /** True where something came, so that `takesMs` is more than a guess. */
  get isKnown(): boolean {
    return this.#rate !== null;
  }

  /** What so many bytes take, milliseconds. */
  takesMs(bytes: number): number {
    return bytes / (this.#rate ?? RATE_AT_FIRST / 1_000);
  }

  /** A chunk of so many bytes came, which was asked for at `askedAtMs`. */
  arrived(bytes: number, askedAtMs: number, nowMs: number): void {
    assert(nowMs >= askedAtMs, 'a chunk comes after it was asked for');
    // Several are asked for at once: from one to the next is what one takes.
    const tookMs = Math.max(1, nowMs - Math.max(askedAtMs, this.#lastArrivalMs));
    const rate = bytes / tookMs;
    this.#rate = this.#rate === null ? rate : this.#rate + RATE_WEIGHT * (rate - this.#rate);
    this.#lastArrivalMs = nowMs;
  }
}

/** For how long to wait for what should take so long. Milliseconds. */
export const patienceMs = (takesMs: number): number => Math.max(PATIENCE_MS_MIN, PATIENCE_FACTOR * takesMs);

/** What was learned of one connection with a peer. Times are local milliseconds. */
export class Pace {
  readonly rate = new Rate();
  #window = 1;
  /** Control messages are late, by the latest that is known. */
  #isInTheWay = false;
  #shrunkAtMs = Number.NEGATIVE_INFINITY;
  #asideUntilMs = Number.NEGATIVE_INFINITY;
  #misses = 0;

  /** Chunks that may be on their way, 1 to 4. */
  get window(): number {
    return Math.floor(this.#window);
  }

  /** True while the peer is not to be asked. */
  isAside(nowMs: number): boolean {
    return nowMs < this.#asideUntilMs;
  }

  /** A chunk of so many bytes came, which was asked for at `askedAtMs`. */
  arrived(bytes: number, askedAtMs: number, nowMs: number): void {
    this.rate.arrived(bytes, askedAtMs, nowMs);
    if (!this.#isInTheWay) this.#window = Math.min(WINDOW_MAX, this.#window + 1 / this.#window);
    this.#misses = 0;
    this.#asideUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** What control messages take now; null where nobody knows. */
  measured(roundTrip: RoundTrip | null, nowMs: number): void {
    if (roundTrip === null) return;
    const { least, latest } = roundTrip;
    this.#isInTheWay = latest > Math.max(ROUND_TRIP_MS_CALM, ROUND_TRIP_FACTOR * least);
    if (this.#isInTheWay) this.#shrink(nowMs);
  }

  /** Something did not come in time. */
  missed(nowMs: number): void {
    this.#shrink(nowMs);
    this.#asideUntilMs = nowMs + Math.min(ASIDE_MS_MAX, ASIDE_MS_MIN * 2 ** this.#misses);
    this.#misses = Math.min(this.#misses + 1, 16);
  }

  #shrink(nowMs: number): void {
    if (nowMs - this.#shrunkAtMs < SHRINK_MS) return;
    this.#shrunkAtMs = nowMs;
    this.#window = Math.max(1, this.#window / 2);
  }
}
