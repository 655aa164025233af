/** What a node costs that plays 44.1 kHz to a card of 48 kHz: by its own clock, on a card that writes nothing down. */
import { atMost, type Row, type Suite, skipped } from '../row.js';
import { listen, type Rooms } from './rooms.js';
import { playingRooms } from './spread.bench.js';

/** Until the program has been compiled as far as it ever will be, which is work that a node does once. Seconds. */
const WARM_UP_S = 30;
/** How long each state is watched. Seconds. */
const WATCH_S = 20;
/** After a pause the card runs on for so long. Seconds. */
const IDLE_CLOSE_S = 30;

/** The share of a core that the costliest of the rooms takes, per cent. */
async function coreShare({ rooms }: Rooms): Promise<number> {
  const before = rooms.map((room) => room.processorMs());
  const startedAt = performance.now();
  await listen(WATCH_S);
  const elapsedMs = performance.now() - startedAt;
  return Math.max(...rooms.map((room, n) => ((room.processorMs() - before[n]!) / elapsedMs) * 100));
}

async function run(): Promise<Row[]> {
  const env = { TUTTI_OUTPUT_IDLE_CLOSE_S: String(IDLE_CLOSE_S) };
  const rooms = await playingRooms({ watched: false, env });
  if ('missing' in rooms) return [skipped('processor and memory of a node', rooms.missing)];
  try {
    await listen(WARM_UP_S);
    const playing = await coreShare(rooms);
    const residentMb = Math.max(...rooms.rooms.map((room) => room.residentMb()));
    await rooms.rooms[0].command('pause');
    await listen(2);
    const paused = await coreShare(rooms);
    await listen(IDLE_CLOSE_S - WATCH_S);
    const closed = await coreShare(rooms);
    return [
      atMost(3, { what: 'processor, playing 44.1 kHz to 48 kHz', figure: playing, unit: '% of a core' }),
      atMost(1.5, { what: 'processor, paused, the card running', figure: paused, unit: '% of a core' }),
      atMost(0.5, { what: 'processor, paused, the card closed', figure: closed, unit: '% of a core' }),
      atMost(130, { what: 'resident memory, playing', figure: residentMb, unit: 'MB' }),
    ];
  } finally {
    await rooms.stop();
  }
}

const suite: Suite = { name: 'sync-cost', run };
export default suite;
