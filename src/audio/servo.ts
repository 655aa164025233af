/**
 * The servo: how much faster or slower to read, so that what sounds stays where the timeline says.
 *
 * What the card's crystal does is known ({@link CardLine}) and is made good for as it is, before it becomes an error: feed-forward. What
 * is left, from a start that was off or a clock that was corrected, goes away in proportion to itself. There is no integral: it
 * would wind up on a delay that is counted in frames, and with feed-forward it has nothing to do. There is no band in which an error
 * is left alone: two nodes at either end of it would stay apart.
 *
 * One exception: samples that nothing changes pass bit by bit. Where every reading of the card was what a perfect crystal gives, and
 * cluster time is local time, there is nothing to follow, and what began on a whole frame is left there.
 *
 * Further reading: K. J. Astrom, R. M. Murray, "Feedback Systems", 2nd edition, chapters 11 and 12.
 */

/** Error above which a correction of speed would take too long and be heard: the position is set anew instead. Microseconds. */
export const SNAP_ABOVE_US = 1_000;
/** Largest correction of an error: a hundredth of a semitone, below what ears tell apart. Parts per million. */
export const CORRECTION_MAX_PPM = 500;
/**
 * Time constant of the correction: 1 us of error for this many microseconds is 1 ppm. Slow enough that the line's own noise of a
 * microsecond moves the speed by two millionths, quick enough to be in step within two seconds of the largest error.
 */
const TIME_CONSTANT_S = 0.5;
/** Time constant of the error that is shown. Seconds. */
const SHOWN_OVER_S = 1;
/** What may be left of an error where nothing needs to be corrected: what began on a whole frame is off by half of one. Frames. */
const LEFT_ALONE_FRAMES = 1;

/** What to do after a reading. */
export type ServoVerdict = 'steer' | 'snap';

/** How the card's frames run in the time of the cluster. */
export interface Pace {
  /** By how much faster than nominal, parts per million. */
  readonly ppm: number;
  /** True where that is 0 and known to be. */
  readonly isNominal: boolean;
}

/** The pace of a card that keeps perfect time. */
export const NOMINAL_PACE: Pace = { ppm: 0, isNominal: true };

/** Steers one card while something sounds: takes how far off the sound is, and says by how much to correct the speed. */
export class Servo {
  /** Averaged error, positive where the sound is ahead of the timeline. Microseconds. */
  errorUs = 0;
  /** How much faster than nominal to read, parts per million. */
  correctionPpm = 0;
  readonly #frameUs: number;
  #shownS = 0;

  /** @param cardRate frames per second of the card */
  constructor(cardRate: number) {
    this.#frameUs = 1e6 / cardRate;
  }

  /** Forgets the past: the position was set anew. */
  reset(): void {
    this.errorUs = 0;
    this.#shownS = 0;
  }

  /**
   * Takes how far off the next frame is, once a block. After `snap` the caller sets the position anew and calls {@link reset}.
   * @param seconds length of the block
   * @param isUntouched true where samples pass as they are, as long as nothing is corrected
   */
  update(errorUs: number, seconds: number, pace: Pace, isUntouched: boolean): ServoVerdict {
    if (Math.abs(errorUs) > SNAP_ABOVE_US) return 'snap';
    this.#shownS += seconds;
    this.errorUs += (errorUs - this.errorUs) * Math.min(1, seconds / Math.min(this.#shownS, SHOWN_OVER_S));
    if (isUntouched && pace.isNominal && Math.abs(errorUs) <= LEFT_ALONE_FRAMES * this.#frameUs) {
      this.correctionPpm = 0;
      return 'steer';
    }
    const back = Math.max(-CORRECTION_MAX_PPM, Math.min(CORRECTION_MAX_PPM, -errorUs / TIME_CONSTANT_S));
    // A card that runs faster takes more frames from the same stretch of the source.
    this.correctionPpm = (1 / (1 + pace.ppm / 1e6) - 1) * 1e6 + back;
    return 'steer';
  }
}
