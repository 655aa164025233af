/**
 * The clock of a sound card as a line over local time: when will the next frame that is written leave?
 *
 * A card's delay alone would do, were it exact: it counts whole frames, was read a little too late, or moves in steps. All readings of
 * the last seconds together ({@link LineFilter}) tell to a microsecond where the card is, and its crystal's rate besides.
 *
 * Three kinds of cards. *Fine* ones (I2S) count frames. *Stepping* ones ({@link PositionSteps}) are late by half a step on average, which is
 * made good for. Where steps are long (10 ms on the headphone jack of a Pi), a position that stood still says little; the moment at which
 * it moved says all, and that lies between the two readings around it: only these count, at the middle, with half the way between
 * them as doubt. *Liars* report what cannot be: stamps that stand still or go back, positions that leap, a rate far from the one they
 * were opened at. Played by such a clock music would leap too, so {@link CardLine.fault} tells the owner to let go of the card.
 *
 * A leap on its own is believed after some readings, since a driver may drop frames without a word: the line begins anew there.
 */
import { addTime, type LocalTime } from '../core/units.js';
import { LineFilter } from './line-filter.js';
import { PositionSteps } from './position-steps.js';

/** A reading that took longer than this says too little, nanoseconds: the thread was interrupted in the middle. */
const UNCERTAINTY_NS_MAX = 500_000;
/** So many of them in a row, and there are no better ones to be had: on a slow machine they count for what they are worth. */
const UNCERTAIN_MAX = 50;
/**
 * How far crystals are off, one standard deviation, of a card that was never heard and of one that was. Parts per million. What is known may
 * be of another card, which was plugged in instead: so it is not trusted further than a line finds out by itself within a second.
 */
const UNKNOWN_PPM_SIGMA = 100;
const KNOWN_PPM_SIGMA = 50;
/** Rounding to whole frames, as a standard deviation. Frames. */
const ROUNDING_FRAMES = Math.sqrt(1 / 12);
/** Noise of a reading until it is learned, and what one may be off before it is taken for a leap. Seconds. */
const FIRST_NOISE_S = 0.000_1;
const LEAP_S_MIN = 0.001;
const LEAP_SIGMAS = 6;
/** Readings in a row that must say so until a leap is believed. */
const LEAP_READINGS = 6;
/** Noise above this makes a card coarse too: more than the steps of USB. Seconds. */
const COARSE_NOISE_S = 0.000_5;
/** A line is good enough to start by: after so many readings that moved over so long a time, or when it is sure by so much. */
const SETTLED_READINGS = 4;
const SETTLED_NS = 7_000_000;
const SETTLED_SIGMA_S = 0.000_25;
/** A card all of whose readings are within this of its nominal rate is a simulated one that keeps perfect time. Frames. */
const NOMINAL_FRAMES = 0.002;
/** A rate further off than this is not the one that was agreed. Parts per million. */
const LIE_PPM = 2_000;
/** It is looked at after so long; and then the average since the opening may be off by what a step at either end makes besides. */
const LIE_NS = 1e9;
const LIE_STEPS_S = 0.02;
/** Readings that cannot be: more than so many, less one for each {@link FORGIVE} good ones, and the card lies. */
const LIES_MAX = 20;
const FORGIVE = 10;
/** Leaps: as many, each forgotten after this time. Nanoseconds. */
const LEAPS_MAX = 4;
const LEAP_FORGOTTEN_NS = 10e9;
/** A card that runs and does not move for so long is stuck; one that has just begun gets as long. Nanoseconds. */
const STUCK_NS = 1e9;
/** Stamps may be away from the local clock by this much. Nanoseconds. */
const STAMP_NS_MAX = 1e9;

/** What a card said of itself at one instant, and what is known besides. */
export interface CardReading {
  /** The instant, as the card stamped it. */
  readonly at: LocalTime;
  /** Frames written and not yet played then; may hold a fraction. */
  readonly delayFrames: number;
  /** By how much `at` may be wrong either way, nanoseconds; 0 where that is not known. */
  readonly uncertaintyNs: number;
}

/** One card from its opening to its closing. */
export class CardLine {
  /** Why this card must not be played by, once it is found out. */
  fault: string | undefined;
  /** Positions that were set anew without an underrun. */
  leaps = 0;
  readonly #rate: number;
  readonly #filter: LineFilter;
  #originAt: LocalTime | undefined;
  /** True once the position has moved: from then on there is a line. */
  #isAnchored = false;
  readonly #steps: PositionSteps;
  /** The first position since the card was opened or restarted, and when. */
  #firstNs = 0;
  #firstLeft = 0;
  #isNominal = true;
  #anchorNs = 0;
  #anchorLeft = 0;
  /** The reading before: its instant, the frames that had left, and since when they are that many. */
  #lastNs = 0;
  #lastLeft = 0;
  #movedNs = 0;
  #moves = 0;
  #farReadings = 0;
  #lies = 0;
  /** Readings in a row that took too long. */
  #uncertain = 0;
  #leapLevel = 0;
  #leapNs = 0;

