/**
 * FakeAudioOutput: a sound card on a Time, usually a FakeTime.
 *
 * It takes frames out of its queue at `rate * (1 + ppm / 1e6)` from the first write on, and keeps what left it: each stretch between a
 * first write and silence is one {@link PlayedRun}, whose frames have exact instants. Frames leave one by one, and the delay is exact to a fraction of one: there is
 * no period, no measuring noise and no drift of the crystal (io/virtual has those).
 */
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import { addTime, type LocalTime } from '../core/units.js';
import { ABSENT, type AudioOutput, type OutputFormat, type OutputRequest, type OutputStatus } from './audio-output.js';
import type { Time } from './time.js';

/** Sound that left the card without a break. */
export interface PlayedRun {
  /** When its first frame left. Frame `n` left `n / framesPerSecond` seconds later. */
  readonly startedAt: LocalTime;
  /** How fast the crystal went in truth. */
  readonly framesPerSecond: number;
  /** Interleaved, as written. Grows while the run lasts. */
  readonly samples: number[];
}

/** How the card differs from the plain one. */
export interface FakeAudioOutputInit {
  /** How much faster than the nominal rate the crystal is, parts per million. 0 by default. */
  readonly ppm?: number;
  /** The one rate that the card has; by default it takes what is asked for. */
  readonly rate?: number;
  /** Frames of the queue: 4,096 by default. */
  readonly bufferFrames?: number;
  /** 1,024 by default: told to the player, and of no effect here. */
  readonly periodFrames?: number;
}

/** When frame `frame` of `run` left the card, or would have. */
export const leftAt = (run: PlayedRun, frame: number): LocalTime =>
  addTime(run.startedAt, BigInt(Math.round((frame * 1e9) / run.framesPerSecond)));

/** A card in memory. */
export class FakeAudioOutput implements AudioOutput {
  /** All that was heard, in order. Brought up to date by every call; after `FakeTime.advance` call `status` first. */
  readonly runs: PlayedRun[] = [];
  readonly #time: Time;
  readonly #init: FakeAudioOutputInit;
  #format: OutputFormat | undefined;
  #state: OutputStatus['state'] = 'running';
  #unavailable: string | undefined;
  #queue: number[] = [];
  /** The run that is being played, and how many of its frames have left. */
  #run: PlayedRun | undefined;
  #leftFrames = 0;

  constructor(components: { readonly time: Time }, init: FakeAudioOutputInit = {}) {
    this.#time = components.time;
    this.#init = init;
  }

  open(request: OutputRequest): OutputFormat {
    assert(this.#format === undefined, 'a card is opened once until it is closed');
    if (this.#unavailable !== undefined) throw new TuttiError('OUTPUT_UNAVAILABLE', this.#unavailable, ABSENT);
    const { rate = request.rate, bufferFrames = 4_096, periodFrames = 1_024 } = this.#init;
    this.#format = { rate, channels: request.channels, bits: request.bits, bufferFrames, periodFrames };
    this.#reset();
    return this.#format;
  }

  write(samples: Int32Array, frameCount: number): number {
    const format = this.#opened();
    assert(samples.length >= frameCount * format.channels, 'the samples hold the frames that are said to be there');
    this.#play();
    const taken = Math.min(frameCount, this.#writableFrames());
    if (taken === 0) return 0;
    for (let i = 0; i < taken * format.channels; i++) this.#queue.push(samples[i]!);
    if (this.#run === undefined) {
      const framesPerSecond = format.rate * (1 + (this.#init.ppm ?? 0) / 1e6);
      this.#run = { startedAt: this.#time.now(), framesPerSecond, samples: [] };
      this.runs.push(this.#run);
    }
    return taken;
  }

  status(): OutputStatus {
    this.#play();
    return {
      state: this.#state,
      delayFrames: this.#queuedFrames() - this.#underWay(),
      at: this.#time.now(),
      writableFrames: this.#writableFrames(),
    };
  }

  recover(): void {
    this.#opened();
    this.#play();
    if (this.#state !== 'lost') this.#reset();
  }

  close(): void {
    if (this.#format === undefined) return;
    this.#play();
    this.#reset();
    this.#format = undefined;
  }

  /** Pulls the card out, until {@link plugIn}: it is `lost`, and cannot be opened, which `reason` explains. */
  pullOut(reason = 'no such device'): void {
    if (this.#format !== undefined) this.#play();
    this.#queue = [];
    this.#run = undefined;
    this.#unavailable = reason;
    this.#state = 'lost';
  }

  /** The card is back: whoever held it closes it and opens it again. */
  plugIn(): void {
    this.#unavailable = undefined;
  }

  #opened(): OutputFormat {
    assert(this.#format !== undefined, 'the card is open');
    return this.#format;
  }

  #reset(): void {
    this.#state = this.#unavailable === undefined ? 'running' : 'lost';
    this.#queue = [];
    this.#run = undefined;
    this.#leftFrames = 0;
  }

  /** How much of the frame that is next has left already: the delay is exact to a fraction. */
  #underWay(): number {
    if (this.#run === undefined) return 0;
    const elapsedNs = Number(this.#time.now() - this.#run.startedAt);
    return Math.max(0, (elapsedNs * this.#run.framesPerSecond) / 1e9 - this.#leftFrames);
  }

  #queuedFrames(): number {
    return this.#queue.length / this.#opened().channels;
  }

  #writableFrames(): number {
    return this.#state === 'running' ? this.#opened().bufferFrames - this.#queuedFrames() : 0;
  }

  /** Lets the frames go that should have left by now. */
  #play(): void {
    const format = this.#opened();
    if (this.#run === undefined) return;
    const elapsedNs = Number(this.#time.now() - this.#run.startedAt);
    // The millionth of a frame keeps a product that should be whole from being rounded to just below.
    const due = Math.floor((elapsedNs * this.#run.framesPerSecond) / 1e9 + 1e-6) - this.#leftFrames;
    const leaving = Math.min(due, this.#queuedFrames());
    for (const sample of this.#queue.splice(0, leaving * format.channels)) this.#run.samples.push(sample);
    this.#leftFrames += leaving;
    if (due > 0 && this.#queue.length === 0) {
      this.#state = 'underrun';
      this.#run = undefined;
      this.#leftFrames = 0;
    }
  }
}
