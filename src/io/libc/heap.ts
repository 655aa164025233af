/**
 * What the C library keeps of memory that was given back.
 *
 * Buffers of files and messages come from malloc, and what is freed stays with the process, in a heap for each thread: a node that took in
 * a record of ten songs went on with 40 MB more than it had. Two heaps are enough for threads that seldom allocate, and what is free in them is given
 * back every now and then, while nothing sounds. Giving back holds a heap's lock, for milliseconds where much was freed and tens of them on a
 * slow machine, and with two heaps the player's thread may well stand before it: a lock of libc knows nothing of real-time priorities.
 * Until the music pauses, what was freed is there for the next file to be taken in.
 *
 * Further reading: mallopt(3), malloc_trim(3). Both are glibc's own: with another C library, or without koffi, nothing is done.
 */
import type { Time, Timer } from '../../ports/time.js';
import type { Libc } from './libc.js';

/** M_ARENA_MAX of malloc.h. */
const ARENA_MAX = -8;
const ARENAS = 2;
/** How often free memory is given back: looking takes a millisecond, and nobody misses it sooner. Milliseconds. */
const TRIM_EVERY_MS = 20_000;

/** What {@link keepHeapSmall} needs. */
export interface HeapComponents {
  readonly libc: Libc | undefined;
  readonly time: Time;
  /** True while a thread must not be kept waiting: something sounds. */
  readonly isSounding: () => boolean;
}

/** From now until the timer is cancelled the process keeps little more than it uses. To be called before there are threads. */
export function keepHeapSmall({ libc, time, isSounding }: HeapComponents): Timer {
  const calls = libc && callsOf(libc);
  calls?.mallopt(ARENA_MAX, ARENAS);
  return time.every('heap.trim', TRIM_EVERY_MS, () => {
    if (!isSounding()) calls?.trim(0);
  });
}

function callsOf(libc: Libc) {
  try {
    return {
      mallopt: libc.bind('int mallopt(int parameter, int value)'),
      trim: libc.bind('int malloc_trim(size_t pad)'),
    };
  } catch {
    return undefined;
  }
}
