/** FakePeerClocks keeps the contract, and does what a test tells it. */
import t from 'tap';
import { peerTimeAt } from '../../src/clock/peer-line.js';
import { nodeId } from '../../src/core/ids.js';
import { FakePeerClocks } from '../../src/ports/fake-peer-clocks.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { runPeerClocksContract } from '../contract/peer-clocks.js';
import { NodeClock } from '../sim/node-clock.js';

const peer = { node: nodeId('b'.repeat(32)), address: '10.0.0.2:7420' };

function house() {
  const world = new FakeTime();
  const run = (callback: () => void) => callback();
  const time = new NodeClock({ time: world, run }, { ratePpm: 10, zeroNs: 0n });
  const other = new NodeClock({ time: world, run }, { ratePpm: 10, zeroNs: 10n ** 16n });
  let isUp = true;
  const clocks = new FakePeerClocks({ time, clockOf: () => (isUp ? other : null) });
  return {
    world,
    time,
    other,
    clocks,
    down: () => {
      isUp = false;
    },
  };
}

await runPeerClocksContract(t, 'FakePeerClocks', async () => {
  const { world, time, other, clocks } = house();
  return {
    clocks,
    peer,
    read: () => ({ local: time.now(), peer: other.now() }),
    pass: () => world.advance(100),
    close: async () => {
      t.same(time.running(), [], 'no timer is left');
    },
  };
});

t.test('error, bound and drift are as the test says', async (t) => {
  const { world, time, other, clocks } = house();
  await clocks.start(() => {});
  clocks.follow([peer]);
  clocks.read(peer.node, { errorNs: 700, boundNs: 999, boundPpm: 3, driftPpm: 4, roundTripNs: 5 });
  world.advance(1_000);
  const line = clocks.lineOf(peer.node)!;
  t.match(line, { boundNs: 999, boundPpm: 3, driftPpm: 4 });
  t.equal(clocks.roundTripOf(peer.node), 5);
  clocks.hear(peer.node);
  t.equal(peerTimeAt(clocks.lineOf(peer.node)!, time.now()) - other.now(), 700n);
  await clocks.stop();
});

t.test('a peer that is cut off or down keeps its line', async (t) => {
  const { world, clocks, down } = house();
  let heard = 0;
  await clocks.start(() => heard++);
  clocks.follow([peer]);
  world.advance(1_000);
  t.equal(heard, 1);
  clocks.cut(peer.node);
  world.advance(10_000);
  t.equal(heard, 1);
  t.ok(clocks.lineOf(peer.node));
  clocks.heal(peer.node);
  world.advance(2_000);
  t.equal(heard, 2);
  down();
  world.advance(10_000);
  t.equal(heard, 2);
  await clocks.stop();
});
