import t from 'tap';
import { type Incarnation, nodeId } from '../../src/core/ids.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { runReplicatedLogContract } from '../contract/replicated-log.js';
import { FakeReplicatedLog } from '../support/fake-replicated-log.js';
import { TestCluster, turn } from './cluster.js';

await runReplicatedLogContract(t, 'FakeReplicatedLog', () => {
  const time = new FakeTime();
  const node = nodeId('a'.repeat(32));
  const self = { node, incarnation: 'b'.repeat(32) as Incarnation, address: '192.0.2.1:7420', name: 'kitchen' };
  const log = new FakeReplicatedLog({ time }, { self, leadMs: () => 40 });
  return { log, node, timers: () => time.running(), pass: turn };
});

await runReplicatedLogContract(t, 'Replica', async () => {
  const cluster = new TestCluster('a');
  const [node] = cluster.nodes;
  await node!.format(cluster.configuration());
  node!.build();
  const pass = async () => {
    cluster.time.advance(5);
    await turn();
  };
  return { log: node!.replica, node: node!.id, timers: () => cluster.time.running(), pass };
});
