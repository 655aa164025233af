/**
 * SystemTime: this machine's clock and Node's timers. The one place that knows either.
 *
 * Instants are CLOCK_MONOTONIC_RAW, because CLOCK_MONOTONIC is slewed by NTP, by 500 ppm and more just after boot, and the clock of the
 * cluster must not be pulled by two hands. Node has no call for it; libc's costs 70 ns through koffi. Without koffi it is
 * CLOCK_MONOTONIC after all, and `clock` says so.
 *
 * Node's timers are not as exact as the contract: they go by CLOCK_MONOTONIC in whole milliseconds and may fire just before the
 * instant, and a delay above 2^31 - 1 ms fires at once. So each is looked at when it fires, and set again for what is left.
 */
import { assert } from '../../core/assert.js';
import { addTime, type LocalTime, localTime, NS_PER_S, nanosFromMs } from '../../core/units.js';
import type { Time, Timer } from '../../ports/time.js';
import { type Libc, loadLibc } from '../libc/libc.js';

/** From time.h of Linux. */
const CLOCK_MONOTONIC_RAW = 4;
/** Longest delay that setTimeout takes, milliseconds: what fits 31 bits. */
const NODE_TIMER_MS_MAX = 0x7fff_ffff;

interface RunningTimer {
  readonly name: string;
  readonly callback: () => void;
  /** 0 for a timer that fires once. */
  readonly periodNs: bigint;
  dueAt: LocalTime;
  handle: NodeJS.Timeout | undefined;
}

/** The clock and the timers of this process. */
export class SystemTime implements Time {
  /** Which clock `now` reads: the first, unless koffi does not load on this machine. */
  readonly clock: 'CLOCK_MONOTONIC_RAW' | 'CLOCK_MONOTONIC';
  readonly #read: () => bigint;
  readonly #timers = new Set<RunningTimer>();

  constructor(components: { readonly libc: Libc | undefined } = { libc: loadLibc() }) {
    const { libc } = components;
    this.clock = libc === undefined ? 'CLOCK_MONOTONIC' : 'CLOCK_MONOTONIC_RAW';
    this.#read = libc === undefined ? process.hrtime.bigint : rawClock(libc);
  }

  now(): LocalTime {
    return localTime(this.#read());
  }

  wallClockMs(): number {
    return Date.now();
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
    return Array.from(this.#timers, (timer) => timer.name);
  }

  #set(name: string, delayNs: bigint, periodNs: bigint, callback: () => void): Timer {
    const timer: RunningTimer = { name, callback, periodNs, dueAt: addTime(this.now(), delayNs), handle: undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        clearTimeout(timer.handle);
      },
    };
  }

  #arm(timer: RunningTimer): void {
    const leftMs = Math.ceil(Number(timer.dueAt - this.now()) / 1e6);
    timer.handle = setTimeout(() => this.#fire(timer), Math.min(Math.max(leftMs, 0), NODE_TIMER_MS_MAX));
  }

  #fire(timer: RunningTimer): void {
    const lateNs = this.now() - timer.dueAt;
    if (lateNs < 0n) {
      this.#arm(timer);
      return;
    }
    if (timer.periodNs === 0n) {
      this.#timers.delete(timer);
    } else {
      timer.dueAt = addTime(timer.dueAt, (lateNs / timer.periodNs + 1n) * timer.periodNs);
      this.#arm(timer);
    }
    timer.callback();
  }
}

/** Reads CLOCK_MONOTONIC_RAW into one buffer that is used again and again: nothing is allocated but the result. */
function rawClock(libc: Libc): () => bigint {
  const clockGettime = libc.bind('int clock_gettime(int clock, void *timespec)');
  // struct timespec of this symbol is two longs on every Linux: also where a 64-bit time_t has a symbol of its own.
  const timespec = libc.longBytes === 8 ? new BigInt64Array(2) : new Int32Array(2);
  return () => {
    const failed = clockGettime(CLOCK_MONOTONIC_RAW, timespec);
    assert(failed === 0, 'Linux has CLOCK_MONOTONIC_RAW since 2.6.28');
    return BigInt(timespec[0]!) * NS_PER_S + BigInt(timespec[1]!);
  };
}
