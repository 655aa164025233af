/**
 * Time: the only way to a clock or a timer. Real: io/time. Fake: fake-time.ts.
 *
 * Every timer has a name, so that a process that does not end can be asked what it waits for. A delay or period that is not a number
 * in its range is a mistake of ours (InvariantError).
 */
import type { LocalTime } from '../core/units.js';

/** A running timer. Cancelling one that fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/** A clock, and timers on it. */
export interface Time {
  /** This machine's CLOCK_MONOTONIC_RAW (clock_gettime(2)), nanoseconds: not slewed by NTP, stands still while suspended. */
  now(): LocalTime;
  /** Milliseconds since 1970 by the wall clock, for log lines, `addedAt` and the age of files only: a Pi boots without one. */
  wallClockMs(): number;
  /** Calls `callback` once, not before `delayMs` (0 or more) have passed. `name` says what for, in `running()`. */
  after(name: string, delayMs: number, callback: () => void): Timer;
  /**
   * Calls `callback` at multiples of `periodMs` (above 0) from now until cancelled. Calls that were missed (a busy thread, a suspended
   * machine) are left out: a late one does not bunch up those after it, and does not shift them.
   */
  every(name: string, periodMs: number, callback: () => void): Timer;
  /** Names of the timers that have not fired or been cancelled: empty once everything has stopped. */
  running(): readonly string[];
}
