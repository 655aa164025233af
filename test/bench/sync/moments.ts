/** What happened in a room around an instant: when a song began there, when it was in step again, whether anything was missing. */
import type { CardCapture } from './card-capture.js';
import { isTogether, offsetsOverTime, type Stretch, soundingStretches, standstills, worstOf } from './judge.js';
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
export const closeOffsets = (a: Sound, b: Sound, within: Stretch): Offset[] =>
  offsetsOverTime(a, b, within, SHORT_EVERY_NS, SHORT_NS);

/** How a room got over something. Instants after the origin, nanoseconds. */
export interface Return {
  /** It gave sound without a further pause. */
  readonly soundsNs: number;
  /** From here on it was in step, and stayed so. */
  readonly inStepNs: number;
  /** Without sound, from the beginning until it was in step. */
  readonly silentNs: number;
  /** How far it was out of step at worst where it played what the other did. */
  readonly worstNs: number;
  /** Times that its position jumped by more than a servo may bend it. */
  readonly jumps: number;
}

/** From one short window to the next a servo moves the sound by 500 ppm at most, which is 2.5 us: whatever is more, jumped. Nanoseconds. */
const JUMP_NS = 20e3;

/**
 * Follows the card from the instant at which something happened to it, against one that played all the while; undefined where it was not
 * in step at the end. All that is not in step counts, to the last time: late sound, other sound, and silence, whenever it begins.
 */
export function returnOf(card: CardCapture, reference: CardCapture, within: Stretch): Return | undefined {
  const stretches = soundingStretches(card, within, 1e6);
  const sounding = stretches.at(-1);
  if (sounding === undefined || sounding.toNs < within.toNs - 2 * SHORT_NS) return undefined;
  const offsets = closeOffsets(reference, card, within);
  const lastOut = offsets.findLastIndex(({ offsetNs }) => Math.abs(offsetNs) > IN_STEP_NS);
  const inStep = offsets[lastOut + 1];
  if (inStep === undefined) return undefined;
  // A window across the end of a silence is not in step for that silence alone.
  const inStepNs = lastOut < 0 ? within.fromNs : Math.max(sounding.fromNs, inStep.atNs - SHORT_NS / 2);
  const heard = offsets.filter(isTogether);
  const jumps = heard.filter(({ offsetNs }, i) => Math.abs(offsetNs - (heard[i - 1]?.offsetNs ?? offsetNs)) > JUMP_NS);
  return {
    soundsNs: sounding.fromNs,
    inStepNs,
    silentNs: missedNs(card, { fromNs: within.fromNs, toNs: inStepNs }),
    worstNs: worstOf(heard),
    jumps: jumps.length,
  };
}

/** Nanoseconds in which a card that should have played gave nothing: it stood still, or was silent. */
export function missedNs(card: CardCapture, within: Stretch): number {
  const stood = standstills(card, within).reduce(
    (sum, { fromNs, toNs }) => sum + Math.min(toNs, within.toNs) - Math.max(fromNs, within.fromNs),
    0,
  );
  const sounding = soundingStretches(card, within, 1e6).reduce((sum, { fromNs, toNs }) => sum + (toNs - fromNs), 0);
  const silent = within.toNs - within.fromNs - sounding;
  // A stretch begins and ends on a frame that happens to be loud enough.
  return Math.max(stood, silent < 2e6 ? 0 : silent);
}

/**
 * By how much a course of offsets left, after an instant, the line that it followed before: the largest distance, nanoseconds. Infinite
 * where it was lost afterwards, or never followed one.
 */
export function departure(offsets: readonly Offset[], afterNs: number): number {
  const before = offsets.filter(({ atNs }) => atNs < afterNs);
  if (before.length < 2 || !before.every(isTogether)) return Infinity;
  const meanAt = before.reduce((sum, { atNs }) => sum + atNs, 0) / before.length;
  const mean = before.reduce((sum, { offsetNs }) => sum + offsetNs, 0) / before.length;
  const slope =
    before.reduce((sum, { atNs, offsetNs }) => sum + (atNs - meanAt) * (offsetNs - mean), 0) /
    before.reduce((sum, { atNs }) => sum + (atNs - meanAt) ** 2, 0);
  const after = offsets.filter(({ atNs }) => atNs >= afterNs);
  return worstOf(
    after.map((offset) => ({ ...offset, offsetNs: offset.offsetNs - mean - slope * (offset.atNs - meanAt) })),
  );
}
