/** Reading what the test card captured: which sample left it when, in the host's time. The format is told in tutti-card.c. */
import { readFileSync } from 'node:fs';

const HEAD_BYTES = 64;
const CHUNK_HEAD_BYTES = 16;

/** Frames that left one after the other. */
export interface CapturedChunk {
  /** When the first of them left: the host's CLOCK_MONOTONIC_RAW, nanoseconds. */
  readonly hostNs: bigint;
  readonly frames: number;
  /** Samples of all chunks are in one array: the first of this one's frames. */
  readonly firstFrame: number;
  /** True after a start or an underrun: before it the card was silent. */
  readonly isFirst: boolean;
}

/** All that left a card in one format. */
export interface CardCapture {
  readonly channels: number;
  readonly rate: number;
  readonly chunks: readonly CapturedChunk[];
  /** Interleaved, left-aligned in 32 bits. */
  readonly samples: Int32Array;
}

/** Reads a capture; a chunk that was cut off at the end of the file, by a killed process, counts as not there. */
export function readCardCapture(path: string): CardCapture {
  const bytes = readFileSync(path);
  if (bytes.toString('latin1', 0, 12) !== 'TUTTI-CARD-1') throw new Error(`${path} is no capture of the test card`);
  const channels = bytes.readUInt32LE(16);
  const rate = bytes.readUInt32LE(20);
  const samples = new Int32Array((bytes.length - HEAD_BYTES) / 4);
  const chunks: CapturedChunk[] = [];
  let firstFrame = 0;
  for (let at = HEAD_BYTES; at + CHUNK_HEAD_BYTES <= bytes.length; ) {
    const frames = bytes.readUInt32LE(at + 8);
    const end = at + CHUNK_HEAD_BYTES + frames * channels * 4;
    if (end > bytes.length) break;
    const isFirst = (bytes.readUInt32LE(at + 12) & 1) === 1;
    chunks.push({ hostNs: bytes.readBigUInt64LE(at), frames, firstFrame, isFirst });
    for (let i = 0; i < frames * channels; i++) {
      samples[firstFrame * channels + i] = bytes.readInt32LE(at + CHUNK_HEAD_BYTES + 4 * i);
    }
    firstFrame += frames;
    at = end;
  }
  return { channels, rate, chunks, samples: samples.subarray(0, firstFrame * channels) };
}

/** When frame `frame` of a capture left. @throws Error where it was not captured */
export function leftAtNs({ chunks, rate }: CardCapture, frame: number): bigint {
  const at = chunks.findLastIndex(({ firstFrame }) => firstFrame <= frame);
  const chunk = chunks[at];
  if (chunk === undefined || frame >= chunk.firstFrame + chunk.frames)
    throw new Error(`no frame ${frame} was captured`);
  // Where the sound goes on, the next chunk tells how fast the crystal was in truth.
  const next = chunks[at + 1];
  const nsPerFrame =
    next === undefined || next.isFirst ? 1e9 / rate : Number(next.hostNs - chunk.hostNs) / chunk.frames;
  return chunk.hostNs + BigInt(Math.round((frame - chunk.firstFrame) * nsPerFrame));
}

/** Index of the first sample in which `a` and `b` differ, also by being the longer one; -1 where they are equal. */
export function firstDifference(a: Int32Array, b: Int32Array): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : common;
}
