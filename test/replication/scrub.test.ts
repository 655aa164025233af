/** What a card has lost is found before anybody needs it, and looking for it writes nothing. */
import t from 'tap';
import { SCRUB_AFTER_MS, SCRUB_EVERY_MS } from '../../src/replication/scrub.js';
import { bytes, TestCluster, type TestNode, turn } from './cluster.js';

const STEP_MS = 5_000;

/** A node that is alone, with some entries. */
async function loneNode() {
  const cluster = new TestCluster('a');
  const [node] = cluster.nodes as [TestNode];
  // Slow ticks: most of these tests is waiting.
  const timing = { heartbeatMs: 1_000, electionMs: 3_000, leaseMs: 2_500 };
  await node.format({ ...cluster.configuration(), timing });
  await cluster.settle(node.start());
  for (const text of ['one', 'the entry that the card will lose', 'three']) {
    await cluster.settle(node.replica.propose(bytes(text)));
  }
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      cluster.time.advance(STEP_MS);
      await turn();
    }
  };
  return { cluster, node, pass };
}

/** Counts the steps from now on. */
function stepsOf({ store }: TestNode): () => number {
  let steps = 0;
  const { scrub } = store;
  store.scrub = (done) => {
    steps++;
    scrub.call(store, done);
  };
  return () => steps;
}

/** Flips a bit of `text` where it stands on the card; cached copies show nothing of it. */
function lose({ disk }: TestNode, text: string): void {
  for (const { name, kind, size } of disk.list('consensus')) {
    if (kind !== 'file') continue;
    const file = disk.open(`consensus/${name}`, 'read');
    const found = new Uint8Array(size);
    file.read(found, 0);
    file.close();
    const at = Buffer.from(found).indexOf(text);
    if (at >= 0) disk.flipBit(`consensus/${name}`, at, 0, { cached: true });
  }
}

t.test('a card that is whole is looked at, and nothing is written', async (t) => {
  const { cluster, node, pass } = await loneNode();
  const steps = stepsOf(node);
  await pass(1_000);
  const { changes } = node.disk;
  await pass(SCRUB_AFTER_MS + 30_000);
  const first = steps();
  t.ok(first >= 3, `${first} steps`);
  await pass(3_600_000);
  t.equal(steps(), first, 'then it rests for a day');
  t.equal(node.disk.changes, changes);
  t.equal(node.replica.status().trouble, null);
  await cluster.stop();
});

t.test('damage is said, and a snapshot takes its place; a day later all is well', async (t) => {
  const { cluster, node, pass } = await loneNode();
  lose(node, 'the entry that the card will lose');
  await pass(SCRUB_AFTER_MS + 30_000);
  t.equal(node.replica.status().trouble, 'CARD_DAMAGED');
  t.equal(node.disk.list('consensus/snapshots').length, 1);
  t.ok(node.log.entries.some(({ level, text }) => level === 'error' && /has lost some/.test(text)));
  await node.kill();
  await cluster.settle(node.start());
  t.equal(node.recorder.texts.length, 3, 'nothing is lost');
  t.equal(node.replica.status().trouble, null);
  await cluster.stop();
});

t.test('what was said stays until the next look finds all well', async (t) => {
  const { cluster, node, pass } = await loneNode();
  lose(node, 'the entry that the card will lose');
  await pass(SCRUB_AFTER_MS + 30_000);
  await pass(SCRUB_EVERY_MS / 4);
  t.equal(node.replica.status().trouble, 'CARD_DAMAGED');
  await pass(SCRUB_EVERY_MS);
  t.equal(node.replica.status().trouble, null);
  await cluster.stop();
});

t.test('a node at which something is agreed every few seconds is not disturbed', async (t) => {
  const { cluster, node, pass } = await loneNode();
  const steps = stepsOf(node);
  for (let passed = 0; passed < SCRUB_AFTER_MS + 60_000; passed += 5_000) {
    await pass(5_000);
    await cluster.settle(node.replica.propose(bytes('x')));
  }
  t.equal(steps(), 0);
  await pass(60_000);
  t.ok(steps() > 0, 'it is only put off');
  await cluster.stop();
});

t.test(
  'a snapshot is written anew where it is damaged, also while nothing was agreed since it was taken',
  async (t) => {
    const { cluster, node, pass } = await loneNode();
    lose(node, 'the entry that the card will lose');
    await pass(SCRUB_AFTER_MS + 30_000);
    const [first] = node.disk.list('consensus/snapshots');
    node.disk.flipBit(`consensus/snapshots/${first!.name}`, 10, 0, { cached: true });
    await pass(SCRUB_EVERY_MS + 30_000);
    t.equal(node.replica.status().trouble, 'CARD_DAMAGED');
    const [second] = node.disk.list('consensus/snapshots');
    t.not(second?.name, first?.name, 'under another name');
    await pass(SCRUB_EVERY_MS + 30_000);
    t.equal(node.replica.status().trouble, null);
    await node.kill();
    await cluster.settle(node.start());
    t.equal(node.recorder.texts.length, 3, 'nothing is lost');
    await cluster.stop();
  },
);

t.test('a copy of the superblock is written anew where it is damaged', async (t) => {
  const { cluster, node, pass } = await loneNode();
  node.disk.flipBit('consensus/superblock-a', 100, 0, { cached: true });
  await pass(SCRUB_AFTER_MS + 30_000);
  t.equal(node.replica.status().trouble, 'CARD_DAMAGED');
  await pass(SCRUB_EVERY_MS + 30_000);
  t.equal(node.replica.status().trouble, null);
  node.disk.flipBit('consensus/superblock-b', 100, 0, { cached: true });
  await pass(SCRUB_EVERY_MS + 30_000);
  t.equal(node.replica.status().trouble, 'CARD_DAMAGED', 'the next one too, with nothing agreed since');
  await pass(SCRUB_EVERY_MS + 30_000);
  t.equal(node.replica.status().trouble, null);
  await cluster.stop();
});
