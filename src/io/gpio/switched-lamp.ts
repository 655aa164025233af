/** A lamp that the main thread switches: whoever looks at it sees what this process is at. */
import { TuttiError } from '../../core/errors.js';
import type { Lamp } from '../../ports/controls.js';
import type { Log } from '../../ports/log.js';
import { type OpenLamp, openLamp } from './lamp-switch.js';
import type { LampWire } from './lamp-wires.js';
import type { LineCalls } from './line-calls.js';

/** What a lamp is switched with. */
export interface SwitchedLampComponents {
  readonly wire: LampWire;
  /** Undefined where no lamp is at a line of the character device. */
  readonly calls: LineCalls | undefined;
  readonly log: Log;
}

/** {@link Lamp} of a wire. It goes out with the process, unless that is killed. */
export class SwitchedLamp implements Lamp {
  readonly #components: SwitchedLampComponents;
  readonly #dark = () => this.#switch(false);
  #lamp: OpenLamp | null = null;
  #trouble: string | null = null;

  constructor(components: SwitchedLampComponents) {
    this.#components = components;
  }

  async start(): Promise<void> {
    const { wire, calls } = this.#components;
    this.#lamp = openLamp(await wire.take(), calls);
    process.on('exit', this.#dark);
  }

  set(lit: boolean): void {
    this.#switch(lit);
  }

  trouble(): string | null {
    return this.#trouble;
  }

  stop(): Promise<void> {
    process.off('exit', this.#dark);
    this.#switch(false);
    this.#lamp?.close();
    this.#lamp = null;
    this.#components.wire.release();
    return Promise.resolve();
  }

  #switch(lit: boolean): void {
    try {
      if (lit) this.#lamp?.light(Number.POSITIVE_INFINITY);
      else this.#lamp?.dark();
    } catch (error) {
      this.#lamp = null;
      const why = error instanceof TuttiError ? error.detail : String(error);
      this.#trouble = why;
      this.#components.log.warn('A lamp has stopped working.', { why });
    }
  }
}
