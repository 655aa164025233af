/**
 * From a press to sound: three rooms on test cards, with buttons at GPIO chips that are preloaded into two of the nodes (test/gpio/fake-chip.c). A press
 * counts from the instant at which its contact closes to that at which the last room is heard to obey.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Transport } from '../../src/http/schema.js';
import { buildFakeChip, PreloadedChip } from '../gpio/chip.js';
import { percentile } from './consensus/statistics.js';
import { atMost, forInformation, type Row, type Suite, skipped } from './row.js';
import { CRYSTALS } from './sync/crystals.js';
import { byRank, ROOM_NAMES, type Room, type Rooms } from './sync/rooms.js';
import { makeSong, type Song } from './sync/song.js';
import { playingRooms } from './sync/spread.bench.js';
import { judgeStart, type Start } from './sync/start.js';

/** Presses that make something begin, of play and of skip in turn. */
const PRESSES = 60;
const SONG_SECONDS = 120;
const LINES = { play: 5, pause: 6, skip: 16 } as const;
/** How long a finger stays, how long a pause is listened to, and the least between two presses. Milliseconds. */
const HOLD_MS = 80;
const PAUSE_MS = 600;
const BETWEEN_MS = 1_100;
/** How long a press may take before it counts as not carried out: 10 s and more. */
const LOOKS_MAX = 200;
const LOOK_EVERY_MS = 50;
const WHAT = 'press to sound in every room';

interface Pressed {
  readonly start: Start;
  /** The node before which somebody stood led. */
  readonly isLeader: boolean;
  /** The house says that a button did it. */
  readonly isCarriedOut: boolean;
}

/** Presses, and waits until the house says that a button has changed something; undefined where it never does. */
async function press(
  rooms: Rooms,
  at: { readonly room: Room; readonly chip: PreloadedChip; readonly line: number },
): Promise<{ readonly sentNs: number; readonly done: Transport | undefined }> {
  const { room, chip, line } = at;
  const before = (await room.state()).transport.changedBy?.atNs;
  const sentNs = rooms.now();
  chip.ground(line, true);
  await wait(HOLD_MS);
  chip.ground(line, false);
  for (let look = 0; look < LOOKS_MAX; look++) {
    const { transport } = await room.state();
    if (transport.changedBy?.via === 'button' && transport.changedBy.atNs !== before) {
      return { sentNs, done: transport };
    }
    await wait(LOOK_EVERY_MS);
  }
  return { sentNs, done: undefined };
}

async function pressAll(rooms: Rooms, songs: readonly Song[], chips: ReadonlyMap<string, PreloadedChip>) {
  const { leader } = await byRank(rooms);
  const pressed: Pressed[] = [];
  for (let n = 0; n < PRESSES; n++) {
    const room = rooms.rooms[n % 2]!;
    const chip = chips.get(room.name)!;
    const kind = n % 4 < 2 ? 'play' : 'skip';
    if (kind === 'play') {
      await press(rooms, { room, chip, line: LINES.pause });
      await wait(PAUSE_MS);
    }
    const { sentNs, done } = await press(rooms, { room, chip, line: LINES[kind] });
    const song = songs[rooms.trackIds.indexOf(done?.trackId ?? '')];
    const moment = kind === 'skip' && song !== undefined ? { moment: { song, seconds: 0 } } : {};
    pressed.push({
      start: { kind, sentNs, answeredNs: sentNs, ...moment },
      isLeader: room === leader,
      isCarriedOut: done !== undefined,
    });
    // Not in step with anything that a node does once a second.
    await wait(BETWEEN_MS + 37 * (n % 10));
  }
  return pressed;
}

async function run(): Promise<Row[]> {
  const built = buildFakeChip();
  if ('missing' in built) return [skipped(WHAT, built.missing)];
  const folder = mkdtempSync(join(tmpdir(), 'tutti-controls-'));
  const chips = new Map(
    ROOM_NAMES.slice(0, 2).map((name, index) => {
      const aheadNs = BigInt(CRYSTALS[index]!.offsetS) * 1_000_000_000n;
      return [name as string, new PreloadedChip({ folder: join(folder, name), library: built.library, aheadNs })];
    }),
  );
  const songs = [4, 5, 6].map((seed) => makeSong(seed, SONG_SECONDS));
  try {
    const rooms = await playingRooms({ songs, envOf: (name) => chips.get(name)?.env ?? {} });
    if ('missing' in rooms) return [skipped(WHAT, rooms.missing)];
    try {
      const pressed = await pressAll(rooms, songs, chips);
      const captures = rooms.rooms.map((room) => room.capture());
      const judged = pressed.map((one) => ({ ...one, ...judgeStart(captures, one.start) }));
      return rowsOf(judged);
    } finally {
      await rooms.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function rowsOf(judged: readonly (Pressed & { readonly afterMs: number })[]): Row[] {
  const after = judged.map(({ afterMs }) => afterMs);
  const of = (isLeader: boolean) => judged.filter((one) => one.isLeader === isLeader).map(({ afterMs }) => afterMs);
  const part = (what: string, times: readonly number[]) =>
    times.length === 0
      ? []
      : [forInformation({ what: `${WHAT}, ${what}: p50`, figure: percentile(times, 0.5), unit: 'ms' })];
  return [
    atMost(150, { what: `${WHAT}: p99 of ${judged.length}`, figure: percentile(after, 0.99), unit: 'ms' }),
    forInformation({ what: `${WHAT}: p50`, figure: percentile(after, 0.5), unit: 'ms' }),
    forInformation({ what: `${WHAT}: most`, figure: Math.max(...after), unit: 'ms' }),
    ...part('at the leader', of(true)),
    ...part('at a follower', of(false)),
    atMost(0, {
      what: `of ${judged.length} presses, not carried out`,
      figure: judged.filter(({ isCarriedOut }) => !isCarriedOut).length,
      unit: '',
    }),
  ];
}

const suite: Suite = { name: 'controls', run };
export default suite;
