/** A card that is not what it was neither votes nor is counted. */
import t, { type Test } from 'tap';
import { type BootId, type Incarnation, type NodeId, slot } from '../../src/core/ids.js';
import { type Card, Cards, decodeCard, encodeCard } from '../../src/replication/cards.js';
import { rejectionOf } from '../contract/support.js';
import { bytes, TestCluster, type TestNode } from './cluster.js';

const NODE = 'n' as NodeId;
const INCARNATION = 'i' as Incarnation;
const boots = (...names: string[]) => names as BootId[];
const CARD: Card = { boots: boots('b1', 'b2'), since: slot(5), batch: 10 };
const KNOWN = { incarnation: INCARNATION, boot: 'b1' as BootId, applied: slot(9) };

t.test('a card is judged by its incarnation, its starts and its batches', (t) => {
  const cards = new Cards(null);
  const doubt = (card: Partial<Card>, known: Partial<typeof KNOWN> = {}, incarnation = INCARNATION) =>
    cards.doubt(NODE, { incarnation, card: { ...CARD, ...card } }, { ...KNOWN, ...known });
  t.equal(doubt({}), null);
  t.match(doubt({}, {}, 'other' as Incarnation), /another card/);
  t.match(doubt({ boots: boots('b2') }), /does not know a start/);
  t.equal(
    doubt({ boots: boots('b2') }, { applied: slot(4) }),
    null,
    'who knows less than the card forgot cannot judge',
  );
  cards.heard(NODE, INCARNATION, 11);
  t.match(doubt({ batch: 10 }), /lost what it wrote/);
  t.equal(doubt({ batch: 11 }), null);
  const later = new Cards(cards.encodeIfChanged());
  t.match(
    later.doubt(NODE, { incarnation: INCARNATION, card: CARD }, KNOWN),
    /lost what it wrote/,
    'also after a restart',
  );
  t.equal(cards.encodeIfChanged(), null, 'nothing has changed since');
  t.end();
});

t.test('a card comes back from bytes as it was, however often the node started', (t) => {
  t.strictSame(decodeCard(encodeCard(CARD)), CARD);
  const many = Array.from({ length: 5_000 }, (_, at) => at.toString(16).padStart(32, '0') as BootId);
  const encoded = encodeCard({ ...CARD, boots: many });
  t.ok(encoded.length < 8_192, `${encoded.length} bytes`);
  const decoded = decodeCard(encoded);
  t.equal(decoded.boots[0], many[0]);
  t.equal(decoded.boots.at(-1), many.at(-1));
  t.end();
});

/** A house of three in which `victim`, no leader, has started twice and is now down, and the others have agreed on more since. */
async function houseWithout(letter: string) {
  const cluster = await new TestCluster('abc').start();
  await cluster.awaitLeader();
  const victim = cluster.nodes.find(({ id }) => id.startsWith(letter))!;
  await cluster.settle(victim.replica.propose(bytes('first')));
  await victim.kill();
  const image = victim.disk.copy();
  await cluster.settle(victim.start());
  await cluster.settle(victim.replica.propose(bytes('since the image')));
  await victim.kill();
  return { cluster, victim, image };
}

async function isShutOut(t: Test, cluster: TestCluster, victim: TestNode) {
  await cluster.settle(victim.start());
  await cluster.until(
    () => victim.replica.status().trouble === 'CARD_NOT_TRUSTED',
    'it is told that its card is not trusted',
  );
  t.equal(await rejectionOf(victim.replica.propose(bytes('x'))), 'CARD_NOT_TRUSTED');
  const others = cluster.nodes.filter((node) => node !== victim);
  const isDoubtedBy = (node: TestNode) =>
    node.replica.status().members.some((member) => member.node === victim.id && !member.trusted);
  await cluster.until(() => others.every(isDoubtedBy), 'all nodes know so');
  await cluster.settle(others[0]!.replica.propose(bytes('the two others go on')));
  await others[1]!.kill();
  const outcome = await rejectionOf(cluster.settle(others[0]!.replica.propose(bytes('not with that one'))));
  t.match(outcome, /NO_QUORUM|OUTCOME_UNKNOWN/, 'its vote does not count');
  t.ok(victim.recorder.texts.includes('the two others go on'), 'it learns all the same');
  await cluster.stop();
}

