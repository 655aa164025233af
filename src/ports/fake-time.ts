/**
 * FakeTime: a clock that stands still until a test moves it.
 *
 * `advance` fires the timers that fall due on the way, in order of their instants (those of one instant in the order in which they were
 * set), with the clock at exactly that instant. So a test of an hour takes a millisecond, and is the same at every run. A callback may
 * itself call `advance`: that is how a slow disk or a busy thread is played, and what falls due meanwhile fires late, once the callback
 * has returned, as on a real event loop.
 */
import { assert } from '../core/assert.js';
import { addTime, type LocalTime, localTime, nanosFromMs } from '../core/units.js';
import type { Time, Timer } from './time.js';

interface FakeTimer {
  readonly name: string;
  readonly callback: () => void;
  /** 0 for a timer that fires once. */
  readonly periodNs: number;
  /** Counts the timers as they were set, which decides between those of one instant. */
  readonly order: number;
  /** When it falls due, nanoseconds since the clock's start. */
  dueNs: number;
  /** Place in the heap; -1 once it does not wait any more. */
  index: number;
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
  /** Nanoseconds since the start: whole, and exact for 104 days. A simulation compares instants all the time, which is slow with a bigint. */
  #elapsedNs = 0;
  /** The start and that together. */
  #now: LocalTime;
  readonly #timers = new TimerHeap();
  #timersSet = 0;
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
    return this.#wallClockAtStartMs + this.#elapsedMs;
  }

  after(name: string, delayMs: number, callback: () => void): Timer {
    assert(Number.isFinite(delayMs) && delayMs >= 0, `the delay of timer "${name}" is 0 ms or more, not ${delayMs}`);
    return this.#set(name, nsFromMs(delayMs), 0, callback);
  }

  every(name: string, periodMs: number, callback: () => void): Timer {
    const periodNs = Number.isFinite(periodMs) ? nsFromMs(periodMs) : 0;
    assert(periodNs > 0, `the period of timer "${name}" is above 0 ms, not ${periodMs}`);
    return this.#set(name, periodNs, periodNs, callback);
  }

  running(): readonly string[] {
    return this.#timers.list().map((timer) => timer.name);
  }

  /** Moves the clock on by `ms` milliseconds and fires what falls due. */
  advance(ms: number): void {
    this.advanceNs(nanosFromMs(ms));
  }

  /** Moves the clock on by `ns` nanoseconds and fires what falls due. */
  advanceNs(ns: bigint): void {
    assert(ns >= 0n, 'time does not run backwards');
    const untilNs = this.#elapsedNs + Number(ns);
    if (!this.#isFiring) this.#fireUntil(untilNs);
    this.#moveOnTo(untilNs);
  }

  /** Moves the clock on to the next instant at which a timer falls due, and fires what does then; false where there is none up to `until`. */
  advanceToNext(until: LocalTime): boolean {
    const next = this.#timers.first;
    if (next === undefined || next.dueNs > Number(until - this.#startAt)) return false;
    this.#fireUntil(next.dueNs);
    return true;
  }

  /** Steps the wall clock, as NTP does after a boot: `now` and the timers do not notice. */
  setWallClockMs(ms: number): void {
    this.#wallClockAtStartMs = ms - this.#elapsedMs;
  }

  get #elapsedMs(): number {
    return Math.floor(this.#elapsedNs / 1e6);
  }

  #moveOnTo(elapsedNs: number): void {
    if (elapsedNs <= this.#elapsedNs) return;
    assert(Number.isSafeInteger(elapsedNs), 'a test lasts 104 days at most');
    this.#elapsedNs = elapsedNs;
    this.#now = addTime(this.#startAt, BigInt(elapsedNs));
  }

  #set(name: string, delayNs: number, periodNs: number, callback: () => void): Timer {
    const order = this.#timersSet++;
    const timer: FakeTimer = { name, callback, periodNs, order, dueNs: this.#elapsedNs + delayNs, index: -1 };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.remove(timer) };
  }

  #fireUntil(untilNs: number): void {
    for (let next = this.#timers.first; next !== undefined; next = this.#timers.first) {
      if (next.dueNs > Math.max(this.#elapsedNs, untilNs)) return;
      this.#moveOnTo(next.dueNs);
      this.#fire(next);
    }
  }

  #fire(timer: FakeTimer): void {
    if (timer.periodNs === 0) {
      this.#timers.remove(timer);
    } else {
      // The next multiple of the period that is still ahead: calls that were missed are left out, not made up for.
      const missed = Math.floor((this.#elapsedNs - timer.dueNs) / timer.periodNs);
      timer.dueNs += (missed + 1) * timer.periodNs;
      this.#timers.moved(timer);
    }
    this.#isFiring = true;
    try {
      timer.callback();
    } finally {
      this.#isFiring = false;
    }
  }
}

/**
 * Timers by their instants: a binary heap, in which each timer knows its place, so that a simulation of hours with thousands of timers
 * spends its time elsewhere. See R. Sedgewick, K. Wayne, "Algorithms", 4th edition, section 2.4.
 */
class TimerHeap {
  readonly #heap: FakeTimer[] = [];

  /** The one that falls due next. */
  get first(): FakeTimer | undefined {
    return this.#heap[0];
  }

  /** In the order in which they were set. */
  list(): FakeTimer[] {
    return [...this.#heap].sort((a, b) => a.order - b.order);
  }

  add(timer: FakeTimer): void {
    this.#put(timer, this.#heap.length);
    this.moved(timer);
  }

  /** Nothing happens where it does not wait. */
  remove(timer: FakeTimer): void {
    if (timer.index < 0) return;
    const last = this.#heap.pop()!;
    if (last !== timer) {
      this.#put(last, timer.index);
      this.moved(last);
    }
    timer.index = -1;
  }

  /** Its instant has changed: finds it its place. */
  moved(timer: FakeTimer): void {
    const heap = this.#heap;
    let { index } = timer;
    while (index > 0) {
      const above = heap[(index - 1) >> 1]!;
      if (!isEarlier(timer, above)) break;
      this.#put(above, index);
      index = (index - 1) >> 1;
    }
    for (;;) {
      const left = heap[2 * index + 1];
      if (left === undefined) break;
      const right = heap[2 * index + 2];
      const below = right !== undefined && isEarlier(right, left) ? right : left;
      if (!isEarlier(below, timer)) break;
      const { index: freed } = below;
      this.#put(below, index);
      index = freed;
    }
    this.#put(timer, index);
  }

  #put(timer: FakeTimer, index: number): void {
    this.#heap[index] = timer;
    timer.index = index;
  }
}

const isEarlier = (a: FakeTimer, b: FakeTimer): boolean =>
  a.dueNs < b.dueNs || (a.dueNs === b.dueNs && a.order < b.order);

/** As `nanosFromMs`, in a number. */
const nsFromMs = (ms: number): number => Math.trunc(ms * 1e6);
