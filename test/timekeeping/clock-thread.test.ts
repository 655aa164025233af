/** The two ends of the clock's thread, joined by a channel of the test's own. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { FakeDatagram } from '../../src/ports/fake-datagram.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { FakeRandom } from '../../src/ports/fake-random.js';
import { type ClockPort, ClockThread, serveClock } from '../../src/timekeeping/clock-thread.js';
import { Timekeeper } from '../../src/timekeeping/timekeeper.js';
import { runPeerClocksContract } from '../contract/peer-clocks.js';
import { NodeClock } from '../sim/node-clock.js';
import { bootOf, idOf, KEY, PORT, Rig } from './rig.js';

/** Two ends of a channel; messages are copied, and arrive later, as between threads. */
function channel(): readonly [ClockPort, ClockPort] {
  const listeners: [(message: unknown) => void, (message: unknown) => void] = [() => {}, () => {}];
  const end = (own: 0 | 1): ClockPort => ({
    postMessage: (message) => {
      const copy: unknown = structuredClone(message);
      queueMicrotask(() => listeners[own === 0 ? 1 : 0](copy));
    },
    on: (_event, listener) => {
      listeners[own] = listener;
    },
  });
  return [end(0), end(1)];
}

/** A thread's both ends on the rig's network, for node a. */
function threadOn(rig: Rig, host = '10.0.0.97') {
  const clock = new NodeClock({ time: rig.time, run: (callback) => callback() }, { ratePpm: 5, zeroNs: 0n });
  const [mainEnd, threadEnd] = channel();
  const timekeeper = new Timekeeper(
    {
      datagram: new FakeDatagram({ network: rig.network, clock }, { host, port: PORT }),
      time: clock,
      random: new FakeRandom(9),
      lookUp: (name, found) => found(name),
    },
    { node: idOf('a'), boot: bootOf(1), key: KEY },
  );
  const died: Error[] = [];
  let ended = 0;
  const log = new FakeLog();
  const clocks = new ClockThread({
    port: mainEnd,
    log,
    died: (error) => void died.push(error),
    end: async () => {
      ended++;
      await timekeeper.stop();
    },
  });
  serveClock({ port: threadEnd, timekeeper });
  return { clocks, clock, died, log, threadEnd, ended: () => ended };
}

await runPeerClocksContract(t, 'ClockThread', async () => {
  const rig = new Rig(t);
  const b = await rig.node('b', { zeroNs: 10n ** 15n });
  const { clocks, clock } = threadOn(rig);
  return {
    clocks,
    peer: { node: b.id, address: `${b.host}:${PORT}` },
    read: () => ({ local: clock.now(), peer: b.clock.now() }),
    pass: async () => {
      rig.time.advance(20);
      await new Promise((resolve) => setImmediate(resolve));
    },
    close: () => b.die(),
  };
});

t.test('a port that is taken is said to be', async (t) => {
  const rig = new Rig(t);
  await rig.stranger('10.0.0.97');
  const { clocks, died } = threadOn(rig);
  await t.rejects(
    clocks.start(() => {}),
    { code: 'PORT_IN_USE' },
  );
  t.same(died, []);
  await clocks.stop();
});

t.test('counts come across, warnings become lines of the log', async (t) => {
  const rig = new Rig(t);
  const { clocks, threadEnd, log } = threadOn(rig);
  await clocks.start(() => {});
  const evil = await rig.stranger('10.6.6.6');
  evil.send(Uint8Array.of(1), { host: '10.0.0.97', port: PORT });
  threadEnd.postMessage({ type: 'warning', text: 'this is the lesser way', fields: { why: 'a test' } });
  rig.time.advance(2_000);
  await new Promise((resolve) => setImmediate(resolve));
  t.same(clocks.counts(), { malformed: 1, strangers: 0, replayed: 0 });
  t.match(log.entries, [{ level: 'warn', text: 'this is the lesser way', fields: { why: 'a test' } }]);
  await clocks.stop();
});

t.test('a thread that ends unasked is told of once, and its lines stand', async (t) => {
  const rig = new Rig(t);
  const { clocks, died, ended } = threadOn(rig);
  await clocks.start(() => {});
  clocks.died(new Error('it broke'));
  clocks.died(new Error('and ended'));
  t.same(
    died.map(({ message }) => message),
    ['it broke'],
  );
  t.equal(ended(), 1);
  await clocks.stop();
  t.equal(ended(), 1);
});

t.test('who waits for the start of a thread that ends is not left waiting', async (t) => {
  const rig = new Rig(t);
  const dying = threadOn(rig, '10.0.0.1');
  const start = dying.clocks.start(() => {});
  dying.clocks.died(new Error('it broke'));
  await t.rejects(start, { message: 'it broke' });
  const stopping = threadOn(rig, '10.0.0.2');
  const stopped = t.rejects(
    stopping.clocks.start(() => {}),
    TuttiError,
  );
  await stopping.clocks.stop();
  await stopped;
  t.same(stopping.died, [], 'that it was told to end is no news');
});
