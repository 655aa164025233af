/**
 * PeerFilter: from bursts of exchanges with one peer to the line of its clock, with an honest bound.
 *
 * Each burst counts by its quickest exchange. How far that is to be believed follows from how much longer it took than the least round trip
 * of the last minute. A Kalman filter keeps offset and drift (kalman.ts). The bound of the line is half the least round trip, which is all
 * that an unequal pair of ways can hide, plus what the filter doubts; it grows by what is not known of the drift.
 *
 * The filter takes delays for chance, which evens out. A queue that stays on one way does not: so beside the estimate goes its *bias*, which
 * is what the filter makes of round trips that are all on the same way, by the very same gains. What that is beyond half the least round trip
 * is in the bound too.
 *
 * Not every surprise is noise. In order of size:
 *
 * - A measurement that the excess of its round trip explains was delayed on one way: it has little weight, by that excess.
 * - One that nothing on the network can explain (beyond GATE_SIGMAS of what is left) may be a stamp gone wrong, once. When the next burst says
 *   so too, it is the truth, and the model is wrong: the crystal changed its rate faster than it was thought to. The drift is doubted as
 *   far as explains it, and found anew within a few bursts.
 * - One that is off by more than LEAP_NS is of another clock: the peer rebooted, or one of the two machines was suspended. The filter starts anew.
 *
 * Times are 64-bit counts of nanoseconds and do not fit a double: the filter's offset is what is left above the line's last point.
 */
import { type LocalTime, localTime } from '../core/units.js';
import {
  BOUND_SIGMAS,
  DRIFT_SIGMA_PPM,
  DRIFT_SIGMAS,
  EXCESS_SIGMA,
  FLOOR_BURSTS,
  FLOOR_EXCESS,
  GATE_SIGMAS,
  HOLDOVER_PPM,
  LEAP_NS,
  WANDER_PPM_PER_ROOT_S,
} from './constants.js';
import { correct, type Estimate, predict } from './kalman.js';
import type { PeerLine } from './peer-line.js';
import { quickestOf, type Sample } from './sample.js';

/** Nanoseconds per second in a part per million. */
const PPM = 1_000;

/** What became of a burst. */
export type BurstOutcome =
  /** It was empty. */
  | 'nothing'
  /** The first of this clock. */
  | 'first'
  | 'taken'
  /** Further out than anything explains, for the first time: left out. */
  | 'outlier'
  /** The clock is another than before: this is its first. */
  | 'leapt';

/** The line's last point, and the doubt in it. */
interface Fix {
  readonly localAt: LocalTime;
  /** The peer's clock then: this and `estimate.offset`, which is below a nanosecond. */
  readonly peerAt: LocalTime;
  readonly estimate: Estimate;
  readonly bias: Bias;
}

/** How far the estimate is off where all of each round trip was on the same way. Nanoseconds, and nanoseconds per second. */
type Bias = Pick<Estimate, 'offset' | 'drift'>;

/** Of the samples of one burst, nanoseconds. */
interface RoundTrips {
  readonly leastNs: number;
  readonly middleNs: number;
  readonly count: number;
}

/** What one node knows of the clock of another. */
export class PeerFilter {
  #fix: Fix | null = null;
  /** Of the last bursts. */
  #roundTrips: RoundTrips[] = [];
  /** The least of them, nanoseconds. */
  #floorNs = 0;
  /** The last burst was left out. */
  #wasSurprised = false;
  readonly #stampVar: number;

  /** @param init `stampSigmaNs`: error of a sample to which the network adds none, one sigma, nanoseconds, above 0 */
  constructor(init: { readonly stampSigmaNs: number }) {
    this.#stampVar = init.stampSigmaNs ** 2;
  }

  /** The peer's clock began anew: nothing is known of it. */
  reset(): void {
    this.#fix = null;
    this.#roundTrips = [];
  }

