/** One queue, whoever adds to it when: the order in which a house has agreed is the order that every node shows. */
import fc from 'fast-check';
import t from 'tap';
import { at, House, idOf, KITCHEN } from '../cluster/house.js';
import { bytes, TestCluster, type TestNode } from './cluster.js';

const NODES = 3;
const ENQUEUES = 100;
/** Pauses of a client are in steps of 5 ms. */
const STEP_MS = 5;
/** Tracks of the library: each enqueue is of one, so that it can be told whose it was and which. */
const TRACKS = NODES * ENQUEUES;

/** The queue that a node shows that was given what its log holds: titles in their order, and who added them. */
function queueOf({ recorder }: TestNode): string {
  const house = House.withTracks(TRACKS);
  for (const [index, line] of recorder.lines.entries()) {
    const [, track] = /add (\d+)$/.exec(line) ?? [];
    const ms = 1_000 + Number(recorder.stamps[index]) / 1e6;
    if (track !== undefined)
      house.done(ms, { type: 'queue.add', trackIds: [idOf(Number(track))] }, { key: line, node: KITCHEN });
  }
  return house.cluster
    .view(at(1e9))
    .queue.map(({ title }) => title)
    .join(' ');
}

t.test(`[row 18] any interleaving of ${NODES} nodes x ${ENQUEUES} enqueues gives one order everywhere`, async (t) => {
  const pauses = fc.array(fc.constantFrom(0, 0, 0, 1, 3), { minLength: ENQUEUES, maxLength: ENQUEUES });
  const network = fc.record({
    delayMs: fc.double({ min: 0.1, max: 5, noNaN: true }),
    jitterMs: fc.double({ min: 0, max: 8, noNaN: true }),
  });
  const orders = new Set<string>();
  const property = fc.asyncProperty(fc.tuple(pauses, pauses, pauses), network, async (pausesOf, conditions) => {
    const cluster = await new TestCluster('abc').start();
    await cluster.awaitLeader();
    cluster.network.setConditions(conditions);
    // Each node's own clients ask one after another, without waiting for an answer.
    const waiting = cluster.nodes.map((node, n) => ({
      node,
      pauses: [...pausesOf[n]!],
      texts: Array.from({ length: ENQUEUES }, (_, k) => `add ${n * ENQUEUES + k + 1}`),
    }));
    const proposals: Promise<unknown>[] = [];
    while (proposals.length < TRACKS) {
      for (const { node, pauses, texts } of waiting) {
        while (texts.length > 0 && pauses[0]! <= 0) {
          pauses.shift();
          proposals.push(node.replica.propose(bytes(texts.shift()!)));
        }
        if (texts.length > 0) pauses[0]! -= 1;
      }
      await cluster.pass(STEP_MS);
    }
    await cluster.settle(Promise.all(proposals));
    await cluster.until(
      () => cluster.nodes.every(({ recorder }) => recorder.texts.length === TRACKS),
      'all applied all',
    );
    const [first, ...others] = cluster.nodes.map(queueOf);
    for (const other of others) t.equal(other, first);
    t.equal(new Set(first!.split(' ')).size, TRACKS, 'every one of them once');
    orders.add(first!);
    await cluster.stop();
  });
  await fc.assert(property, { seed: 18, numRuns: 5 });
  t.ok(orders.size > 1, `${orders.size} orders`);
});
