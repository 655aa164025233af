/**
 * What the plan's choices come to in a whole house, in a model of its network: the figures are printed, and what is asserted are the bounds
 * that follow from how files are shared, with room.
 */
import t, { type Test } from 'tap';
import { chunkPlan } from '../../src/library/chunks.js';
import { ARRIVING_MS } from '../../src/tracks/exchange-limits.js';
import { type ModelInit, ModelNetwork, type ModelNodeInit } from './model-network.js';

const CHUNK_BYTES = 256 << 10;
/** A hundred megabits, in bytes a millisecond. */
const ETHERNET = 12_500;
const WIFI = 2_500;

const node = (rate: number, more: Partial<ModelNodeInit> = {}): ModelNodeInit => ({ up: rate, down: rate, ...more });
const nodes = (count: number, rate: number, more: Partial<ModelNodeInit> = {}): ModelNodeInit[] =>
  Array.from({ length: count }, () => node(rate, more));

/** Copies a file, and says how long that took against one transfer over the first node's link, and how often its chunks left it. */
function copy(t: Test, what: string, megabytes: number, init: Pick<ModelInit, 'nodes' | 'due'>) {
  const plan = chunkPlan(megabytes * 1e6, CHUNK_BYTES);
  const model = new ModelNetwork({ plan, announceMs: ARRIVING_MS, ...init });
  const tookMs = model.run();
  t.ok(tookMs !== null, `${what}: everybody has it at last`);
  const [first] = model.nodes;
  const factor = (tookMs ?? Number.POSITIVE_INFINITY) / (plan.fileBytes / first!.up);
  const copies = first!.given / plan.count;
  const wasted = model.nodes.reduce((sum, { wasted }) => sum + wasted, 0);
  t.comment(
    `${what}, ${megabytes} MB: ${factor.toFixed(2)} x one transfer, ${copies.toFixed(2)} copies left the first node, ` +
      `${wasted} chunks came in vain`,
  );
  return { model, plan, factor, copies, wasted };
}

t.test('one node gives a file to seven others in little more than the time of one transfer', (t) => {
  for (const megabytes of [40, 200]) {
    const { factor, copies, wasted } = copy(t, '1 to 7 by Ethernet', megabytes, {
      nodes: [node(ETHERNET, { isHolder: true }), ...nodes(7, ETHERNET)],
    });
    t.ok(factor <= 1.5, `${factor} x`);
    t.ok(copies <= 2, `${copies} copies`);
    t.equal(wasted, 0);
  }
  t.end();
});

t.test('one that is behind poor Wi-Fi gives each chunk about once', (t) => {
  const { factor, copies } = copy(t, '1 by Wi-Fi to 7 by Ethernet', 40, {
    nodes: [node(WIFI, { isHolder: true }), ...nodes(7, ETHERNET)],
  });
  t.ok(factor <= 1.5 && copies <= 1.5, `${factor} x, ${copies} copies`);
  t.end();
});

t.test('cards that take their time to write do not change that', (t) => {
  const { factor, copies } = copy(t, '1 to 7, 20 ms a write', 40, {
    nodes: [node(ETHERNET, { isHolder: true }), ...nodes(7, ETHERNET, { writeMs: 20 })],
  });
  t.ok(factor <= 1.5 && copies <= 2, `${factor} x, ${copies} copies`);
  t.end();
});

t.test('a slow receiver takes as long as its link needs, and keeps nobody else waiting', (t) => {
  const { model, wasted } = copy(t, '1 to 6 and one by slow Wi-Fi', 40, {
    nodes: [node(ETHERNET, { isHolder: true }), ...nodes(6, ETHERNET), node(ETHERNET / 10)],
  });
  const doneMs = model.nodes.map(({ doneAtMs }) => doneAtMs! - 5_000);
  const oneMs = 40e6 / ETHERNET;
  const quickMs = Math.max(...doneMs.slice(1, 7));
  t.ok(quickMs <= 2 * oneMs, `the quick ones have it after ${quickMs} ms`);
  t.ok(doneMs[7]! <= 1.2 * 10 * oneMs, `the slow one after ${doneMs[7]} ms`);
  t.equal(wasted, 0);
  t.end();
});

t.test('a newcomer is filled by all at once, each giving as much as it can', (t) => {
  const slow = WIFI / 10;
  const { model, plan, factor } = copy(t, '6 by Ethernet and 1 by poor Wi-Fi to 1', 40, {
    nodes: [...nodes(6, ETHERNET, { isHolder: true }), node(slow, { isHolder: true }), node(ETHERNET)],
  });
  t.ok(factor <= 1.1, `${factor} x`);
  const shares = model.nodes.slice(0, 7).map(({ given }) => given / plan.count);
  t.ok(shares.slice(0, 6).every((share) => share > 0.08 && share < 0.3) && shares[6]! < 0.08, `${shares}`);
  t.end();
});

t.test('one that stops answering in the middle costs a moment', (t) => {
  const { model, factor } = copy(t, '2 to 5, one of which stops after a second', 40, {
    nodes: [
      node(ETHERNET, { isHolder: true }),
      node(ETHERNET, { isHolder: true, stallsAtMs: 1_000 }),
      ...nodes(5, ETHERNET),
    ],
  });
  t.ok(factor <= 3.5, `${factor} x`);
  t.ok(model.nodes[1]!.given < 50);
  t.end();
});

t.test('one that comes when the others are half done has the file a little later', (t) => {
  const { factor, copies } = copy(t, '1 to 3, and one more after two seconds', 40, {
    nodes: [node(ETHERNET, { isHolder: true }), ...nodes(3, ETHERNET), node(ETHERNET, { joinsAtMs: 2_000 })],
  });
  t.ok(factor <= 2.5 && copies <= 2, `${factor} x, ${copies} copies`);
  t.end();
});

t.test('what is soon to be heard comes in order, also while everybody fetches', (t) => {
  const due = Array.from({ length: 30 }, (_, at) => at + 60);
  const { model } = copy(t, '1 to 3, one of which plays', 40, {
    nodes: [node(ETHERNET, { isHolder: true }), ...nodes(3, ETHERNET)],
    due: (number) =>
      number === 2 ? due.map((index) => ({ id: ModelNetwork.FILE, index, atMs: 5_000 + index * 1_000 })) : [],
  });
  const came = model.nodes[2]!.came.filter(({ from }) => from === 0).map(({ index }) => index);
  t.same(came.slice(0, 30), due, 'who has everything gives nothing else before it');
  t.end();
});