  /** Takes the samples of one burst, in any order. */
  take(samples: readonly Sample[]): BurstOutcome {
    const sample = quickestOf(samples);
    if (sample === null || (this.#fix !== null && sample.localAt <= this.#fix.localAt)) return 'nothing';
    if (this.#fix === null) {
      this.#begin(sample, roundTripsOf(samples));
      return 'first';
    }
    return this.#go(this.#fix, sample, roundTripsOf(samples));
  }

  /** Null before the first burst. */
  line(): PeerLine | null {
    if (this.#fix === null) return null;
    const { localAt, peerAt, estimate, bias } = this.#fix;
    const sigma = Math.sqrt(estimate.driftVar);
    const isKnown = Math.abs(estimate.drift) > DRIFT_SIGMAS * sigma;
    const unknown = Math.hypot(BOUND_SIGMAS * sigma, bias.drift) + (isKnown ? 0 : Math.abs(estimate.drift));
    const hiddenNs = this.#floorNs / 2;
    const biasNs = Math.max(Math.abs(bias.offset) - hiddenNs, 0);
    return {
      localAt,
      peerAt,
      driftPpm: isKnown ? estimate.drift / PPM : 0,
      boundNs: hiddenNs + Math.hypot(BOUND_SIGMAS * Math.sqrt(estimate.offsetVar), biasNs),
      boundPpm: unknown / PPM + HOLDOVER_PPM,
    };
  }

  /** Least round trip of the last minute, nanoseconds; null before the first burst. */
  roundTripNs(): number | null {
    return this.#fix === null ? null : this.#floorNs;
  }

  #begin(sample: Sample, roundTrips: RoundTrips): void {
    this.#wasSurprised = false;
    this.#roundTrips = [roundTrips];
    this.#floorNs = roundTrips.leastNs;
    this.#fix = {
      localAt: sample.localAt,
      peerAt: sample.peerAt,
      estimate: {
        offset: 0,
        drift: 0,
        offsetVar: this.#stampVar + (EXCESS_SIGMA * this.#floorExcessNs()) ** 2,
        covariance: 0,
        driftVar: (DRIFT_SIGMA_PPM * PPM) ** 2,
      },
      bias: { offset: sample.roundTripNs / 2, drift: 0 },
    };
  }

  #go(fix: Fix, sample: Sample, roundTrips: RoundTrips): BurstOutcome {
    const seconds = Number(sample.localAt - fix.localAt) / 1e9;
    const predicted = predict(fix.estimate, seconds, WANDER_PPM_PER_ROOT_S * PPM);
    // The measured offset, above the line's last point carried on at the same rate.
    const measured = Number(sample.peerAt - fix.peerAt - (sample.localAt - fix.localAt));
    const offBy = Math.abs(measured - predicted.offset);

    const doubt = this.#floorNs / 2 + BOUND_SIGMAS * Math.sqrt(predicted.offsetVar) + HOLDOVER_PPM * PPM * seconds;
    if (offBy > doubt + sample.roundTripNs / 2 + LEAP_NS) {
      this.#begin(sample, roundTrips);
      return 'leapt';
    }

    const widened = this.#noteRoundTrips(roundTrips, predicted);
    const floorExcessNs = this.#floorExcessNs();
    const excessNs = sample.roundTripNs - this.#floorNs + floorExcessNs;
    const variance = this.#stampVar + (EXCESS_SIGMA * excessNs) ** 2;
    // What a delay on one way can do, with room for a floor that is further above the shortest than the average says.
    const explained = (excessNs + 3 * floorExcessNs) / 2 + GATE_SIGMAS * Math.sqrt(widened.offsetVar + this.#stampVar);
    const isSurprise = offBy > explained;
    if (isSurprise && !this.#wasSurprised) {
      this.#wasSurprised = true;
      return 'outlier';
    }
    this.#wasSurprised = false;
    const estimate = isSurprise ? doubtDrift(widened, offBy, seconds) : widened;
    const { offset, drift } = fix.bias;
    const bias = correct({ ...estimate, offset: offset + drift * seconds, drift }, sample.roundTripNs / 2, variance);
    this.#fix = rebased(fix, sample.localAt, correct(estimate, measured, variance), bias);
    return 'taken';
  }

  /** How far the least round trip that was seen may be above the shortest that the path has, nanoseconds: the more, the more it dawdles. */
  #floorExcessNs(): number {
    const middles = this.#roundTrips.map(({ middleNs }) => middleNs).sort((a, b) => a - b);
    const spread = middles[middles.length >> 1]! - this.#floorNs;
    const samples = this.#roundTrips.reduce((sum, { count }) => sum + count, 0);
    return (FLOOR_EXCESS * Math.max(spread, 0)) / Math.sqrt(samples);
  }

  /**
   * Keeps the least round trip up to date. Where it fell, the samples before were delayed by more than was thought: they count for less
   * after all. Gives the estimate with that doubt in it.
   */
  #noteRoundTrips(roundTrips: RoundTrips, estimate: Estimate): Estimate {
    this.#roundTrips.push(roundTrips);
    if (this.#roundTrips.length > FLOOR_BURSTS) this.#roundTrips.shift();
    const before = this.#floorNs;
    this.#floorNs = Math.min(...this.#roundTrips.map(({ leastNs }) => leastNs));
    const fellBy = before - this.#floorNs;
    if (fellBy <= 0) return estimate;
    return { ...estimate, offsetVar: estimate.offsetVar + (EXCESS_SIGMA * fellBy) ** 2 };
  }
}

/** @param samples at least one */
function roundTripsOf(samples: readonly Sample[]): RoundTrips {
  const sorted = samples.map(({ roundTripNs }) => roundTripNs).sort((a, b) => a - b);
  return { leastNs: sorted[0]!, middleNs: sorted[sorted.length >> 1]!, count: sorted.length };
}

/** The estimate with as much doubt in its drift as makes an error of `offBy` after `seconds` no surprise. */
function doubtDrift(estimate: Estimate, offBy: number, seconds: number): Estimate {
  const ahead = Math.max(seconds, 1);
  return {
    ...estimate,
    offsetVar: estimate.offsetVar + offBy ** 2,
    driftVar: estimate.driftVar + (offBy / ahead) ** 2,
  };
}

/** The fix at `localAt`, with whole nanoseconds of the offset moved into the line. */
function rebased(fix: Fix, localAt: LocalTime, estimate: Estimate, { offset, drift }: Bias): Fix {
  const whole = Math.round(estimate.offset);
  return {
    localAt,
    peerAt: localTime(fix.peerAt + (localAt - fix.localAt) + BigInt(whole)),
    estimate: { ...estimate, offset: estimate.offset - whole },
    bias: { offset, drift },
  };
}
