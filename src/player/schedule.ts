/**
 * Arithmetic between clocks and timeline: which frame is due when.
 *
 * Spans are worked out in `bigint` nanoseconds and only then turned into numbers: an instant as a double would be off by microseconds
 * after a few weeks.
 */
import { type ClusterTime, clusterTime } from '../core/units.js';
import type { ProgramSegment } from './program.js';

/**
 * Two segments of one item whose lines are nearer than this are one sound that goes on; what is left between them is the servo's work.
 * Nanoseconds: the servo's own limit for a snap.
 */
const SAME_SOUND_NS = 1_000_000n;
/** Segments nearer in time than this follow without a gap: less than half a frame at 192 kHz, more than any rounding. Nanoseconds. */
const GAPLESS_NS = 2_000n;

const abs = (value: bigint): bigint => (value < 0n ? -value : value);

/** Nanoseconds of `frames` frames at `rate`, to the nearest. */
export const nanosOfFrames = (frames: number, rate: number): bigint => BigInt(Math.round((frames * 1e9) / rate));

/** Which frame of its item is due at `at`, as if the segment had neither start nor end: fractional, also negative. */
export function frameDueAt(segment: ProgramSegment, at: ClusterTime): number {
  return segment.startFrame + (Number(at - segment.startAt) * segment.sampleRate) / 1e9;
}

/** When the item's first frame was due, or would have been. */
const originOf = (segment: ProgramSegment): ClusterTime =>
  clusterTime(segment.startAt - nanosOfFrames(segment.startFrame, segment.sampleRate));

/**
 * True where both are one item's one track. The item alone does not tell: under repeat all the numbers of items to come are foreseen, and
 * what is added to the queue meanwhile takes them.
 */
const isSameTrack = (a: ProgramSegment, b: ProgramSegment): boolean =>
  a.itemId === b.itemId && a.trackId === b.trackId && a.file === b.file;

/** True where both are the same track of an item at the same place in time, whatever their ends: what plays the one may play on as the other. */
export function isSameSound(a: ProgramSegment, b: ProgramSegment): boolean {
  return a === b || (isSameTrack(a, b) && abs(originOf(a) - originOf(b)) < SAME_SOUND_NS);
}

/** True where both begin with the same frame of the same item at the same instant: versions of one segment, which may end differently. */
export function isSameSegment(a: ProgramSegment, b: ProgramSegment): boolean {
  return isSameTrack(a, b) && a.startAt === b.startAt && a.startFrame === b.startFrame;
}

/** True where `next` begins at its first frame just as `segment` comes to its own end. */
export function followsGapless(segment: ProgramSegment, next: ProgramSegment): boolean {
  return segment.complete && next.startFrame === 0 && abs(next.startAt - segment.endAt) < GAPLESS_NS;
}
