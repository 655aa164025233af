/** The fake network delays, loses, doubles, reorders and cuts as it is told, each direction for itself, and the same at every run. */
import t from 'tap';
import { type NodeId, nodeId } from '../../src/core/ids.js';
import { FakeDatagram } from '../../src/ports/fake-datagram.js';
import { FakeNetwork } from '../../src/ports/fake-network.js';
import { CONNECTION_TIMEOUT_MS, FakePeerLink } from '../../src/ports/fake-peer-link.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { QUIET_HANDLERS } from '../contract/peer-link.js';

const PORT = 7_420;

/** Two hosts, `a` and `b`, with what `b` got of a hundred datagrams: number and milliseconds. */
async function sendHundred(init: ConstructorParameters<typeof FakeNetwork>[1] & { readonly cut?: 'a > b' | 'b > a' }) {
  const { cut, ...conditions } = init;
  const time = new FakeTime();
  const network = new FakeNetwork({ time }, conditions);
  if (cut === 'a > b') network.cut('a', 'b');
  if (cut === 'b > a') network.cut('b', 'a');
  const [a, b] = ['a', 'b'].map((host) => new FakeDatagram({ network }, { host, port: PORT }));
  const received: { readonly number: number; readonly afterMs: number }[] = [];
  const startedAt = time.now();
  await a!.start(() => {});
  await b!.start((bytes, _from, at) => received.push({ number: bytes[0]!, afterMs: Number(at - startedAt) / 1e6 }));
  for (let number = 0; number < 100; number++) a!.send(Uint8Array.of(number), { host: 'b', port: PORT });
  time.advance(1_000);
  t.same(time.running(), [], 'nothing is on its way any more');
  return { received, numbers: received.map(({ number }) => number) };
}

const ALL = Array.from({ length: 100 }, (_, number) => number);

t.test('every datagram takes the delay of its path, and without jitter keeps its place', async (t) => {
  const { received, numbers } = await sendHundred({ delayMs: 3.5 });
  t.same(numbers, ALL);
  t.ok(received.every(({ afterMs }) => afterMs === 3.5));
});

t.test('jitter spreads the delays over its range, and datagrams overtake one another', async (t) => {
  const { received, numbers } = await sendHundred({ delayMs: 1, jitterMs: 4 });
  t.notSame(numbers, ALL);
  t.same(
    numbers.toSorted((x, y) => x - y),
    ALL,
  );
  const delays = received.map(({ afterMs }) => afterMs);
  t.ok(Math.min(...delays) >= 1 && Math.min(...delays) < 1.5);
  t.ok(Math.max(...delays) <= 5 && Math.max(...delays) > 4.5);
});

t.test('some are lost, some come twice, in the ratio that is set', async (t) => {
  const { numbers: lossy } = await sendHundred({ lossRatio: 0.3 });
  t.ok(lossy.length > 50 && lossy.length < 90, `${lossy.length} of 100 arrived`);
  t.same(new Set(lossy).size, lossy.length);
  const { numbers: doubled } = await sendHundred({ duplicateRatio: 0.3 });
  t.ok(doubled.length > 110 && doubled.length < 150, `${doubled.length} arrived of 100`);
  t.same(new Set(doubled).size, 100);
  t.same((await sendHundred({ lossRatio: 1 })).numbers, []);
});

t.test('a direction is cut for itself', async (t) => {
  t.same((await sendHundred({ cut: 'a > b' })).numbers, []);
  t.same((await sendHundred({ cut: 'b > a' })).numbers, ALL);
});

t.test('a seed gives the same at every run, another seed something else', async (t) => {
  const conditions = { jitterMs: 5, lossRatio: 0.2, duplicateRatio: 0.2 };
  const first = await sendHundred({ seed: 7, ...conditions });
  t.same(await sendHundred({ seed: 7, ...conditions }), first);
  t.notSame(await sendHundred({ seed: 8, ...conditions }), first);
});

t.test('conditions of one path leave the others alone', (t) => {
  const network = new FakeNetwork({ time: new FakeTime() }, { delayMs: 1 });
  network.setConditions({ delayMs: 9 }, { from: 'a', to: 'b' });
  network.setConditions({ lossRatio: 0.5 });
  t.match(network.conditions('a', 'b'), { delayMs: 9, lossRatio: 0.5 });
  t.match(network.conditions('b', 'a'), { delayMs: 1, lossRatio: 0.5 });
  t.equal(network.drawDelayMs('a', 'b'), 9);
  t.end();
});

