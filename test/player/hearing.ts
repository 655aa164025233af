/**
 * Hearing: what a card played beside what it was to play, frame by frame. A frame is right, or silent, or on its way between the two in one of
 * the player's fades; anything else is wrong.
 */
import { fadeFrames } from '../../src/audio/fade.js';
import type { Sound } from '../support/capture.js';

/** What dither adds on a card of 24 bits, at most. */
const DITHER = 2 ** -21;

/** What was to be heard from frame `at` of the capture on: `sound` from its frame `from`, 0 where left out, to its end or the next one's start. */
export interface DueSound {
  readonly sound: Sound;
  readonly at: number;
  readonly from?: number;
}

/** Frames of the capture from `from` up to `to` (excluded). */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Compares `played` with what was due, in order of time; before the first and after the last that is silence. */
export function hear(
  played: Sound,
  due: readonly DueSound[],
): { readonly wrong: readonly Stretch[]; readonly gaps: readonly Stretch[] } {
  const { channels, rate } = due[0]!.sound;
  const expected = new Float64Array(played.samples.length);
  for (const { sound, at, from = 0 } of due) {
    const room = Math.max(0, expected.length - at * channels);
    expected.fill(0, at * channels);
    expected.set(sound.samples.subarray(from * channels).subarray(0, room), Math.min(expected.length, at * channels));
  }
  const states: State[] = [];
  for (let frame = 0; frame < expected.length / channels; frame++) {
    states.push(compare(played.samples, expected, frame * channels, channels));
  }
  // A fade out and one in may follow one another at once.
  const fades = stretches(states, 'fading').filter(({ from, to }) => to - from > 2 * fadeFrames(rate));
  return { wrong: [...stretches(states, 'wrong'), ...fades], gaps: stretches(states, 'silent') };
}

type State = 'right' | 'silent' | 'fading' | 'wrong';

function stretches(states: readonly State[], wanted: State): Stretch[] {
  const found: Stretch[] = [];
  let from = -1;
  for (let frame = 0; frame <= states.length; frame++) {
    if (states[frame] === wanted) {
      if (from === -1) from = frame;
    } else if (from !== -1) {
      found.push({ from, to: frame });
      from = -1;
    }
  }
  return found;
}

function compare(played: Float64Array, expected: Float64Array, from: number, channels: number): State {
  let isRight = true;
  let isSilent = true;
  let loudest = from;
  for (let i = from; i < from + channels; i++) {
    if (played[i] !== expected[i]) isRight = false;
    if (played[i] !== 0) isSilent = false;
    if (Math.abs(expected[i]!) > Math.abs(expected[loudest]!)) loudest = i;
  }
  if (isRight) return 'right';
  if (isSilent) return 'silent';
  const full = Math.abs(expected[loudest]!);
  // Where silence is due there is nothing to fade; and in the last frames of a fade there is only its dither.
  if (full < DITHER) return Math.abs(played[loudest]!) < DITHER ? 'fading' : 'wrong';
  const gain = played[loudest]! / expected[loudest]!;
  const slack = DITHER / full;
  if (gain < -slack || gain > 1 + slack) return 'wrong';
  for (let i = from; i < from + channels; i++) {
    if (Math.abs(played[i]! - gain * expected[i]!) > 2 * DITHER) return 'wrong';
  }
  return 'fading';
}
