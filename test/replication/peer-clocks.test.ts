/** Replicas whose clocks differ live in one cluster time, through elections and with UDP lost. */
import t from 'tap';
import { localTime } from '../../src/core/units.js';
import { FakePeerClocks } from '../../src/ports/fake-peer-clocks.js';
import type { FakeTime } from '../../src/ports/fake-time.js';
import type { Time } from '../../src/ports/time.js';
import { TestCluster, type TestNode } from './cluster.js';

/** How much faster than true time each node's crystal runs, parts per million. */
const RATES: Readonly<Record<string, bigint>> = { 1: 0n, 2: 80n, 3: -60n, 4: 20n };

/** A machine's clock: its own rate and zero. Timers go by true time, which is near enough. `leaptNs`: by what it has leapt, which no clock should. */
function crystal(time: FakeTime, letter: string, leaptNs: Readonly<Record<string, bigint>> = {}): Time {
  const now = () => {
    const trueNs = time.now();
    const zeroNs = BigInt(letter) * 77_000_000_000n + (leaptNs[letter] ?? 0n);
    return localTime(trueNs + (trueNs * RATES[letter]!) / 1_000_000n + zeroNs);
  };
  return {
    now,
    wallClockMs: () => time.wallClockMs(),
    after: (name, delayMs, callback) => time.after(name, delayMs, callback),
    every: (name, periodMs, callback) => time.every(name, periodMs, callback),
    running: () => time.running(),
  };
}

function house(letters = '123') {
  const leaptNs: Record<string, bigint> = {};
  const clocks = new Map<TestNode, FakePeerClocks>();
  const cluster: TestCluster = new TestCluster(letters, {
    timeOf: (time, letter) => crystal(time, letter, leaptNs),
    clocks: (node) => {
      const made = new FakePeerClocks({
        time: node.time,
        clockOf: (id) => cluster.nodes.find((other) => other.id === id)?.time ?? null,
      });
      for (const other of cluster.nodes) {
        const [own, its] = [RATES[node.id[0]!]!, RATES[other.id[0]!]!];
        made.read(other.id, { driftPpm: Number(its - own) });
      }
      clocks.set(node, made);
      return made;
    },
  });
  const spreadUs = () => {
    const all = cluster.nodes.map(({ replica }) => Number(replica.now()) / 1_000);
    return Math.max(...all) - Math.min(...all);
  };
  return { cluster, clocks, leaptNs, spreadUs };
}

t.test('crystals that differ by 140 ppm give one time, to some microseconds', async (t) => {
  const { cluster, spreadUs } = house();
  await cluster.start();
  const leader = await cluster.awaitLeader();
  await cluster.pass(500);
  t.ok(spreadUs() < 50, `${spreadUs()} us half a second after the election`);
  await cluster.pass(10_000);
  t.ok(spreadUs() < 5, `${spreadUs()} us later`);
  for (const { replica, id } of cluster.nodes) {
    const { errorNs, holdover, outvoted } = replica.clock();
    t.match({ holdover, outvoted }, { holdover: false, outvoted: false });
    t.ok(errorNs !== null && errorNs <= (id === leader.id ? 0 : 60_000), `${id[0]}: within ${errorNs} ns`);
  }
  await cluster.stop();
});

t.test('a leader that is killed takes no time with it', async (t) => {
  const { cluster, spreadUs } = house();
  await cluster.start();
  const leader = await cluster.awaitLeader();
  await cluster.pass(5_000);
  const others = cluster.nodes.filter((node) => node !== leader);
  const [one, other] = others as [TestNode, TestNode];
  /** The dead leader's crystal went on, and cluster time with it. */
  const offUs = ({ replica }: TestNode) => Number(replica.now() - wouldBe()) / 1_000;
  const atNs = leader.replica.now();
  const localNs = leader.time.now();
  const wouldBe = () => atNs + leader.time.now() - localNs;
  await leader.kill();
  await cluster.until(() => others.some(({ replica }) => replica.status().role === 'leader'), 'another leads');
  await cluster.pass(5_000);
  for (const node of others) t.ok(Math.abs(offUs(node)) < 50, `${offUs(node)} us off what it would have been`);
  t.ok(Math.abs(offUs(one) - offUs(other)) < 5, 'and in step');
  await leader.start();
  await cluster.pass(5_000);
  t.ok(spreadUs() < 20, `${spreadUs()} us with the one that is back`);
  await cluster.stop();
});

t.test('where nothing is measured heartbeats tell the time, to milliseconds, and nobody says how well', async (t) => {
  const cluster = await new TestCluster('123', { timeOf: crystal }).start();
  const leader = await cluster.awaitLeader();
  await cluster.pass(5_000);
  for (const { replica, id } of cluster.nodes) {
    t.ok(Math.abs(Number(replica.now() - leader.replica.now())) < 5e6);
    t.equal(replica.clock().errorNs, id === leader.id ? 0 : null);
  }
  await cluster.stop();
});

t.test('the clocks of exactly the other members are measured, and of nobody once it stops', async (t) => {
  const { cluster, clocks } = house();
  await cluster.start();
  await cluster.awaitLeader();
  await cluster.pass(500);
  const [one, two, three] = cluster.nodes;
  const known = () => cluster.nodes.filter(({ id }) => clocks.get(one!)!.lineOf(id) !== null);
  t.strictSame(known(), [two, three]);
  const removed = one!.replica.changeMembers({ type: 'remove', node: three!.id, acceptLoss: true });
  await cluster.settle(removed);
  await cluster.pass(3_000);
  t.strictSame(known(), [two]);
  await cluster.stop();
});

t.test('a learner that hears three others outvotes a leader whose clock lies, and so does the house', async (t) => {
  const { cluster, leaptNs } = house('1234');
  await cluster.start('4');
  const leader = await cluster.awaitLeader();
  await cluster.pass(10_000);
  const learner = cluster.nodes[3]!;
  t.notOk(learner.replica.clock().outvoted);
  const others = cluster.nodes.filter((node) => node !== leader);
  const before = learner.replica.now() - cluster.time.now();
  leaptNs[leader.id[0]!] = 5_000_000n;
  await cluster.until(() => others.every(({ replica }) => replica.clock().outvoted), 'all but the leader see it');
  await cluster.pass(20_000);
  const strayedUs = Number(learner.replica.now() - cluster.time.now() - before) / 1_000;
  t.ok(Math.abs(strayedUs) < 1_000, `${strayedUs} us from the time that was`);
  await cluster.stop();
});

t.test('a learner counts: with it one of two voters is outvoted', async () => {
  const { cluster, leaptNs } = house('124');
  await cluster.start('4');
  const leader = await cluster.awaitLeader();
  await cluster.pass(10_000);
  leaptNs[leader.id[0]!] = 5_000_000n;
  const others = cluster.nodes.filter((node) => node !== leader);
  await cluster.until(() => others.every(({ replica }) => replica.clock().outvoted), 'both others see it');
  await cluster.stop();
});