t.test('a card that was restored from an image takes no part', async (t) => {
  const { cluster, victim, image } = await houseWithout('b');
  victim.disk = image;
  await isShutOut(t, cluster, victim);
});

t.test('who cannot judge a card hears from it that somebody does not trust it', async (t) => {
  const cluster = await new TestCluster('abcd').start('d');
  const leader = await cluster.awaitLeader();
  const victim = cluster.nodes.find((node) => node !== leader && !node.id.startsWith('d'))!;
  const late = cluster.nodes.find(({ id }) => id.startsWith('d'))!;
  await late.kill();
  await cluster.settle(victim.replica.propose(bytes('first')));
  await victim.kill();
  const image = victim.disk.copy();
  await cluster.settle(victim.start());
  await cluster.settle(victim.replica.propose(bytes('since the image')));
  await victim.kill();
  victim.disk = image;
  await cluster.settle(victim.start());
  await cluster.until(() => victim.replica.status().trouble === 'CARD_NOT_TRUSTED', 'it is told');
  // The learner meets it first, and holds nothing by which to judge.
  for (const other of cluster.nodes) if (other !== late && other !== victim) cluster.network.cut(other.host, late.host);
  await cluster.settle(late.start());
  const knows = () => late.replica.status().members.some(({ node, trusted }) => node === victim.id && !trusted);
  await cluster.until(knows, 'it hears so');
  t.equal(late.replica.status().trouble, null, 'its own card is well');
  await cluster.stop();
});

t.test('a card that was wiped, and given its old id again, takes no part', async (t) => {
  const { cluster, victim } = await houseWithout('c');
  victim.wipe();
  victim.incarnation = 'new card' as typeof victim.incarnation;
  await victim.format(cluster.configuration());
  await isShutOut(t, cluster, victim);
});

t.test('a card that is what it was is trusted after any number of starts', async (t) => {
  const { cluster, victim } = await houseWithout('b');
  for (let start = 0; start < 4; start++) {
    await cluster.settle(victim.start());
    if (start % 2 === 0) await cluster.settle(victim.replica.propose(bytes(`start ${start}`)));
    else await cluster.pass(1_000);
    t.equal(victim.replica.status().trouble, null);
    await victim.kill();
  }
  await cluster.stop();
});

t.test('a card whose snapshot is damaged is not taken for another by a peer that was away', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const [a, b, c] = cluster.nodes as [TestNode, TestNode, TestNode];
  await cluster.awaitLeader();
  await cluster.settle(b.replica.propose(bytes('the start that the third knows')));
  // That a slot is chosen is noted on the disk with the next one.
  await cluster.settle(b.replica.propose(bytes('once more')));
  await cluster.until(() => c.recorder.texts.length === 2, 'the third knows it');
  await c.kill();
  await b.kill();
  await cluster.settle(b.start());
  const texts = Array.from({ length: 100 }, (_, n) => `entry ${n}`);
  // From its new start on it is known by that one, and forgets the one before.
  for (const text of texts) await cluster.settle(b.replica.propose(bytes(text)));
  await b.kill();
  for (const { name } of b.disk.list('consensus/snapshots')) {
    b.disk.flipBit(`consensus/snapshots/${name}`, 100, 0, { cached: true });
  }
  await cluster.settle(Promise.all([b.start(), c.start()]));
  t.match(b.replica.status(), { trouble: 'LOG_DAMAGED' });
  await cluster.until(() => b.replica.status().trouble !== 'LOG_DAMAGED', 'it is mended');
  await cluster.until(() => [b, c].every(({ recorder }) => recorder.texts.length === 102), 'both have all');
  t.equal(b.replica.status().trouble, null);
  await a.kill();
  await cluster.settle(c.replica.propose(bytes('its vote counts')));
  await cluster.stop();
});
