/**
 * WallBridge: from the wall clock, in which the kernel stamps datagrams, to this machine's CLOCK_MONOTONIC_RAW.
 *
 * The kernel knows no other clock for it. The wall clock may be set and slewed at any time, so nothing but the *age* of a stamp is taken
 * from it: both clocks are read as nearly at once as can be, and the age is taken off the local one. An age is some hundred microseconds,
 * in which no slew amounts to anything. A step that falls into just that time shows as a jump between the two clocks, and the stamp is not used.
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
/** And by slew: NTP's 500 parts per million (RFC 5905, section 12) and as much for the crystal, as a divisor of the time that passed. */
const SLEW_DIVISOR = 1_000n;

/** Both clocks at one instant. */
interface Pair {
  readonly local: bigint;
  readonly wall: bigint;
}

/** Converts stamps of the wall clock. */
export class WallBridge {
  readonly #time: Pick<Time, 'now'>;
  readonly #wallClock: () => bigint;
  #last: Pair | null = null;

  /** @param components `wallClock`: CLOCK_REALTIME, nanoseconds */
  constructor(components: { readonly time: Pick<Time, 'now'>; readonly wallClock: () => bigint }) {
    this.#time = components.time;
    this.#wallClock = components.wallClock;
  }

  /** The local instant of a wall-clock stamp of just now, nanoseconds; null where that cannot be told. */
  localOf(wallStampNs: bigint): LocalTime | null {
    const pair = this.#read();
    if (pair === null) return null;
    const last = this.#last;
    this.#last = pair;
    if (last !== null) {
      const passed = pair.local - last.local;
      const jump = pair.wall - last.wall - passed;
      if ((jump < 0n ? -jump : jump) > JUMP_NS + passed / SLEW_DIVISOR) return null;
    }
    const age = pair.wall - wallStampNs;
    return age < 0n || age > AGE_NS_MAX ? null : localTime(pair.local - age);
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
