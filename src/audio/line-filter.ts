/**
 * A line through noisy readings of a counter, as they come: where does the counter stand, and how much faster than nominal does it run?
 *
 * Least squares over the last seconds, worked out reading by reading: a Kalman filter of two states, position and rate. The rate of a
 * crystal wanders a little; how much is the one constant, {@link RATE_WALK_PPM}. How far the filter looks back follows from it and from
 * the noise of the readings: about 2 s where a card counts whole frames, 8 s and more where its position moves in steps. A fit over a
 * fixed window would need the one or the other. Plain numbers relative to the first reading; nothing is allocated.
 *
 * Further reading: R. E. Kalman, "A New Approach to Linear Filtering and Prediction Problems", 1960; the noise is learned from what is
 * left after each correction, as in R. K. Mehra, "On the identification of variances and adaptive Kalman filtering", 1970.
 */

/** By how much a crystal's rate, card against local clock, walks in a second: some times more than a warm room moves one. Ppm. */
const RATE_WALK_PPM = 0.2;
/** Readings over which the noise is averaged once there are so many: at a hundred a second, two seconds. */
const NOISE_READINGS = 200;
/** A correction counts at most so many deviations of what was expected: a reading that was held up does not bend the line. */
const CLIP_SIGMAS = 4;
/**
 * So many readings in a row that far on one side are no noise: the rate has changed at once, as where NTP begins to slew the clock that stamps
 * them. What was known of the rate is then forgotten to this extent (one standard deviation, parts per million).
 */
const TURN_READINGS = 8;
const TURN_SIGMAS = 2.5;
const TURN_PPM_SIGMA = 200;

/** What is known before the first reading. */
export interface LineFilterInit {
  /** Steps of the counter in a second, as its maker says. */
  readonly nominalRate: number;
  /** Rate beyond nominal, and how sure that is (one standard deviation). Parts per million. */
  readonly ppm: number;
  readonly ppmSigma: number;
  /** Least noise of a reading, one standard deviation, in steps of the counter: what rounding does. */
  readonly leastNoise: number;
  /** Noise that is taken for granted until there are readings. */
  readonly firstNoise: number;
}

/** The line. Times are nanoseconds since an origin of the caller's, positions are steps of the counter. */
export class LineFilter {
  /** The latest instant, and the position then. */
  atNs = 0;
  position = 0;
  /** Rate beyond nominal, parts per million. */
  ppm: number;
  readonly #nominalRate: number;
  readonly #leastVariance: number;
  readonly #firstVariance: number;
  /** Covariance of position and rate. */
  #pp = 0;
  #pr = 0;
  #rr: number;
  /** Variance of a reading, learned. */
  #noise: number;
  #readings = 0;
  /** Readings in a row that were far off: above 0 where they were ahead, below where they were behind. */
  #farOff = 0;

  constructor(init: LineFilterInit) {
    this.#nominalRate = init.nominalRate;
    this.ppm = init.ppm;
    this.#rr = init.ppmSigma ** 2;
    this.#leastVariance = init.leastNoise ** 2;
    this.#firstVariance = init.firstNoise ** 2;
    this.#noise = this.#firstVariance;
  }

  /** Steps in a second. */
  get rate(): number {
    return this.#nominalRate * (1 + this.ppm / 1e6);
  }

  /** One standard deviation of {@link position}, steps of the counter. */
  get positionSigma(): number {
    return Math.sqrt(this.#pp);
  }

  /** One standard deviation of {@link ppm}. */
  get ppmSigma(): number {
    return Math.sqrt(this.#rr);
  }

  /** One standard deviation of a reading, steps of the counter. */
  get noise(): number {
    return Math.sqrt(this.#noise);
  }

  /** The counter was set anew: it is at `position`, which may be off by what a reading may. The rate stays as it is known. */
  restart(atNs: number, position: number, variance = this.#firstVariance): void {
    this.atNs = atNs;
    this.position = position;
    this.#pp = variance;
    this.#pr = 0;
    this.#noise = this.#firstVariance;
    this.#readings = 0;
    this.#farOff = 0;
  }

  /** All that was read so far was `steps` too low. */
  shift(steps: number): void {
    this.position += steps;
  }

  /** Where the counter will stand, or stood. */
  positionAt(atNs: number): number {
    return this.position + ((atNs - this.atNs) / 1e9) * this.rate;
  }

  /** When it will be at `position`, nanoseconds since the origin; not rounded. */
  instantOf(position: number): number {
    return this.atNs + ((position - this.position) / this.rate) * 1e9;
  }

  /** Moves on to `atNs`, not before the latest instant. */
  advance(atNs: number): void {
    const seconds = (atNs - this.atNs) / 1e9;
    this.position = this.positionAt(atNs);
    this.atNs = atNs;
    // Steps that 1 ppm makes over this time, and by how much the rate may have walked.
    const reach = seconds * this.#nominalRate * 1e-6;
    const walk = RATE_WALK_PPM ** 2 * seconds;
    this.#pp += 2 * reach * this.#pr + reach ** 2 * (this.#rr + walk / 3);
    this.#pr += reach * (this.#rr + walk / 2);
    this.#rr += walk;
  }

  /** How many standard deviations a reading of `position` now would be away from the line. */
  surprise(position: number, variance = this.#noise): number {
    return Math.abs(position - this.position) / Math.sqrt(this.#pp + variance);
  }

  /**
   * Takes a reading of the present instant.
   * @param variance noise of this one reading; left out, what was learned
   */
  correct(position: number, variance?: number): void {
    const noise = variance ?? this.#noise;
    this.#watchForTurn(position, noise);
    const total = this.#pp + noise;
    const most = CLIP_SIGMAS * Math.sqrt(total);
    const beside = Math.max(-most, Math.min(most, position - this.position));
    const gain = this.#pp / total;
    if (variance === undefined) this.#learnNoise((1 - gain) * beside ** 2);
    this.position += gain * beside;
    this.ppm += (this.#pr / total) * beside;
    this.#rr -= this.#pr ** 2 / total;
    this.#pr *= 1 - gain;
    this.#pp *= 1 - gain;
  }

  #watchForTurn(position: number, noise: number): void {
    const beside = position - this.position;
    const isFar = Math.abs(beside) > TURN_SIGMAS * Math.sqrt(this.#pp + noise);
    const side = Math.sign(beside);
    this.#farOff = !isFar ? 0 : Math.sign(this.#farOff) === side ? this.#farOff + side : side;
    if (Math.abs(this.#farOff) < TURN_READINGS) return;
    this.#farOff = 0;
    this.#rr += TURN_PPM_SIGMA ** 2;
    // The way that was gone at the new rate by now is the place's matter: were it put down to the last few milliseconds, they would tell of
    // thousands of parts per million.
    this.#pp += beside ** 2;
  }

  /** The product of what a reading was off before and after its correction is, on average, the variance of readings. */
  #learnNoise(product: number): void {
    this.#readings += 1;
    const weight = Math.max(1 / (this.#readings + 1), 1 / NOISE_READINGS);
    this.#noise = Math.max(this.#leastVariance, this.#noise + (product - this.#noise) * weight);
  }
}
