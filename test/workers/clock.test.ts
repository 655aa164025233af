/** The clock's threads as they ship, on this machine's loopback. */
import { createSocket } from 'node:dgram';
import t from 'tap';
import { SystemTime } from '../../src/io/time/system-time.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { spawnClock } from '../../src/workers/spawn-clock.js';
import { runPeerClocksContract } from '../contract/peer-clocks.js';
import { passRealTime } from '../contract/support.js';
import { bootOf, idOf, KEY } from '../timekeeping/rig.js';

const time = new SystemTime();

/** A UDP port that nobody has, or had a moment ago. */
const freePort = () =>
  new Promise<number>((resolve) => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });

async function spawn(letter: string, key = KEY) {
  const port = await freePort();
  const died: Error[] = [];
  const clocks = spawnClock(
    { node: idOf(letter), boot: bootOf(1), key, listen: { host: '127.0.0.1', port } },
    { log: new FakeLog(), died: (error) => void died.push(error) },
  );
  return { clocks, died, port, peer: { node: idOf(letter), address: `127.0.0.1:${port}` } };
}

await runPeerClocksContract(t, 'The clock’s thread', async () => {
  const [a, b] = [await spawn('a'), await spawn('b')];
  await b.clocks.start(() => {});
  return {
    clocks: a.clocks,
    peer: b.peer,
    // One machine has one clock, so the truth is known.
    read: () => {
      const now = time.now();
      return { local: now, peer: now };
    },
    pass: passRealTime,
    close: async () => {
      await b.clocks.stop();
      t.same([...a.died, ...b.died], [], 'no thread ended unasked');
    },
  };
});

t.test('a thread that is ended while it is being loaded takes nobody with it', async (t) => {
  for (let ms = 0; ms < 120; ms += 5) {
    const { clocks, died } = await spawn('a');
    await new Promise((resolve) => setTimeout(resolve, ms));
    await clocks.stop();
    t.same(died, []);
  }
});

t.test('a port that is taken is said to be', async (t) => {
  const a = await spawn('a');
  await a.clocks.start(() => {});
  const other = spawnClock(
    { node: idOf('b'), boot: bootOf(1), key: KEY, listen: { host: '127.0.0.1', port: a.port } },
    { log: new FakeLog(), died: (error) => t.fail(error.message) },
  );
  await t.rejects(
    other.start(() => {}),
    { code: 'PORT_IN_USE', detail: /EADDRINUSE/ },
  );
  await other.stop();
  await a.clocks.stop();
});

t.test('a thread that cannot begin is told of', async (t) => {
  // A key of a wrong length: a mistake of ours, which ends the thread.
  const a = await spawn('a', new Uint8Array(3));
  await t.rejects(
    a.clocks.start(() => {}),
    { message: /32 bytes/ },
  );
  t.equal(a.died.length, 1);
});
