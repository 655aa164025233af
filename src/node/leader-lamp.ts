/**
 * LeaderLamp: lit on the one node that leads.
 *
 * Leadership is a lease, and a lease ends by the clock: nobody tells of its end. So the lamp is told until when it may shine, anew with each
 * renewal, and goes out by itself: were it for this thread to put it out, a main thread that is busy would shine on beside the next leader. A process
 * that is stopped in its tracks (SIGSTOP) may leave a plain line lit; that is for the kernel's own timer, or the watchdog, to end.
 */
import { TuttiError } from '../core/errors.js';
import { type LocalTime, localTime } from '../core/units.js';
import type { LeaseLamp } from '../ports/controls.js';
import type { Log } from '../ports/log.js';
import type { Time, Timer } from '../ports/time.js';

/** How often it is looked whether the lease was renewed, milliseconds: a quarter of one or less, so that a lamp shines steadily. */
const LOOK_EVERY_MS = 50;
/** A lease that reaches no further than this beyond the last one is no news. Milliseconds. */
const RENEWED_MS = 80;
const NS_PER_MS = 1e6;

/** What the lamp is driven by. */
export interface LeaderLampComponents {
  readonly time: Time;
  readonly log: Log;
  readonly lamp: LeaseLamp;
  /** Until when this node alone may say that it leads; null where it may not. Read at each look. */
  readonly leaseUntil: () => LocalTime | null;
}

/** Between `start` and `stop` (idempotent) the lamp follows the lease; else it is dark. */
export class LeaderLamp {
  readonly #components: LeaderLampComponents;
  #timer: Timer | null = null;
  /** As the lamp was told; null where it is to be dark. */
  #until: LocalTime | null = null;
  #missing: string | null = null;

  constructor(components: LeaderLampComponents) {
    this.#components = components;
  }

  /** A lamp that cannot be had is no reason for a node not to start. */
  async start(): Promise<void> {
    const { lamp, time, log } = this.#components;
    try {
      await lamp.start();
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      this.#missing = error.detail;
      log.warn('The leader lamp cannot be used; everything else can.', { why: error.detail });
      return;
    }
    this.#timer = time.every('leader.lamp', LOOK_EVERY_MS, () => this.#look());
    this.#look();
  }

  /** Why it does not work, in a sentence; null where it does. */
  trouble(): string | null {
    return this.#missing ?? this.#components.lamp.trouble();
  }

  async stop(): Promise<void> {
    if (this.#timer === null) return;
    this.#timer.cancel();
    this.#timer = null;
    await this.#components.lamp.stop();
  }

  #look(): void {
    const until = this.#components.leaseUntil();
    const isNews =
      until === null || this.#until === null
        ? until !== this.#until
        : Number(until - this.#until) >= RENEWED_MS * NS_PER_MS;
    if (!isNews) return;
    this.#until = until;
    this.#components.lamp.litUntil(until ?? localTime(0n));
  }
}
