/** Rooms on a network whose delays vary by a millisecond each way. */
import { freePorts } from '../consensus/contestant.js';
import { forInformation, type Options, type Row, type Suite, skipped } from '../row.js';
import { type Relays, startRelays, type Way } from './jitter-relay.js';
import { listen } from './rooms.js';
import { playingRooms, spreadOfRooms, spreadRows } from './spread.bench.js';

/** Every datagram is held for up to this: a mean of 1 ms, and 1 ms to either side. Milliseconds. */
const HELD_MS_MAX = 2;
/** A clock on such a network needs longer to be sure of its rate. Seconds. */
const SETTLE_S = 30;

async function run({ syncMinutes }: Options): Promise<Row[]> {
  const what = `1 ms of jitter each way, ${syncMinutes} min`;
  const fronts = await freePorts(3);
  const ways: Way[] = [];
  const relays: Relays[] = [];
  const rooms = await playingRooms({
    // With 1 ms of jitter nobody can promise 0.5 ms at once.
    env: { TUTTI_CLOCK_MAX_ERROR_US: 'auto' },
    advertise: (index, own) => {
      ways[index] = { from: fronts[index]!, to: own.port };
      return { port: fronts[index]! };
    },
    beforeStart: async () => {
      relays.push(await startRelays({ ways, heldMsMax: HELD_MS_MAX, seed: 1 }));
    },
  });
  if ('missing' in rooms) return [skipped(what, rooms.missing)];
  try {
    await listen(SETTLE_S);
    const fromNs = rooms.now();
    await listen(60 * syncMinutes);
    const toNs = rooms.now() - 250e6;
    const captures = rooms.rooms.map((room) => room.capture());
    const error = await relays[0]!.stop();
    return [
      ...spreadRows(what, spreadOfRooms(captures, { fromNs, toNs }), 250, 250),
      forInformation({
        what: `the relay's own lateness, p99 of ${error.datagrams}`,
        figure: error.lateUsP99,
        unit: 'us',
      }),
    ];
  } finally {
    await rooms.stop();
  }
}

const suite: Suite = { name: 'sync-jitter', run };
export default suite;
