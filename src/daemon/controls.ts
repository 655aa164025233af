/** Buttons, lamps and panel of a real daemon: which there are, and by what they are reached. */
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { gpioOf } from '../io/gpio/gpio.js';
import type { LampWire } from '../io/gpio/lamp-wires.js';
import { type LineCalls, lineCalls } from '../io/gpio/line-calls.js';
import { loadLibc } from '../io/libc/libc.js';
import { Controls } from '../node/controls.js';
import type { House } from '../node/house.js';
import type { Log } from '../ports/log.js';
import type { Time } from '../ports/time.js';

/** What this machine has of them. */
export interface Hardware {
  /** The leader's lamp, for the node to take; undefined where there is none. */
  readonly leaderLamp: LampWire | undefined;
  /** Undefined where the C library cannot be called. */
  readonly calls: LineCalls | undefined;
  /** Everything else, at the service of whoever stands before the daemon. */
  controlsOf(house: House): Controls;
}

/** Looks for them, and says in the log what there is and why. Nothing is taken yet. */
export function hardwareOf({ time, log }: { readonly time: Time; readonly log: Log }, config: Config): Hardware {
  const libc = loadLibc();
  const calls = libc && lineCalls(libc);
  const root = process.env.TUTTI_TEST_GPIO_ROOT ?? '/';
  const roots = { sys: join(root, 'sys'), dev: join(root, 'dev') };
  const { choice, buttons, leaderLamp, statusLamp } = gpioOf({ time, log, calls }, config.gpio, roots);
  const { driver, why, isTrouble } = choice;
  if (!isTrouble) log.info('GPIO:', { driver, why });
  const gpioMissing = isTrouble ? why : null;
  return {
    leaderLamp,
    calls,
    controlsOf: (house) => new Controls({ time, log, house, buttons, statusLamp, gpioMissing }),
  };
}
