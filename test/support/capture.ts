/**
 * Comparing what a card played with what it should have played: where in a capture does a source begin, and how many samples differ?
 */
import { readFileSync } from 'node:fs';

/** Interleaved samples, full scale = 1. */
export interface Sound {
  readonly rate: number;
  readonly channels: number;
  readonly samples: Float64Array;
}

export interface Match {
  /** Frame of the capture at which frame 0 of the source is (or would be); -1 where the source is not found. */
  readonly frame: number;
  /** Source frames that were compared: those that the capture holds. */
  readonly comparedFrames: number;
  /** Samples among them that differ by more than the tolerance. */
  readonly differing: number;
  /** The largest difference. */
  readonly worst: number;
  /** Frame of the source at which the first and the last differing sample are; -1 for none. */
  readonly firstDiffering: number;
  readonly lastDiffering: number;
}

export interface MatchInit {
  /** Source frame from which on it is looked for: after a fade, say. */
  readonly from?: number;
  /** Source frame before which comparing ends. */
  readonly to?: number;
  /** Largest difference that counts as none; 0 by default. */
  readonly tolerance?: number;
}

/** Frames that must agree for a place to be taken for the right one. */
const ANCHOR_FRAMES = 64;

/** Reads a WAV of whole-number samples whose header is the plain one of 44 bytes, as captures are; what was cut short counts as not there. */
export function readCapture(path: string): Sound {
  const bytes = readFileSync(path);
  const channels = bytes.readUInt16LE(22);
  const rate = bytes.readUInt32LE(24);
  const size = bytes.readUInt16LE(34) / 8;
  const count = Math.floor(Math.min(bytes.readUInt32LE(40), bytes.length - 44) / size);
  const samples = new Float64Array(count);
  for (let i = 0; i < count; i++) samples[i] = bytes.readIntLE(44 + i * size, size) / 2 ** (8 * size - 1);
  return { rate, channels, samples };
}

/** Whole numbers of `bits` bits, as a card gets them, as a {@link Sound}. */
export const soundOf = (samples: ArrayLike<number>, channels: number, rate: number, bits: number): Sound => ({
  rate,
  channels,
  samples: Float64Array.from(samples, (sample) => sample / 2 ** (bits - 1)),
});

/** Finds `source` inside `capture`, which has as many channels. */
export function findSource(capture: Sound, source: Sound, init: MatchInit = {}): Match {
  const { channels } = source;
  const { from = 0, to = source.samples.length / channels, tolerance = 0 } = init;
  const anchor = firstSound(source, from);
  const anchorEnd = Math.min(anchor + ANCHOR_FRAMES, to);
  const lastFrame = capture.samples.length / channels - (anchorEnd - anchor);
  for (let at = 0; at <= lastFrame; at++) {
    if (differences(capture, source, at - anchor, anchor, anchorEnd, tolerance).differing > 0) continue;
    return differences(capture, source, at - anchor, from, to, tolerance);
  }
  return { frame: -1, comparedFrames: 0, differing: 0, worst: 0, firstDiffering: -1, lastDiffering: -1 };
}

/** First frame from `from` on that is not silent. */
function firstSound({ samples, channels }: Sound, from: number): number {
  const at = samples.findIndex((sample, i) => i >= from * channels && sample !== 0);
  return at === -1 ? from : Math.floor(at / channels);
}

function differences(
  capture: Sound,
  source: Sound,
  offset: number,
  from: number,
  to: number,
  tolerance: number,
): Match {
  const { channels } = source;
  const start = Math.max(from, -offset);
  const end = Math.min(to, capture.samples.length / channels - offset);
  let differing = 0;
  let worst = 0;
  let first = -1;
  let last = -1;
  for (let i = start * channels; i < end * channels; i++) {
    const difference = Math.abs(capture.samples[i + offset * channels]! - source.samples[i]!);
    worst = Math.max(worst, difference);
    if (difference <= tolerance) continue;
    differing += 1;
    if (first === -1) first = Math.floor(i / channels);
    last = Math.floor(i / channels);
  }
  const comparedFrames = Math.max(0, end - start);
  return { frame: offset, comparedFrames, differing, worst, firstDiffering: first, lastDiffering: last };
}
