/**
 * Lamps of this node, by where they are: at a GPIO line, through the character device or through onoff, or under /sys/class/leds.
 *
 * One of /sys/class/leds (the overlay gpio-led makes it) can be given a time after which the kernel switches it off, whatever has become of
 * this process. Its trigger `transient` does that, and can be wound up again before it ends. `oneshot` cannot: a shot is ignored while one
 * is under way, so that a lamp would blink at the end of each.
 *
 * Further reading: Documentation/leds/ledtrig-transient.rst of the kernel.
 */
import { accessSync, constants, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TuttiError } from '../../core/errors.js';
import type { Time } from '../../ports/time.js';
import type { LampSwitch } from './lamp-switch.js';
import { LINE_FLAGS } from './line-abi.js';
import type { LineCalls } from './line-calls.js';
import type { Onoff, OnoffLine } from './onoff.js';
import { onoffRefused } from './onoff-lines.js';

/** A lamp that can be had. */
export interface LampWire {
  /** Takes it; it is dark then. @throws TuttiError NOT_FOUND */
  take(): Promise<LampSwitch>;
  /** Lets it go, as it is. Idempotent. */
  release(): void;
}

/** How long udev is given to let the node's group write what a trigger brings, and how often it is looked. Milliseconds. */
const UDEV_MS = 1_000;
const LOOK_EVERY_MS = 20;

/** A lamp at a line of the character device. */
export class LineWire implements LampWire {
  readonly #calls: LineCalls;
  readonly #init: { readonly device: string; readonly line: number; readonly consumer: string };
  #descriptor: number | null = null;

  constructor(
    components: { readonly calls: LineCalls },
    init: { readonly device: string; readonly line: number; readonly consumer: string },
  ) {
    this.#calls = components.calls;
    this.#init = init;
  }

  take(): Promise<LampSwitch> {
    const { device, line, consumer } = this.#init;
    return attempt(() => {
      this.#descriptor = this.#calls.request(device, { line, flags: LINE_FLAGS.output, consumer });
      return { kind: 'line', descriptor: this.#descriptor };
    });
  }

  release(): void {
    if (this.#descriptor !== null) this.#calls.release(this.#descriptor);
    this.#descriptor = null;
  }
}

/** A lamp at a line of sysfs. onoff exports it and gives it back; its file is written to by whoever switches it. */
export class OnoffWire implements LampWire {
  readonly #onoff: Onoff;
  readonly #init: { readonly sys: string; readonly base: number; readonly line: number };
  #line: OnoffLine | null = null;

  constructor(
    components: { readonly onoff: Onoff },
    init: { readonly sys: string; readonly base: number; readonly line: number },
  ) {
    this.#onoff = components.onoff;
    this.#init = init;
  }

  take(): Promise<LampSwitch> {
    const { sys, base, line } = this.#init;
    return attempt(() => {
      try {
        this.#line = new this.#onoff.Gpio(base + line, 'low');
      } catch (error) {
        throw onoffRefused(line, error);
      }
      return { kind: 'file', path: join(sys, 'class/gpio', `gpio${base + line}`, 'value'), on: '1', off: '0' };
    });
  }

  release(): void {
    this.#line?.unexport();
    this.#line = null;
  }
}

/** An LED-class device. */
export class LedWire implements LampWire {
  readonly #time: Time;
  readonly #init: { readonly sys: string; readonly name: string };
  readonly #folder: string;
  #isTaken = false;

  constructor(components: { readonly time: Time }, init: { readonly sys: string; readonly name: string }) {
    this.#time = components.time;
    this.#init = init;
    this.#folder = join(init.sys, 'class/leds', init.name);
  }

  async take(): Promise<LampSwitch> {
    checkLed(this.#init);
    const triggers = triggersOf(this.#folder);
    this.#write('trigger', 'none');
    this.#write('brightness', '0');
    this.#isTaken = true;
    if (triggers.includes('transient')) {
      this.#write('trigger', 'transient');
      if (await this.#mayWind()) {
        this.#write('state', '1');
        return { kind: 'transient', folder: this.#folder };
      }
      this.#write('trigger', 'none');
    }
    const most = readFileSync(join(this.#folder, 'max_brightness'), 'utf8').trim();
    return { kind: 'file', path: join(this.#folder, 'brightness'), on: most, off: '0' };
  }

  release(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    try {
      this.#write('trigger', 'none');
      this.#write('brightness', '0');
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
    }
  }

  /** The files of a trigger come with it, and belong to root until udev has heard of it. */
  async #mayWind(): Promise<boolean> {
    const isSo = () => ['duration', 'state', 'activate'].every((file) => mayWrite(join(this.#folder, file)));
    for (let waitedMs = 0; !isSo(); waitedMs += LOOK_EVERY_MS) {
      if (waitedMs >= UDEV_MS) return false;
      await new Promise<void>((resolve) => void this.#time.after('led.udev', LOOK_EVERY_MS, resolve));
    }
    return true;
  }

  #write(file: string, word: string): void {
    const path = join(this.#folder, file);
    try {
      writeFileSync(path, word);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new TuttiError('NOT_FOUND', `${path} cannot be written: ${why}`, {}, error);
    }
  }
}

/** How an LED-class device is, without taking it. */
export interface LedFacts {
  readonly name: string;
  /** Why it cannot be used, in a clause; null where it can. */
  readonly missing: string | null;
  /** The kernel can switch it off by itself. */
  readonly isTimed: boolean;
}

/** Looks at the one of this name. */
export function ledFacts(init: { readonly sys: string; readonly name: string }): LedFacts {
  const { sys, name } = init;
  const folder = join(sys, 'class/leds', name);
  try {
    checkLed(init);
    return { name, missing: null, isTimed: triggersOf(folder).includes('transient') };
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error;
    return { name, missing: error.detail, isTimed: false };
  }
}

/** @throws TuttiError NOT_FOUND where it is not there, or may not be switched */
function checkLed({ sys, name }: { readonly sys: string; readonly name: string }): void {
  const all = join(sys, 'class/leds');
  const there = listed(all);
  if (!there.includes(name)) {
    const others = there.length === 0 ? 'there are none' : `there are ${there.join(', ')}`;
    throw new TuttiError('NOT_FOUND', `there is no LED ${name} under ${all}; ${others}`);
  }
  for (const file of ['trigger', 'brightness'].map((part) => join(all, name, part))) {
    if (!mayWrite(file)) throw new TuttiError('NOT_FOUND', `${file}: this user may not write there`);
  }
}

/** What may drive the LED of a folder; the one that does stands in brackets. */
const triggersOf = (folder: string): string[] =>
  readFileSync(join(folder, 'trigger'), 'utf8')
    .split(/\s+/)
    .map((word) => word.replace(/^\[|\]$/g, ''));

async function attempt<T>(take: () => T): Promise<T> {
  return await Promise.resolve(take());
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
