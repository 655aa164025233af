/**
 * How does a card's position move: with every frame, or in steps?
 *
 * A position that moves in steps is late by half a step on average, and by how much just now nobody says. What tells of long steps (10 ms
 * on the headphone jack of a Pi) is that it stands still from one reading to the next. Short ones (1 ms on USB) are over by the next
 * reading; but then the way from one reading to the next is a whole number of steps, whatever time there was between them, while that
 * of a card that counts frames fits the time, and that of one that is merely noisy is anything.
 */

/** A position that has not moved for so long stands still; so often, and it moves in steps. Nanoseconds. */
const STANDSTILL_NS = 1_500_000;
const STANDSTILLS = 2;
/** Ways that are compared for short steps. */
const COMPARED = 48;
/** Where a step is no whole number of frames, every other one is a frame longer. Frames. */
const UNEVEN_FRAMES = 1.5;
/**
 * Shorter steps are not looked for. Half of one is heard by nobody, and where a step is hardly longer than what every other one may be longer
 * by, any way is a whole number of them. A microframe of USB, 0.125 ms, is found at all rates of music. Seconds, and frames.
 */
const STEP_S_MIN = 0.000_1;
const STEP_FRAMES_MIN = 4;
/**
 * Two readings, each late by anything up to a step, have a way between them that is off by 0.41 of a step (one standard deviation). With
 * less than this there are no steps.
 */
const OFF_STEPS_MIN = 0.2;

/** Watches one card's position. */
export class PositionSteps {
  /** Length of a step in frames: 0 where there are none, Infinity where it is longer than the time between two readings. */
  frames = 0;
  readonly #rate: number;
  #standstills = 0;
  #isDecided = false;
  /** The ways, and the sum of the squares of what they are off. Frames. */
  readonly #ways = new Float64Array(COMPARED);
  #compared = 0;
  #offSquares = 0;

  /** @param rate frames a second */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /** The position moved by `moved` frames between two readings that were `gapNs` apart. True where this made out that it moves in steps. */
  see(moved: number, gapNs: number): boolean {
    if (moved === 0) return this.#standStill(gapNs);
    if (this.#isDecided) return false;
    this.#ways[this.#compared++] = moved;
    this.#offSquares += (moved - (gapNs / 1e9) * this.#rate) ** 2;
    return this.#compared === COMPARED && this.#decide();
  }

  #standStill(gapNs: number): boolean {
    if (gapNs < STANDSTILL_NS || this.frames === Number.POSITIVE_INFINITY) return false;
    this.#standstills += 1;
    if (this.#standstills < STANDSTILLS) return false;
    this.frames = Number.POSITIVE_INFINITY;
    this.#isDecided = true;
    return true;
  }

  #decide(): boolean {
    this.#isDecided = true;
    const step = this.#smallestDifference();
    const off = Math.sqrt(this.#offSquares / COMPARED);
    if (step < Math.max(STEP_S_MIN * this.#rate, STEP_FRAMES_MIN) || off < OFF_STEPS_MIN * step) return false;
    if (!this.#ways.every((way) => Math.abs(way - Math.round(way / step) * step) <= UNEVEN_FRAMES)) return false;
    this.frames = step;
    return true;
  }

  /** Between a way and the next one, where they differ; Infinity where they never do. */
  #smallestDifference(): number {
    let smallest = Number.POSITIVE_INFINITY;
    for (let i = 1; i < COMPARED; i++) {
      const difference = Math.abs(this.#ways[i]! - this.#ways[i - 1]!);
      if (difference > UNEVEN_FRAMES) smallest = Math.min(smallest, difference);
    }
    return smallest;
  }
}
