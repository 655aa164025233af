/** What became of a command that makes something begin: when it is heard in each room, and how far apart the rooms begin. */
import type { CardCapture } from './card-capture.js';
import { offsetNear, soundingStretches } from './judge.js';
import { instantOfMoment } from './moments.js';
import { offsetBetween } from './offset.js';
import type { Song } from './song.js';

/** A command is heard within this, or never. Nanoseconds. */
const HEARD_WITHIN_NS = 1_000e6;
/** A pause has been heard for so long before what begins after it. Nanoseconds. */
const PAUSED_NS = 100e6;
/** The first of what is heard: the fade of 5 ms, and as much again as the comparison needs. Nanoseconds. */
const FIRST_NS = 20e6;
/** It is looked at in parts: a room that is silent in one of them, or plays what was before, begins later than another. Nanoseconds. */
const PART_NS = 2e6;
/** How far two rooms that begin together may be apart to be compared part by part. Nanoseconds. */
const NEAR_NS = 200e3;
const LIKENESS_MIN = 0.8;

/** A command that makes something begin, and what. */
export interface Start {
  readonly kind: 'play' | 'seek' | 'skip';
  readonly sentNs: number;
  /** The node had answered: it is agreed. */
  readonly answeredNs: number;
  /** Where in which song it begins; undefined for a start after a pause, which is found by the silence before it. */
  readonly moment?: { readonly song: Song; readonly seconds: number };
}

/** When a start is heard in one room; undefined where it never is, or where the pause before it was none. */
function heardAt(card: CardCapture, { sentNs, moment }: Start): number | undefined {
  const within = { fromNs: sentNs, toNs: sentNs + HEARD_WITHIN_NS };
  if (moment !== undefined) return instantOfMoment(card, moment.song, moment.seconds, within);
  const before = soundingStretches(card, { fromNs: sentNs - PAUSED_NS, toNs: sentNs }, 5e6);
  return before.length > 0 ? undefined : soundingStretches(card, within, 5e6)[0]?.fromNs;
}

/** By how much later one of two rooms begins to play what both then play: whole parts in which they are not alike. Nanoseconds. */
function laterNs(a: CardCapture, b: CardCapture, fromNs: number, offsetNs: number): number {
  let later = 0;
  for (let part = 0; part < FIRST_NS; part += PART_NS) {
    const window = { fromNs: fromNs + part, lengthNs: PART_NS, aroundNs: offsetNs, withinNs: NEAR_NS };
    const alike = offsetBetween(a, b, window)?.likeness ?? 0;
    if (alike < LIKENESS_MIN) later = part + PART_NS;
  }
  return later;
}

/** How far two rooms are apart in their first moments, which begin at `fromNs` in the first of them. */
function apartNs(a: CardCapture, b: CardCapture, fromNs: number): number {
  // By what comes after the beginning, which also a room has that begins late and then is in step.
  const offset = offsetNear(a, b, fromNs + FIRST_NS, 0, FIRST_NS);
  const first = offsetNear(a, b, fromNs, offset?.offsetNs, FIRST_NS) ?? offset;
  if (first === undefined) return Infinity;
  return Math.max(Math.abs(first.offsetNs), laterNs(a, b, fromNs, first.offsetNs));
}

/** From the command to the last room, and how far the rooms are apart in their first moments; infinite where one did not obey. */
export function judgeStart(
  captures: readonly CardCapture[],
  start: Start,
): { readonly afterMs: number; readonly apartUs: number } {
  const heard = captures.map((card) => heardAt(card, start));
  if (!heard.every((at) => at !== undefined)) return { afterMs: Infinity, apartUs: Infinity };
  const [firstNs, lastNs] = [Math.min(...heard), Math.max(...heard)];
  const apart = captures.flatMap((a, at) => captures.slice(at + 1).map((b) => apartNs(a, b, firstNs)));
  return { afterMs: (lastNs - start.sentNs) / 1e6, apartUs: Math.max(...apart) / 1e3 };
}
