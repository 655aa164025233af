/**
 * Reading how a card stands: how much is queued, and at which instant that was true.
 *
 * `snd_pcm_status` gives a position and a stamp that belong together: the kernel takes the stamp in the very call that asks the hardware.
 * So the stamp is right to a fraction of a microsecond, however long this thread is held up on its way back. Not every driver and plug-in
 * stamps: some leave zeros, some use another clock. So each reading is taken between two looks at our own clock, and a stamp
 * that does not lie there is not believed; the middle of the two stands for it.
 *
 * The time between the two looks is told as well. A reading may have been held up *inside* the call, between position and stamp, where
 * nobody can see it; where the whole call was quick, this cannot have happened.
 */
import { type LocalTime, localTime } from '../../core/units.js';
import type { Time } from '../../ports/time.js';
import type { Pointer } from './alsa-library.js';
import { type PcmCalls, type PcmState, STATES } from './pcm-calls.js';

/**
 * A plug-in may tell position and stamp of the last interrupt: both old, and a true pair. Older than the longest queue it makes no sense.
 * Nanoseconds.
 */
const STAMP_AGE_NS_MAX = 250_000_000n;

/** One reading; the same object is filled again and again. */
export interface PcmReading {
  /** Below 0: nothing could be read, and the rest is old. */
  result: number;
  state: PcmState;
  /** Whole frames that are written and have not begun to leave. */
  delayFrames: number;
  /** Frames that there is room for. */
  writableFrames: number;
  at: LocalTime;
  /** How long the reading took, nanoseconds. */
  tookNs: number;
  /** True where `at` is the card's own stamp. */
  isStamped: boolean;
}

/** Reads one open pcm. Allocates nothing but the instants. */
export class PcmReader {
  readonly reading: PcmReading = {
    result: 0,
    state: 'open',
    delayFrames: 0,
    writableFrames: 0,
    at: localTime(0n),
    tookNs: 0,
    isStamped: false,
  };
  readonly #calls: PcmCalls;
  readonly #time: Pick<Time, 'now'>;
  readonly #handle: Pointer;
  readonly #mayStamp: boolean;
  readonly #status: Uint8Array;
  readonly #timespec = new Int32Array(4);

  /** @param init `isStamped`: whether the card was made to stamp by our clock */
  constructor(
    components: { readonly calls: PcmCalls; readonly time: Pick<Time, 'now'> },
    init: { readonly handle: Pointer; readonly isStamped: boolean },
  ) {
    this.#calls = components.calls;
    this.#time = components.time;
    this.#handle = init.handle;
    this.#mayStamp = init.isStamped;
    this.#status = new Uint8Array(components.calls.statusSizeof());
  }

  /** Fills {@link reading}, and gives it. */
  read(): PcmReading {
    const { reading } = this;
    const before = this.#time.now();
    reading.result = this.#calls.status(this.#handle, this.#status);
    const after = this.#time.now();
    reading.tookNs = Number(after - before);
    const stamp = this.#mayStamp && reading.result >= 0 ? this.#stamp() : 0n;
    reading.isStamped = stamp !== 0n && stamp <= after && stamp >= before - STAMP_AGE_NS_MAX;
    reading.at = localTime(reading.isStamped ? stamp : (before + after) / 2n);
    if (reading.result < 0) return reading;
    reading.state = STATES[this.#calls.statusState(this.#status)] ?? 'open';
    reading.delayFrames = this.#calls.statusDelay(this.#status);
    reading.writableFrames = this.#calls.statusAvail(this.#status);
    return reading;
  }

  #stamp(): bigint {
    this.#timespec.fill(UNTOUCHED);
    this.#calls.statusTstamp(this.#status, this.#timespec);
    return nanosOfTimespec(this.#timespec);
  }
}

/** What the words of a timespec are before C fills it: no part of an instant has this value. */
export const UNTOUCHED = -1;

/**
 * Nanoseconds of a `struct timespec` that C put into words that were {@link UNTOUCHED}. A 32-bit Raspberry Pi OS has seconds of 32 bits
 * (Debian 12) or of 64 (Debian 13), and Node cannot tell which alsa-lib was built with. The structure tells itself: the short one leaves
 * the third word alone.
 */
export function nanosOfTimespec(words: Int32Array): bigint {
  const isShort = words[2] === UNTOUCHED;
  const seconds = isShort ? words[0]! : words[1]! * 2 ** 32 + (words[0]! >>> 0);
  return BigInt(seconds) * 1_000_000_000n + BigInt(isShort ? words[1]! : words[2]!);
}
