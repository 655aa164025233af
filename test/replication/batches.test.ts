/** What waits while batches are under way goes down together. */
import t from 'tap';
import { bytes, TestCluster, turn } from './cluster.js';

t.test('while two batches wait for a quorum, all that comes makes one more', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  const others = cluster.nodes.filter((node) => node !== leader);
  await cluster.settle(leader.replica.propose(bytes('first')));
  await cluster.pass(100);
  // The leader's disk is done long before the others' are.
  for (const node of others) node.latencyMs = 50;
  const batches = leader.store.commits;
  const proposals: Promise<unknown>[] = [];
  for (let n = 0; n < 40; n++) {
    proposals.push(leader.replica.propose(bytes(`n${n}`)));
    await turn();
    cluster.time.advance(1);
  }
  t.equal(leader.store.commits - batches, 2, 'however fast its own disk is');
  await cluster.settle(Promise.all(proposals));
  t.equal(leader.store.commits - batches, 3);
  t.equal(leader.recorder.texts.length, 41);
  await cluster.stop();
});

t.test(
  'beside a batch under way goes no smaller one: what it would hold waits for all that comes meanwhile',
  async (t) => {
    const cluster = await new TestCluster('abc').start();
    const leader = await cluster.awaitLeader();
    await cluster.settle(leader.replica.propose(bytes('first')));
    await cluster.pass(100);
    for (const node of cluster.nodes) if (node !== leader) node.latencyMs = 50;
    const batches = leader.store.commits;
    const proposals: Promise<unknown>[] = [];
    const propose = async (count: number) => {
      for (let n = 0; n < count; n++) proposals.push(leader.replica.propose(bytes(`n${proposals.length}`)));
      await turn();
      cluster.time.advance(1);
    };
    await propose(3);
    await propose(1);
    await propose(1);
    t.equal(leader.store.commits - batches, 1, 'two are fewer than three');
    await propose(1);
    t.equal(leader.store.commits - batches, 2, 'three are as many');
    await cluster.settle(Promise.all(proposals));
    t.equal(leader.store.commits - batches, 2);
    await cluster.stop();
  },
);
