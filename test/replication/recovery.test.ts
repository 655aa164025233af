/** What a damaged disk leaves open is made good before this node leads. */
import t from 'tap';
import { type Incarnation, slot } from '../../src/core/ids.js';
import { NO_BALLOT } from '../../src/paxos/ballot.js';
import { encodeConfiguration, encodeEntry } from '../../src/paxos/codec.js';
import { createPaxos, step } from '../../src/paxos/step.js';
import type { StoreRecovered } from '../../src/replication/log-store.js';
import { recoveredFor } from '../../src/replication/recovery.js';
import { bytes, CLUSTER, id, TestCluster, type TestNode } from './cluster.js';

t.test('the stamps of a snapshot that could not be read count once a peer’s is in its place', (t) => {
  const recovered: StoreRecovered = {
    cluster: CLUSTER,
    node: id('a'),
    incarnation: 'A' as Incarnation,
    boots: [],
    starts: 1,
    promised: NO_BALLOT,
    configuration: encodeConfiguration(new TestCluster('abc').configuration()),
    leaseMsMax: 0,
    base: slot(5),
    snapshot: { slot: slot(5), length: 100 },
    accepted: [{ slot: slot(6), ballot: NO_BALLOT, chosen: true, entry: encodeEntry({ type: 'noop' }) }],
    unknown: [],
    chosenUpTo: slot(6),
    cards: null,
    lastBatch: 6,
    fill: 0,
    repairs: [],
  };
  const state = createPaxos({ self: id('a'), seed: 1, nowMs: 0, recovered: recoveredFor(recovered, null) });
  step(state, { type: 'tick' }, 1);
  t.match(state, { chosenUpTo: 6, lastStampNs: 0n });
  step(state, { type: 'compacted', base: slot(5), lastStampNs: 77n }, 2);
  t.equal(state.lastStampNs, 77n);
  step(state, { type: 'compacted', base: slot(6), lastStampNs: 76n }, 3);
  t.equal(state.lastStampNs, 77n, 'and it never falls');
  t.end();
});

t.test('a house of one loses nothing where its snapshot gets damaged, whenever that is', async (t) => {
  const cluster = new TestCluster('a');
  const [node] = cluster.nodes as [TestNode];
  await node.format(cluster.configuration());
  await cluster.settle(node.start());
  const newest = () =>
    node.disk
      .list('consensus/snapshots')
      .map(({ name }) => name)
      .sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))[0];
  const texts: string[] = [];
  const propose = async () => {
    texts.push(`entry ${texts.length}`);
    await cluster.settle(node.replica.propose(bytes(texts.at(-1)!)));
  };
  for (const since of [0, 1, 13, 24, 25]) {
    const before = newest();
    while (newest() === before) await propose();
    for (let more = 0; more < since; more++) await propose();
    const damaged = newest();
    await node.kill();
    node.disk.flipBit(`consensus/snapshots/${damaged}`, 100, 0, { cached: true });
    await cluster.settle(node.start());
    t.strictSame(node.recorder.texts, texts, `${since} entries after it`);
    t.ok(node.log.entries.some(({ fields }) => /was damaged/.test(JSON.stringify(fields))));
  }
  await cluster.stop();
});
