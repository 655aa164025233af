/**
 * Can a card be believed? What it says it has played must move as fast as its rate says.
 *
 * Every figure that makes rooms sound together is built on the card's position. A card that tells a wrong one (a driver's bug, a rate
 * that is not the one agreed, a device that hangs and still says "running") cannot be corrected from outside: to speed up by 8 % would be
 * heard, and a jump would be "corrected" by a jump of the sound. So it is given up, with the reason, and opened anew: that cures most.
 *
 * The bounds are wide, several times what honest cards do. Crystals are within 200 ppm. The Pi's headphone jack moves in steps of 10 ms,
 * and sound servers move in steps of 20 and more. What is smaller than the bounds is for the servo to follow.
 */
import type { LocalTime } from '../../core/units.js';

/** Not looked at yet: cards fetch in bursts until they are under way. Nanoseconds. */
const SETTLE_NS = 500_000_000n;
/** Played sound may differ from what is due by this, at any time. Seconds. */
const SLACK_S = 0.05;
/** And by this share of the time that it is watched: with {@link WINDOW_NS} a rate that is wrong by 1.5 % is found. */
const SLACK_SHARE = 0.01;
/** After so long the watch begins anew, so that the slack of an hour's watch does not hide a jump. Nanoseconds. */
const WINDOW_NS = 10_000_000_000n;

/** Watches the position of one card from a start on. */
export class PositionCheck {
  readonly #rate: number;
  #startedAt: LocalTime | undefined;
  #anchorAt: LocalTime | undefined;
  #anchorFrames = 0;

  /** @param init `rate`: as agreed with the card, frames a second */
  constructor(init: { readonly rate: number }) {
    this.#rate = init.rate;
  }

  /** The card was stopped: its next position is a new one. */
  reset(): void {
    this.#startedAt = undefined;
    this.#anchorAt = undefined;
  }

  /**
   * Takes a position of the running card: `played` frames since its start, at `at`.
   * @returns what is wrong with it, in a sentence; undefined while it can be believed
   */
  watch(at: LocalTime, played: number): string | undefined {
    this.#startedAt ??= at;
    if (at - this.#startedAt < SETTLE_NS) return undefined;
    if (this.#anchorAt === undefined || at - this.#anchorAt > WINDOW_NS) {
      const verdict = this.#anchorAt === undefined ? undefined : this.#verdict(at, played);
      this.#anchorAt = at;
      this.#anchorFrames = played;
      return verdict;
    }
    return this.#verdict(at, played);
  }

  #verdict(at: LocalTime, played: number): string | undefined {
    const seconds = Number(at - this.#anchorAt!) / 1e9;
    const moved = played - this.#anchorFrames;
    const errorS = moved / this.#rate - seconds;
    if (Math.abs(errorS) <= SLACK_S + SLACK_SHARE * seconds) return undefined;
    const due = Math.round(seconds * this.#rate);
    return `The card cannot be believed: it was to play ${due} frames in ${seconds.toFixed(2)} s, and says that it played ${moved}.`;
  }
}
