/**
 * The judge: what a listener with perfect ears would say of several rooms, from what their cards wrote down.
 *
 * It knows nothing of nodes, clusters and their clocks, only sounds over the time of the host; so nobody can please it by agreeing on
 * something wrong.
 */
import { percentile } from '../consensus/statistics.js';
import type { CardCapture } from './card-capture.js';
import { type Offset, offsetBetween, type Sound } from './offset.js';

/** Below this share of full scale nothing is heard: -80 dB. */
const SILENT = 1e-4;
/** Two windows with less in common do not hold the same sound. */
const LIKENESS_MIN = 0.8;
/** A window to compare, nanoseconds: some 2,400 frames. */
const WINDOW_NS = 50e6;
/** How far two sounds may be apart to be found at once, and at all. Nanoseconds. */
const NEAR_NS = 200e3;
const FAR_NS = 100e6;

/** The offset of `b` against `a` near an instant; undefined where they do not play the same. `lengthNs` is the window. */
export function offsetNear(a: Sound, b: Sound, fromNs: number, aroundNs = 0, lengthNs = WINDOW_NS): Offset | undefined {
  const near = offsetBetween(a, b, { fromNs, lengthNs, aroundNs, withinNs: NEAR_NS });
  if (near !== undefined && near.likeness >= LIKENESS_MIN && Math.abs(near.offsetNs - aroundNs) < NEAR_NS) return near;
  const far = offsetBetween(a, b, { fromNs, lengthNs, withinNs: FAR_NS });
  return far !== undefined && far.likeness >= LIKENESS_MIN ? far : undefined;
}

/**
 * Offsets of `b` against `a`, one every `everyNs` from one instant to another. Where they do not play the same, or one of them is silent,
 * the offset is infinite: a loss, and no hole that figures are computed around. `lengthNs` is the window.
 */
export function offsetsOverTime(
  a: Sound,
  b: Sound,
  { fromNs, toNs }: Stretch,
  everyNs: number,
  lengthNs = WINDOW_NS,
): Offset[] {
  const offsets: Offset[] = [];
  let aroundNs = 0;
  for (let atNs = fromNs; atNs + lengthNs <= toNs; atNs += everyNs) {
    const offset = offsetNear(a, b, atNs, aroundNs, lengthNs);
    if (offset !== undefined) aroundNs = offset.offsetNs;
    offsets.push(offset ?? { atNs: atNs + lengthNs / 2, offsetNs: Infinity, likeness: 0 });
  }
  return offsets;
}

/** True where the two played the same. */
export const isTogether = ({ offsetNs }: Offset): boolean => Number.isFinite(offsetNs);

/** How far apart at worst, either way. Nanoseconds; infinite for no offsets, too: nothing was heard. */
export const worstOf = (offsets: readonly Offset[]): number =>
  offsets.length === 0 ? Infinity : Math.max(...offsets.map(({ offsetNs }) => Math.abs(offsetNs)));

/** What offsets come to, by their magnitude. Microseconds; infinite where so many are losses. */
export interface Spread {
  readonly medianUs: number;
  readonly p99Us: number;
  readonly maxUs: number;
  /** Share of the windows in which the two played the same. Per cent. */
  readonly togetherPercent: number;
}

/** @throws RangeError for no offsets */
export function spreadOf(offsets: readonly Offset[]): Spread {
  const us = offsets.map(({ offsetNs }) => Math.abs(offsetNs) / 1e3);
  return {
    medianUs: percentile(us, 0.5),
    p99Us: percentile(us, 0.99),
    maxUs: percentile(us, 1),
    togetherPercent: (100 * offsets.filter(isTogether).length) / offsets.length,
  };
}

/** A stretch of time, nanoseconds after the origin. */
export interface Stretch {
  readonly fromNs: number;
  readonly toNs: number;
}

/** Frames that are looked at together. */
const BLOCK_FRAMES = 4_096;

/** Stretches within an interval in which the card gave sound, apart from pauses shorter than `pauseNs`, which are part of them. */
export function soundingStretches(card: CardCapture, interval: Stretch, pauseNs: number): Stretch[] {
  const stretches: { fromNs: number; toNs: number }[] = [];
  for (const run of card.runs()) {
    const end = run.firstFrame + run.frames;
    const first = firstFrameFrom(card, run.firstFrame, end, interval.fromNs);
    for (let frame = first; frame < end; frame += BLOCK_FRAMES) {
      if (card.instantOf(frame) >= interval.toNs) break;
      const block = card.read(frame, Math.min(BLOCK_FRAMES, end - frame));
      for (let i = 0; i < block.length; i++) {
        if (Math.abs(block[i]!) < SILENT) continue;
        const atNs = card.instantOf(frame + i);
        if (atNs >= interval.toNs) break;
        const last = stretches.at(-1);
        if (last !== undefined && atNs - last.toNs < pauseNs) last.toNs = atNs;
        else stretches.push({ fromNs: atNs, toNs: atNs });
      }
    }
  }
  return stretches;
}

/** The first frame of `from` to `end` that leaves at `atNs` or later. */
function firstFrameFrom(card: CardCapture, from: number, end: number, atNs: number): number {
  let low = from;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (card.instantOf(middle) < atNs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Times at which the card stood still within an interval: between one run and the next. */
export function standstills(card: CardCapture, { fromNs, toNs }: Stretch): Stretch[] {
  const runs = card.runs();
  return runs
    .slice(1)
    .map((run, at) => ({ fromNs: runs[at]!.toNs, toNs: run.fromNs }))
    .filter((stretch) => stretch.toNs > fromNs && stretch.fromNs < toNs);
}
