/** The clock over UDP on a fake network: how soon it locks, how near it is, and what it makes of peers that move, reboot and vanish. */
import t from 'tap';
import { PROBES_PER_BURST } from '../../src/clock/constants.js';
import { decodeClockMessage } from '../../src/clock/datagram.js';
import { SEAL_BYTES } from '../../src/timekeeping/seal.js';
import { idOf, PORT, Rig } from './rig.js';

/** What went to a host, as messages. */
const messagesTo = (rig: Rig, host: string) =>
  rig.sent
    .filter(({ to }) => to.host === host)
    .map(({ bytes }) => decodeClockMessage(bytes.subarray(0, bytes.length - SEAL_BYTES))!);

t.test('three bursts within 300 ms: a node may sound half a second after it came up', async (t) => {
  const rig = new Rig(t, { delayMs: 0.3, jitterMs: 0.1 });
  const a = await rig.node('a', { ratePpm: -40 });
  const b = await rig.node('b', { ratePpm: 60, zeroNs: 10n ** 17n });
  a.follow('b');
  rig.time.advance(300);
  t.equal(a.findings.length, 3);
  rig.time.advance(200);
  const { errorNs, boundNs } = rig.errorOf(a, b, a.lineOf('b')!);
  t.ok(Math.abs(errorNs) <= boundNs, `${errorNs} ns, bound ${boundNs}`);
  t.ok(boundNs < 500_000);
});

t.test('an hour of it: two nodes know each other’s clocks to some microseconds', async (t) => {
  const rig = new Rig(t, { delayMs: 0.2, jitterMs: 0.05, lossRatio: 0.02, duplicateRatio: 0.02 });
  const a = await rig.node('a', { ratePpm: -40 });
  const b = await rig.node('b', { ratePpm: 60, zeroNs: 10n ** 17n });
  a.follow('b');
  b.follow('a');
  let worst = 0;
  for (let s = 0; s < 3_600; s++) {
    rig.time.advance(1_000);
    const { errorNs, boundNs } = rig.errorOf(a, b, a.lineOf('b')!);
    if (Math.abs(errorNs) > boundNs) t.fail(`after ${s} s: ${errorNs} ns, bound ${boundNs}`);
    if (s > 60) worst = Math.max(worst, Math.abs(errorNs));
  }
  t.ok(worst < 15_000, `${worst} ns at worst`);
  t.ok(Math.abs(a.lineOf('b')!.driftPpm - 100.004) < 0.1, 'and the drift');
  const bursts = a.findings.length;
  t.ok(bursts > 3_600 / 5 && bursts < 3_600 / 2, `one burst every 2 to 5 s: ${bursts}`);
});

t.test('a burst is nine probes of rising sequence, each with a nonce of its own', async (t) => {
  const rig = new Rig(t);
  const a = await rig.node('a');
  const b = await rig.node('b');
  a.follow('b');
  rig.time.advance(60);
  const probes = messagesTo(rig, b.host);
  t.equal(probes.length, PROBES_PER_BURST);
  t.same(
    probes.map((probe) => probe.type === 'probe' && probe.sequence),
    Array.from({ length: PROBES_PER_BURST }, (_, index) => BigInt(index)),
  );
  t.equal(new Set(probes.map(({ nonce }) => nonce)).size, PROBES_PER_BURST);
});

t.test('lateness that depends on who asked cancels: both nodes come to one offset', async (t) => {
  const rig = new Rig(t, { delayMs: 0.2, jitterMs: 0.01 });
  const [a, b] = [await rig.node('a'), await rig.node('b', { zeroNs: 77n * 10n ** 9n })];
  // Probes leave 40 us after their stamp, answers at theirs: of the network, since both ways are otherwise alike.
  const late = rig.network.drawDelayMs.bind(rig.network);
  rig.network.drawDelayMs = (from, to) => {
    const kind = rig.sent.at(-1)!.bytes[3];
    return late(from, to) + (kind === 1 ? 0.04 : 0);
  };
  a.follow('b');
  rig.time.advance(30_000);
  const alone = rig.errorOf(a, b, a.lineOf('b')!).errorNs;
  t.ok(Math.abs(alone - 20_000) < 3_000, `from one end it is wrong by half of that: ${alone}`);
  b.follow('a');
  rig.time.advance(60_000);
  const together = rig.errorOf(a, b, a.lineOf('b')!).errorNs;
  t.ok(Math.abs(together) < 2_000, `from both it is not: ${together}`);
});

t.test('a peer that was not up is measured as soon as it asks something itself', async (t) => {
  const rig = new Rig(t);
  const a = await rig.node('a');
  a.follow('b');
  rig.time.advance(60_000);
  t.equal(a.lineOf('b'), null);
  const b = await rig.node('b');
  b.follow('a');
  rig.time.advance(300);
  t.ok(a.lineOf('b'), 'within 300 ms');
});

for (const [name, zeroNs] of [
  ['whose clock began at zero', 0n],
  ['whose clock went on', 10n ** 15n],
] as const) {
  t.test(`a peer that began anew, ${name}, is not known at first, and soon is`, async (t) => {
    const rig = new Rig(t);
    const a = await rig.node('a');
    const b = await rig.node('b', { zeroNs: 10n ** 15n });
    a.follow('b');
    rig.time.advance(20_000);
    t.ok(a.lineOf('b'));
    await b.die();
    rig.time.advance(30_000);
    t.ok(a.lineOf('b'), 'while it is away its line stands: holdover');
    const again = await rig.node('b', { boot: 2, zeroNs });
    const before = a.findings.length;
    rig.time.advance(6_000);
    const after = a.findings.slice(before).map(({ line }) => line);
    t.equal(after[0], null, 'first it is said that nothing is known');
    t.equal(after.filter((line) => line === null).length, 1);
    const { errorNs, boundNs } = rig.errorOf(a, again, a.lineOf('b')!);
    t.ok(Math.abs(errorNs) <= boundNs);
  });
}

