/** What happened in a room around an instant: when a song began there, when it was in step again, whether anything was missing. */
import { percentile } from '../consensus/statistics.js';
import type { CardCapture } from './card-capture.js';
import { offsetNear, type Stretch, soundingStretches, standstills } from './judge.js';
import { type Offset, offsetBetween, type Sound } from './offset.js';
import type { Song } from './song.js';

/** In step: what nobody hears, also of two speakers of one image. Nanoseconds. */
export const IN_STEP_NS = 50e3;
/** A start has a fade of 5 ms: what is compared comes after it. */
const AFTER_FADE_NS = 6e6;
/** What is compared to find a moment in a song. */
const FOUND_BY_NS = 50e6;
/** Less likeness is something else. */
const LIKENESS_MIN = 0.8;
/** Short windows, for what changes quickly: half a thousand frames, one every few milliseconds. */
const SHORT_NS = 10e6;
const SHORT_EVERY_NS = 5e6;

/** A song as it is heard where its beginning is at `startNs`. */
export const heardFrom = (song: Song, startNs: number): Sound => ({
  rate: song.sound.rate,
  instantOf: (frame) => startNs + song.sound.instantOf(frame),
  frameAt: (atNs) => song.sound.frameAt(atNs - startNs),
  read: (from, count) => song.sound.read(from, count),
});

/** When a moment of a song is heard, looked for within a stretch; undefined where it is not there. `seconds` counts from the song's beginning. */
export function instantOfMoment(card: CardCapture, song: Song, seconds: number, within: Stretch): number | undefined {
  const middleNs = (within.fromNs + within.toNs) / 2;
  const guess = heardFrom(song, middleNs - seconds * 1e9);
  const found = offsetBetween(guess, card, {
    fromNs: middleNs + AFTER_FADE_NS,
    lengthNs: FOUND_BY_NS,
    withinNs: (within.toNs - within.fromNs) / 2,
  });
  return found !== undefined && found.likeness >= LIKENESS_MIN ? middleNs + found.offsetNs : undefined;
}

/** Offsets of `b` against `a` in short windows, for what changes from one hundredth of a second to the next. */
export function closeOffsets(a: Sound, b: Sound, { fromNs, toNs }: Stretch): Offset[] {
  const offsets: Offset[] = [];
  for (let atNs = fromNs; atNs + SHORT_NS <= toNs; atNs += SHORT_EVERY_NS) {
    const offset = offsetNear(a, b, atNs, offsets.at(-1)?.offsetNs, SHORT_NS);
    if (offset !== undefined) offsets.push(offset);
  }
  return offsets;
}

/** How a room came back. Instants after the origin, nanoseconds. */
export interface Return {
  /** It gave sound again. */
  readonly soundsNs: number;
  /** From here on it was in step. */
  readonly inStepNs: number;
  /** How far it was out of step at worst while it sounded. */
  readonly worstNs: number;
  /** Times that its position jumped by more than a servo may bend it. */
  readonly jumps: number;
}

/** From one short window to the next a servo moves the sound by 500 ppm at most, which is 2.5 us: whatever is more, jumped. Nanoseconds. */
const JUMP_NS = 20e3;

/** Follows the card from `fromNs`, where it was silent, against one that played all the while; undefined where it did not come back. */
export function returnOf(card: CardCapture, reference: CardCapture, within: Stretch): Return | undefined {
  const sounding = soundingStretches(card, within, 1e6).at(-1);
  if (sounding === undefined || sounding.toNs < within.toNs - 2 * SHORT_NS) return undefined;
  const offsets = closeOffsets(reference, card, { fromNs: sounding.fromNs, toNs: within.toNs });
  const lastOut = offsets.findLastIndex(({ offsetNs }) => Math.abs(offsetNs) > IN_STEP_NS);
  const inStep = offsets[lastOut + 1];
  if (inStep === undefined) return undefined;
  const jumps = offsets.filter(
    ({ offsetNs }, i) => Math.abs(offsetNs - (offsets[i - 1]?.offsetNs ?? offsetNs)) > JUMP_NS,
  );
  return {
    soundsNs: sounding.fromNs,
    inStepNs: lastOut < 0 ? sounding.fromNs : inStep.atNs,
    worstNs: Math.max(...offsets.map(({ offsetNs }) => Math.abs(offsetNs))),
    jumps: jumps.length,
  };
}

/** Nanoseconds in which a card that should have played gave nothing: it stood still, or was silent. */
export function missedNs(card: CardCapture, within: Stretch): number {
  const stood = standstills(card, within).reduce((sum, { fromNs, toNs }) => sum + (toNs - fromNs), 0);
  const sounding = soundingStretches(card, within, 1e6).reduce((sum, { fromNs, toNs }) => sum + (toNs - fromNs), 0);
  const silent = within.toNs - within.fromNs - sounding;
  // A stretch begins and ends on a frame that happens to be loud enough.
  return Math.max(stood, silent < 2e6 ? 0 : silent);
}

/** By how much a course of offsets left, after an instant, the line that it followed before: the largest distance, nanoseconds. */
export function departure(offsets: readonly Offset[], afterNs: number): number {
  const before = offsets.filter(({ atNs }) => atNs < afterNs);
  const meanAt = before.reduce((sum, { atNs }) => sum + atNs, 0) / before.length;
  const mean = before.reduce((sum, { offsetNs }) => sum + offsetNs, 0) / before.length;
  const slope =
    before.reduce((sum, { atNs, offsetNs }) => sum + (atNs - meanAt) * (offsetNs - mean), 0) /
    before.reduce((sum, { atNs }) => sum + (atNs - meanAt) ** 2, 0);
  const after = offsets.filter(({ atNs }) => atNs >= afterNs);
  return percentile(
    after.map(({ atNs, offsetNs }) => Math.abs(offsetNs - mean - slope * (atNs - meanAt))),
    1,
  );
}
