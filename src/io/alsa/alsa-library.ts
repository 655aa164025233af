/**
 * alsa-lib (libasound.so.2), through koffi: the one place that loads it. pcm-calls.ts and the other files here name the functions they
 * call.
 *
 * alsa-lib is a library and not the kernel's interface, because it knows what the card is called, which definitions the system has for it,
 * and how to convert where the card cannot take what we have. Neither it nor koffi has to be there: without them a node has other outputs.
 *
 * Further reading: https://www.alsa-project.org/alsa-doc/alsa-lib/, https://koffi.dev
 */
import { createRequire } from 'node:module';
import type koffiModule from 'koffi';
import type { LibraryHandle } from 'koffi';

/** A handle or address of C; koffi's form of it. */
export type Pointer = bigint;
/** What a C function takes for a pointer: an address, memory of ours, or an array that the call changes in place. */
export type Memory = Pointer | NodeJS.TypedArray | unknown[] | null;

/** Functions of alsa-lib, called by their prototypes. Results below 0 are errors: the negative of an errno(3). */
export interface AlsaLibrary {
  /**
   * The function that a C prototype names. Whoever calls this says by `Call` what the prototype says in C.
   * @throws Error where this alsa-lib has no such function
   */
  bind<Call>(prototype: string): Call;
  /** What alsa-lib says to a result below 0. */
  textOf(result: number): string;
}

/** alsa-lib, or why there is none and what would bring it: the `detail` of an error. */
export type AlsaLoading =
  | { readonly alsa: AlsaLibrary; readonly missing?: undefined }
  | { readonly missing: string; readonly alsa?: undefined };

/** Names that libasound goes by: this one on every Linux for 20 years. */
const LIBRARY = 'libasound.so.2';

/** Loads alsa-lib into this thread. Never throws. */
export function loadAlsa(library = LIBRARY): AlsaLoading {
  let koffi: typeof koffiModule;
  try {
    koffi = createRequire(import.meta.url)('koffi');
  } catch {
    return { missing: 'The npm package koffi has no binary for this machine, and alsa-lib is called through it.' };
  }
  try {
    const loaded = koffi.load(library);
    beQuiet(loaded);
    const strerror = loaded.func('const char *snd_strerror(int error)');
    return {
      alsa: {
        bind: <Call>(prototype: string) => loaded.func(prototype) as Call,
        textOf: (result) => strerror(result) as string,
      },
    };
  } catch {
    return { missing: `${library} is not on this machine: apt-get install libasound2 (Debian 13: libasound2t64).` };
  }
}

/**
 * alsa-lib writes a line or more to standard error whenever something fails, also where that is expected: for a card that was pulled out,
 * at every attempt to open it. All of it is in the results too. Its handler for these lines takes them by `...`, which koffi cannot
 * receive; so it gets a function of its own that takes no argument and does nothing.
 */
function beQuiet(loaded: LibraryHandle): void {
  loaded.func('int snd_lib_error_set_handler(void *handler)')(loaded.symbol('snd_asoundlib_version'));
}
