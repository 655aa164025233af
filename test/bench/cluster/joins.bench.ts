/** A new node with an empty card joins a house that plays: it is in step at once, from what the others send it, and votes by itself. */
import type { NodeView } from '../../../src/http/schema.js';
import { until } from '../consensus/contestant.js';
import { percentile } from '../consensus/statistics.js';
import { atMost, forInformation, type Row, type Suite, skipped } from '../row.js';
import { worstOf } from '../sync/judge.js';
import { closeOffsets, returnOf } from '../sync/moments.js';
import { allSound, listen, type Rooms, startRooms } from '../sync/rooms.js';
import { makeSong } from '../sync/song.js';

const JOINS = 5;
const SONG_SECONDS = 180;
/** Between two joins, and listened to after each. Seconds. */
const REST_S = 2;
const AFTER_S = 6;
/** In step after that: what is listened to then has to be. Nanoseconds. */
const SETTLED_NS = 3e9;

/** Instants after the origin, nanoseconds, and distances. */
interface Join {
  readonly startedNs: number;
  readonly memberNs: number;
  readonly soundsNs: number;
  readonly votesNs: number;
  readonly worstNs: number;
  readonly settledNs: number;
}

async function join(rooms: Rooms): Promise<Join> {
  const [kitchen, , hall] = rooms.rooms;
  const startedNs = rooms.now();
  hall.start();
  await until('it is a member', async () => (await hall.state()).cluster.id !== null);
  const memberNs = rooms.now();
  await until('it votes', async () => (await kitchen.state()).cluster.votersOnline === 3);
  const votesNs = rooms.now();
  await allSound(rooms);
  await listen(AFTER_S);
  const toNs = rooms.now() - 500e6;
  const [card, reference] = [hall.capture(), kitchen.capture()];
  const back = returnOf(card, reference, { fromNs: startedNs, toNs });
  const soundsNs = back?.soundsNs ?? Infinity;
  const settled = back && closeOffsets(reference, card, { fromNs: soundsNs + SETTLED_NS, toNs });
  return {
    startedNs,
    memberNs,
    soundsNs,
    votesNs,
    worstNs: back?.worstNs ?? Infinity,
    settledNs: worstOf(settled ?? []),
  };
}

/** It leaves the house, and its card is taken from it. */
async function leave(rooms: Rooms): Promise<void> {
  const [kitchen, , hall] = rooms.rooms;
  const { node } = await hall.state();
  await kitchen.call<{ readonly members: readonly NodeView[] }>('DELETE', `/members/${node.id}`);
  await hall.end('SIGTERM');
  hall.wipe();
  await listen(REST_S);
}

async function run(): Promise<Row[]> {
  const rooms = await startRooms({ songs: [makeSong(1, SONG_SECONDS)], atFirst: 2 });
  if ('missing' in rooms) return [skipped('a node joins', rooms.missing)];
  try {
    await rooms.rooms[0].command('play');
    await allSound({ rooms: rooms.rooms.slice(0, 2) });
    const joins: Join[] = [];
    for (;;) {
      joins.push(await join(rooms));
      if (joins.length === JOINS) break;
      await leave(rooms);
    }
    const worst = (figure: (join: Join) => number) => percentile(joins.map(figure), 1);
    const what = `an empty card joins in mid-song, ${JOINS} times, at worst`;
    return [
      atMost(1_500, {
        what: `${what}: from being a member to sound`,
        figure: worst(({ soundsNs, memberNs }) => soundsNs - memberNs) / 1e6,
        unit: 'ms',
      }),
      atMost(1_000, { what: `${what}: out of step`, figure: worst(({ worstNs }) => worstNs) / 1e3, unit: 'us' }),
      atMost(50, {
        what: `${what}: out of step after 3 s`,
        figure: worst(({ settledNs }) => settledNs) / 1e3,
        unit: 'us',
      }),
      forInformation({
        what: `${what}: from the start of the process to being a member`,
        figure: worst(({ memberNs, startedNs }) => memberNs - startedNs) / 1e6,
        unit: 'ms',
      }),
      forInformation({
        what: `${what}: from being a member to a vote, by itself`,
        figure: worst(({ votesNs, memberNs }) => votesNs - memberNs) / 1e6,
        unit: 'ms',
      }),
    ];
  } finally {
    await rooms.stop();
  }
}

const suite: Suite = { name: 'cluster-joins', run };
export default suite;
