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
