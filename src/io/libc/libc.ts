/**
 * The C library, for what Node has no call for: CLOCK_MONOTONIC_RAW, datagrams on Unix sockets.
 *
 * koffi (https://koffi.dev) comes with a binary for each common machine. Where there is none for this one, every adapter that is built on it
 * has a lesser way, so loading never fails: it gives undefined.
 */
import { createRequire } from 'node:module';
import type koffiModule from 'koffi';

/** Functions of libc, called by their prototypes. */
export interface Libc {
  /** The function that a C prototype names, such as `int close(int fd)`. Pointers take typed arrays. */
  bind(prototype: string): (...values: readonly unknown[]) => number;
  /** The same, for a call that waits: it does so in a thread of Node's pool, and what is handed in must stay as it is meanwhile. */
  bindPooled(prototype: string): (...values: readonly unknown[]) => Promise<number>;
  /** Number of the last failure in this thread (errno(3)). */
  errno(): number;
  /** Width of a C `long`, bytes: 8, or 4 on 32-bit machines. */
  readonly longBytes: number;
}

/** The C library that Node itself runs on; undefined where koffi has no binary for this machine. */
export function loadLibc(): Libc | undefined {
  try {
    const koffi: typeof koffiModule = createRequire(import.meta.url)('koffi');
    const library = koffi.load(null);
    return {
      bind: (prototype) => library.func(prototype),
      bindPooled: (prototype) => {
        const call = library.func(prototype);
        return (...values) =>
          new Promise((resolve, reject) => {
            call.async(...values, (error: Error | null, result: number) =>
              error === null ? resolve(result) : reject(error),
            );
          });
      },
      errno: () => koffi.errno(),
      longBytes: koffi.sizeof('long'),
    };
  } catch {
    return undefined;
  }
}
