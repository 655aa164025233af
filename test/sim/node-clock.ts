/**
 * NodeClock: the clock of one machine, made of true time.
 *
 * It runs at its own rate, has its own zero, and belongs to one process: once that is dead, no timer of it fires. While the process is
 * stopped (SIGSTOP) time goes on and nothing runs; what fell due meanwhile fires, late, when it goes on.
 */
import { assert } from '../../src/core/assert.js';
import { type LocalTime, localTime, nanosFromMs } from '../../src/core/units.js';
import type { Time, Timer } from '../../src/ports/time.js';

/** Parts per million of a whole. */
const PPM = 1_000_000n;

/** What a clock needs. */
export interface NodeClockComponents {
  /** True time. */
  readonly time: Time;
  /** Runs a callback as the process would: not at all when it is dead, later when it is stopped. */
  readonly run: (callback: () => void) => void;
}

/** How a clock differs from true time. */
export interface NodeClockInit {
  /** How much faster it runs, parts per million; a whole number, may be negative. */
  readonly ratePpm: number;
  /** What it shows at true time 0, nanoseconds. */
  readonly zeroNs: bigint;
}

/** The Time of one process. */
export class NodeClock implements Time {
  readonly #time: Time;
  readonly #run: (callback: () => void) => void;
  readonly #ratePpm: bigint;
  readonly #zeroNs: bigint;
  readonly #timers = new Set<{ readonly name: string }>();
  /** What it shows at that instant of true time: between two events it is asked again and again. */
  #shown: { readonly trueAt: LocalTime; readonly at: LocalTime };
  #wallClockOffsetMs = 0;
  #stopped = false;

  constructor({ time, run }: NodeClockComponents, { ratePpm, zeroNs }: NodeClockInit) {
    this.#time = time;
    this.#run = run;
    this.#ratePpm = BigInt(ratePpm);
    this.#zeroNs = zeroNs;
    this.#shown = this.#readAt(time.now());
  }

  now(): LocalTime {
    const trueAt = this.#time.now();
    if (trueAt !== this.#shown.trueAt) this.#shown = this.#readAt(trueAt);
    return this.#shown.at;
  }

  wallClockMs(): number {
    return this.#time.wallClockMs() + this.#wallClockOffsetMs;
  }

  after(name: string, delayMs: number, callback: () => void): Timer {
    assert(Number.isFinite(delayMs) && delayMs >= 0, `the delay of timer "${name}" is 0 ms or more, not ${delayMs}`);
    return this.#at(name, () => undefined, localTime(this.now() + nanosFromMs(delayMs)), callback);
  }

  every(name: string, periodMs: number, callback: () => void): Timer {
    const periodNs = Number.isFinite(periodMs) ? nanosFromMs(periodMs) : 0n;
    assert(periodNs > 0n, `the period of timer "${name}" is above 0 ms, not ${periodMs}`);
    const nextAfter = (dueAt: LocalTime) => localTime(dueAt + ((this.now() - dueAt) / periodNs + 1n) * periodNs);
    return this.#at(name, nextAfter, localTime(this.now() + periodNs), callback);
  }

  running(): readonly string[] {
    return [...this.#timers].map(({ name }) => name);
  }

  /** Steps the wall clock, as NTP does. */
  stepWallClock(byMs: number): void {
    this.#wallClockOffsetMs += byMs;
  }

  /** The process is dead: nothing of it fires any more. */
  stop(): void {
    this.#stopped = true;
    this.#timers.clear();
  }

  #readAt(trueAt: LocalTime): { readonly trueAt: LocalTime; readonly at: LocalTime } {
    return { trueAt, at: localTime(this.#zeroNs + trueAt + (trueAt * this.#ratePpm) / PPM) };
  }

  #at(
    name: string,
    nextAfter: (dueAt: LocalTime) => LocalTime | undefined,
    firstAt: LocalTime,
    callback: () => void,
  ): Timer {
    const entry = { name };
    this.#timers.add(entry);
    let underlying: Timer;
    let dueAt = firstAt;
    const fire = () => {
      if (!this.#timers.has(entry)) return;
      const next = nextAfter(dueAt);
      if (next === undefined) this.#timers.delete(entry);
      else {
        dueAt = next;
        arm();
      }
      callback();
    };
    const arm = () => {
      underlying = this.#time.after(name, this.#trueDelayMs(dueAt), () => {
        if (!this.#stopped) this.#run(fire);
      });
    };
    arm();
    return {
      cancel: () => {
        this.#timers.delete(entry);
        underlying.cancel();
      },
    };
  }

  /** How long until this clock shows `at`, in true time. Milliseconds. */
  #trueDelayMs(at: LocalTime): number {
    const localNs = at - this.now();
    if (localNs <= 0n) return 0;
    // One nanosecond more than the division gives, so that it is never early; and a half, so that milliseconds round to the nanosecond.
    const trueNs = (localNs * PPM) / (PPM + this.#ratePpm) + 1n;
    return (Number(trueNs) + 0.5) / 1e6;
  }
}
