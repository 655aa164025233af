/**
 * What a test card wrote down: which samples left it, and when by the clock of the machine that all cards share.
 *
 * The file begins with 64 bytes: "TUTTI-CARD-1" filled up to 16, then channels, rate, bytes per sample (4) as 32-bit numbers, all little
 * endian. Chunks follow: nanoseconds of the host's CLOCK_MONOTONIC_RAW at which the first frame leaves (64 bits), frames, flags (32 bits
 * each; bit 0: the first after a start or an underrun), and the frames. A card that is killed may leave half a chunk: it counts as not there.
 *
 * A capture may be read while its card still writes: {@link CardCapture.grow} takes in what has come since.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Sound } from './offset.js';

const HEADER_BYTES = 64;
const CHUNK_HEAD_BYTES = 16;
const SAMPLE_BYTES = 4;
const MAGIC = 'TUTTI-CARD-1';
/** Flag of a chunk: the card did not run before it. */
const FIRST_OF_RUN = 1;
/** Full scale of a sample. */
const FULL_SCALE = 2 ** 31;
/** The largest chunk that is taken for one, frames: a card's whole buffer is a sixteenth of it. */
const CHUNK_FRAMES_MAX = 1 << 18;

/** Frames that left the card one after another. */
export interface Run {
  /** Index of its first frame, counted from the first of the file. */
  readonly firstFrame: number;
  readonly frames: number;
  /** Instant at which the first frame left, and at which one more after the last would have. Nanoseconds after the origin. */
  readonly fromNs: number;
  readonly toNs: number;
}

interface Chunk {
  readonly firstFrame: number;
  readonly frames: number;
  readonly atNs: number;
  readonly isFirst: boolean;
  readonly filePosition: number;
}

/** One channel of a capture as a {@link Sound}: instants are nanoseconds after an origin that all cards of a bench share. */
export class CardCapture implements Sound {
  readonly rate: number;
  readonly channels: number;
  readonly #file: number;
  readonly #originNs: bigint;
  readonly #chunks: Chunk[] = [];
  #readUpTo = HEADER_BYTES;
  #frames = 0;

  /** @throws Error where the file is missing or not a capture */
  constructor(path: string, originNs: bigint) {
    this.#file = openSync(path, 'r');
    this.#originNs = originNs;
    const header = this.#bytes(0, HEADER_BYTES);
    if (header.length < HEADER_BYTES || header.toString('latin1', 0, MAGIC.length) !== MAGIC)
      throw new Error(`${path} is no capture of a test card`);
    this.channels = header.readUInt32LE(16);
    this.rate = header.readUInt32LE(20);
    if (header.readUInt32LE(24) !== SAMPLE_BYTES) throw new Error(`${path}: a sample has ${SAMPLE_BYTES} bytes`);
    this.grow();
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Takes in the chunks that were written since. */
  grow(): void {
    for (;;) {
      const position = this.#readUpTo;
      const head = this.#bytes(position, CHUNK_HEAD_BYTES);
      if (head.length < CHUNK_HEAD_BYTES) return;
      const frames = head.readUInt32LE(8);
      if (frames === 0 || frames > CHUNK_FRAMES_MAX) throw new Error(`a chunk of ${frames} frames at byte ${position}`);
      const end = position + CHUNK_HEAD_BYTES + frames * this.channels * SAMPLE_BYTES;
      if (this.#bytes(end - 1, 1).length === 0) return;
      this.#chunks.push({
        firstFrame: this.#frames,
        frames,
        atNs: Number(head.readBigUInt64LE(0) - this.#originNs),
        isFirst: this.#chunks.length === 0 || (head.readUInt32LE(12) & FIRST_OF_RUN) !== 0,
        filePosition: position + CHUNK_HEAD_BYTES,
      });
      this.#frames += frames;
      this.#readUpTo = end;
    }
  }

  get frames(): number {
    return this.#frames;
  }

  /** Stretches without an interruption, in their order. */
  runs(): Run[] {
    const starts = this.#chunks.flatMap((chunk, at) => (chunk.isFirst ? [at] : []));
    return starts.map((start, n) => {
      const first = this.#chunks[start]!;
      const lastAt = (starts[n + 1] ?? this.#chunks.length) - 1;
      const last = this.#chunks[lastAt]!;
      const frames = last.firstFrame + last.frames - first.firstFrame;
      const toNs = last.atNs + last.frames * this.#frameNs(lastAt);
      return { firstFrame: first.firstFrame, frames, fromNs: first.atNs, toNs };
    });
  }

  instantOf(frame: number): number {
    const at = this.#chunkHolding((chunk) => chunk.firstFrame <= frame);
    const chunk = this.#chunks[at]!;
    return chunk.atNs + (frame - chunk.firstFrame) * this.#frameNs(at);
  }

  frameAt(atNs: number): number | undefined {
    const at = this.#chunkHolding((chunk) => chunk.atNs <= atNs);
    const chunk = this.#chunks[at];
    if (chunk === undefined || atNs < chunk.atNs) return undefined;
    const into = (atNs - chunk.atNs) / this.#frameNs(at);
    // The card stood still: between the end of a run and the beginning of the next nothing left it.
    return into > chunk.frames + 1 ? undefined : chunk.firstFrame + into;
  }

  read(from: number, count: number): Float64Array {
    const samples = new Float64Array(count);
    const end = Math.min(from + count, this.#frames);
    let frame = Math.max(0, from);
    let at = this.#chunkHolding((chunk) => chunk.firstFrame <= frame);
    const frameBytes = this.channels * SAMPLE_BYTES;
    while (frame < end) {
      const chunk = this.#chunks[at++]!;
      const upTo = Math.min(end, chunk.firstFrame + chunk.frames);
      const position = chunk.filePosition + (frame - chunk.firstFrame) * frameBytes;
      const bytes = this.#bytes(position, (upTo - frame) * frameBytes);
      for (let i = 0; i < upTo - frame; i++) samples[frame - from + i] = bytes.readInt32LE(i * frameBytes) / FULL_SCALE;
      frame = upTo;
    }
    return samples;
  }

  /** Nanoseconds of a frame within a chunk: from there to the next of the same run, else as in the chunk before. */
  #frameNs(at: number): number {
    const here = this.#chunks[at]!;
    const next = this.#chunks[at + 1];
    if (next !== undefined && !next.isFirst) return (next.atNs - here.atNs) / here.frames;
    const before = this.#chunks[at - 1];
    return here.isFirst || before === undefined ? 1e9 / this.rate : (here.atNs - before.atNs) / before.frames;
  }

  /** Index of the last chunk for which `isBefore` holds, which holds for all up to one; 0 where it holds for none. */
  #chunkHolding(isBefore: (chunk: Chunk) => boolean): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(this.#chunks[middle]!)) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #bytes(position: number, count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count);
    return bytes.subarray(0, readSync(this.#file, bytes, 0, count, position));
  }
}
