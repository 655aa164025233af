/** How well this node knows cluster time, as people are shown it, and whether that is well enough to begin to sound. */
import type { ClockState } from '../clock/cluster-clock.js';

/** See the schema `Clock` of the HTTP contract, which it is. What is not measured is null. Microseconds. */
export interface ClockStatus {
  /** Close enough to sound, and not alone. */
  readonly locked: boolean;
  readonly holdover: boolean;
  /** Close enough only because the configuration allows more on a slow link. */
  readonly loose: boolean;
  /** The leader says another time than most nodes, and is not followed. */
  readonly outvoted: boolean;
  readonly offsetUs: number | null;
  readonly errorUs: number | null;
  readonly driftPpm: number | null;
  readonly ageMs: number | null;
}

/** The bound below which a node may start to sound where nothing else is said, and beyond which it is called loose. Microseconds. */
const ERROR_US = 500;
/** What `auto` allows at most. Microseconds. */
const ERROR_US_MAX = 5_000;

/**
 * How far cluster time may be wrong for a node to begin to sound, microseconds. A bound holds half of the round trip in any case, so `auto`
 * allows that beside what it allows for all the rest.
 */
export function startLimitUs(maxErrorUs: number | 'auto', roundTripNs: number | null): number {
  if (maxErrorUs !== 'auto') return maxErrorUs;
  return Math.min(ERROR_US_MAX, ERROR_US + (roundTripNs ?? 0) / 2_000);
}

/** True where a node that is silent may begin to sound. One that sounds goes on in any case. */
export function mayStart(state: ClockState, maxErrorUs: number | 'auto'): boolean {
  const { isRunning, errorNs, roundTripNs } = state;
  return isRunning && errorNs !== null && errorNs <= 1_000 * startLimitUs(maxErrorUs, roundTripNs);
}

/** What is shown of it. */
export function clockStatus(state: ClockState, maxErrorUs: number | 'auto'): ClockStatus {
  const { holdover, outvoted, offsetNs, errorNs, driftPpm, ageNs } = state;
  const isClose = mayStart(state, maxErrorUs);
  return {
    locked: isClose && !holdover,
    holdover,
    loose: isClose && maxErrorUs === 'auto' && errorNs! > 1_000 * ERROR_US,
    outvoted,
    offsetUs: inMicroseconds(offsetNs),
    errorUs: inMicroseconds(errorNs),
    driftPpm: driftPpm === null ? null : Math.round(driftPpm * 1_000) / 1_000,
    ageMs: ageNs === null ? null : Math.round(ageNs / 1e6),
  };
}

/** To a tenth, which is more than any of it is worth. */
const inMicroseconds = (ns: number | null): number | null => (ns === null ? null : Math.round(ns / 100) / 10);
