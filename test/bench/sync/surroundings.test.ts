/** What the benches of sync put nodes into: clocks that differ, a network that is late, and days that pass in a moment. */
import { spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { freePorts } from '../consensus/contestant.js';
import { type ClockMaker, makeClocks } from './crystals.js';
import { liveThrough } from './day-house.js';
import { startRelays } from './jitter-relay.js';
import { hostNs } from './rooms.js';
import { slopePerHour } from './thread-notes.js';

/** A program that reads its clocks in all ways that matter, twice: by libc through koffi, by libuv, and by the kernel, past any library. */
const READER = `
  const koffi = (await import('node:module')).createRequire(process.cwd() + '/')('koffi');
  const libc = koffi.load(null);
  const into = new BigInt64Array(2);
  const read = (call) => (call(), into[0] * 1000000000n + into[1]);
  const gettime = libc.func('int clock_gettime(int clock, void *timespec)');
  const syscall = libc.func('long syscall(long number, int clock, void *timespec)');
  const number = { x64: 228, arm64: 113, arm: 263 }[process.arch];
  const kernel = () => read(() => syscall(number, 4, into));
  // A busy machine may stop this program between two readings: then they are taken again.
  const all = () => {
    for (;;) {
      const before = kernel();
      const readings = [read(() => gettime(4, into)), process.hrtime.bigint()];
      if (kernel() - before < 500000n) return [...readings, before];
    }
  };
  all();
  const first = all();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const gone = all().map((ns, i) => Number(ns - first[i]));
  console.log(JSON.stringify({ gone, hostless: Number(first[0] - first[2]) }));
`;

const clocks = (() => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-clocks-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return makeClocks(folder, hostNs());
})();

function readUnder({ wrap }: ClockMaker, ppm: number, offsetS = 0) {
  const plain = [process.execPath, '--input-type=module', '-e', READER];
  const { command, env } = wrap({ offsetS, ppm, wanderPpm: 0.2, seed: 1 }, plain);
  const [program, ...args] = command as [string, ...string[]];
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } });
  if (stderr !== '') throw new Error(stderr);
  return JSON.parse(stdout) as { readonly gone: [number, number, number]; readonly hostless: number };
}

const skip = 'missing' in clocks ? clocks.missing : false;

t.test('a process under a crystal runs by it, whichever way it asks; the kernel itself does not', { skip }, (t) => {
  for (const ppm of [100_000, -50_000]) {
    const { gone } = readUnder(clocks as ClockMaker, ppm);
    const [koffi, libuv, kernel] = gone;
    for (const ns of [koffi, libuv]) t.ok(Math.abs(ns / kernel / (1 + ppm / 1e6) - 1) < 0.01, `${ppm} ppm: ${gone}`);
  }
  const { gone } = readUnder(clocks as ClockMaker, 0);
  t.ok(Math.abs(gone[0] / gone[2] - 1) < 0.01, "without a rate it is the machine's clock");
  t.end();
});

const withoutOffsets = 'missing' in clocks ? clocks.missing : (clocks.withoutOffsets ?? false);
t.test('one in a time namespace has run for longer', { skip: withoutOffsets }, (t) => {
  const { hostless } = readUnder(clocks as ClockMaker, 30, 86_400);
  t.ok(Math.abs(hostless) < 1e9, "the kernel's clock of that process has the same offset: the card takes it off again");
  const script = 'process.stdout.write(process.hrtime.bigint().toString())';
  const { command, env } = (clocks as ClockMaker).wrap({ offsetS: 86_400, ppm: 0, wanderPpm: 0, seed: 1 }, [
    process.execPath,
    '-e',
    script,
  ]);
  const [program, ...args] = command as [string, ...string[]];
  const read = BigInt(spawnSync(program, args, { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } }).stdout);
  const ahead = Number(read - process.hrtime.bigint()) / 1e9;
  t.ok(ahead > 86_390 && ahead <= 86_400, `${ahead} s ahead`);
  t.equal(env.TUTTI_CARD_CLOCK_OFFSET_NS, '86400000000000');
  t.end();
});

const heldBy = async (socket: Socket): Promise<[Buffer, AddressInfo]> =>
  (await once(socket, 'message')) as [Buffer, AddressInfo];

t.test('a relay passes datagrams on, both ways, and none sooner than it should; TCP as it is', async (t) => {
  const [from] = await freePorts(1);
  const node = createSocket('udp4').bind(0, '127.0.0.1');
  const caller = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(node, 'listening'), once(caller, 'listening')]);
  const to = node.address().port;
  const server = createServer((socket) => socket.pipe(socket)).listen(to, '127.0.0.1');
  await once(server, 'listening');
  const relays = await startRelays({ ways: [{ from: from!, to }], heldMsMax: 2, seed: 1 });
  for (let n = 0; n < 5; n++) {
    caller.send(`to ${n}`, from!, '127.0.0.1');
    const [question, asker] = await heldBy(node);
    t.equal(question.toString(), `to ${n}`);
    node.send(`back ${n}`, asker.port, '127.0.0.1');
    const [answer, answerer] = await heldBy(caller);
    t.equal(answer.toString(), `back ${n}`);
    t.equal(answerer.port, from, 'answers come from where the question went');
  }
  const connection = connect(from!, '127.0.0.1');
  connection.write('hello');
  t.equal(String((await once(connection, 'data'))[0]), 'hello');
  connection.destroy();
  const { datagrams, lateUsP50, lateUsP99 } = await relays.stop();
  t.equal(datagrams, 10);
  t.ok(lateUsP50 >= 0 && lateUsP99 >= lateUsP50, 'never early');
  server.close();
  node.close();
  caller.close();
});

t.test('minutes of a simulated house: in step, whoever leads, and never by accident', (t) => {
  const { looks, snaps, outOfBound } = liveThrough({ hours: 0.1, termHours: 0.03, seed: 2 });
  t.ok(looks.length > 300, `${looks.length} seconds were looked at`);
  t.ok(
    looks.every(({ apartUs }) => apartUs < 100),
    `${Math.max(...looks.map(({ apartUs }) => apartUs))} us`,
  );
  t.same({ snaps, outOfBound }, { snaps: 0, outOfBound: 0 });
  t.end();
});

t.test('growth is the slope of the line through all points', (t) => {
  const points = Array.from({ length: 1_200 }, (_, second) => ({ atH: second / 3_600, value: 7 + second / 3_600 }));
  t.ok(Math.abs(slopePerHour(points) - 1) < 1e-9);
  const noisy = points.map(({ atH, value }, second) => ({ atH, value: value + (second % 2) }));
  t.ok(Math.abs(slopePerHour(noisy) - 1) < 0.05, `${slopePerHour(noisy)}`);
  t.throws(() => slopePerHour([{ atH: 0, value: 1 }]), RangeError);
  t.end();
});
