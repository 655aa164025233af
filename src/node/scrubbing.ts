/**
 * Scrubbing: when the card is looked through for what it has lost. How, is for tracks/scrubber.ts; how fast, for tracks/scrub-pace.ts.
 *
 * One step at a time, and none while music plays from a card that is busy with files that come in, or takes long for what it is asked: then it
 * is looked again a little later.
 */
import { TuttiError } from '../core/errors.js';
import type { Log } from '../ports/log.js';
import type { Time, Timer } from '../ports/time.js';
import { mayScrub, scrubPauseMs } from '../tracks/scrub-pace.js';
import type { Damage, ScrubStep } from '../tracks/scrubber.js';

/** What one step reads at most, and at least a chunk. Bytes. */
const STEP_BYTES = 1 << 20;
/** A card that takes longer for a step than this has other things to do: a slow one reads a mebibyte in a tenth of a second. Milliseconds. */
const SLOW_STEP_MS = 400;
/** How soon it is looked again where a step had to wait, or failed. Milliseconds. */
const AGAIN_MS = 10_000;

/** What scrubbing is done with. */
export interface ScrubbingComponents {
  readonly time: Time;
  readonly log: Log;
  /** See {@link TrackClient.scrubStep}. */
  readonly step: (bytesMax: number) => Promise<ScrubStep>;
  readonly isPlaying: () => boolean;
  /** Files come in. */
  readonly isTakingIn: () => boolean;
  readonly found: (damage: Damage) => void;
}

/** Goes round and round from `start` to `stop`. */
export class Scrubbing {
  readonly #parts: ScrubbingComponents;
  readonly #pauseMsMax: number | undefined;
  #timer: Timer | null = null;
  #isRunning = false;
  #isSlow = false;
  #roundAtMs = 0;
  #bytesDone = 0;
  #bytesTotal = 0;

  /** `pauseMsMax`: see {@link scrubPauseMs}. */
  constructor(components: ScrubbingComponents, init: { readonly pauseMsMax?: number | undefined } = {}) {
    this.#parts = components;
    this.#pauseMsMax = init.pauseMsMax;
  }

  start(): void {
    this.#isRunning = true;
    this.#roundAtMs = this.#nowMs();
    this.#wait(AGAIN_MS);
  }

  /** Idempotent. */
  stop(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
  }

  /** How far the round is, bytes. */
  get progress(): { readonly bytesDone: number; readonly bytesTotal: number } {
    return { bytesDone: this.#bytesDone, bytesTotal: this.#bytesTotal };
  }

  #nowMs(): number {
    return Number(this.#parts.time.now()) / 1e6;
  }

  #wait(ms: number): void {
    if (this.#isRunning) this.#timer = this.#parts.time.after('scrub', ms, () => void this.#next());
  }

  async #next(): Promise<void> {
    const { isPlaying, isTakingIn, log } = this.#parts;
    const isDiskBusy = this.#isSlow || isTakingIn();
    // Whether it is still slow, only the next step can tell.
    this.#isSlow = false;
    if (!mayScrub({ isPlaying: isPlaying(), isDiskBusy })) return this.#wait(AGAIN_MS);
    try {
      this.#wait(await this.#step());
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      log.warn('The card could not be looked through.', { code: error.code, detail: error.detail });
      this.#wait(AGAIN_MS);
    }
  }

  /** Gives how long to wait before the next. Milliseconds. */
  async #step(): Promise<number> {
    const { step, found } = this.#parts;
    const beganMs = this.#nowMs();
    const done = await step(STEP_BYTES);
    this.#isSlow = this.#nowMs() - beganMs > SLOW_STEP_MS;
    this.#bytesDone = done.bytesDone;
    this.#bytesTotal = done.bytesTotal;
    if (this.#isRunning) for (const damage of done.damaged) found(damage);
    const pauseMs = scrubPauseMs(done, this.#nowMs() - this.#roundAtMs, this.#pauseMsMax);
    if (done.bytesDone === done.bytesTotal) this.#roundAtMs = this.#nowMs();
    return pauseMs;
  }
}
