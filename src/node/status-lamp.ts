/**
 * StatusLamp: what a second lamp says. Dark: all is well. Slow blinking: this node reaches no majority of its house, or belongs to none, so a
 * press would change nothing. Fast blinking, for two seconds: a press was refused.
 */
import type { Lamp } from '../ports/controls.js';
import type { Time, Timer } from '../ports/time.js';

/** Half a period of slow and of fast blinking, milliseconds: told apart at a glance. */
const SLOW_MS = 500;
const FAST_MS = 100;
/** How often the lamp changes for one refusal: two seconds of fast blinking, which ends dark. */
const FAST_CHANGES = 20;

/** Between `start` and `stop` (idempotent) it blinks as it should. */
export class StatusLamp {
  readonly #time: Time;
  readonly #lamp: Lamp;
  #timer: Timer | null = null;
  #isLit = false;
  #isCutOff = false;
  #fastLeft = 0;
  #isStarted = false;

  constructor(components: { readonly time: Time; readonly lamp: Lamp }) {
    this.#time = components.time;
    this.#lamp = components.lamp;
  }

  /** @throws TuttiError NOT_FOUND where there is no such lamp, or it cannot be had */
  async start(): Promise<void> {
    await this.#lamp.start();
    this.#isStarted = true;
    this.#begin();
  }

  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#timer?.cancel();
    this.#timer = null;
    await this.#lamp.stop();
  }

  /** Why it has stopped working, in a sentence; null where it has not. */
  trouble(): string | null {
    return this.#lamp.trouble();
  }

  /** Whether a press would change nothing, from now on. */
  setCutOff(isCutOff: boolean): void {
    if (isCutOff === this.#isCutOff) return;
    this.#isCutOff = isCutOff;
    if (this.#fastLeft === 0) this.#begin();
  }

  /** A press was refused. */
  refused(): void {
    this.#fastLeft = FAST_CHANGES;
    this.#begin();
  }

  /** From here on as it is to blink now, lit first. */
  #begin(): void {
    if (!this.#isStarted) return;
    this.#timer?.cancel();
    this.#timer = null;
    const halfMs = this.#fastLeft > 0 ? FAST_MS : this.#isCutOff ? SLOW_MS : null;
    this.#set(halfMs !== null);
    if (halfMs !== null) this.#timer = this.#time.every('status.lamp', halfMs, () => this.#change());
  }

  #change(): void {
    this.#set(!this.#isLit);
    if (this.#fastLeft === 0) return;
    this.#fastLeft -= 1;
    if (this.#fastLeft === 0) this.#begin();
  }

  #set(isLit: boolean): void {
    this.#isLit = isLit;
    this.#lamp.set(isLit);
  }
}
