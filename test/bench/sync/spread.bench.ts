/** How far apart three rooms are while they play, measured at their cards; Snapcast beside them, in the same minutes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Curve, plotOf } from '../plot.js';
import { atLeast, atMost, forInformation, type Options, type Row, type Suite, skipped } from '../row.js';
import type { CardCapture } from './card-capture.js';
import { isTogether, offsetsOverTime, type Spread, type Stretch, spreadOf } from './judge.js';
import type { Offset } from './offset.js';
import { allSound, listen, ROOM_NAMES, type Rooms, type RoomsInit, startRooms } from './rooms.js';
import { findSnapcast, startSnapcast } from './snapcast.js';
import { makeSong } from './song.js';

/** From the first sound to the first measurement: a room that has just begun is measured by another suite. Seconds. */
const SETTLE_S = 5;
/** Between two measurements of a pair. Nanoseconds. */
const EVERY_NS = 250e6;
/** A picture needs no more points than it is wide. */
const PLOT_POINTS = 1_200;
/** The picture in the docs is of a run of this length at least. Minutes. */
const PLOT_MINUTES_MIN = 10;
const PLOT = join('docs', 'sync-spread.svg');

/** Two rooms, by their index. */
export const PAIRS = [
  [0, 1],
  [0, 2],
  [1, 2],
] as const;

/** The offsets of every pair from one instant to another, in the order of {@link PAIRS}. */
export const pairOffsets = (captures: readonly CardCapture[], within: Stretch): Offset[][] =>
  PAIRS.map(([a, b]) => offsetsOverTime(captures[a]!, captures[b]!, within, EVERY_NS));

/** What three rooms came to within a stretch, all pairs together. */
export const spreadOfRooms = (captures: readonly CardCapture[], within: Stretch): Spread =>
  spreadOf(pairOffsets(captures, within).flat());

/** Starts rooms that play, and gives them a moment to settle. */
export async function playingRooms(init: Partial<RoomsInit> = {}): Promise<Rooms | { readonly missing: string }> {
  const rooms = await startRooms({ songs: [makeSong(1, 60), makeSong(2, 60), makeSong(3, 60)], ...init });
  if ('missing' in rooms) return rooms;
  try {
    await rooms.rooms[0].command('play');
    await allSound(rooms);
    await listen(SETTLE_S);
    return rooms;
  } catch (error) {
    await rooms.stop();
    throw error;
  }
}

/** The rows of a spread. They sound together all the while: nothing that is measured here may interrupt them. */
export const spreadRows = (what: string, spread: Spread, medianMost: number, p99Most: number): Row[] => [
  atLeast(100, { what: `${what}: heard together`, figure: spread.togetherPercent, unit: '%' }),
  atMost(medianMost, { what: `${what}: median`, figure: spread.medianUs, unit: 'us' }),
  atMost(p99Most, { what: `${what}: p99`, figure: spread.p99Us, unit: 'us' }),
  forInformation({ what: `${what}: max`, figure: spread.maxUs, unit: 'us' }),
];

const COLOURS = ['#0a6', '#06c', '#c50'];

function plot(minutes: number, offsets: readonly Offset[][]): void {
  const beganNs = Math.min(...offsets.flat().map(({ atNs }) => atNs));
  const curves = PAIRS.map(([a, b], n): Curve => {
    const all = offsets[n]!;
    const keep = Math.ceil(all.length / PLOT_POINTS);
    return {
      label: `${ROOM_NAMES[b]} against ${ROOM_NAMES[a]}`,
      colour: COLOURS[n]!,
      points: all
        .filter((_, i) => i % keep === 0)
        .map(({ atNs, offsetNs }) => [(atNs - beganNs) / 1e9, offsetNs / 1e3] as const),
    };
  });
  const axes = { x: 'seconds', y: 'µs', isCentred: true };
  writeFileSync(PLOT, plotOf(`Offset between rooms at their sound cards, ${minutes} min`, axes, curves));
}

async function run({ syncMinutes }: Options): Promise<Row[]> {
  const what = `between any two of three rooms, ${syncMinutes} min`;
  const rooms = await playingRooms();
  if ('missing' in rooms) return [skipped(what, rooms.missing)];
  const snapcast = findSnapcast();
  const peer = 'missing' in snapcast ? undefined : await startSnapcast(snapcast, rooms.originNs);
  try {
    if (peer !== undefined) await listen(SETTLE_S);
    const fromNs = rooms.now();
    await listen(60 * syncMinutes);
    const within = { fromNs, toNs: rooms.now() - EVERY_NS };
    const captures = rooms.rooms.map((room) => room.capture());
    const offsets = pairOffsets(captures, within);
    const spread = spreadOf(offsets.flat());
    if (syncMinutes >= PLOT_MINUTES_MIN && Number.isFinite(spread.maxUs)) plot(syncMinutes, offsets);
    const rows = [
      ...rooms.notes.map((note) => skipped('clocks with offsets of their own', note)),
      ...spreadRows(what, spread, 10, 30),
    ];
    if (peer === undefined) return [...rows, skipped('Snapcast', 'missing' in snapcast ? snapcast.missing : '')];
    // Where Snapcast's rooms are silent it has no figure; an infinite one would be beaten by anything.
    const heard = pairOffsets(peer.captures(), within).flat().filter(isTogether);
    if (heard.length === 0) return [...rows, skipped('Snapcast', 'its rooms were never heard together')];
    const theirs = spreadOf(heard);
    const beside = (name: 'medianUs' | 'p99Us', words: string): Row => {
      const ratio = spread[name] / theirs[name];
      const figures = { figure: spread[name], unit: 'us', peer: { name: 'Snapcast', figure: theirs[name] }, ratio };
      return { what: `${words}, beside Snapcast`, ...figures, toReach: '<= 0.1 x peer', met: ratio <= 0.1 };
    };
    return [...rows, beside('medianUs', 'median'), beside('p99Us', 'p99')];
  } finally {
    await peer?.stop();
    await rooms.stop();
  }
}

const suite: Suite = { name: 'sync-spread', run };
export default suite;
