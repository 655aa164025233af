/** Neighbours keep their contract, over multicast on the loopback interface; and no packet and no lack of network does any harm. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import multicastDns from 'multicast-dns';
import t from 'tap';
import { MdnsNeighbours } from '../../../src/io/mdns/mdns-neighbours.js';
import { heardIn, recordsOf, SERVICE } from '../../../src/io/mdns/records.js';
import { SystemRandom } from '../../../src/io/random/system-random.js';
import { SystemTime } from '../../../src/io/time/system-time.js';
import { DATAGRAM_BYTES_MAX } from '../../../src/ports/datagram.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { FakeNeighbourhood, FakeNeighbours } from '../../../src/ports/fake-neighbours.js';
import { IN_HOUSE, runNeighboursContract, WAITS } from '../../contract/neighbours.js';
import { passRealTime, until } from '../../contract/support.js';

await runNeighboursContract(t, 'FakeNeighbours', () => {
  const neighbourhood = new FakeNeighbourhood();
  const [kitchen, attic] = [new FakeNeighbours({ neighbourhood }), new FakeNeighbours({ neighbourhood })];
  return { kitchen, attic, pass: () => {} };
});

const LOOPBACK = '127.0.0.1';
const GROUP = '224.0.0.251';

/** A port that nobody has, and whether multicast goes through the loopback interface here. */
async function multicastPort(): Promise<{ port: number; carries: boolean }> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind(0, '0.0.0.0');
  await once(socket, 'listening');
  const { port } = socket.address();
  try {
    socket.addMembership(GROUP, LOOPBACK);
    socket.setMulticastInterface(LOOPBACK);
    const heard = once(socket, 'message', { signal: AbortSignal.timeout(2_000) });
    socket.send('anybody?', port, GROUP);
    await heard;
    return { port, carries: true };
  } catch {
    return { port, carries: false };
  } finally {
    socket.close();
  }
}

const { port, carries } = await multicastPort();
const skip = !carries && 'this machine carries no multicast on its loopback interface';

function neighbour(init: { port?: number; interface?: string } = {}) {
  const time = new SystemTime();
  const log = new FakeLog();
  const place = { interface: LOOPBACK, port, ...init };
  return { time, log, neighbours: new MdnsNeighbours({ time, log, random: new SystemRandom() }, place) };
}

if (skip) t.test('MdnsNeighbours', { skip }, () => {});
else {
  await runNeighboursContract(t, 'MdnsNeighbours', () => ({
    kitchen: neighbour().neighbours,
    attic: neighbour().neighbours,
    pass: passRealTime,
  }));

  await t.test(
    '[row 29] no datagram is longer than a small network carries whole, however long name and addresses are',
    async (t) => {
      const listener = createSocket({ type: 'udp4', reuseAddr: true });
      const lengths: number[] = [];
      listener.on('message', ({ length }) => lengths.push(length));
      listener.bind(port, '0.0.0.0');
      await once(listener, 'listening');
      listener.addMembership(GROUP, LOOPBACK);
      const { neighbours } = neighbour();
      neighbours.start();
      // As long as the configuration lets a name be, and hosts up to the longest that DNS knows, and beyond.
      for (const name of ['room', '\u{1f3b6}'.repeat(64)]) {
        for (let hostBytes = 10; hostBytes <= 300; hostBytes += 7) {
          const host = 'abcdefghi.'.repeat(30).slice(-hostBytes, -1);
          neighbours.announce({ ...IN_HOUSE, name, httpUrl: `http://${host}:65535`, address: `${host}:65535` });
          // No more at once than a socket keeps.
          await passRealTime();
        }
      }
      await until(() => lengths.length > 60, passRealTime, 'they are heard');
      await neighbours.stop();
      listener.close();
      const longest = Math.max(...lengths);
      t.ok(longest > 900 && longest <= DATAGRAM_BYTES_MAX, `at most ${longest} bytes`);
    },
  );

  await t.test('what strangers say that is not as ours say it is not listed, and does no harm', async (t) => {
    const { neighbours, time, log } = neighbour();
    neighbours.start();
    const stranger = multicastDns({ interface: LOOPBACK, bind: '0.0.0.0', port });
    stranger.on('warning', () => {});
    const instance = `odd.${SERVICE}`;
    const txt = (...data: string[]) => [
      { name: SERVICE, type: 'PTR', ttl: 120, data: instance },
      { name: instance, type: 'TXT', ttl: 120, data },
    ];
    stranger.respond([{ name: SERVICE, type: 'PTR', ttl: 120, data: instance }]);
    stranger.respond(txt());
    stranger.respond(txt('id=1', 'name=x', 'cluster=neither', 'url=http://a', 'address=a:1', 'version=1'));
    stranger.respond(txt('id=1', 'name=x', 'cluster=waiting', 'url=javascript:alert(1)', 'address=a:1', 'version=1'));
    stranger.respond(txt('id=1', 'name=\u001b[2J', 'cluster=waiting', 'url=http://a', 'address=a:1', 'version=1'));
    const raw = createSocket('udp4');
    raw.bind(0, LOOPBACK);
    await once(raw, 'listening');
    raw.setMulticastInterface(LOOPBACK);
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(12, 0xff), Buffer.from('not DNS at all')])
      raw.send(bytes, port, GROUP);
    for (let i = 0; i < 200; i++) stranger.respond(recordsOf({ ...WAITS, name: `room ${i}` }, String(i), 120));
    await until(() => neighbours.list().length === 64, passRealTime, 'as many as are remembered');
    t.ok(neighbours.list().every(({ name }) => name.startsWith('room ')));
    raw.close();
    await new Promise<void>((resolve) => stranger.destroy(resolve));
    await neighbours.stop();
    t.same(time.running(), []);
    t.ok(log.entries.length <= 3, 'and is said once');
  });
}

t.test('where there is no such network it is one warning for each reason, and all goes on', async (t) => {
  const { neighbours, time, log } = neighbour({ interface: '192.0.2.77' });
  neighbours.start();
  for (let i = 0; i < 5; i++) neighbours.announce({ ...WAITS, version: String(i) });
  await until(() => log.entries.length > 0, passRealTime, 'a warning');
  t.ok(log.entries.every(({ level }) => level === 'warn'));
  t.same(neighbours.list(), []);
  await neighbours.stop();
  t.same(time.running(), []);
});

t.test('an address that DNS cannot hold is not said at all, rather than half', (t) => {
  for (const host of ['a.'.repeat(100), 'a'.repeat(64)]) {
    const answers = recordsOf({ ...IN_HOUSE, address: `${host}:7420` }, 'abcd', 120);
    t.notOk(JSON.stringify(answers).includes('aaaa') || JSON.stringify(answers).includes('a.a.a'));
    t.same(heardIn({ questions: [], answers, additionals: [] }), []);
  }
  t.end();
});

t.test('a daemon is read as it was written, with a long name too', (t) => {
  const long = { ...IN_HOUSE, name: 'ü'.repeat(64) };
  for (const said of [WAITS, IN_HOUSE, long]) {
    const answers = recordsOf(said, 'abcd', 120);
    t.match(heardIn({ questions: [], answers, additionals: [] }), [{ id: 'abcd', ttlS: 120, said }]);
    for (const label of String(answers[0]!.data).split('.')) t.ok(Buffer.byteLength(label) <= 63);
  }
  t.match(heardIn({ questions: [], answers: recordsOf(WAITS, 'abcd', 0), additionals: [] }), [{ said: null }]);
  t.end();
});
