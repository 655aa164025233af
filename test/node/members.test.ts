/** The nodes of a house as one of them shows them. */
import t from 'tap';
import type { Incarnation, NodeId, TrackId } from '../../src/core/ids.js';
import { NODE_ID, startHouse } from '../support/house.js';

const identity = (letter: string, name: string) => ({
  node: letter.repeat(32) as NodeId,
  incarnation: letter.repeat(32) as Incarnation,
  address: `${name}:7420`,
  name,
});
const settled = () => new Promise((resolve) => setImmediate(resolve));

t.test('a node that came in is shown as it was let in until it says who it is', async (t) => {
  const { node, consensus } = await startHouse(t);
  const attic = identity('e', 'attic');
  await consensus.changeMembers({ type: 'add', member: attic });
  t.match(node.members(), [
    { name: 'kitchen', voter: true, leader: true },
    { id: attic.node, name: 'attic', address: 'attic:7420', httpUrl: '', version: '', voter: false, leader: false },
  ]);
  const said = { name: 'loft', address: 'loft:7420', httpUrl: 'http://loft', version: '2', commandVersion: 1 };
  await node.wishes.ask({ type: 'node.describe', node: attic.node, ...said }, { node: attic.node, via: 'node' });
  t.match(node.members()[1], { name: 'loft', address: 'loft:7420', httpUrl: 'http://loft', version: '2' });
});

t.test('a node is named by its id or its name, and where two have one name by its id', async (t) => {
  const { node, consensus } = await startHouse(t);
  await consensus.changeMembers({ type: 'add', member: identity('e', 'attic') });
  await consensus.changeMembers({ type: 'add', member: identity('f', 'attic') });
  t.equal(node.memberOf('kitchen'), NODE_ID);
  t.equal(node.memberOf('f'.repeat(32)), 'f'.repeat(32));
  t.throws(() => node.memberOf('cellar'), { code: 'NODE_NOT_FOUND', detail: /"cellar"/ });
  t.throws(() => node.memberOf('attic'), { code: 'AMBIGUOUS_NAME', detail: /2 nodes .* e{32}, f{32}/ });
});

t.test('a node is taken out, but never the last', async (t) => {
  const { node, consensus } = await startHouse(t);
  await t.rejects(node.wishes.removeMember('kitchen', { acceptLoss: false }), { code: 'LAST_MEMBER' });
  await consensus.changeMembers({ type: 'add', member: identity('e', 'attic') });
  const slot = await node.wishes.removeMember('attic', { acceptLoss: false });
  t.equal(slot, node.cluster.appliedSlot);
  t.equal(node.members().length, 1);
  await t.rejects(node.wishes.removeMember('attic', { acceptLoss: false }), { code: 'NODE_NOT_FOUND' });
});

t.test('what is wrong with the house or the card is an alert for as long as it lasts', async (t) => {
  const { node, consensus, time } = await startHouse(t);
  consensus.setQuorum(false);
  t.match(node.alerts(), [{ code: 'NO_QUORUM', severity: 'error' }]);
  consensus.setQuorum(true);
  t.strictSame(node.alerts(), []);
  consensus.trouble = 'CARD_NOT_TRUSTED';
  time.advance(500);
  await settled();
  t.match(node.alerts(), [{ code: 'CARD_NOT_TRUSTED', severity: 'error' }]);
  consensus.trouble = null;
  time.advance(500);
  t.strictSame(node.alerts(), []);
});

t.test('a card that is not trusted is an alert on every node, which names the one that it is in', async (t) => {
  const { node, consensus, time } = await startHouse(t);
  const attic = identity('e', 'attic');
  await consensus.changeMembers({ type: 'add', member: attic });
  consensus.distrusted.add(attic.node);
  time.advance(500);
  await settled();
  t.match(node.alerts(), [{ code: 'CARD_NOT_TRUSTED', severity: 'error', node: attic.node }]);
  await consensus.changeMembers({ type: 'remove', node: attic.node, acceptLoss: false });
  time.advance(500);
  t.strictSame(node.alerts(), [], 'it is gone with the node');
});

t.test('two causes of one alert are shown once, until both are over', async (t) => {
  const { Alerts } = await import('../../src/node/alerts.js');
  const { node } = await startHouse(t);
  const alerts = new Alerts({ now: () => node.now() });
  t.ok(alerts.set('files', 'TRACK_MISSING'));
  t.notOk(alerts.set('files', 'TRACK_MISSING'), 'no news');
  const track = 'f'.repeat(64) as TrackId;
  t.ok(alerts.set('output', 'TRACK_MISSING', { track }));
  t.match(alerts.list(), [{ code: 'TRACK_MISSING', track }], 'and names the track that one of them knows');
  t.equal(alerts.list().length, 1);
  alerts.set('files', null);
  t.equal(alerts.list().length, 1);
  alerts.set('output', null);
  t.equal(alerts.list().length, 0);
});
