/** Time: the only way to a clock or a timer. Real: io/time. Fake: fake-time.ts. */
import type { LocalTime } from '../core/units.js';

/** A running timer. Cancelling one that fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Time {
  /** This machine's CLOCK_MONOTONIC_RAW (clock_gettime(2)), nanoseconds: not slewed by NTP, stands still while suspended. */
  now(): LocalTime;
  /** Milliseconds since 1970 by the wall clock, for log lines and `addedAt` only: a Pi boots without one. */
  wallClockMs(): number;
  /** Calls `callback` once, not before `delayMs` (0 or more) have passed. `name` says what for, in `running()`. */
  after(name: string, delayMs: number, callback: () => void): Timer;
  /** Calls `callback` every `periodMs` (above 0) until cancelled; a late call does not bunch up those after it. */
  every(name: string, periodMs: number, callback: () => void): Timer;
  /** Names of the timers that have not fired or been cancelled: empty once everything has stopped. */
  running(): readonly string[];
}