  /**
   * @param rate frames a second that the card was opened at
   * @param knownPpm its rate beyond that when it was open last
   */
  constructor(rate: number, knownPpm?: number) {
    this.#rate = rate;
    this.#steps = new PositionSteps(rate);
    this.#filter = new LineFilter({
      nominalRate: rate,
      ppm: knownPpm ?? 0,
      ppmSigma: knownPpm === undefined ? UNKNOWN_PPM_SIGMA : KNOWN_PPM_SIGMA,
      leastNoise: ROUNDING_FRAMES,
      firstNoise: FIRST_NOISE_S * rate,
    });
  }

  /** By how much the card is faster than it says, against the local clock. Parts per million. */
  get ppm(): number {
    return this.#filter.ppm;
  }

  /** How sure {@link ppm} is, one standard deviation. */
  get ppmSigma(): number {
    return this.#filter.ppmSigma;
  }

  /** How sure the line's place is, one standard deviation. Microseconds. */
  get sigmaUs(): number {
    return (this.#filter.positionSigma / this.#rate) * 1e6;
  }

  /** True for a card whose position moves in steps, or is noisy: what it plays is in step to some tens of microseconds at best. */
  get coarse(): boolean {
    return this.#hasLongSteps || this.#filter.noise > COARSE_NOISE_S * this.#rate;
  }

  /** True while every single reading was what a perfect crystal would give: nothing needs to be corrected, not by the least. */
  get isNominal(): boolean {
    return this.#isNominal;
  }

  /** True once sound may begin by this line. */
  get isSettled(): boolean {
    if (!this.#isAnchored) return false;
    if (this.#hasLongSteps) return this.#filter.positionSigma < SETTLED_SIGMA_S * this.#rate;
    return this.#moves >= SETTLED_READINGS && this.#filter.atNs - this.#anchorNs >= SETTLED_NS;
  }

  /** When frame number `frame`, counted since the card was opened or {@link restart}ed, leaves it; undefined while it has not begun. */
  leavesAt(frame: number): LocalTime | undefined {
    if (!this.#isAnchored) return undefined;
    return addTime(this.#originAt!, BigInt(Math.round(this.#filter.instantOf(frame))));
  }

  /** The card was emptied and counts anew from 0. Its rate is known as before. */
  restart(): void {
    this.#isAnchored = false;
    this.#isNominal = true;
    this.#firstLeft = 0;
    this.#lastLeft = 0;
    this.#movedNs = this.#lastNs;
  }

  /**
   * Takes what the card says.
   * @param written frames written since the card was opened or restarted
   * @param now the local clock, just after the reading
   */
  take(reading: CardReading, written: number, now: LocalTime): void {
    this.#uncertain = reading.uncertaintyNs > UNCERTAINTY_NS_MAX ? this.#uncertain + 1 : 0;
    if (this.#uncertain > 0 && this.#uncertain <= UNCERTAIN_MAX) return;
    this.#originAt ??= reading.at;
    const atNs = Number(reading.at - this.#originAt);
    const nowNs = Number(now - this.#originAt);
    const left = written - reading.delayFrames;
    if (written === 0 || left !== this.#lastLeft) this.#movedNs = nowNs;
    else if (nowNs - this.#movedNs > STUCK_NS) this.fault ??= 'it runs and its position stands still';
    // Asked again before it looked at its position again.
    if (atNs === this.#lastNs && left === this.#lastLeft) return;
    if (!this.#isPossible(reading, atNs, left, nowNs)) {
      this.#lies += 1;
      if (this.#lies > LIES_MAX) this.fault ??= 'its time stamps or positions cannot be';
      return;
    }
    this.#lies = Math.max(0, this.#lies - 1 / FORGIVE);
    const hasMoved = left !== this.#lastLeft;
    if (this.#isAnchored) this.#follow(atNs, left, reading.uncertaintyNs);
    else if (left > 0 && (hasMoved || !this.#hasLongSteps)) this.#anchor(atNs, left);
    this.#lastNs = atNs;
    this.#lastLeft = left;
  }

  #isPossible({ delayFrames }: CardReading, atNs: number, left: number, nowNs: number): boolean {
    if (!(atNs >= this.#lastNs && Math.abs(nowNs - atNs) < STAMP_NS_MAX)) return false;
    // A delay holds what waits in the card's own buffers too: a little more than was written when it begins.
    return delayFrames >= -1 && left >= -this.#rate;
  }

  get #hasLongSteps(): boolean {
    return this.#steps.frames === Number.POSITIVE_INFINITY;
  }

  /** The first position, or one that has nothing to do with those before. */
  #anchor(atNs: number, left: number): void {
    const doubtFrames = this.#hasLongSteps ? this.#framesIn(atNs - this.#lastNs) : FIRST_NOISE_S * this.#rate;
    this.#filter.restart(atNs, left + this.#lateness(atNs), doubtFrames ** 2);
    this.#isAnchored = true;
    this.#anchorNs = atNs;
    this.#anchorLeft = left;
    this.#moves = 0;
    this.#farReadings = 0;
    if (this.#firstLeft > 0) return;
    this.#firstNs = atNs;
    this.#firstLeft = left;
  }

  #follow(atNs: number, left: number, uncertaintyNs: number): void {
    const asNominal = this.#anchorLeft + this.#framesIn(atNs - this.#anchorNs);
    if (Math.abs(left - asNominal) > NOMINAL_FRAMES) this.#isNominal = false;
    this.#filter.advance(atNs);
    const hadSteps = this.#steps.frames;
    if (this.#steps.see(left - this.#lastLeft, atNs - this.#lastNs)) this.#foundSteps(hadSteps);
    if (left === this.#lastLeft || !this.#isAnchored) return;
    const position = left + this.#lateness(atNs);
    const doubt = this.#hasLongSteps ? this.#framesIn(atNs - this.#lastNs) ** 2 / 12 : this.#doubt(uncertaintyNs);
    const leapFrames = LEAP_S_MIN * this.#rate + 2 * this.#lateness(atNs);
    const isFar =
      Math.abs(position - this.#filter.position) > leapFrames && this.#filter.surprise(position, doubt) > LEAP_SIGMAS;
    if (!isFar) {
      this.#farReadings = 0;
      this.#moves += 1;
      this.#filter.correct(position, doubt);
    } else {
      this.#farReadings += 1;
      if (this.#farReadings >= LEAP_READINGS) this.#leap(atNs, left);
    }
    this.#checkRate(atNs, left);
  }

  #framesIn(ns: number): number {
    return (ns / 1e9) * this.#rate;
  }

  /** By how much a position is late on average that is read now. Frames. */
  #lateness(atNs: number): number {
    return Math.min(this.#steps.frames, this.#framesIn(atNs - this.#lastNs)) / 2;
  }

  /** Noise of this reading where it is more than what was learned of them all. */
  #doubt(uncertaintyNs: number): number | undefined {
    if (uncertaintyNs === 0) return undefined;
    const frames = (uncertaintyNs / 1e9) * this.#rate;
    return frames > 2 * this.#filter.noise ? this.#filter.noise ** 2 + frames ** 2 / 3 : undefined;
  }

  /** The position moves in steps, as is known now; before it was thought to have none, or short ones. */
  #foundSteps(before: number): void {
    this.#isNominal = false;
    // Long steps: what was taken for the line is late by up to one, and the next move is the first that counts.
    if (this.#hasLongSteps) this.#isAnchored = false;
    else this.#filter.shift((this.#steps.frames - before) / 2);
  }

  #leap(atNs: number, left: number): void {
    this.leaps += 1;
    this.#isNominal = false;
    this.#anchor(atNs, left);
    this.#leapLevel = Math.max(0, this.#leapLevel - (atNs - this.#leapNs) / LEAP_FORGOTTEN_NS) + 1;
    this.#leapNs = atNs;
    if (this.#leapLevel > LEAPS_MAX) this.fault ??= 'its position leaps';
  }

  /** By the line, which a rate that is far off never settles on; and by all that was played since the beginning, leaps and all. */
  #checkRate(atNs: number, left: number): void {
    const elapsedNs = atNs - this.#firstNs;
    if (elapsedNs < LIE_NS) return;
    const averagePpm = ((left - this.#firstLeft) / this.#framesIn(elapsedNs) - 1) * 1e6;
    const allowedPpm = LIE_PPM + (LIE_STEPS_S / (elapsedNs / 1e9)) * 1e6;
    const isOff = Math.abs(averagePpm) > allowedPpm;
    if (!isOff && Math.abs(this.ppm) < LIE_PPM) return;
    const shown = Math.round(isOff ? averagePpm : this.ppm);
    this.fault ??= `it plays ${shown} ppm beside the rate that it was opened at`;
  }
}