t.test('a suspended machine sees all other clocks leap, and measures them all anew at once', async (t) => {
  const rig = new Rig(t);
  const nodes = new Map<string, Awaited<ReturnType<Rig['node']>>>();
  // To a machine that stood still for an hour the clocks of the others are an hour ahead.
  for (const letter of ['b', 'c', 'd']) nodes.set(letter, await rig.node(letter, { zeroNs: 10n ** 13n }));
  const a = await rig.node('a');
  a.follow('b', 'c', 'd');
  rig.time.advance(60_000);
  for (const node of nodes.values()) await node.die();
  for (const letter of nodes.keys())
    nodes.set(letter, await rig.node(letter, { zeroNs: 10n ** 13n + 3_600n * 10n ** 9n }));
  const before = a.findings.length;
  let firstAt: bigint | null = null;
  let allAt: bigint | null = null;
  for (let ms = 0; ms < 8_000 && allAt === null; ms += 5) {
    rig.time.advance(5);
    const leapt = new Set(a.findings.slice(before).flatMap(({ node, line }) => (line === null ? [node] : [])));
    if (leapt.size > 0) firstAt ??= rig.time.now();
    if (leapt.size === 3) allAt = rig.time.now();
  }
  t.ok(firstAt !== null && allAt !== null, 'all three were noticed');
  t.ok(allAt! - firstAt! < 500_000_000n, 'the others within half a second of the first');
  for (const [letter, node] of nodes) {
    rig.time.advance(100);
    const { errorNs, boundNs } = rig.errorOf(a, node, a.lineOf(letter)!);
    t.ok(Math.abs(errorNs) <= boundNs, `${letter} is read as it is`);
  }
});

t.test('steps of the wall clock are not noticed', async (t) => {
  const rig = new Rig(t);
  const a = await rig.node('a');
  const b = await rig.node('b');
  a.follow('b');
  rig.time.advance(30_000);
  rig.time.setWallClockMs(0);
  rig.time.advance(30_000);
  t.equal(
    a.findings.some(({ line }) => line === null),
    false,
  );
  t.ok(Math.abs(rig.errorOf(a, b, a.lineOf('b')!).errorNs) < 1_000);
});

t.test('a peer that moved is measured at its new address, and what answers at the old one is not it', async (t) => {
  const rig = new Rig(t);
  const a = await rig.node('a');
  await rig.node('b', { zeroNs: 10n ** 15n });
  const c = await rig.node('c');
  // By a mistake, c's address is given as b's.
  a.keeper.follow([{ node: idOf('b'), address: `${c.host}:${PORT}` }]);
  rig.time.advance(10_000);
  t.equal(a.lineOf('b'), null, 'c does not answer for b');
  t.ok(c.counts().replayed > 0, 'and counts what is not for it');
  a.follow('b');
  rig.time.advance(300);
  t.ok(a.lineOf('b'));
});

t.test('a name is looked up, and again where nobody answers any more', async (t) => {
  const rig = new Rig(t);
  const asked: string[] = [];
  const places = new Map<string, string | null>([['kitchen.local', null]]);
  const a = await rig.node('a', {
    lookUp: (host, found) => {
      asked.push(host);
      rig.time.after('lookup', 20, () => found(places.get(host) ?? null));
    },
  });
  const b = await rig.node('b');
  a.keeper.follow([{ node: b.id, address: `kitchen.local:${PORT}` }]);
  rig.time.advance(5_000);
  t.ok(asked.length > 1, 'a name without an address is asked for again');
  t.equal(a.lineOf('b'), null);
  places.set('kitchen.local', b.host);
  rig.time.advance(6_000);
  t.ok(a.lineOf('b'));
  const often = asked.length;
  rig.time.advance(30_000);
  t.equal(asked.length, often, 'what answers is not looked up again');
  await b.die();
  rig.time.advance(20_000);
  t.ok(asked.length > often);
  a.keeper.follow([]);
  const last = asked.length;
  rig.time.advance(20_000);
  t.equal(asked.length, last, 'who is not followed is left in peace');
  a.keeper.follow([{ node: b.id, address: `kitchen.local:${PORT}` }]);
  rig.time.advance(10);
  a.keeper.follow([]);
  const { length } = rig.sent;
  rig.time.advance(20_000);
  t.equal(rig.sent.length, length, 'also where its name is still being looked up');
});

t.test('who is not followed any more is not asked, and an address that is none is left out', async (t) => {
  const rig = new Rig(t);
  const a = await rig.node('a');
  await rig.node('b');
  a.keeper.follow([
    { node: idOf('b'), address: 'not an address' },
    { node: a.id, address: `${a.host}:${PORT}` },
  ]);
  rig.time.advance(5_000);
  t.equal(rig.sent.length, 0, 'nor does it ask itself');
  a.follow('b');
  rig.time.advance(5_000);
  a.follow();
  const sent = rig.sent.length;
  rig.time.advance(20_000);
  t.equal(rig.sent.length, sent);
});

t.test('stop leaves nothing, also twice', async (t) => {
  const rig = new Rig(t);
  const a = await rig.node('a');
  await rig.node('b');
  a.follow('b', 'c');
  rig.time.advance(1_010);
  await a.keeper.stop();
  await a.keeper.stop();
  t.same(a.clock.running(), []);
  const findings = a.findings.length;
  rig.time.advance(10_000);
  t.equal(a.findings.length, findings);
});
