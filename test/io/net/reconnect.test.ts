/** Connections that break, fall silent or lead to the wrong place are mended; what is agreed between two links survives neither luck nor time. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { nodeId } from '../../../src/core/ids.js';
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, PING_SWEEPS, SILENT_SWEEPS, SWEEP_MS } from '../../../src/io/net/limits.js';
import { FakeTime } from '../../../src/ports/fake-time.js';
import { QUIET_HANDLERS } from '../../contract/peer-link.js';
import { passRealTime, until } from '../../contract/support.js';
import { A, B, makeStation, type StationOptions } from './rig.js';

/** Two links on clocks of their own that are up. */
async function pair(t: Test, options: { readonly a?: StationOptions; readonly b?: StationOptions } = {}) {
  const time = new FakeTime();
  const a = await makeStation(t, A, { time, ...options.a });
  const b = await makeStation(t, B, { time, ...options.b });
  const events: Record<'a' | 'b', string[]> = { a: [], b: [] };
  const handlers = (name: 'a' | 'b') => ({
    ...QUIET_HANDLERS,
    up: () => void events[name].push('up'),
    down: () => void events[name].push('down'),
    message: (_from: unknown, channel: string, bytes: Uint8Array) => void events[name].push(`${channel} ${bytes[0]}`),
  });
  a.link.setPeers(new Map([[B, b.address]]));
  b.link.setPeers(new Map([[A, a.address]]));
  await a.link.start(handlers('a'));
  await b.link.start(handlers('b'));
  await until(() => events.a.length > 0 && events.b.length > 0, passRealTime, 'they are up');
  t.same(events, { a: ['up'], b: ['up'] });
  /** Some seconds, each with real time for what is sent to arrive. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      time.advance(SWEEP_MS);
      for (let turn = 0; turn < 10; turn++) await passRealTime();
    }
  };
  return { a, b, time, events, pass, handlers };
}

t.test('an idle pair stays up by pings alone', async (t) => {
  const { a, events, pass } = await pair(t);
  const sent = () => a.proxy.recordings.flat().reduce((sum, { length }) => sum + length, 0);
  const before = sent();
  await pass(3 * SILENT_SWEEPS);
  t.same(events, { a: ['up'], b: ['up'] });
  const pings = (3 * SILENT_SWEEPS) / (PING_SWEEPS + 1);
  // Header, record header, content type and tag of a TLS record are 27 bytes.
  t.ok(sent() - before <= 2 * (pings + 1) * 27, `${sent() - before} bytes in ${3 * SILENT_SWEEPS} s`);
});

t.test(
  'a path on which nothing passes any more is found dead, at both ends, and mended when it passes again',
  async (t) => {
    const { a, b, events, pass } = await pair(t);
    a.proxy.isSilent = true;
    b.proxy.isSilent = true;
    await pass(SILENT_SWEEPS - 1);
    t.same(events, { a: ['up'], b: ['up'] }, 'for a while it is only slow');
    await pass(3);
    t.same(events, { a: ['up', 'down'], b: ['up', 'down'] });
    a.proxy.isSilent = false;
    b.proxy.isSilent = false;
    a.proxy.breakAll();
    b.proxy.breakAll();
    await pass(8);
    t.same(events, { a: ['up', 'down', 'up'], b: ['up', 'down', 'up'] });
  },
);

t.test('a process that stood still for a minute does not take its peers for dead', async (t) => {
  const { time, events, pass } = await pair(t);
  time.advance(0.5);
  // Timers of a process that was stopped fire once when it goes on.
  for (let stop = 0; stop < 3; stop++) await pass(1);
  t.same(events, { a: ['up'], b: ['up'] });
});

t.test('a node that starts anew is taken at once for what it was, though the old connections look alive', async (t) => {
  const { a, b, events, handlers, time } = await pair(t);
  // The old process is gone without a word: nothing of it reaches A, and A notices nothing.
  a.proxy.isSilent = true;
  b.proxy.isSilent = true;
  await b.link.stop();
  for (let turn = 0; turn < 20; turn++) await passRealTime();
  t.same(events.a, ['up']);
  const again = await makeStation(t, B, { time, advertise: () => b.address });
  again.link.setPeers(new Map([[A, a.link.address()]]));
  events.b.length = 0;
  await again.link.start(handlers('b'));
  await until(() => events.b.length > 0 && events.a.length > 2, passRealTime, 'they are up');
  t.same(events, { a: ['up', 'down', 'up'], b: ['up'] });
  t.ok(again.link.send(A, 'control', Uint8Array.of(5)));
  await until(() => events.a.length > 3, passRealTime, 'a message passes');
  t.equal(events.a.at(-1), 'control 5');
});

t.test(
  'attempts are repeated with delays that double up to a bound, with jitter, and a new address is tried at once',
  async (t) => {
    const time = new FakeTime();
    const a = await makeStation(t, A, { time });
    const attempts: number[] = [];
    const refusing = createServer((socket: Socket) => {
      attempts.push(Number(time.now() / 1_000_000n));
      socket.on('error', () => {}).destroy();
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    t.teardown(() => new Promise((resolve) => refusing.close(resolve)));
    const C = nodeId('c'.repeat(32));
    a.link.setPeers(new Map([[C, `127.0.0.1:${(refusing.address() as AddressInfo).port}`]]));
    await a.link.start(QUIET_HANDLERS);
    while (attempts.length < 12) {
      const before = attempts.length;
      await until(
        () => attempts.length > before || time.running().some((name) => name.startsWith('connect')),
        passRealTime,
        'an attempt, or a wait for one',
      );
      if (attempts.length === before) time.advance(1);
    }
    const delays = attempts.slice(1).map((at, index) => at - attempts[index]!);
    delays.forEach((delay, index) => {
      const full = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** (index + 1));
      t.ok(delay >= full / 2 - 1 && delay <= full + 10, `delay ${index} of at most ${full} ms: ${delay}`);
    });
    t.ok(new Set(delays.slice(-5)).size > 1, `they differ: ${delays.slice(-5)}`);
    const b = await makeStation(t, B, { time });
    let ups = 0;
    b.link.setPeers(new Map([[A, a.address]]));
    const D = createServer();
    D.close();
    await b.link.start({ ...QUIET_HANDLERS, up: () => void ups++ });
    a.link.setPeers(new Map([[B, b.address]]));
    await until(() => ups > 0, passRealTime, 'without any time passing');
  },
);

t.test('an address at which another node listens is no way to a peer', async (t) => {
  const { a, b, events } = await pair(t);
  const C = nodeId('c'.repeat(32));
  a.link.setPeers(
    new Map([
      [B, b.address],
      [C, b.address],
    ]),
  );
  b.link.setPeers(
    new Map([
      [A, a.address],
      [C, a.address],
    ]),
  );
  await until(() => a.link.counters()['other-node'] > 0, passRealTime, 'it is noticed');
  t.same(events, { a: ['up'], b: ['up'] });
  t.notOk(a.link.send(C, 'control', Uint8Array.of(1)));
});

t.test('a long bulk transfer does not hold up control messages', async (t) => {
  const { a, events } = await pair(t);
  const piece = new Uint8Array(4 << 20);
  t.ok(a.link.send(B, 'bulk', piece));
  t.ok(a.link.send(B, 'control', Uint8Array.of(9)));
  await until(() => events.b.length === 3, passRealTime, 'both arrive');
  t.same(events.b, ['up', 'control 9', 'bulk 0'], 'the short one first');
});

t.test('messages of one turn leave in one write, and arrive in order', async (t) => {
  const { a, b, events } = await pair(t);
  const bytes = () =>
    [...a.proxy.recordings, ...b.proxy.recordings].flat().reduce((sum, { length }) => sum + length, 0);
  const before = bytes();
  for (let value = 0; value < 100; value++) t.ok(a.link.send(B, 'control', Uint8Array.of(value)));
  await until(() => events.b.length === 101, passRealTime, 'all arrive');
  t.same(
    events.b.slice(1),
    Array.from({ length: 100 }, (_, value) => `control ${value}`),
  );
  // Only what a client sent is recorded: nothing, where A was the one that was dialed.
  const sent = bytes() - before;
  t.ok(sent === 0 || sent === 100 * 6 + 22, `${sent} bytes: one record of TLS`);
});

t.test('stop during start frees the port, and nothing is heard afterwards', async (t) => {
  const a = await makeStation(t, A);
  a.link.setPeers(new Map([[B, '127.0.0.1:1']]));
  const started = a.link.start({ ...QUIET_HANDLERS, refused: () => t.fail('it was stopped') });
  await a.link.stop();
  await started;
  t.notOk(a.link.send(B, 'control', Uint8Array.of(1)));
});
