/** How far apart rooms were, and whether any of them missed something: from what their cards wrote down. */
import { find, follow, type Music, type Place, STEP_FRAMES } from './listening.js';
import type { Recording } from './recording.js';

/** From one instant at which rooms are compared to the next. Nanoseconds. */
const COMPARE_NS = 20e6;
/** How far behind or ahead of the first room another one is looked for. Frames: 50 ms. */
const REACH_FRAMES = 2_205;
/** How far from where it is meant to be the first room is looked for. Frames: 200 ms, for an answer that was late. */
const MEANT_FRAMES = 8_820;
/** Where the music is silent it is looked for a little later, and so many times. */
const LATER_NS = 100e6;
const TRIES = 10;

/** A room, and what its card played. */
export interface Player {
  readonly name: string;
  readonly recording: Recording;
}

/** A stretch of time, nanoseconds after the recordings' origin. */
export interface Stretch {
  readonly fromNs: number;
  readonly toNs: number;
}

/** What was heard in a stretch. */
export interface Heard {
  /** Rooms in which something else was heard than the music without a gap: none where all is well. */
  readonly faulty: readonly string[];
  /** How far apart the rooms were, the first against the last of them, microseconds; null for one room, or where nothing can be compared. */
  readonly spread: { readonly medianUs: number; readonly maxUs: number } | null;
}

/** What is played, frames a second, and where in it all are meant to be at one instant: chords come again, so that has to be known roughly. */
export interface Played {
  readonly music: Music;
  readonly rate: number;
  readonly place: { readonly atNs: number; readonly position: number };
}

/** Listens to several rooms, in all of which the music plays throughout the stretch. */
export function listen(players: readonly Player[], stretch: Stretch, played: Played): Heard {
  const { music, rate } = played;
  const starts = beginning(players, stretch, played);
  if (starts === undefined) return { faulty: players.map(({ name }) => name), spread: null };
  const courses = players.map(({ name, recording }, index) => {
    const end = recording.frameAt(stretch.toNs);
    const course = follow(recording.left, music, starts[index]!, end ?? 0);
    return { name, recording, places: course.places, isFaulty: end === undefined || course.faults > 0 };
  });
  const apartUs: number[] = [];
  for (let atNs = stretch.fromNs; atNs < stretch.toNs; atNs += COMPARE_NS) {
    const positions = courses.map(({ recording, places }) => positionAt(recording, places, atNs));
    if (!positions.every((position) => position !== undefined)) continue;
    apartUs.push(((Math.max(...positions) - Math.min(...positions)) / rate) * 1e6);
  }
  const faulty = courses.filter(({ isFaulty }) => isFaulty).map(({ name }) => name);
  if (players.length < 2 || apartUs.length === 0) return { faulty, spread: null };
  apartUs.sort((a, b) => a - b);
  return { faulty, spread: { medianUs: apartUs[apartUs.length >> 1]!, maxUs: apartUs.at(-1)! } };
}

/** Where all rooms are at one of the first instants of the stretch; undefined where they are not in the music, or not near each other. */
function beginning(
  players: readonly Player[],
  { fromNs }: Stretch,
  { music, rate, place }: Played,
): Place[] | undefined {
  const [first, ...others] = players.map(({ recording }) => recording) as [Recording, ...Recording[]];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const atNs = fromNs + attempt * LATER_NS;
    const around = place.position + ((atNs - place.atNs) / 1e9) * rate;
    const look = (recording: Recording, where: number, reach: number) => {
      const frame = recording.frameAt(atNs);
      return frame === undefined ? undefined : find(recording.left, music, Math.round(frame), { around: where, reach });
    };
    const near = look(first, around, MEANT_FRAMES);
    if (near === undefined) continue;
    const places = [near, ...others.map((recording) => look(recording, near.position, REACH_FRAMES))];
    if (places.every((found) => found !== undefined)) return places;
  }
  return undefined;
}

/** Where in the music a room is at an instant; undefined where it is silent just then. */
function positionAt(recording: Recording, places: readonly Place[], atNs: number): number | undefined {
  const frame = recording.frameAt(atNs);
  if (frame === undefined) return undefined;
  const place = places[places.findLastIndex((candidate) => candidate.frame <= frame)];
  return place === undefined || frame - place.frame > STEP_FRAMES ? undefined : place.position + frame - place.frame;
}
