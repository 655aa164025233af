/**
 * The servo: how much faster or slower to read, so that what sounds stays where the timeline says.
 *
 * A plain proportional servo, to be replaced by one that fits a line to the card's clock and feeds its rate forward. The correction
 * grows with the averaged error outside a band of one frame; inside it the ratio is left alone, so that a card which keeps time gets
 * samples untouched. There is no integral: on a delay counted in whole frames it would wind up.
 */

/** Error above which a correction of speed would take too long and be heard: the position is set anew instead. Microseconds. */
export const SNAP_ABOVE_US = 1_000;
/** Largest correction: a hundredth of a semitone, below what ears tell apart. Parts per million. */
export const CORRECTION_MAX_PPM = 500;
/**
 * Time constant of the correction: 1 us of error for this many microseconds is 1 ppm. Short enough to hold a crystal that is 500 ppm off
 * well below {@link SNAP_ABOVE_US}.
 */
const TIME_CONSTANT_S = 0.5;
/** Weight of a new reading in the average: over about 16 readings, 0.1 s, which evens out a delay counted in whole frames. */
const READING_WEIGHT = 1 / 16;

/** What to do after a reading. */
export type ServoVerdict = 'steer' | 'snap';

/** Steers one card while something sounds: takes how far off the sound is, and says by how much to correct the speed. */
export class Servo {
  /** Averaged error, positive where the sound is ahead of the timeline. Microseconds. */
  errorUs = 0;
  /** How much faster than nominal to read, parts per million; exactly 0 inside the band. */
  correctionPpm = 0;
  readonly #bandUs: number;
  #readings = 0;

  /** @param cardRate frames per second of the card */
  constructor(cardRate: number) {
    this.#bandUs = 1e6 / cardRate;
  }

  /** Forgets the past: the position was set anew. */
  reset(): void {
    this.errorUs = 0;
    this.correctionPpm = 0;
    this.#readings = 0;
  }

  /** Takes a reading of the error, once a period. After `snap` the caller sets the position anew and calls {@link reset}. */
  update(errorUs: number): ServoVerdict {
    if (Math.abs(errorUs) > SNAP_ABOVE_US) return 'snap';
    this.#readings += 1;
    this.errorUs += (errorUs - this.errorUs) * Math.max(1 / this.#readings, READING_WEIGHT);
    const beyond = Math.sign(this.errorUs) * Math.max(0, Math.abs(this.errorUs) - this.#bandUs);
    const wantedPpm = -beyond / TIME_CONSTANT_S;
    this.correctionPpm = Math.max(-CORRECTION_MAX_PPM, Math.min(CORRECTION_MAX_PPM, wantedPpm)) + 0;
    return 'steer';
  }
}
