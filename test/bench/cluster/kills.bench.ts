/** The leader is killed while three rooms play: how soon is the next command done, and what do the other rooms hear of it? Nothing. */
import { until } from '../consensus/contestant.js';
import { failover } from '../consensus/failover.bench.js';
import { percentile } from '../consensus/statistics.js';
import { atMost, forInformation, type Row, type Suite, skipped } from '../row.js';
import type { Stretch } from '../sync/judge.js';
import { closeOffsets, departure, missedNs } from '../sync/moments.js';
import { allSound, byRank, listen, type Room, type Rooms } from '../sync/rooms.js';
import { playingRooms } from '../sync/spread.bench.js';

const KILLS = 30;
/** A room that has come back is settled after this long: it may be one of those that are listened to next. Seconds. */
const SETTLE_S = 4;
/** What is listened to before a kill and after the next command. Seconds. */
const BEFORE_S = 2;
const AFTER_S = 2.5;
const MS_MAX = 1_200;
const SHIFT_US_MAX = 50;

/** One kill. */
interface Kill {
  readonly tookMs: number;
  readonly others: readonly [Room, Room];
  readonly before: Stretch;
  readonly after: Stretch;
}

async function killLeader(rooms: Rooms, times: number): Promise<Kill> {
  await listen(SETTLE_S);
  const { leader, followers } = await byRank(rooms);
  const atNs = rooms.now();
  const tookMs = await failover(leader, followers, times);
  await listen(AFTER_S);
  const after = { fromNs: atNs, toNs: rooms.now() - 300e6 };
  leader.start();
  await until('it votes again', async () => (await leader.state()).cluster.votersOnline === 3);
  await allSound(rooms);
  return { tookMs, others: followers, before: { fromNs: atNs - BEFORE_S * 1e9, toNs: atNs }, after };
}

/** In both of the other rooms. */
const missingSamples = (kill: Kill, stretch: 'before' | 'after'): number =>
  kill.others
    .map((room) => room.capture())
    .reduce((sum, card) => sum + Math.round((missedNs(card, kill[stretch]) * card.rate) / 1e9), 0);

/** By how much the other rooms left the line that they followed before. */
function shiftUs({ others: [one, other], before, after }: Kill): number {
  const within = { fromNs: before.fromNs, toNs: after.toNs };
  return departure(closeOffsets(one.capture(), other.capture(), within), after.fromNs) / 1e3;
}

async function run(): Promise<Row[]> {
  const rooms = await playingRooms();
  if ('missing' in rooms) return [skipped('the leader is killed', rooms.missing)];
  try {
    const kills: Kill[] = [];
    while (kills.length < KILLS) kills.push(await killLeader(rooms, kills.length));
    const took = kills.map(({ tookMs }) => tookMs);
    const samples = (stretch: 'before' | 'after') =>
      kills.reduce((sum, kill) => sum + missingSamples(kill, stretch), 0);
    // A room that the machine itself has interrupted a moment ago has no line from which it could be shifted.
    const judged = kills.filter((kill) => missingSamples(kill, 'before') === 0);
    const what = `leader killed ${KILLS} times in mid-song`;
    return [
      forInformation({ what: `${what}: to the next command: p50`, figure: percentile(took, 0.5), unit: 'ms' }),
      atMost(MS_MAX, { what: `${what}: to the next command: p99`, figure: percentile(took, 0.99), unit: 'ms' }),
      atMost(0, { what: `${what}: samples missing in the other rooms`, figure: samples('after'), unit: '' }),
      forInformation({
        what: `${what}: of the ${BEFORE_S} s before, which the machine let run dry`,
        figure: samples('before'),
        unit: '',
      }),
      atMost(SHIFT_US_MAX, {
        what: `${what}: shift between the other rooms at worst, of ${judged.length}`,
        figure: judged.length === 0 ? Infinity : Math.max(...judged.map(shiftUs)),
        unit: 'us',
      }),
    ];
  } finally {
    await rooms.stop();
  }
}

const suite: Suite = { name: 'cluster-kills', run };
export default suite;
