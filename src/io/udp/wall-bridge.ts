/**
 * WallBridge: from the wall clock, in which the kernel stamps datagrams, to this machine's CLOCK_MONOTONIC_RAW.
 *
 * The kernel knows no other clock for it. The wall clock may be set and slewed at any time, so nothing but the *age* of a stamp is taken
 * from it: both clocks are read as nearly at once as can be, and the age is taken off the local one. An age is some hundred microseconds. A slew
 * changes it: by nothing that counts at NTP's 500 parts per million, by some ten microseconds at the 83,333 that chrony takes (chrony.conf(5),
 * maxslewrate). So the rate between the two clocks is measured from one look to the next, and the age told by it. A step that falls into just
 * that time shows as a jump between the two clocks, and the stamp is not used.
 */
import { assert } from '../../core/assert.js';
import { type LocalTime, localTime, NS_PER_S } from '../../core/units.js';
import type { Time } from '../../ports/time.js';
import type { Libc } from '../libc/libc.js';

/** From time.h of Linux. */
const CLOCK_REALTIME = 0;
/** Two readings of the local clock around one of the other, further apart than this: the thread was interrupted. Nanoseconds. */
const BRACKET_NS_MAX = 5_000n;
/** How often such a reading is tried again. */
const TRIES = 3;
/** A stamp older than this is not worth having: the slew of the wall clock would show. Nanoseconds. */
const AGE_NS_MAX = 20_000_000n;
/** How far the two clocks may seem to jump by the reading itself, nanoseconds. */
const JUMP_NS = 10_000n;
/** And by slew, a tenth of the time that passed: more than anybody slews. */
const SLEW_DIVISOR = 10n;
/** A rate is measured over so long at least: what two readings are off by is a small part of it. Nanoseconds. */
const RATE_OVER_NS = 1_500_000n;
/**
 * Over longer than this the clocks must have run at the rate that was known, to within {@link RATE_CHANGE}: else a slew has set in since, or a small step
 * was made, and nobody can say when. Nanoseconds.
 */
const SURE_FOR_NS = 100_000_000n;
const RATE_CHANGE = 1e-4;

/** Both clocks at one instant. */
interface Pair {
  readonly local: bigint;
  readonly wall: bigint;
}

/** Converts stamps of the wall clock. */
export class WallBridge {
  readonly #time: Pick<Time, 'now'>;
  readonly #wallClock: () => bigint;
  /** An earlier look, at least {@link RATE_OVER_NS} before the next of its kind. */
  #base: Pair | null = null;
  /** Nanoseconds of the wall clock in one of the local clock, up to `#base`; null where it changed since it was measured. */
  #rate: number | null = 1;

  /** @param components `wallClock`: CLOCK_REALTIME, nanoseconds */
  constructor(components: { readonly time: Pick<Time, 'now'>; readonly wallClock: () => bigint }) {
    this.#time = components.time;
    this.#wallClock = components.wallClock;
  }

  /** Looks at both clocks: to be called when something is sent, so that the rate is known when the answer comes. */
  look(): void {
    const pair = this.#read();
    if (pair !== null) this.#rateUpTo(pair);
  }

  /** The local instant of a wall-clock stamp of just now, nanoseconds; null where that cannot be told. */
  localOf(wallStampNs: bigint): LocalTime | null {
    const pair = this.#read();
    if (pair === null) return null;
    const age = pair.wall - wallStampNs;
    const rate = this.#rateUpTo(pair);
    if (age < 0n || age > AGE_NS_MAX || rate === null) return null;
    return localTime(pair.local - BigInt(Math.round(Number(age) / rate)));
  }

  /** The rate between the two clocks in the time before `pair`; null where it is not known, or they jumped apart. */
  #rateUpTo(pair: Pair): number | null {
    const base = this.#base;
    if (base === null) {
      this.#base = pair;
      return this.#rate;
    }
    const passed = pair.local - base.local;
    const gone = pair.wall - base.wall;
    const jump = gone - passed;
    const hasJumped = (jump < 0n ? -jump : jump) > JUMP_NS + passed / SLEW_DIVISOR;
    if (passed < RATE_OVER_NS && !hasJumped) return this.#rate;
    this.#base = pair;
    if (hasJumped) return null;
    const rate = Number(gone) / Number(passed);
    const isSure = passed <= SURE_FOR_NS || (this.#rate !== null && Math.abs(rate - this.#rate) <= RATE_CHANGE);
    this.#rate = isSure ? rate : null;
    return this.#rate;
  }

  #read(): Pair | null {
    for (let i = 0; i < TRIES; i++) {
      const before = this.#time.now();
      const wall = this.#wallClock();
      const bracket = this.#time.now() - before;
      if (bracket <= BRACKET_NS_MAX) return { local: before + bracket / 2n, wall };
    }
    return null;
  }
}

/** CLOCK_REALTIME of the C library, nanoseconds. */
export function wallClockOf(libc: Libc): () => bigint {
  const clockGettime = libc.bind('int clock_gettime(int clock, void *timespec)');
  // As in io/time: two longs, whatever the width of time_t.
  const timespec = libc.longBytes === 8 ? new BigInt64Array(2) : new Int32Array(2);
  return () => {
    const failed = clockGettime(CLOCK_REALTIME, timespec);
    assert(failed === 0, 'Linux has CLOCK_REALTIME');
    return BigInt(timespec[0]!) * NS_PER_S + BigInt(timespec[1]!);
  };
}
