/**
 * VirtualOutput: a sound card that is not there, with a crystal of its own.
 *
 * It takes frames out of its queue at `rate * (1 + ppm + wander)` by the Time port, from the first write on. Nothing runs in the
 * background: every call first works out what has left since the call before. Its delay is exact to a fraction of a frame, unless it is
 * told to be like real ones: to count whole frames, to stamp its readings a little wrong, or to move its position in steps, as the
 * headphone jack of a Pi does. What it played can be kept in a WAV file.
 */
import { assert } from '../../core/assert.js';
import { Prng } from '../../core/prng.js';
import { addTime, type LocalTime } from '../../core/units.js';
import type { AudioOutput, OutputFormat, OutputRequest, OutputStatus } from '../../ports/audio-output.js';
import type { Time } from '../../ports/time.js';

/** Sound that fits the queue: several times what a player keeps in it. Milliseconds. */
const BUFFER_MS = 500;
const PERIOD_MS = 10;
/** For how long the crystal keeps a rate before it wanders on. Nanoseconds. */
const WANDER_EVERY_NS = 1_000_000_000n;

/** What is wrong with the simulated card; without any of it, it keeps perfect time, at whatever rate it is asked for. */
export interface VirtualOutputInit {
  /** How much faster than nominal the crystal is, parts per million. */
  readonly ppm?: number;
  /** The most that the rate changes from one second to the next, parts per million: a random walk, kept within ten such steps. */
  readonly wanderPpm?: number;
  /** Seed of the wander. */
  readonly seed?: number;
  /** Frames are counted whole, as real cards do: the delay is half a frame off either way. */
  readonly wholeFrames?: boolean;
  /** By how much the stamp of a reading is wrong at most, either way, each time anew. Microseconds. */
  readonly stampNoiseUs?: number;
  /** The position moves in steps of this length: 10 is the Pi's headphone jack. 0: not at all. Milliseconds. */
  readonly stepMs?: number;
  /** The one rate that the card has; by default whatever it is asked for at each opening. */
  readonly rate?: number;
}

/** Gets what a card played: a file ({@link WavCapture}), or the judge of a test. */
export interface Capture {
  /** The card was opened. @throws TuttiError OUTPUT_UNAVAILABLE */
  begin(format: OutputFormat): void;
  /** `count` of the interleaved `samples` were played, from `start` on; the first of them left the card at `at`. Never throws. */
  add(samples: Int32Array, start: number, count: number, at: LocalTime): void;
  /** The card was closed. Never throws. */
  end(): void;
}

/** The clock that stands for true time, and what keeps the sound. */
export interface VirtualOutputComponents {
  readonly time: Time;
  readonly capture?: Capture;
}

/** The simulated card, an AudioOutput like any other, with room for 500 ms of sound. `close` also makes the capture whole. */
export class VirtualOutput implements AudioOutput {
  readonly #time: Time;
  readonly #capture: Capture | undefined;
  readonly #init: Required<Omit<VirtualOutputInit, 'rate'>>;
  readonly #prng: Prng;
  /** Of its own, so that how often the card is asked does not change how its crystal wanders. */
  readonly #noise: Prng;
  /** That of the last opening. A card with a capture keeps the first one, so that the one file can hold all that it plays. */
  #format: OutputFormat | undefined;
  #isOpen = false;
  #state: 'running' | 'underrun' = 'running';
  /** The queue: a ring of interleaved samples, `bufferFrames` long. */
  #queue = new Int32Array(0);
  /** Frames since the card was opened or recovered: written, played (with a fraction), and handed to the capture. */
  #written = 0;
  #played = 0;
  #captured = 0;
  /** Up to when `#played` is worked out; undefined until the first write starts the card. */
  #playedUntil: LocalTime | undefined;
  #wanderPpm = 0;
  #wanderAt: LocalTime | undefined;
  readonly #rate: number | undefined;

  constructor(components: VirtualOutputComponents, init: VirtualOutputInit = {}) {
    const { ppm = 0, wanderPpm = 0, seed = 1, stepMs = 0, wholeFrames = false, stampNoiseUs = 0 } = init;
    this.#time = components.time;
    this.#capture = components.capture;
    this.#init = { ppm, wanderPpm, seed, stepMs, wholeFrames, stampNoiseUs };
    this.#rate = init.rate;
    this.#prng = new Prng(seed);
    this.#noise = new Prng(seed + 1);
  }

