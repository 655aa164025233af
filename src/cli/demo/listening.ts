/**
 * Where in the music a room is, to a hundredth of a sample, from nothing but what left its card.
 *
 * The music is known, so a short piece of what was played is laid over it and moved until the two differ least: a least-squares fit of
 * the shift, by the music's first two derivatives (Gauss-Newton). What is left of the difference says whether it is the music at all: a
 * single frame that is missing or doubled shows in it, and as a jump of the position.
 */

/** Frames that are laid over the music at a time: short, so that one frame that is missing weighs. */
const FIT_FRAMES = 256;
/** From one place to the next. */
export const STEP_FRAMES = FIT_FRAMES / 2;
/** Frames by which a place is found that is not known roughly. */
const SEARCH_FRAMES = 1_024;
/** Rounds of the fit: each squares the error. */
const ROUNDS = 4;
/** Below this nothing is compared: between two chords there is a moment of silence. Of full scale. */
const SILENT_RMS = 2e-3;
/** What differs by more, of the music's own size, is not the music. A resampler is a thousand times better, a missing frame worse. */
const DIFFERENCE_MAX = 0.01;
/** A servo bends the position by far less from one place to the next; a frame that is missing moves it by one. Frames. */
const JUMP_MAX = 0.5;

/** Music that begins anew when it is over: one channel, full scale = 1. */
export type Music = Float64Array;

/** What was heard at one frame of a recording. */
export interface Place {
  /** Frame of the recording. */
  readonly frame: number;
  /** Frame of the music that sounded then, in fractions. */
  readonly position: number;
  /** What differs, of the music's own size: 0 where the two are the same. */
  readonly difference: number;
}

/** How a room went through the music. */
export interface Course {
  /** Where it was, step by step; moments of silence in the music are left out. */
  readonly places: readonly Place[];
  /** Places at which something else was heard, or from which the position jumped: 0 where no frame is missing or doubled. */
  readonly faults: number;
}

const at = (music: Music, index: number): number => music[((index % music.length) + music.length) % music.length]!;

/** Follows the music through `sound` from one frame to another. @param start a place that was found by {@link find} */
export function follow(sound: Float64Array, music: Music, start: Place, toFrame: number): Course {
  const places: Place[] = [];
  let faults = 0;
  let last = start;
  for (let frame = start.frame; frame + FIT_FRAMES / 2 < Math.min(toFrame, sound.length); frame += STEP_FRAMES) {
    const expected = last.position + frame - last.frame;
    const place = fit(sound, music, frame, expected);
    if (place === undefined) continue;
    if (place.difference > DIFFERENCE_MAX || Math.abs(place.position - expected) > JUMP_MAX) faults += 1;
    places.push(place);
    last = place;
  }
  return { places, faults };
}

/** Where in the music `frame` is, looked for within `reach` frames around `around`; undefined where it is not there, or silent. */
export function find(
  sound: Float64Array,
  music: Music,
  frame: number,
  { around, reach }: { readonly around: number; readonly reach: number },
): Place | undefined {
  const first = frame - SEARCH_FRAMES / 2;
  if (first < 0 || first + SEARCH_FRAMES > sound.length) return undefined;
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let position = Math.round(around) - reach; position <= around + reach; position++) {
    let sum = 0;
    for (let i = 0; i < SEARCH_FRAMES && sum < least; i++) {
      sum += (sound[first + i]! - at(music, position - SEARCH_FRAMES / 2 + i)) ** 2;
    }
    if (sum < least) {
      least = sum;
      best = position;
    }
  }
  const place = fit(sound, music, frame, best);
  return place !== undefined && place.difference <= DIFFERENCE_MAX ? place : undefined;
}

/** The place near `expected` at which the two differ least; undefined where the music is silent. */
function fit(sound: Float64Array, music: Music, frame: number, expected: number): Place | undefined {
  let base = Math.round(expected);
  let shift = expected - base;
  let left = 0;
  let size = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let [up, down] = [0, 0];
    left = 0;
    size = 0;
    for (let i = -FIT_FRAMES / 2; i < FIT_FRAMES / 2; i++) {
      const k = base + i;
      const [b, a, m, c, d] = [at(music, k - 2), at(music, k - 1), at(music, k), at(music, k + 1), at(music, k + 2)];
      const first = (b - 8 * a + 8 * c - d) / 12;
      const second = (-b + 16 * a - 30 * m + 16 * c - d) / 12;
      const difference = (sound[frame + i] ?? 0) - (m + shift * first + (shift * shift * second) / 2);
      const slope = first + shift * second;
      up += difference * slope;
      down += slope * slope;
      left += difference * difference;
      size += m * m;
    }
    if (Math.sqrt(size / FIT_FRAMES) < SILENT_RMS || down === 0) return undefined;
    if (round === ROUNDS - 1) break;
    // What is further away than the derivatives reach is walked to.
    const moved = base + shift + Math.max(-2, Math.min(2, up / down));
    base = Math.round(moved);
    shift = moved - base;
  }
  return { frame, position: base + shift, difference: Math.sqrt(left / size) };
}
