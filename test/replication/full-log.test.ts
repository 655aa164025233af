/** A log without room for more is no end: a snapshot makes room, now or after a restart. */
import t from 'tap';
import type { BootId } from '../../src/core/ids.js';
import { slot } from '../../src/core/ids.js';
import { encodeEntry } from '../../src/paxos/codec.js';
import { Store } from '../../src/storage/store.js';
import { codeOf, rejectionOf } from '../contract/support.js';
import { bytes, LIMITS, TestCluster, type TestNode } from './cluster.js';

/** Fills the log of a node that is down until it takes nothing more, with slots of which all but the last are known to be chosen. */
function fillLog({ disk, id }: TestNode): void {
  const store = Store.open(disk, { bootId: 'the process that filled it' as BootId }, LIMITS);
  const parts = { promised: null, configuration: null, leaseMs: null, cards: null };
  const entry = encodeEntry({ type: 'noop' });
  let at = 0;
  const code = codeOf(() => {
    for (;;) {
      at++;
      const record = { slot: slot(at), ballot: { configId: 1, round: 1, node: id }, chosen: false, entry };
      store.commit([{ ...parts, records: [record], chosenUpTo: slot(at - 1) }]);
    }
  });
  store.close();
  t.equal(code, 'DISK_FULL');
}

t.test('a node whose log was full when it went down takes a snapshot first, and goes on', async (t) => {
  const cluster = new TestCluster('a');
  const [a] = cluster.nodes as [TestNode];
  await a.format(cluster.configuration());
  fillLog(a);
  await cluster.settle(a.start());
  await cluster.settle(a.replica.propose(bytes('goes on')));
  t.strictSame(a.recorder.texts, ['goes on']);
  t.equal(a.disk.list('consensus/snapshots').length, 1);
  await cluster.stop();
});

t.test(
  'a leader that can keep no snapshot lets commands wait before its log is full, and goes on once it can',
  async (t) => {
    const cluster = new TestCluster('a');
    const [a] = cluster.nodes as [TestNode];
    await a.format(cluster.configuration());
    await cluster.settle(a.start());
    a.disk.setFreeBytes(0);
    let asked = 0;
    const outcome = await rejectionOf(
      (async () => {
        for (;;) await cluster.settle(a.replica.propose(bytes(`${asked++}`)));
      })(),
    );
    t.equal(outcome, 'DISK_FULL', 'the last was never in the log, and whoever asked is told why');
    a.disk.setFreeBytes(1e9);
    await cluster.until(
      () => a.disk.list('consensus/snapshots').length === 1,
      'a snapshot is kept, though nothing is written',
    );
    await cluster.settle(a.replica.propose(bytes('goes on')));
    t.strictSame(a.recorder.texts, [...Array.from({ length: asked - 1 }, (_, n) => `${n}`), 'goes on']);
    await cluster.stop();
  },
);

t.test('a follower that can keep no snapshot takes nothing more, says so, and catches up once it can', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  const follower = cluster.nodes.find((node) => node !== leader)!;
  follower.disk.setFreeBytes(0);
  const texts: string[] = [];
  const propose = () => {
    texts.push(`${texts.length}`);
    return cluster.settle(leader.replica.propose(bytes(texts.at(-1)!)));
  };
  while (follower.replica.status().trouble === null) await propose();
  t.equal(follower.replica.status().trouble, 'DISK_FULL');
  const { commits } = follower.store;
  for (let more = 0; more < 2 * LIMITS.ringPages; more++) await propose();
  t.strictSame(follower.failures, [], 'it goes on');
  t.equal(follower.store.commits, commits, 'and writes nothing that has no room');
  follower.disk.setFreeBytes(1e9);
  await cluster.until(() => follower.recorder.texts.length === texts.length, 'it has all of it, without a restart');
  t.strictSame(follower.recorder.texts, texts);
  t.equal(follower.replica.status().trouble, null);
  await cluster.stop();
});

t.test('a majority that has no room holds up commands, and loses none of them', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  const followers = cluster.nodes.filter((node) => node !== leader);
  for (const { disk } of followers) disk.setFreeBytes(0);
  let asked = 0;
  const outcome = await rejectionOf(
    (async () => {
      for (;;) await cluster.settle(leader.replica.propose(bytes(`${asked++}`)));
    })(),
  );
  t.equal(outcome, 'OUTCOME_UNKNOWN');
  for (const { disk } of followers) disk.setFreeBytes(1e9);
  await cluster.until(
    () => cluster.nodes.every(({ recorder }) => recorder.texts.length === asked),
    'it comes after all',
  );
  t.strictSame(
    leader.recorder.texts,
    Array.from({ length: asked }, (_, n) => `${n}`),
  );
  await cluster.stop();
});

t.test('a node that was away and finds no room for a snapshot of the others waits for it', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  const away = cluster.nodes.find((node) => node !== leader)!;
  await away.kill();
  for (let n = 0; n < 2 * LIMITS.ringPages; n++) await cluster.settle(leader.replica.propose(bytes(`${n}`)));
  away.disk.setFreeBytes(0);
  await away.start();
  await cluster.until(() => away.log.entries.some(({ text }) => /finds no room/.test(text)), 'it says so');
  await cluster.pass(20_000);
  t.strictSame(away.failures, []);
  away.disk.setFreeBytes(1e9);
  await cluster.until(() => away.recorder.texts.length === 2 * LIMITS.ringPages, 'it has all of it');
  await cluster.settle(away.replica.propose(bytes('takes part')));
  await cluster.stop();
});
