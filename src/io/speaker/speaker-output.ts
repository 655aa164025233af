/**
 * SpeakerOutput: sound through the npm package `speaker`, for laptops and whatever else has no better way.
 *
 * The package cannot be trusted with a thread of ours: loading it ends the process where the default device cannot be opened, and letting
 * it go blocks for most of a second. So it lives in a process of its own (speaker-child.ts), which gets frames through a pipe and is
 * killed in the end.
 *
 * The package does not tell where its device is, and the device holds half a second. The position is estimated: from the moment when the
 * device got its first frames, they leave at the nominal rate. That is right to tens of milliseconds, and gets worse as the crystals part,
 * until the device runs dry or falls behind. Nobody should call this in step; the driver alsa is.
 *
 * Further reading: https://github.com/TooTallNate/node-speaker
 */
import { assert } from '../../core/assert.js';
import { addTime, type LocalTime, laterOf, nanosFromMs } from '../../core/units.js';
import type { AudioOutput, OutputFormat, OutputRequest, OutputStatus } from '../../ports/audio-output.js';
import type { Time } from '../../ports/time.js';
import { SpeakerChild } from './speaker-child.js';

/** What mpg123, on which the package is built, asks its device to hold. Milliseconds. */
const BUFFER_MS = 500;
/** Frames that the package hands over at once. */
const PERIOD_FRAMES = 1_024;
/** Every device takes 16 bits and two channels. */
const BITS = 16;
const CHANNELS_MAX = 2;
/** For how long the device may take nothing of what it was given. Milliseconds: several times what it holds. */
const STUCK_MS_MAX = 3_000;

/** What is played through. */
export interface SpeakerOutputInit {
  /** What the package calls the device; "auto" for the default one. */
  readonly device: string;
  /** The package, by name or path; tests put another in its place. */
  readonly module?: string;
}

/** An open device. */
interface Playing {
  readonly format: OutputFormat;
  child: SpeakerChild;
  /** Frames that the process got before it was recovered last. */
  before: number;
  /** Frames that it got since. */
  written: number;
  /** When the first of these was written, and when the device had taken it. */
  writtenAt: LocalTime | undefined;
  startedAt: LocalTime | undefined;
  isDry: boolean;
  lost: string | undefined;
}

/** A device through the package `speaker`: heard, but not in step. */
export class SpeakerOutput implements AudioOutput {
  readonly #time: Time;
  readonly #init: Required<SpeakerOutputInit>;
  #playing: Playing | undefined;

  constructor(components: { readonly time: Time }, init: SpeakerOutputInit) {
    this.#time = components.time;
    this.#init = { module: 'speaker', ...init };
  }

  open({ rate, channels: asked }: OutputRequest): OutputFormat {
    assert(this.#playing === undefined, 'a card is opened once until it is closed');
    const channels = Math.min(asked, CHANNELS_MAX);
    const bufferFrames = Math.round((rate * BUFFER_MS) / 1_000);
    const format = { rate, channels, bits: BITS, bufferFrames, periodFrames: PERIOD_FRAMES };
    const child = this.#start(format);
    this.#playing = { format, child, isDry: false, lost: undefined, ...NOTHING_WRITTEN };
    return format;
  }

  write(samples: Int32Array, frameCount: number): number {
    const { channels } = this.#opened().format;
    assert(samples.length >= frameCount * channels, 'the samples hold the frames that are said to be there');
    const { at, writableFrames } = this.status();
    const taken = Math.min(frameCount, writableFrames);
    if (taken === 0) return 0;
    const playing = this.#opened();
    playing.writtenAt ??= at;
    playing.written += taken;
    playing.child.play(bytesOf(samples, taken * channels));
    return taken;
  }

  status(): OutputStatus {
    const playing = this.#opened();
    const at = this.#time.now();
    this.#judge(playing, at);
    const standing = { delayFrames: 0, at, writableFrames: 0 };
    if (playing.lost !== undefined) return { state: 'lost', ...standing, reason: playing.lost };
    if (playing.isDry) return { state: 'underrun', ...standing };
    const delayFrames = playing.written - playedBy(playing, at);
    const room = playing.format.bufferFrames - delayFrames;
    return { state: 'running', delayFrames, at, writableFrames: Math.max(0, Math.floor(room)) };
  }

  recover(): void {
    const playing = this.#opened();
    if (this.status().state === 'lost') return;
    const given = playing.before + playing.written;
    const isEmpty = playing.startedAt === undefined || playedBy(playing, this.#time.now()) >= playing.written;
    if (isEmpty && playing.child.record.frames >= given) {
      Object.assign(playing, NOTHING_WRITTEN, { isDry: false, before: given });
      return;
    }
    // Nothing but its end makes the process forget what it got.
    playing.child.kill();
    Object.assign(playing, NOTHING_WRITTEN, { isDry: false, child: this.#start(playing.format) });
  }

  close(): void {
    this.#playing?.child.kill();
    this.#playing = undefined;
  }

  #opened(): Playing {
    assert(this.#playing !== undefined, 'the card is open');
    return this.#playing;
  }

  #start({ rate, channels }: OutputFormat): SpeakerChild {
    const { module, device } = this.#init;
    return new SpeakerChild({ time: this.#time }, { module, device: device === 'auto' ? '' : device, rate, channels });
  }

  /** Finds out whether it still plays, and whether the estimate can be true. */
  #judge(playing: Playing, now: LocalTime): void {
    playing.lost ??= playing.child.end;
    if (playing.writtenAt === undefined || playing.lost !== undefined || playing.isDry) return;
    const { frames, at } = playing.child.record;
    const taken = frames - playing.before;
    if (taken > 0) playing.startedAt ??= at;
    // More was played than the device had got by then: it stood still in between, and nobody knows for how long.
    playing.isDry = playedBy(playing, at) > taken || playedBy(playing, now) >= playing.written;
    if (taken === playing.written) return;
    if (now > addTime(laterOf(at, playing.writtenAt), nanosFromMs(STUCK_MS_MAX))) {
      playing.lost = 'The device takes no sound any more.';
    } else if (playing.isDry) {
      playing.lost = 'The device takes the sound more slowly than it should.';
    }
  }
}

const NOTHING_WRITTEN = { before: 0, written: 0, writtenAt: undefined, startedAt: undefined };

/** Frames of those written since the last recovery that should have left by `at`. */
function playedBy({ startedAt, format }: Playing, at: LocalTime): number {
  return startedAt === undefined ? 0 : Math.max(0, (Number(at - startedAt) * format.rate) / 1e9);
}

/** The first `count` samples as signed 16 bits in the machine's order, which is the package's. */
function bytesOf(samples: Int32Array, count: number): Uint8Array {
  return new Uint8Array(Int16Array.from(samples.subarray(0, count)).buffer);
}
