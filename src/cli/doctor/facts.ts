/** What the doctor finds out before it judges: plain values, from whatever has the real ones (probe.ts) or a test. */

import type { DriverChoice } from '../../io/gpio/choose-driver.js';
import type { LedFacts } from '../../io/gpio/lamp-wires.js';

/** A path, as this user meets it. */
export interface PathFacts {
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'other' | 'missing' | 'unreachable';
  /** Permission bits; null where it is not there. */
  readonly mode: number | null;
  /** User id of its owner; null where it is not there. */
  readonly owner: number | null;
  readonly isReadable: boolean;
  readonly isWritable: boolean;
}

/** The disk under the data directory. */
export interface DiskFacts {
  /** As Linux calls it: ext4, tmpfs, ... */
  readonly fileSystem: string;
  readonly freeBytes: number;
  /** How long writing a page durably took (fdatasync(2)), milliseconds; null where nothing may be written. */
  readonly sync: { readonly p50Ms: number; readonly p99Ms: number } | null;
}

/** A place to listen. */
export interface PortFacts {
  /** Key of the configuration. */
  readonly key: string;
  /** host:port. */
  readonly at: string;
  /** free, or the system's code for why not: EADDRINUSE, EACCES, ... */
  readonly state: string;
}

/** Buttons and lamps: by what they are reached, and who has their lines. */
export interface GpioLineFacts {
  readonly choice: DriverChoice;
  /** Lines that are configured, where the chip can be asked. */
  readonly lines: readonly {
    /** Key of the configuration. */
    readonly key: string;
    readonly line: number;
    /** Who has it; null where nobody does. */
    readonly holder: string | null;
    /** False where the chip has no such line. */
    readonly isThere: boolean;
  }[];
  /** Where gpio.leader_led names an LED-class device. */
  readonly led: LedFacts | null;
}

/** Everything that is judged. */
export interface Facts {
  readonly nodeVersion: string;
  /** Of whoever runs the doctor; 0 is the superuser. */
  readonly user: number;
  readonly dataDir: PathFacts;
  /** Null where the directory is not there. */
  readonly disk: DiskFacts | null;
  readonly inbox: PathFacts;
  readonly keyFile: PathFacts;
  readonly ports: readonly PortFacts[];
  /** Limits of this shell (getrlimit(2)); Infinity for none. */
  readonly limits: { readonly realtimePriority: number; readonly lockedBytes: number };
  readonly clock: 'CLOCK_MONOTONIC_RAW' | 'CLOCK_MONOTONIC';
  readonly gpio: GpioLineFacts;
  /** Null where no panel is configured. `missing`: why the package that speaks to it does not load, in a clause; null where it does. */
  readonly panel: (PathFacts & { readonly missing: string | null }) | null;
}
