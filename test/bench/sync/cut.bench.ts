/** A node that is cut off from everybody plays on, says so, and is not far off when it is back. */

import { layWires, type Wires } from '../../support/wires.js';
import { until } from '../consensus/contestant.js';
import { percentile } from '../consensus/statistics.js';
import { atLeast, atMost, forInformation, type Options, type Row, type Suite, skipped } from '../row.js';
import { offsetsOverTime, worstOf } from './judge.js';
import { IN_STEP_NS, missedNs } from './moments.js';
import { byRank, listen, type Room, type Rooms } from './rooms.js';
import { playingRooms } from './spread.bench.js';

/** Until the nodes know how their crystals differ. Seconds. */
const SETTLE_S = 25;
/** At the end of the cut it is listened to for so long how far off the node is; and after it, how it comes back. Seconds. */
const END_S = 10;
const AFTER_S = 30;
/** Between two measurements. Nanoseconds. */
const EVERY_NS = 100e6;
/** How far a node may be off after a minute alone. Microseconds. */
const OFF_US_PER_MINUTE = 1_000;

/** How a node sees its own clock, and how often it set its sound anew. */
async function ownState(room: Room) {
  const { node, nodes } = await room.state();
  const { clock, output } = nodes.find(({ id }) => id === node.id)!;
  return { isAlone: clock?.holdover === true, output };
}

/** True where the node refuses a command for lack of the others. */
const refuses = (room: Room): Promise<boolean> =>
  room.command('pause').then(
    () => false,
    (error: unknown) => error instanceof Error && error.message.includes('NO_QUORUM'),
  );

async function cutOff(rooms: Rooms, wires: Wires, minutes: number): Promise<Row[]> {
  await listen(SETTLE_S);
  const { followers } = await byRank(rooms);
  const [cut, other] = followers;
  const before = await ownState(cut);
  const atNs = rooms.now();
  wires.pull(rooms.rooms.indexOf(cut));
  await listen(60 * minutes - END_S);
  const during = await ownState(cut);
  const isRefused = await refuses(cut);
  await listen(END_S);
  const backNs = rooms.now();
  wires.plug(rooms.rooms.indexOf(cut));
  await until('the node hears the others', async () => !(await ownState(cut)).isAlone);
  const heardNs = rooms.now();
  await listen(AFTER_S);
  const toNs = rooms.now() - 500e6;
  const after = await ownState(cut);

  const [card, reference] = [cut.capture(), other.capture()];
  const alone = offsetsOverTime(reference, card, { fromNs: backNs - END_S * 1e9, toNs: backNs }, EVERY_NS);
  const back = offsetsOverTime(reference, card, { fromNs: backNs, toNs }, EVERY_NS);
  const others = rooms.rooms.filter((room) => room !== cut).map((room) => room.capture());
  const meanwhile = offsetsOverTime(others[0]!, others[1]!, { fromNs: atNs, toNs }, EVERY_NS);
  const out = back.findLast(({ offsetNs }) => Math.abs(offsetNs) > IN_STEP_NS);
  const what = `cut off for ${minutes} min`;
  const missedMs = (room: Room) => missedNs(room.capture(), { fromNs: atNs, toNs }) / 1e6;
  return [
    atMost(0, { what: `${what}: missing in the room`, figure: missedMs(cut), unit: 'ms' }),
    atMost(0, {
      what: `${what}: missing in the other rooms`,
      figure: Math.max(...others.map((_, n) => missedMs(rooms.rooms.filter((room) => room !== cut)[n]!))),
      unit: 'ms',
    }),
    atLeast(1, { what: `${what}: shown as holdover`, figure: during.isAlone ? 1 : 0, unit: '' }),
    atLeast(1, { what: `${what}: refuses commands with NO_QUORUM`, figure: isRefused ? 1 : 0, unit: '' }),
    atMost(OFF_US_PER_MINUTE * minutes, { what: `${what}: off at its end`, figure: worstOf(alone) / 1e3, unit: 'us' }),
    atMost(OFF_US_PER_MINUTE * minutes, {
      what: `${what}: off at worst when it is back`,
      figure: worstOf(back) / 1e3,
      unit: 'us',
    }),
    forInformation({ what: `${what}: from the cable to no holdover`, figure: (heardNs - backNs) / 1e9, unit: 's' }),
    forInformation({
      what: `${what}: from the cable to within 50 us for good`,
      figure: out === undefined ? 0 : (out.atNs - backNs) / 1e9,
      unit: 's',
    }),
    atMost(0, {
      what: `${what}: positions set anew`,
      figure: (after.output?.snaps ?? 0) - (before.output?.snaps ?? 0),
      unit: '',
    }),
    atMost(30, {
      what: `${what}: the other two meanwhile, p99`,
      figure: percentile(
        meanwhile.map(({ offsetNs }) => Math.abs(offsetNs) / 1e3),
        0.99,
      ),
      unit: 'us',
    }),
  ];
}

async function run({ syncMinutes }: Options): Promise<Row[]> {
  const wires = layWires(3);
  if ('missing' in wires) return [skipped('a node that is cut off', wires.missing)];
  try {
    const rooms = await playingRooms({ wires });
    if ('missing' in rooms) return [skipped('a node that is cut off', rooms.missing)];
    try {
      return await cutOff(rooms, wires, syncMinutes);
    } finally {
      await rooms.stop();
    }
  } finally {
    wires.remove();
  }
}

const suite: Suite = { name: 'sync-cut', run };
export default suite;
