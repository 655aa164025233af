/**
 * Which GPIO chip is the one of the Raspberry Pi's header.
 *
 * Its number says nothing: on a Pi 5 it was gpiochip4, then 0, and 11 to 15 under later kernels, beside chips for power and wireless. Nor does
 * the base of its numbers in sysfs, which was 0 and is 512, 569 or 571. So it is found by what the device tree calls it, or by its driver's name,
 * and the numbers of the configuration are its own: BCM numbers.
 */
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** As device trees call the chips: of a Pi 5, of a Pi 4, and of those before. */
const COMPATIBLE: readonly string[] = ['raspberrypi,rp1-gpio', 'brcm,bcm2711-gpio', 'brcm,bcm2835-gpio'];
/** The same by their drivers. */
const LABELS: readonly string[] = ['pinctrl-rp1', 'pinctrl-bcm2711', 'pinctrl-bcm2835'];

/** A chip of this machine. */
export interface GpioChip {
  /** gpiochip0 */
  readonly name: string;
  /** Its character device. */
  readonly device: string;
  /** As its driver calls it; null where nobody may say. */
  readonly label: string | null;
  /** What sysfs adds to its line numbers; null where this kernel's sysfs has no GPIO. */
  readonly base: number | null;
}

/** What is looked at: the roots of sysfs and of the devices, and how a chip is asked for its label. */
export interface FindChipInit {
  readonly sys?: string;
  readonly dev?: string;
  /** Null where it cannot be asked. */
  readonly labelOf?: (device: string) => string | null;
}

/** Every chip, and the one of the header; null where there is none. */
export function findChip(init: FindChipInit = {}): {
  readonly chips: readonly GpioChip[];
  readonly header: GpioChip | null;
} {
  const { sys = '/sys', dev = '/dev', labelOf = () => null } = init;
  const folder = join(sys, 'bus/gpio/devices');
  const found = listed(folder)
    .filter((name) => name.startsWith('gpiochip'))
    .map((name) => {
      const device = join(dev, name);
      const numbers = sysfsNumbers(join(folder, name), labelOf(device));
      const chip = { name, device, label: numbers?.label ?? labelOf(device), base: numbers?.base ?? null };
      return { chip, isHeader: isCompatible(join(folder, name)) || LABELS.includes(chip.label ?? '') };
    });
  return { chips: found.map(({ chip }) => chip), header: found.find(({ isHeader }) => isHeader)?.chip ?? null };
}

function isCompatible(folder: string): boolean {
  const compatible = contents(join(folder, 'of_node/compatible'))?.split('\0') ?? [];
  return compatible.some((name) => COMPATIBLE.includes(name));
}

/**
 * The chip's entry in the old interface: a device called by its base, below the same parent. Where a parent has several chips, the label
 * says which.
 */
function sysfsNumbers(folder: string, label: string | null): { readonly base: number; readonly label: string } | null {
  let parent: string;
  try {
    parent = join(dirname(realpathSync(folder)), 'gpio');
  } catch {
    return null;
  }
  const entries = listed(parent)
    .map((name) => ({ base: contents(join(parent, name, 'base')), label: contents(join(parent, name, 'label')) }))
    .flatMap((entry) => (entry.base === null ? [] : [{ base: Number(entry.base), label: entry.label ?? '' }]));
  return (label === null ? undefined : entries.find((entry) => entry.label === label)) ?? onlyOne(entries);
}

const onlyOne = <T>(list: readonly T[]): T | null => (list.length === 1 ? list[0]! : null);

function listed(folder: string): string[] {
  try {
    return readdirSync(folder).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch {
    return [];
  }
}

function contents(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}
