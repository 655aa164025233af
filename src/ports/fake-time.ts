/**
 * FakeTime: a clock that stands still until a test moves it.
 *
 * `advance` fires the timers that fall due on the way, in order of their instants (those of one instant in the order in which they were
 * set), with the clock at exactly that instant. So a test of an hour takes a millisecond, and is the same at every run. A callback may
 * itself call `advance`: that is how a slow disk or a busy thread is played, and what falls due meanwhile fires late, once the callback
 * has returned, as on a real event loop.
 */
import { assert } from '../core/assert.js';
import { addTime, type LocalTime, laterOf, localTime, nanosFromMs } from '../core/units.js';
import type { Time, Timer } from './time.js';

interface FakeTimer {
  readonly name: string;
  readonly callback: () => void;
  /** 0 for a timer that fires once. */
  readonly periodNs: bigint;
  dueAt: LocalTime;
}

/** When a test begins. */
export interface FakeTimeInit {
  /** What `now` says first, nanoseconds. Not zero by default, so that code which takes 0 for "never" is found out. */
  readonly startNs?: bigint;
  /** What `wallClockMs` says first: 2024-01-01T00:00:00Z by default. */
  readonly wallClockMs?: number;
}

/** A clock that is moved by hand, with the timers on it. */
export class FakeTime implements Time {
  readonly #startAt: LocalTime;
  #wallClockAtStartMs: number;
  #now: LocalTime;
  /** In the order in which they were set, which decides between timers of one instant. */
  readonly #timers = new Set<FakeTimer>();
  /** A callback is running. */
  #isFiring = false;

  constructor(init: FakeTimeInit = {}) {
    this.#startAt = localTime(init.startNs ?? 5_000_000_000n);
    this.#now = this.#startAt;
    this.#wallClockAtStartMs = init.wallClockMs ?? 1_704_067_200_000;
  }

  now(): LocalTime {
    return this.#now;
  }

  wallClockMs(): number {
    return this.#wallClockAtStartMs + Number((this.#now - this.#startAt) / 1_000_000n);
  }

  after(name: string, delayMs: number, callback: () => void): Timer {
    assert(Number.isFinite(delayMs) && delayMs >= 0, `the delay of timer "${name}" is 0 ms or more, not ${delayMs}`);
    return this.#set(name, nanosFromMs(delayMs), 0n, callback);
  }

  every(name: string, periodMs: number, callback: () => void): Timer {
    const periodNs = Number.isFinite(periodMs) ? nanosFromMs(periodMs) : 0n;
    assert(periodNs > 0n, `the period of timer "${name}" is above 0 ms, not ${periodMs}`);
    return this.#set(name, periodNs, periodNs, callback);
  }

  running(): readonly string[] {
    return [...this.#timers].map((timer) => timer.name);
  }

  /** Moves the clock on by `ms` milliseconds and fires what falls due. */
  advance(ms: number): void {
    this.advanceNs(nanosFromMs(ms));
  }

  /** Moves the clock on by `ns` nanoseconds and fires what falls due. */
  advanceNs(ns: bigint): void {
    assert(ns >= 0n, 'time does not run backwards');
    const until = addTime(this.#now, ns);
    if (this.#isFiring) {
      this.#now = until;
      return;
    }
    for (let next = this.#next(); next !== undefined && next.dueAt <= laterOf(this.#now, until); next = this.#next()) {
      this.#now = laterOf(this.#now, next.dueAt);
      this.#fire(next);
    }
    this.#now = laterOf(this.#now, until);
  }

  /** When the next timer falls due; undefined where none runs. */
  nextDueAt(): LocalTime | undefined {
    return this.#next()?.dueAt;
  }

  /** Steps the wall clock, as NTP does after a boot: `now` and the timers do not notice. */
  setWallClockMs(ms: number): void {
    this.#wallClockAtStartMs = ms - Number((this.#now - this.#startAt) / 1_000_000n);
  }

  #set(name: string, delayNs: bigint, periodNs: bigint, callback: () => void): Timer {
    const timer: FakeTimer = { name, callback, periodNs, dueAt: addTime(this.#now, delayNs) };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  #next(): FakeTimer | undefined {
    let first: FakeTimer | undefined;
    for (const timer of this.#timers) if (first === undefined || timer.dueAt < first.dueAt) first = timer;
    return first;
  }

  #fire(timer: FakeTimer): void {
    if (timer.periodNs === 0n) {
      this.#timers.delete(timer);
    } else {
      // The next multiple of the period that is still ahead: calls that were missed are left out, not made up for.
      const missed = (this.#now - timer.dueAt) / timer.periodNs;
      timer.dueAt = addTime(timer.dueAt, (missed + 1n) * timer.periodNs);
    }
    this.#isFiring = true;
    try {
      timer.callback();
    } finally {
      this.#isFiring = false;
    }
  }
}
