/** Buttons, lamps and panel of a real daemon: which there are, and by what they are reached. */
import type { Config } from '../config/config.js';
import { gpioRoots } from '../io/gpio/choose-driver.js';
import { gpioOf } from '../io/gpio/gpio.js';
import type { LampWire } from '../io/gpio/lamp-wires.js';
import { type LineCalls, lineCalls } from '../io/gpio/line-calls.js';
import { loadLibc } from '../io/libc/libc.js';
import { SerialPanel } from '../io/serial/serial-panel.js';
import { Controls } from '../node/controls.js';
import type { House } from '../node/house.js';
import type { Lamp } from '../ports/controls.js';
import type { Log } from '../ports/log.js';
import type { Time } from '../ports/time.js';

/** What this machine has of them. */
export interface Hardware {
  /** The leader's lamp, for the node to take; undefined where there is none. */
  readonly leaderLamp: LampWire | undefined;
  readonly statusLamp: Lamp | undefined;
  /** Undefined where the C library cannot be called. */
  readonly calls: LineCalls | undefined;
  /** Everything else, at the service of whoever stands before the daemon. */
  controlsOf(house: House): Controls;
}

/** Looks for them, and says in the log what there is and why. Nothing is taken yet. */
export function hardwareOf({ time, log }: { readonly time: Time; readonly log: Log }, config: Config): Hardware {
  const libc = loadLibc();
  const calls = libc && lineCalls(libc);
  const gpio = gpioOf({ time, log, calls }, config.gpio, gpioRoots(process.env));
  const { choice, buttons, leaderLamp, statusLamp } = gpio;
  const { driver, why, isTrouble } = choice;
  if (!isTrouble) log.info('GPIO:', { driver, why });
  const gpioMissing = isTrouble ? why : null;
  const { port, baud } = config.panel;
  const panel = port === null ? undefined : new SerialPanel({ time, log }, { port, baud });
  return {
    leaderLamp,
    statusLamp,
    calls,
    controlsOf: (house) => new Controls({ time, log, house, buttons, statusLamp, panel, gpioMissing }),
  };
}
