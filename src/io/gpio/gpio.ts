/** Buttons and lamps at the GPIO lines that the configuration names, by the driver that was chosen. */
import type { Config } from '../../config/config.js';
import { BUTTONS, type Button, type Buttons, type Lamp } from '../../ports/controls.js';
import type { Log } from '../../ports/log.js';
import type { Time } from '../../ports/time.js';
import { ChardevLines } from './chardev-lines.js';
import { chooseDriver, type DriverChoice, type GpioRoots, gpioFacts } from './choose-driver.js';
import type { GpioChip } from './find-chip.js';
import { type LampWire, LedWire, LineWire, OnoffWire } from './lamp-wires.js';
import { type ButtonLines, LineButtons } from './line-buttons.js';
import type { LineCalls } from './line-calls.js';
import { type FoundOnoff, loadOnoff, type Onoff } from './onoff.js';
import { OnoffLines } from './onoff-lines.js';
import { SwitchedLamp } from './switched-lamp.js';

/** What they are made with. */
export interface GpioComponents {
  readonly time: Time;
  readonly log: Log;
  /** Undefined where the C library cannot be called. */
  readonly calls: LineCalls | undefined;
  readonly loadOnoff?: () => FoundOnoff;
}

/** What this node has. */
export interface Gpio {
  readonly choice: DriverChoice;
  readonly buttons: Buttons | undefined;
  readonly leaderLamp: LampWire | undefined;
  readonly statusLamp: Lamp | undefined;
}

/** How a driver makes them. */
interface Driver {
  buttons(lines: ReadonlyMap<Button, number>): ButtonLines;
  lamp(line: number, consumer: string): LampWire;
}

/** Finds out what there is and puts it together. Nothing is taken yet. */
export function gpioOf(components: GpioComponents, config: Config['gpio'], roots: GpioRoots): Gpio {
  const { time, log, calls } = components;
  const { sys } = roots;
  const facts = gpioFacts(components, roots);
  const choice = chooseDriver(config.driver, facts);
  const driver = driverOf(components, choice, { chip: facts.header, sys });
  const lines = new Map<Button, number>();
  for (const button of BUTTONS) {
    const line = config[button];
    if (line !== null) lines.set(button, line);
  }
  const { leaderLed, statusLed } = config;
  const status = statusLed === null ? undefined : driver?.lamp(statusLed, 'tutti status');
  return {
    choice,
    buttons:
      driver === null || lines.size === 0 ? undefined : new LineButtons({ time, log, lines: driver.buttons(lines) }),
    leaderLamp:
      leaderLed === null
        ? undefined
        : typeof leaderLed === 'string'
          ? new LedWire({ time }, { sys, name: leaderLed })
          : driver?.lamp(leaderLed, 'tutti leader'),
    statusLamp: status && new SwitchedLamp({ wire: status, calls, log }),
  };
}

function driverOf(
  components: GpioComponents,
  { driver }: DriverChoice,
  { chip, sys }: { readonly chip: GpioChip | null; readonly sys: string },
): Driver | null {
  const { time, calls } = components;
  if (chip === null) return null;
  const { device, base } = chip;
  if (driver === 'chardev' && calls !== undefined) {
    return {
      buttons: (lines) => new ChardevLines({ time, calls }, { device, lines }),
      lamp: (line, consumer) => new LineWire({ calls }, { device, line, consumer }),
    };
  }
  const onoff = driver === 'onoff' ? (components.loadOnoff ?? loadOnoff)() : null;
  if (onoff === null || 'missing' in onoff || base === null) return null;
  return onoffDriver({ time, onoff }, { base, sys });
}

const onoffDriver = (
  { time, onoff }: { readonly time: Time; readonly onoff: Onoff },
  { base, sys }: { readonly base: number; readonly sys: string },
): Driver => ({
  buttons: (lines) => new OnoffLines({ time, onoff }, { base, lines }),
  lamp: (line) => new OnoffWire({ onoff }, { sys, base, line }),
});
