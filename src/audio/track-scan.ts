/**
 * Everything that is read of a track when it is taken in, in one pass over its bytes: format, length, tags, loudness, outline.
 *
 * Push the file's bytes in pieces of any size, as they come from the disk or the network, beside the hash that makes its id; then ask
 * for the result. Memory is bounded (about half a megabyte) whatever the file's length, and whatever its header says.
 */
import type { AudioFormat, Loudness, Tags } from '../library/track.js';
import { LoudnessMeter } from './loudness.js';
import { PeakMeter } from './peaks.js';
import { frameBytes } from './wav/fmt-chunk.js';
import { decodeFrames } from './wav/sample-decoder.js';
import { type WavHeader, WavReader } from './wav/wav-reader.js';

/** Facts of one file: those of a Track that come from its bytes, and the outline for a waveform. */
export interface ScannedTrack {
  readonly format: AudioFormat;
  /** Length in frames; at least 1. */
  readonly frames: number;
  /** Size of the file. */
  readonly bytes: number;
  readonly tags: Tags;
  readonly loudness: Loudness;
  /** 2,048 bytes, see {@link PeakMeter}. */
  readonly peaks: Uint8Array;
}

/** Frames decoded at a time: small enough for a processor's nearest cache, large enough that the call costs nothing. */
const BLOCK_FRAMES = 2_048;

/** One pass over one file: `push` all its bytes in order, then `end` once. Does no input or output itself. */
export class TrackScan {
  readonly #reader = new WavReader((bytes) => this.#addData(bytes));
  /** Made when the format is known. */
  #samples: SampleScan | null = null;

  /** Known from the first byte of the samples on; until then null. */
  get header(): WavHeader | null {
    return this.#reader.header;
  }

  /** Takes the next bytes of the file. After an error the scan is of no more use. @throws TuttiError UNSUPPORTED_AUDIO */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** The file is over: what it is. @throws TuttiError UNSUPPORTED_AUDIO, INCOMPLETE_AUDIO */
  end(): ScannedTrack {
    const file = this.#reader.end();
    return { ...file, ...this.#samples!.result() };
  }

  #addData(bytes: Uint8Array): void {
    this.#samples ??= new SampleScan(this.#reader.header!.format);
    this.#samples.add(bytes);
  }
}

/** Cuts the data into blocks of whole frames, and shows each to the meters. */
class SampleScan {
  readonly #format: AudioFormat;
  readonly #frameBytes: number;
  readonly #loudness: LoudnessMeter;
  readonly #peaks: PeakMeter;
  readonly #block: Float64Array;
  /** A frame that is cut between two pieces, and the bytes of it that are there. */
  readonly #cutFrame: Uint8Array;
  #cutBytes = 0;

  constructor(format: AudioFormat) {
    this.#format = format;
    this.#frameBytes = frameBytes(format);
    this.#loudness = new LoudnessMeter(format);
    this.#peaks = new PeakMeter(format.channels);
    this.#block = new Float64Array(BLOCK_FRAMES * format.channels);
    this.#cutFrame = new Uint8Array(this.#frameBytes);
  }

  add(bytes: Uint8Array): void {
    const rest = this.#cutBytes > 0 ? this.#completeCutFrame(bytes) : bytes;
    const whole = rest.length - (rest.length % this.#frameBytes);
    const blockBytes = BLOCK_FRAMES * this.#frameBytes;
    for (let at = 0; at < whole; at += blockBytes) this.#addFrames(rest.subarray(at, Math.min(whole, at + blockBytes)));
    this.#cutFrame.set(rest.subarray(whole), this.#cutBytes);
    this.#cutBytes += rest.length - whole;
  }

  result(): Pick<ScannedTrack, 'loudness' | 'peaks'> {
    return { loudness: this.#loudness.result(), peaks: this.#peaks.result() };
  }

  /** Adds to the cut frame what is missing of it; gives the bytes behind it. */
  #completeCutFrame(bytes: Uint8Array): Uint8Array {
    const missing = bytes.subarray(0, this.#frameBytes - this.#cutBytes);
    this.#cutFrame.set(missing, this.#cutBytes);
    this.#cutBytes += missing.length;
    if (this.#cutBytes === this.#frameBytes) {
      this.#addFrames(this.#cutFrame);
      this.#cutBytes = 0;
    }
    return bytes.subarray(missing.length);
  }

  #addFrames(bytes: Uint8Array): void {
    const frames = decodeFrames(this.#format, bytes, this.#block);
    this.#loudness.add(this.#block, frames);
    this.#peaks.add(this.#block, frames);
  }
}
