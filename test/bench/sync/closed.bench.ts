/** Starts from cards that were let go: soon after the command, never far apart, and in step after a moment. */
import { until } from '../consensus/contestant.js';
import { percentile } from '../consensus/statistics.js';
import { atMost, forInformation, type Row, type Suite, skipped } from '../row.js';
import { soundingStretches, worstOf } from './judge.js';
import { closeOffsets } from './moments.js';
import { listen, type Room, type Rooms } from './rooms.js';
import { PAIRS, playingRooms } from './spread.bench.js';

/** A pause after which cards are let go. Seconds. */
const IDLE_CLOSE_S = 2;
/** Starts: the moment after the last card was let go, and later, in turn. */
const STARTS = 8;
const LATER_S = 3;
/** How long a start is listened to, and from when on it must be in step. Seconds. */
const HEARD_S = 6;
const IN_STEP_AFTER_S = 3;

const ownOutput = async (room: Room) => {
  const { node, nodes } = await room.state();
  return nodes.find(({ id }) => id === node.id)!.output;
};

/** What became of one start. */
interface Heard {
  readonly afterMs: number;
  readonly worstUs: number;
  readonly settledUs: number;
}

/** Pauses until all cards are let go, plays, and listens. */
async function startFromClosed(rooms: Rooms, waitS: number): Promise<Heard> {
  await rooms.rooms[0].command('pause');
  await until('all cards are let go', async () => {
    const outputs = await Promise.all(rooms.rooms.map(ownOutput));
    return outputs.every((output) => output?.state === 'closed');
  });
  await listen(waitS);
  const sentNs = rooms.now();
  await rooms.rooms[0].command('play');
  await listen(HEARD_S);
  const toNs = rooms.now() - 500e6;
  const captures = rooms.rooms.map((room) => room.capture());
  const starts = captures.map((card) => soundingStretches(card, { fromNs: sentNs, toNs }, 5e6)[0]?.fromNs ?? Infinity);
  const beganNs = Math.max(...starts);
  if (!Number.isFinite(beganNs)) return { afterMs: Infinity, worstUs: Infinity, settledUs: Infinity };
  const offsets = PAIRS.flatMap(([a, b]) => closeOffsets(captures[a]!, captures[b]!, { fromNs: beganNs, toNs }));
  return {
    afterMs: (beganNs - sentNs) / 1e6,
    worstUs: worstOf(offsets) / 1e3,
    settledUs: worstOf(offsets.filter(({ atNs }) => atNs >= beganNs + IN_STEP_AFTER_S * 1e9)) / 1e3,
  };
}

const lateStarts = async ({ rooms }: Rooms): Promise<number> => {
  const outputs = await Promise.all(rooms.map(ownOutput));
  return outputs.reduce((sum, output) => sum + (output?.late ?? Infinity), 0);
};

async function run(): Promise<Row[]> {
  const rooms = await playingRooms({ env: { TUTTI_OUTPUT_IDLE_CLOSE_S: String(IDLE_CLOSE_S) } });
  if ('missing' in rooms) return [skipped('starts from a closed card', rooms.missing)];
  try {
    const lateBefore = await lateStarts(rooms);
    const heard: (Heard & { readonly isAtOnce: boolean })[] = [];
    for (let n = 0; n < STARTS; n++) {
      const isAtOnce = n % 2 === 0;
      heard.push({ ...(await startFromClosed(rooms, isAtOnce ? 0 : LATER_S)), isAtOnce });
    }
    const late = (await lateStarts(rooms)) - lateBefore;
    const after = (isAtOnce: boolean) => heard.filter((one) => one.isAtOnce === isAtOnce).map(({ afterMs }) => afterMs);
    const what = 'from a closed card';
    return [
      atMost(600, {
        what: `${what}: command to sound in every room, most`,
        figure: Math.max(...after(false)),
        unit: 'ms',
      }),
      atMost(600, { what: `${what}, let go that moment: likewise`, figure: Math.max(...after(true)), unit: 'ms' }),
      forInformation({
        what: `${what}: p50`,
        figure: percentile(
          heard.map(({ afterMs }) => afterMs),
          0.5,
        ),
        unit: 'ms',
      }),
      atMost(0, { what: `${what}: late by the rooms' own count`, figure: late, unit: '' }),
      atMost(1_000, {
        what: `${what}: apart at worst`,
        figure: Math.max(...heard.map(({ worstUs }) => worstUs)),
        unit: 'us',
      }),
      atMost(50, {
        what: `${what}: apart after 3 s`,
        figure: Math.max(...heard.map(({ settledUs }) => settledUs)),
        unit: 'us',
      }),
    ];
  } finally {
    await rooms.stop();
  }
}

const suite: Suite = { name: 'sync-closed', run };
export default suite;
