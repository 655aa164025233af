/**
 * Which driver GPIO lines are reached by.
 *
 * onoff goes through sysfs, which kernels are about to drop, and which is read-only under a hardened unit; the character device is always there
 * on a Pi, and needs koffi. `auto` takes onoff where it can do its work, else the character device, and says why.
 */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.js';
import { findChip, type GpioChip } from './find-chip.js';
import type { LineCalls } from './line-calls.js';
import { type FoundOnoff, loadOnoff } from './onoff.js';

/** Where chips are looked for: another root than that of the machine for tests. */
export interface GpioRoots {
  readonly sys: string;
  readonly dev: string;
}

/** Those of this machine, unless a test sets TUTTI_TEST_GPIO_ROOT in the environment. */
export function gpioRoots(env: Readonly<Record<string, string | undefined>>): GpioRoots {
  const root = env.TUTTI_TEST_GPIO_ROOT ?? '/';
  return { sys: join(root, 'sys'), dev: join(root, 'dev') };
}

/** What there is on this machine. */
export interface GpioFacts {
  readonly chips: readonly GpioChip[];
  /** The chip of a Raspberry Pi's header; null where there is none. */
  readonly header: GpioChip | null;
  /** Why onoff cannot be used with it, in a clause; null where it can. */
  readonly onoff: string | null;
  /** Why the character device cannot; likewise. */
  readonly chardev: string | null;
}

/** What was chosen. */
export interface DriverChoice {
  readonly driver: 'onoff' | 'chardev' | 'none';
  /** For the log and the doctor, a sentence. */
  readonly why: string;
  /** Somebody has to do something for buttons and lamps to work that are wanted. */
  readonly isTrouble: boolean;
}

/** Looks at this machine. `calls`: undefined where the C library cannot be called. */
export function gpioFacts(
  components: { readonly calls: LineCalls | undefined; readonly loadOnoff?: () => FoundOnoff },
  { sys, dev }: GpioRoots,
): GpioFacts {
  const { calls } = components;
  const labelOf = (device: string) => {
    try {
      return calls?.chipInfo(device).label ?? null;
    } catch {
      return null;
    }
  };
  const { chips, header } = findChip({ sys, dev, labelOf });
  if (header === null) return { chips, header, onoff: NO_HEADER, chardev: NO_HEADER };
  return {
    chips,
    header,
    onoff: whyNoOnoff(header, join(sys, 'class/gpio/export'), components.loadOnoff ?? loadOnoff),
    chardev:
      calls === undefined
        ? 'the package koffi does not load'
        : may(header.device, constants.R_OK | constants.W_OK)
          ? null
          : `${header.device} may not be used by this user`,
  };
}

const NO_HEADER = 'there is no chip of a Raspberry Pi’s header';

/** What `gpio.driver` comes to. */
export function chooseDriver(wanted: Config['gpio']['driver'], facts: GpioFacts): DriverChoice {
  const { header, chips } = facts;
  if (wanted === 'none') return { driver: 'none', why: 'gpio.driver is "none"', isTrouble: false };
  if (header === null) {
    const others = chips.map(({ name, label }) => `${name}${label === null ? '' : ` (${label})`}`).join(', ');
    const why = others === '' ? 'this machine has no GPIO chip' : `${NO_HEADER}: there is ${others}`;
    return { driver: 'none', why, isTrouble: wanted !== 'auto' };
  }
  const order = wanted === 'auto' ? (['onoff', 'chardev'] as const) : [wanted];
  const reasons = order.flatMap((driver) => (facts[driver] === null ? [] : [`no ${driver}: ${facts[driver]}`]));
  const driver = order.find((candidate) => facts[candidate] === null);
  const chip = `${header.name}${header.label === null ? '' : ` (${header.label})`}`;
  const why = driver === undefined ? reasons.join('; ') : [`${chip} through ${driver}`, ...reasons].join('; ');
  return { driver: driver ?? 'none', why, isTrouble: driver === undefined };
}

function whyNoOnoff({ base }: GpioChip, exportFile: string, load: () => FoundOnoff): string | null {
  if (base === null) return 'this kernel’s sysfs has no GPIO';
  if (!may(exportFile)) return `${exportFile} cannot be written to by this user`;
  const onoff = load();
  return 'missing' in onoff ? onoff.missing : null;
}

function may(path: string, how = constants.W_OK): boolean {
  try {
    accessSync(path, how);
    return true;
  } catch {
    return false;
  }
}
