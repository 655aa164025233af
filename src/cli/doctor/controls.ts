/** What is to be thought of buttons, lamps and front panel. */
import { type Check, not, ok } from './check.js';
import type { Facts, GpioLineFacts } from './facts.js';

/** Consumers of the node's own lines begin so. */
const OWN = 'tutti ';

/** All of them. */
export const controls = ({ gpio: found, panel: port }: Pick<Facts, 'gpio' | 'panel'>): Check[] => [
  gpio(found),
  ...found.lines.flatMap((line) => gpioLine(line) ?? []),
  ...(found.led === null ? [] : [led(found.led)]),
  ...(port === null ? [] : [panel(port)]),
];

/** By what buttons and lamps are reached. */
export function gpio({ choice }: Pick<GpioLineFacts, 'choice'>): Check {
  const { driver, why, isTrouble } = choice;
  if (isTrouble) {
    return not(
      'warn',
      'GPIO',
      why,
      'sudo usermod -aG gpio USER, and log in anew; firmware-config/60-tutti.rules lets the group in. gpio.driver = "none" where there are no buttons.',
    );
  }
  if (driver !== 'none' || why.startsWith('gpio.driver')) return ok('GPIO', why);
  return not('note', 'GPIO', why, 'There are no buttons on this machine; on a Raspberry Pi, a chip is always there.');
}

/** Whether a line can be had; null where it can, or the node has it already. */
export function gpioLine({ key, line, holder, isThere }: GpioLineFacts['lines'][number]): Check | null {
  if (!isThere) return not('warn', key, `the chip has no line ${line}`, `Set ${key} to a BCM number of the header.`);
  if (holder === null || holder.startsWith(OWN)) return null;
  return not(
    'warn',
    key,
    `line ${line} is in use by ${holder || 'somebody who gives no name'}`,
    `End what uses it (an overlay in config.txt, another program), or set ${key} to another line; -1 for none.`,
  );
}

/** Whether the leader's LED can be had, and goes out by itself. */
export function led({ name, missing, isTimed }: NonNullable<GpioLineFacts['led']>): Check {
  if (missing !== null) {
    return not(
      'warn',
      'leader LED',
      missing,
      'dtoverlay=gpio-led,gpio=26,label=NAME in config.txt makes one; firmware-config/60-tutti.rules lets the group gpio switch it.',
    );
  }
  if (isTimed) return ok('leader LED', `${name}, which the kernel switches off when the lease ends`);
  return not(
    'note',
    'leader LED',
    `${name}, which a program that was stopped may leave lit`,
    'modprobe ledtrig-transient lets the kernel switch it off by itself.',
  );
}

/** Whether the front panel that is configured is there. */
export function panel({ path, kind, isWritable, missing }: NonNullable<Facts['panel']>): Check {
  const name = 'front panel';
  if (missing !== null)
    return not('warn', name, missing, 'npm run setup brings it, where there is one for this machine.');
  if (kind === 'missing' || kind === 'unreachable') {
    const advice = 'Plug it in, or set panel.port: ls /dev/serial/by-id shows what is.';
    return not('warn', name, `${path} is not there`, advice);
  }
  return isWritable
    ? ok(name, path)
    : not('warn', name, `${path}: not for this user`, 'sudo usermod -aG dialout USER, and log in anew.');
}
