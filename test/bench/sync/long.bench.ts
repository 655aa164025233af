/** Rooms that play for long: an hour, where `--sync-minutes 60` says so. Nothing ends, nothing parts, and what grows is shown. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atLeast, atMost, forInformation, type Options, type Row, type Suite, skipped } from '../row.js';
import { spreadOf } from './judge.js';
import type { Offset } from './offset.js';
import { listen, type Room, type Rooms } from './rooms.js';
import { pairOffsets, playingRooms } from './spread.bench.js';
import { collectionRows, notesIn, type Point, slopePerHour, WATCH_THREADS } from './thread-notes.js';
import type { ThreadNote } from './watch-threads.js';

/** Between two looks at the processes. Seconds. */
const LOOK_EVERY_S = 5;
/** Until the program has been compiled as far as it ever will be, and heaps have the size that they keep: growth counts from then on. Share. */
const WARM_UP = 1 / 4;
/** In less nothing can be said of what grows. Minutes. */
const GROWTH_MINUTES_MIN = 10;
/** No two rooms may ever be further apart. Microseconds. */
const APART_US_MAX = 1_000;
const HOUR_NS = 3_600e9;

/** What is known of one process after a while. */
interface Watched {
  readonly room: Room;
  readonly pid: number;
  readonly residentMb: Point[];
}

/** Watches the processes for so long. Gives how many of them ended meanwhile. */
async function watch(watched: readonly Watched[], seconds: number): Promise<number> {
  const startedAt = performance.now();
  for (let at = LOOK_EVERY_S; at <= seconds; at += LOOK_EVERY_S) {
    await listen(Math.max(0, at - (performance.now() - startedAt) / 1_000));
    for (const { room, pid, residentMb } of watched) {
      if (room.pid === pid) residentMb.push({ atH: at / 3_600, value: room.residentMb() });
    }
  }
  return watched.filter(({ room, pid }) => room.pid !== pid).length;
}

const later = (points: readonly Point[]): Point[] => {
  const from = points[0]!.atH + WARM_UP * (points.at(-1)!.atH - points[0]!.atH);
  return points.filter(({ atH }) => atH >= from);
};

/** How often something was heard that should not be, in all rooms. */
async function mishaps({ rooms }: Rooms): Promise<number> {
  const states = await Promise.all(rooms.map((room) => room.state()));
  return states
    .map(({ node, nodes }) => nodes.find(({ id }) => id === node.id)!.output)
    .reduce((sum, output) => sum + (output?.underruns ?? 0) + (output?.snaps ?? 0) + (output?.late ?? 0), 0);
}

/** By how much the spread of the rooms grows: of its magnitude, all pairs together. Microseconds in an hour. */
const spreadSlope = (offsets: readonly Offset[]): number =>
  slopePerHour(offsets.map(({ atNs, offsetNs }) => ({ atH: atNs / HOUR_NS, value: Math.abs(offsetNs) / 1e3 })));

/** What grows, and by how much. */
function growthRows(
  what: string,
  found: {
    readonly all: readonly Offset[];
    readonly watched: readonly Watched[];
    readonly notes: readonly ReadonlyMap<string, readonly ThreadNote[]>[];
  },
): Row[] {
  const resident = found.watched.map(({ residentMb }) => slopePerHour(later(residentMb)));
  const threads = [...new Set(found.notes.flatMap((notes) => [...notes.keys()]))];
  const heapOf = (notes: readonly ThreadNote[]) =>
    slopePerHour(
      later(notes.flatMap(({ atMs, liveMb }) => (liveMb === null ? [] : [{ atH: atMs / 3_600_000, value: liveMb }]))),
    );
  return [
    forInformation({ what: `${what}: spread grows by`, figure: spreadSlope(found.all), unit: 'us/h' }),
    forInformation({ what: `${what}: resident memory grows by, most`, figure: Math.max(...resident), unit: 'MB/h' }),
    ...threads.map((thread) =>
      forInformation({
        what: `${what}: what lives on the heap of the thread ${thread} grows by, most`,
        figure: Math.max(...found.notes.map((notes) => heapOf(notes.get(thread) ?? []))),
        unit: 'MB/h',
      }),
    ),
  ];
}

async function run({ syncMinutes }: Options): Promise<Row[]> {
  const what = `${syncMinutes} min of three rooms`;
  const folder = mkdtempSync(join(tmpdir(), 'tutti-notes-'));
  const notesOf = (name: string) => join(folder, `${name}.jsonl`);
  try {
    const rooms = await playingRooms({
      nodeArgs: ['--import', WATCH_THREADS],
      envOf: (name) => ({ WATCH_THREADS_FILE: notesOf(name), WATCH_THREADS_COLLECT: '1' }),
    });
    if ('missing' in rooms) return [skipped(what, rooms.missing)];
    try {
      const watched = rooms.rooms.map((room) => ({ room, pid: room.pid, residentMb: [] as Point[] }));
      const before = await mishaps(rooms);
      const fromNs = rooms.now();
      const ended = await watch(watched, 60 * syncMinutes);
      const toNs = rooms.now() - 500e6;
      const ownCounts = ended > 0 ? Infinity : (await mishaps(rooms)) - before;
      const captures = rooms.rooms.map((room) => room.capture());
      const all = pairOffsets(captures, { fromNs, toNs }).flat();
      const { medianUs, p99Us, maxUs, togetherPercent } = spreadOf(all);
      return [
        atMost(0, { what: `${what}: processes that ended`, figure: ended, unit: '' }),
        atLeast(100, { what: `${what}: heard together`, figure: togetherPercent, unit: '%' }),
        atMost(APART_US_MAX, { what: `${what}: apart at most`, figure: maxUs, unit: 'us' }),
        forInformation({ what: `${what}: apart, median`, figure: medianUs, unit: 'us' }),
        forInformation({ what: `${what}: apart, p99`, figure: p99Us, unit: 'us' }),
        forInformation({ what: `${what}: underruns, snaps and late starts`, figure: ownCounts, unit: '' }),
        ...(syncMinutes < GROWTH_MINUTES_MIN
          ? [skipped(`${what}: what grows`, `shorter than ${GROWTH_MINUTES_MIN} min`)]
          : growthRows(what, { all, watched, notes: rooms.rooms.map(({ name }) => notesIn(notesOf(name))) })),
        ...collectionRows(rooms.rooms[1].name, notesIn(notesOf(rooms.rooms[1].name)), 0),
      ];
    } finally {
      await rooms.stop();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const suite: Suite = { name: 'sync-long', run };
export default suite;
