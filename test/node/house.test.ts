/** From an empty card to a node: what a daemon does until it belongs to a cluster. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { buildHouse, CLUSTER_ID } from '../support/house.js';

const unreachable = () => new TuttiError('PEER_UNREACHABLE', 'nobody there');
const REQUEST = { addresses: ['attic:7420'], key: null };
/** Until everything that is due without the clock has been done. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

t.test('a card that holds a store is a node from the start, an empty one waits', async (t) => {
  const member = buildHouse();
  await member.house.start();
  t.equal(member.house.member(), member.node);
  await member.house.stop();
  t.equal(member.ground.closed, 1);

  const { house, ground, time } = buildHouse({ isMember: false });
  await house.start();
  t.equal(house.node, null);
  t.throws(() => house.member(), { code: 'NOT_A_MEMBER', detail: /kitchen waits/ });
  await house.stop();
  await house.stop();
  t.equal(ground.closed, 0);
  t.strictSame(time.running(), []);
});

t.test('a daemon becomes a node once, and its watchers hear of it', async (t) => {
  const { house, node } = buildHouse({ isMember: false });
  await house.start();
  let heard = 0;
  house.subscribe(() => {
    heard += 1;
  });
  house.announce('http://kitchen:8080');
  const forming = house.form();
  await t.rejects(house.join(REQUEST), { code: 'BUSY' });
  t.equal(await forming, node);
  t.ok(heard > 0);
  await t.rejects(house.form(), { code: 'ALREADY_A_MEMBER', detail: new RegExp(CLUSTER_ID) });
  await t.rejects(house.join(REQUEST), { code: 'ALREADY_A_MEMBER' });
  await settled();
  t.equal(node.members()[0]!.httpUrl, 'http://kitchen:8080', 'what was announced before is told now');
  const before = heard;
  await node.wishes.volume({ volume: 5 }, { node: node.init.id, via: 'api' });
  t.ok(heard > before, 'and what changes in the node, too');
  await house.stop();
});

t.test('a join that fails leaves everything as it was', async (t) => {
  const { house, ground } = buildHouse({ isMember: false });
  await house.start();
  ground.failures.push(new TuttiError('KEY_REFUSED'));
  await t.rejects(house.join(REQUEST), { code: 'KEY_REFUSED' });
  t.equal(house.node, null);
  t.equal(house.trouble, null, 'whoever asked was told');
  await house.join({ ...REQUEST, replace: 'attic' });
  t.strictSame(ground.joins, [REQUEST, { ...REQUEST, replace: 'attic' }]);
  t.ok(house.node);
  await house.stop();
});

t.test('a node that could not be started is let go, and the next try finds its store', async (t) => {
  const { house, ground, playout } = buildHouse({ isMember: false });
  await house.start();
  playout.start = () => Promise.reject(new TuttiError('PORT_IN_USE'));
  await t.rejects(house.form(), { code: 'PORT_IN_USE' });
  t.equal(ground.closed, 1);
  t.ok(ground.isFormatted);
  t.equal(house.node, null);
  await house.stop();
});

t.test('joining that was asked for at the start is tried again, later and later, until it works', async (t) => {
  const { house, ground, time, log } = buildHouse({ isMember: false });
  await house.start();
  ground.failures.push(unreachable(), unreachable(), unreachable());
  house.joinWhenPossible(REQUEST);
  await settled();
  t.equal(house.trouble, 'PEER_UNREACHABLE');
  t.equal(ground.joins.length, 1);
  for (const [waitMs, tries] of [
    [999, 1],
    [1, 2],
    [2_000, 3],
    [3_999, 3],
    [1, 4],
  ] as const) {
    time.advance(waitMs);
    await settled();
    t.equal(ground.joins.length, tries);
  }
  t.ok(house.node);
  t.equal(house.trouble, null);
  t.equal(log.entries.filter(({ level }) => level === 'warn').length, 1, 'one line for one reason');
  await house.stop();
});

t.test('a daemon that ends while it waits to join leaves no timer', async (t) => {
  const { house, ground, time } = buildHouse({ isMember: false });
  await house.start();
  ground.failures.push(unreachable());
  house.joinWhenPossible(REQUEST);
  await settled();
  t.equal(time.running().length, 1);
  await house.stop();
  t.strictSame(time.running(), []);
});

t.test('a daemon that stands aside says why, and becomes no node', async (t) => {
  const { house, ground, time } = buildHouse();
  house.standAside(new TuttiError('DISK_FAILED', 'three times'));
  t.equal(house.trouble, 'DISK_FAILED');
  t.equal(house.node, null);
  t.throws(() => house.member(), { code: 'DISK_FAILED', detail: 'three times' });
  await t.rejects(house.form(), { code: 'DISK_FAILED' });
  await t.rejects(house.join(REQUEST), { code: 'DISK_FAILED' });
  t.strictSame(ground.joins, []);
  await house.stop();
  t.strictSame(time.running(), []);
});

t.test('a start that waits, for a quorum or a disk, is given up when the daemon ends', async (t) => {
  const { house, ground, consensus, playout, time } = buildHouse();
  let letGo = () => {};
  consensus.start = () =>
    new Promise((resolve) => {
      letGo = resolve;
    });
  consensus.stop = () => {
    letGo();
    return Promise.resolve();
  };
  const starting = house.start();
  await settled();
  const stopping = house.stop();
  await t.rejects(starting, { code: 'NO_QUORUM', detail: /stopping/ });
  await stopping;
  t.equal(house.node, null);
  t.equal(playout.isRunning, false, 'and nothing more was started');
  t.equal(ground.closed, 1);
  t.strictSame(time.running(), []);
});

t.test('a daemon that ends while it becomes a node ends that too', async (t) => {
  const { house, ground, node } = buildHouse({ isMember: false });
  await house.start();
  const forming = house.form();
  const stopping = house.stop();
  await t.rejects(forming, { code: 'NO_QUORUM' });
  await stopping;
  t.equal(ground.closed, 1);
  t.equal(house.node, null);
  t.equal(node.logStatus().leader, null);
});
