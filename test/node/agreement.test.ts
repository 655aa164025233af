/** The state that a node keeps, when a snapshot takes its place. */
import t, { type Test } from 'tap';
import { Cluster } from '../../src/cluster/cluster.js';
import { slot } from '../../src/core/ids.js';
import type { LogHandlers } from '../../src/replication/replicated-log.js';
import { addSong, buildHouse, NODE_ID, song } from '../support/house.js';

const BY = { node: NODE_ID, via: 'api' } as const;
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function start(t: Test) {
  const house = buildHouse();
  const { consensus } = house;
  let handlers: LogHandlers | undefined;
  const startLog = consensus.start.bind(consensus);
  consensus.start = (given) => {
    handlers = given;
    return startLog(given);
  };
  await house.house.start();
  t.teardown(() => house.house.stop());
  return { ...house, handlers: handlers! };
}

t.test('a snapshot is the whole state: the player, the files and everyone who watches follow it', async (t) => {
  const { node, consensus, handlers, playout, disk, house, time } = await start(t);
  const { track: a } = await addSong(node, 'a.wav', song(5_000, 1));
  await node.wishes.play({ trackId: 'a' }, BY);
  const bytes = handlers.snapshot();
  const at = node.cluster.appliedSlot;
  await node.wishes.stopPlaying({}, BY);
  await node.wishes.clear(BY);
  const { track: b } = await addSong(node, 'b.wav', song(5_000, 2));
  let heard = 0;
  house.subscribe(() => {
    heard += 1;
  });
  handlers.restore(bytes, at);
  await settled();
  t.equal(node.cluster.appliedSlot, at);
  t.match(node.cluster.view(node.now()).transport, { status: 'playing', trackId: a.id });
  t.equal(playout.program.segments[0]!.trackId, a.id);
  t.ok(heard > 0);
  while (node.holds(b.id)) {
    time.advance(1_000);
    await settled();
  }
  t.notOk(
    disk.list('tracks').some(({ name }) => name.startsWith(b.id)),
    'what is gone from the library was removed by agreement',
  );
  t.ok(node.holds(a.id));
  // This log goes on counting where it was, which no real one does.
  await consensus.stop();
});

t.test('who asked for something in a slot that a snapshot jumped over does not know how it went', async (t) => {
  const { node, handlers, consensus } = await start(t);
  const propose = consensus.propose.bind(consensus);
  consensus.propose = async (payload) => {
    const taken = await propose(payload);
    handlers.restore(handlers.snapshot(), node.cluster.appliedSlot);
    return taken;
  };
  await t.rejects(node.wishes.volume({ volume: 5 }, BY), { code: 'OUTCOME_UNKNOWN' });
  t.equal(node.cluster.house.volume, 5);
});

t.test('a snapshot that is not of its slot, and bytes that are none, are refused and change nothing', async (t) => {
  const { node, handlers } = await start(t);
  const at = node.cluster.appliedSlot;
  t.throws(() => handlers.restore(Cluster.empty().snapshot(), slot(5)), { code: 'BAD_SNAPSHOT', detail: /slot 0/ });
  t.throws(() => handlers.restore(new Uint8Array(10), slot(5)), { code: 'BAD_SNAPSHOT' });
  t.equal(node.cluster.appliedSlot, at);
});

t.test('fillers and changes of members are slots like any other', async (t) => {
  const { node, consensus, handlers } = await start(t);
  const at = node.cluster.appliedSlot;
  handlers.pass(slot(at + 1), undefined);
  t.equal(node.cluster.appliedSlot, at + 1);
  t.ok(node.cluster.member(NODE_ID)?.boot, 'a filler drops nobody');
  handlers.pass(slot(at + 2), []);
  t.equal(node.cluster.member(NODE_ID), undefined);
  await consensus.stop();
});
