/**
 * A Kalman filter of two states: by how much one clock is ahead of a line, and how fast that grows.
 *
 * The model is the clock's usual one: the offset grows by the drift, and the drift walks at random (constants.ts, WANDER_PPM_PER_ROOT_S).
 * Units are nanoseconds and seconds, so a drift is in nanoseconds per second: a thousand of them are one part per million.
 *
 * Further reading: Y. Bar-Shalom et al., "Estimation with Applications to Tracking and Navigation" (2001), section 6.2 (the process noise of a
 * walk, integrated over an interval); RFC 5905, section 11, for a discipline without a filter like this one.
 */
import { assert } from '../core/assert.js';

/** What the filter holds to be true, and how far it doubts that. Immutable. */
export interface Estimate {
  /** Nanoseconds. */
  readonly offset: number;
  /** Nanoseconds per second. */
  readonly drift: number;
  /** Variance of the offset, ns². */
  readonly offsetVar: number;
  /** Covariance of offset and drift, ns²/s. */
  readonly covariance: number;
  /** Variance of the drift, (ns/s)². */
  readonly driftVar: number;
}

/** What it will be after `seconds` (0 or more), if the drift walks by `wander` (ns/s in a root of a second). */
export function predict(estimate: Estimate, seconds: number, wander: number): Estimate {
  assert(seconds >= 0, 'a filter looks ahead');
  const { offset, drift, offsetVar, covariance, driftVar } = estimate;
  const q = wander * wander * seconds;
  return {
    offset: offset + drift * seconds,
    drift,
    offsetVar: offsetVar + 2 * covariance * seconds + driftVar * seconds * seconds + (q * seconds * seconds) / 3,
    covariance: covariance + driftVar * seconds + (q * seconds) / 2,
    driftVar: driftVar + q,
  };
}

/** What it is once the offset was measured as `measured`, with that variance (ns², above 0). */
export function correct(estimate: Estimate, measured: number, variance: number): Estimate {
  assert(variance > 0, 'no measurement is exact');
  const { offset, drift, offsetVar, covariance, driftVar } = estimate;
  const total = offsetVar + variance;
  const gain = offsetVar / total;
  const driftGain = covariance / total;
  const innovation = measured - offset;
  return {
    offset: offset + gain * innovation,
    drift: drift + driftGain * innovation,
    offsetVar: (1 - gain) * offsetVar,
    covariance: (1 - gain) * covariance,
    // Rounding must not make it negative, where a drift is known all but exactly.
    driftVar: Math.max(driftVar - driftGain * covariance, 0),
  };
}
