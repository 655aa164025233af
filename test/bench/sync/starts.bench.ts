/** Starts, seeks and skips: together from the first sample, soon after the command, and no worse for many of them [row 34]. */
import { setTimeout as wait } from 'node:timers/promises';
import { Prng } from '../../../src/core/prng.js';
import { percentile } from '../consensus/statistics.js';
import { atMost, forInformation, type Row, type Suite, skipped } from '../row.js';
import { listen, type Rooms } from './rooms.js';
import { makeSong, type Song } from './song.js';
import { playingRooms, spreadOfRooms, spreadRows } from './spread.bench.js';
import { judgeStart, type Start } from './start.js';

/** Of each kind in turn: a start after a pause, a seek, a skip. */
const STARTS = 51;
const RANDOM_COMMANDS = 200;
const SONG_SECONDS = 60;
/** How long the spread is listened to after the first and after the last command. Seconds. */
const LISTEN_S = 20;
/** By how much two such spreads may differ for no reason: clocks wander. Microseconds. */
const LARGER_MEDIAN_US_MAX = 3;
const LARGER_P99_US_MAX = 6;

/** Gives the commands one after another, each to another room. */
async function giveStarts(rooms: Rooms, songs: readonly Song[], prng: Prng): Promise<Start[]> {
  const starts: Start[] = [];
  for (let n = 0; n < STARTS; n++) {
    const room = rooms.rooms[prng.below(3)]!;
    const kind = (['play', 'seek', 'skip'] as const)[n % 3]!;
    if (kind === 'play') {
      await room.command('pause');
      await wait(600);
    }
    // Far enough from the end for the song not to end meanwhile.
    const seconds = prng.below(SONG_SECONDS - 10);
    const sentNs = rooms.now();
    const { trackId } = await room.command(kind, kind === 'seek' ? { positionMs: seconds * 1_000 } : {});
    const answeredNs = rooms.now();
    const song = songs[rooms.trackIds.indexOf(trackId!)]!;
    starts.push({
      kind,
      sentNs,
      answeredNs,
      ...(kind !== 'play' && { moment: { song, seconds: kind === 'seek' ? seconds : 0 } }),
    });
    await wait(1_100 + prng.below(300));
  }
  return starts;
}

/** Anything at any time, so that commands meet each other on their way; music plays at the end. */
async function giveRandomCommands(rooms: Rooms, prng: Prng): Promise<void> {
  for (let n = 0; n < RANDOM_COMMANDS; n++) {
    const room = rooms.rooms[prng.below(3)]!;
    const kind = (['play', 'pause', 'seek', 'skip'] as const)[prng.below(4)]!;
    const body = kind === 'seek' ? { positionMs: prng.below(SONG_SECONDS - 10) * 1_000 } : {};
    await room.command(kind, body);
    await wait(prng.below(300));
  }
  await rooms.rooms[0].command('play');
}

/** How often sound came late by the rooms' own count, since they were started. */
async function lateStarts({ rooms }: Rooms): Promise<number> {
  const states = await Promise.all(rooms.map((room) => room.state()));
  const counts = states.map(({ node, nodes }) => nodes.find(({ id }) => id === node.id)?.output.late ?? Infinity);
  return counts.reduce((sum, count) => sum + count, 0);
}

async function spreadNow(rooms: Rooms) {
  const fromNs = rooms.now() + 1e9;
  await listen(LISTEN_S);
  const toNs = rooms.now() - 250e6;
  return spreadOfRooms(
    rooms.rooms.map((room) => room.capture()),
    { fromNs, toNs },
  );
}

async function run(): Promise<Row[]> {
  const songs = [4, 5, 6].map((seed) => makeSong(seed, SONG_SECONDS));
  const rooms = await playingRooms({ songs });
  if ('missing' in rooms) return [skipped('starts, seeks and skips', rooms.missing)];
  try {
    const prng = new Prng(1);
    const first = await spreadNow(rooms);
    // At once: what forming this house took is not to be seen in them.
    const lateBefore = await lateStarts(rooms);
    const starts = await giveStarts(rooms, songs, prng);
    const late = (await lateStarts(rooms)) - lateBefore;
    await giveRandomCommands(rooms, prng);
    const last = await spreadNow(rooms);
    const captures = rooms.rooms.map((room) => room.capture());
    const judged = starts.map((start) => ({ ...start, ...judgeStart(captures, start) }));
    const rows = (['play', 'seek', 'skip'] as const).map((kind) => {
      const apart = judged.filter((one) => one.kind === kind).map(({ apartUs }) => apartUs);
      return atMost(50, {
        what: `first samples of ${apart.length} x ${kind}: p99`,
        figure: percentile(apart, 0.99),
        unit: 'us',
      });
    });
    const after = judged.map(({ afterMs }) => afterMs);
    const manyCommands = `[row 34] after ${RANDOM_COMMANDS} random commands`;
    const answered = judged.map(({ sentNs, answeredNs }) => (answeredNs - sentNs) / 1e6);
    return [
      ...rows,
      atMost(120, { what: 'command to sound in every room: p50', figure: percentile(after, 0.5), unit: 'ms' }),
      atMost(150, { what: 'command to sound in every room: p99', figure: percentile(after, 0.99), unit: 'ms' }),
      atMost(0, { what: `of ${starts.length} starts in each room, late by its own count`, figure: late, unit: '' }),
      // What the disks of this machine have to do with it: the lead holds what the slowest commits lately took.
      forInformation({ what: 'command to answer: p50', figure: percentile(answered, 0.5), unit: 'ms' }),
      forInformation({ what: 'command to answer: p99', figure: percentile(answered, 0.99), unit: 'ms' }),
      ...spreadRows('after the first command', first, 10, 30),
      ...spreadRows(manyCommands, last, 10, 30),
      atMost(LARGER_MEDIAN_US_MAX, {
        what: `${manyCommands}: larger by, median`,
        figure: last.medianUs - first.medianUs,
        unit: 'us',
      }),
      atMost(LARGER_P99_US_MAX, {
        what: `${manyCommands}: larger by, p99`,
        figure: last.p99Us - first.p99Us,
        unit: 'us',
      }),
    ];
  } finally {
    await rooms.stop();
  }
}

const suite: Suite = { name: 'sync-starts', run };
export default suite;