t.test('a partition cuts between its groups, both ways, and healing mends one direction or all', (t) => {
  const network = new FakeNetwork({ time: new FakeTime() });
  network.partition(['a', 'b'], ['c']);
  const cuts = () =>
    ['ab', 'ba', 'ac', 'ca', 'bc', 'cb'].filter((path) => network.isCut(path.charAt(0), path.charAt(1)));
  t.same(cuts(), ['ac', 'ca', 'bc', 'cb']);
  network.heal({ from: 'c', to: 'a' });
  t.same(cuts(), ['ac', 'bc', 'cb']);
  network.heal();
  t.same(cuts(), []);
  t.end();
});

/** Members a and b, connected, with what happened to each. */
async function connected(conditions: ConstructorParameters<typeof FakeNetwork>[1] = {}) {
  const time = new FakeTime();
  const network = new FakeNetwork({ time }, conditions);
  const [idA, idB] = [nodeId('a'), nodeId('b')];
  const events: Record<string, string[]> = { a: [], b: [] };
  const make = async (id: NodeId, peer: NodeId) => {
    const link = new FakePeerLink({ network }, { node: id, address: { host: id, port: PORT } });
    link.setPeers(new Map([[peer, `${peer}:${PORT}`]]));
    await link.start({
      ...QUIET_HANDLERS,
      message: (_from, channel, bytes) => events[id]!.push(`${channel} ${bytes[0]}`),
      up: () => events[id]!.push('up'),
      down: () => events[id]!.push('down'),
    });
    return link;
  };
  const [a, b] = [await make(idA, idB), await make(idB, idA)];
  time.advance(100);
  t.same(events, { a: ['up'], b: ['up'] });
  const send = (value: number) => a.send(idB, 'control', Uint8Array.of(value));
  return { time, network, a, b, idA, idB, events, send };
}

t.test('what is sent while a direction is cut arrives late and in order once it is healed in time', async (t) => {
  const { time, network, events, send, a, b, idA } = await connected({ jitterMs: 3 });
  send(1);
  network.cut('a', 'b');
  for (const value of [2, 3, 4]) t.ok(send(value));
  t.ok(b.send(idA, 'control', Uint8Array.of(9)), 'the way back is open');
  time.advance(CONNECTION_TIMEOUT_MS - 1);
  t.same(events, { a: ['up', 'control 9'], b: ['up'] });
  network.heal();
  send(5);
  time.advance(20);
  t.same(events.b, ['up', 'control 1', 'control 2', 'control 3', 'control 4', 'control 5']);
  time.advance(2 * CONNECTION_TIMEOUT_MS);
  t.same(events.a, ['up', 'control 9'], 'and the connection stands');
  await a.stop();
  await b.stop();
});

t.test('a cut that lasts takes the connection down at both ends, with all that was on its way', async (t) => {
  const { time, network, events, send } = await connected();
  network.cut('b', 'a');
  network.cut('a', 'b');
  send(1);
  time.advance(CONNECTION_TIMEOUT_MS);
  t.same(events, { a: ['up', 'down'], b: ['up', 'down'] });
  t.notOk(send(2));
  network.heal({ from: 'a', to: 'b' });
  time.advance(5_000);
  t.same(events.a, ['up', 'down'], 'one direction is not enough for a connection');
  network.heal();
  time.advance(1_000);
  send(3);
  time.advance(10);
  t.same(events, { a: ['up', 'down', 'up'], b: ['up', 'down', 'up', 'control 3'] });
});

t.test('a reset loses what was on its way, tells both, and the next message passes', async (t) => {
  const { time, network, events, send } = await connected();
  send(1);
  network.reset('b', 'a');
  send(2);
  time.advance(1_000);
  send(3);
  time.advance(10);
  t.same(events, { a: ['up', 'down', 'up'], b: ['up', 'down', 'up', 'control 3'] });
});

t.test('a sender does not know at once that its peer has gone', async (t) => {
  const { time, network, events, send, b } = await connected();
  network.cut('b', 'a');
  await b.stop();
  t.ok(send(1), 'it is taken, and lost');
  time.advance(CONNECTION_TIMEOUT_MS - 1);
  t.same(events.a, ['up'], 'a farewell that is cut off is not heard');
  time.advance(1);
  t.same(events.a, ['up', 'down']);
  t.notOk(send(2));
});

t.test('an address at which another node listens is no way to a peer', async (t) => {
  const { time, network, a, idB, events } = await connected();
  const idC = nodeId('c');
  a.setPeers(new Map([[idC, `b:${PORT}`]]));
  time.advance(5_000);
  t.same(events.a, ['up', 'down']);
  t.notOk(a.send(idB, 'control', Uint8Array.of(1)));
  t.ok(network.boundTo(`tcp b:${PORT}`) instanceof FakePeerLink);
});
