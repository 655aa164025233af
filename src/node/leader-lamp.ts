/**
 * LeaderLamp: lit on the one node that leads.
 *
 * Leadership is a lease, and a lease ends by the clock: nobody tells of its end. So it is looked at, and a lamp goes out at most one look
 * late. A node that is stopped in its tracks (SIGSTOP, a card that hangs) leaves its lamp as it was; that is for the watchdog to end.
 */
import type { Lamp } from '../ports/controls.js';
import type { Time, Timer } from '../ports/time.js';

/** How often the lease is looked at, milliseconds: a tenth or so of a lease, and nothing that an eye sees. */
const LOOK_EVERY_MS = 50;

/** What the lamp is driven by. */
export interface LeaderLampComponents {
  readonly time: Time;
  readonly lamp: Lamp;
  /** True while this node alone may say that it leads; read at each look. */
  readonly holdsLease: () => boolean;
}

/** Between `start` and `stop` (idempotent) the lamp follows the lease; else it is dark. */
export class LeaderLamp {
  readonly #components: LeaderLampComponents;
  #timer: Timer | null = null;
  #isLit = false;

  constructor(components: LeaderLampComponents) {
    this.#components = components;
  }

  async start(): Promise<void> {
    const { lamp, time } = this.#components;
    await lamp.start();
    this.#timer = time.every('leader.lamp', LOOK_EVERY_MS, () => this.#look());
    this.#look();
  }

  async stop(): Promise<void> {
    if (this.#timer === null) return;
    this.#timer.cancel();
    this.#timer = null;
    await this.#components.lamp.stop();
  }

  #look(): void {
    const isLit = this.#components.holdsLease();
    if (isLit === this.#isLit) return;
    this.#isLit = isLit;
    this.#components.lamp.set(isLit);
  }
}
