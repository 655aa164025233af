/**
 * LampSwitch: how one lamp is switched, in words that another thread understands.
 *
 * The main thread finds a lamp, takes it and lets it go; the leader's lamp is switched by the clock's thread. Descriptors and paths are the
 * process's, so a few of them are all that the other thread has to be told.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { LineCalls } from './line-calls.js';

/** One lamp. */
export type LampSwitch =
  /** A line of the character device, which was taken. */
  | { readonly kind: 'line'; readonly descriptor: number }
  /** A file of sysfs, in which a word stands for on and one for off. */
  | { readonly kind: 'file'; readonly path: string; readonly on: string; readonly off: string }
  /** A folder of an LED-class device whose trigger is `transient`: the kernel switches it off by itself. */
  | { readonly kind: 'transient'; readonly folder: string };

/** The lamp at hand. */
export interface OpenLamp {
  /** Lit for so many milliseconds at most where the kernel counts them for this lamp, else until it is told otherwise. */
  light(forMs: number): void;
  dark(): void;
  /** Closes what `openLamp` opened. The lamp stays as it is. */
  close(): void;
}

/** The kernel counts in ticks of up to 10 ms, rounds up, and may be one late: by so much it is told less. Milliseconds. */
const TICKS_MS = 20;
/** The longest time that the kernel takes. Milliseconds. */
const MS_MAX = 0x7fff_ffff;

/** @param calls for lamps at lines; undefined where there are none @throws Error where a file cannot be opened */
export function openLamp(lamp: LampSwitch, calls: Pick<LineCalls, 'setValue'> | undefined): OpenLamp {
  switch (lamp.kind) {
    case 'line': {
      const { descriptor } = lamp;
      return {
        light: () => calls?.setValue(descriptor, true),
        dark: () => calls?.setValue(descriptor, false),
        close: () => {},
      };
    }
    case 'file': {
      const file = new SysfsFile(lamp.path);
      return { light: () => file.write(lamp.on), dark: () => file.write(lamp.off), close: () => file.close() };
    }
    case 'transient': {
      const duration = new SysfsFile(join(lamp.folder, 'duration'));
      const activate = new SysfsFile(join(lamp.folder, 'activate'));
      const dark = () => activate.write('0');
      return {
        light: (forMs) => {
          // One that is under way ignores another, and ends by being dark: for some microseconds, which nobody sees.
          dark();
          const wholeMs = Math.min(Math.floor(forMs) - TICKS_MS, MS_MAX);
          if (wholeMs <= 0) return;
          duration.write(String(wholeMs));
          activate.write('1');
        },
        dark,
        close: () => {
          duration.close();
          activate.close();
        },
      };
    }
  }
}

/** A file of sysfs, which takes a whole word in each write. */
class SysfsFile {
  readonly #descriptor: number;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'w');
  }

  write(word: string): void {
    writeSync(this.#descriptor, word, 0);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