  open(request: OutputRequest): OutputFormat {
    assert(!this.#isOpen, 'a card is opened once until it is closed');
    if (this.#capture === undefined || this.#format === undefined) this.#format = this.#formatFor(request);
    this.#capture?.begin(this.#format);
    this.#queue = new Int32Array(this.#format.bufferFrames * this.#format.channels);
    this.#isOpen = true;
    this.#empty();
    return this.#format;
  }

  write(samples: Int32Array, frameCount: number): number {
    const { channels } = this.#opened();
    assert(samples.length >= frameCount * channels, 'the samples hold the frames that are said to be there');
    this.#play();
    const taken = Math.min(frameCount, this.#writableFrames());
    if (taken === 0) return 0;
    const start = (this.#written * channels) % this.#queue.length;
    for (let i = 0, to = start; i < taken * channels; i++, to++) {
      this.#queue[to < this.#queue.length ? to : to - this.#queue.length] = samples[i]!;
    }
    this.#written += taken;
    this.#playedUntil ??= this.#time.now();
    return taken;
  }

  /** Frames, with a fraction, that have passed since the last one left that the capture has: for a judge. */
  get sinceLastFrame(): number {
    this.#play();
    return this.#played - this.#captured;
  }

  status(): OutputStatus {
    this.#opened();
    const at = this.#stamp(this.#play());
    return { state: this.#state, delayFrames: this.#delayFrames(), at, writableFrames: this.#writableFrames() };
  }

  recover(): void {
    this.#opened();
    this.#play();
    this.#empty();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#play();
    this.#empty();
    this.#isOpen = false;
    this.#capture?.end();
  }

  #formatFor({ rate: askedRate, channels, bits }: OutputRequest): OutputFormat {
    const rate = this.#rate ?? askedRate;
    const bufferFrames = Math.round((rate * BUFFER_MS) / 1_000);
    return { rate, channels, bits, bufferFrames, periodFrames: Math.round((rate * PERIOD_MS) / 1_000) };
  }

  #opened(): OutputFormat {
    assert(this.#isOpen, 'the card is open');
    return this.#format!;
  }

  #empty(): void {
    this.#state = 'running';
    this.#written = 0;
    this.#played = 0;
    this.#captured = 0;
    this.#playedUntil = undefined;
  }

  #delayFrames(): number {
    if (this.#state === 'underrun') return 0;
    const stepFrames = (this.#opened().rate * this.#init.stepMs) / 1_000;
    if (stepFrames > 0) return this.#written - Math.floor(this.#played / stepFrames) * stepFrames;
    if (!this.#init.wholeFrames || this.#written === this.#played) return this.#written - this.#played;
    // What counts is the middle of what a whole number may stand for.
    return this.#written - Math.floor(this.#played) - 0.5;
  }

  #stamp(at: LocalTime): LocalTime {
    const { stampNoiseUs } = this.#init;
    if (stampNoiseUs === 0) return at;
    return addTime(at, BigInt(Math.round((2 * this.#noise.fraction() - 1) * stampNoiseUs * 1_000)));
  }

  #writableFrames(): number {
    if (this.#state !== 'running') return 0;
    return Math.floor(this.#opened().bufferFrames - (this.#written - this.#captured));
  }

  /** Lets go what has left by now, and gives that instant. */
  #play(): LocalTime {
    const now = this.#time.now();
    if (this.#playedUntil === undefined || this.#state === 'underrun') return now;
    while (this.#playedUntil < now) this.#playedUntil = this.#advance(this.#playedUntil, now);
    const sinceCapturedNs = ((this.#played - this.#captured) / this.#framesPerSecond()) * 1e9;
    const capturedAt = addTime(now, BigInt(-Math.round(sinceCapturedNs)));
    if (this.#played > this.#written) {
      this.#played = this.#written;
      this.#state = 'underrun';
    }
    this.#captureUpTo(Math.floor(this.#played), capturedAt);
    return now;
  }

  /** Plays from `from` on at one rate, to `until` at most; gives how far that rate held. */
  #advance(from: LocalTime, until: LocalTime): LocalTime {
    const { wanderPpm } = this.#init;
    this.#wanderAt ??= from;
    while (addTime(this.#wanderAt, WANDER_EVERY_NS) <= from) {
      this.#wanderAt = addTime(this.#wanderAt, WANDER_EVERY_NS);
      const step = (2 * this.#prng.fraction() - 1) * wanderPpm;
      this.#wanderPpm = Math.max(-10 * wanderPpm, Math.min(10 * wanderPpm, this.#wanderPpm + step));
    }
    const next = addTime(this.#wanderAt, WANDER_EVERY_NS);
    const end = next < until ? next : until;
    this.#played += (Number(end - from) / 1e9) * this.#framesPerSecond();
    return end;
  }

  /** In truth, and not as the card is called. */
  #framesPerSecond(): number {
    return this.#opened().rate * (1 + (this.#init.ppm + this.#wanderPpm) / 1e6);
  }

  /** @param from when the first frame that is not captured yet left */
  #captureUpTo(played: number, from: LocalTime): void {
    const { channels } = this.#opened();
    let at = from;
    while (this.#captured < played) {
      const start = (this.#captured * channels) % this.#queue.length;
      const samples = Math.min((played - this.#captured) * channels, this.#queue.length - start);
      this.#capture?.add(this.#queue, start, samples, at);
      this.#captured += samples / channels;
      at = addTime(at, BigInt(Math.round((samples / channels / this.#framesPerSecond()) * 1e9)));
    }
  }
}
