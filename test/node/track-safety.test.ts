/** Tracks when members come and go: what a change would put at risk, and what is marked lost when a person accepts that. */
import t from 'tap';
import type { Incarnation, NodeId, TrackId } from '../../src/core/ids.js';
import type { Lack } from '../../src/library/holding.js';
import type { AskLacks } from '../../src/node/track-safety.js';
import type { MemberRecord } from '../../src/paxos/configuration.js';
import { encodeFrame } from '../../src/replication/frames.js';
import { addSong, NODE_ID, song, startHouse } from '../support/house.js';

const record = (letter: string, name: string, voter = true): MemberRecord => ({
  node: letter.repeat(32) as NodeId,
  incarnation: letter.repeat(32) as Incarnation,
  address: `${name}:7420`,
  name,
  voter,
});
const kitchen = record('a', 'kitchen');
const [attic, hall] = [record('e', 'attic'), record('f', 'hall')];
const nothing: Lack = new Set();

/** A house with songs, whose members say what a test sets. */
async function houseWith(t: Parameters<typeof startHouse>[0], ...titles: string[]) {
  const says = new Map<NodeId, Lack>();
  const asked: { readonly members: readonly NodeId[]; readonly tracks: readonly TrackId[] }[] = [];
  const lacks: AskLacks = (members, tracks) => {
    asked.push({ members: members.map(({ node }) => node), tracks });
    return Promise.resolve(says);
  };
  const house = await startHouse(t, { lacks });
  const { node, consensus } = house;
  // Until it has said which commands it knows, none of the newer ones is proposed.
  node.announce('http://kitchen');
  const ids: TrackId[] = [];
  for (const [at, title] of titles.entries())
    ids.push((await addSong(node, `${title}.wav`, song(100, at + 1))).track.id);
  for (const { voter: _voter, ...member } of [attic, hall]) await consensus.changeMembers({ type: 'add', member });
  return { ...house, says, asked, ids };
}

t.test('a house without tracks changes as it likes, and asks nobody', async (t) => {
  const { node, asked } = await houseWith(t);
  t.strictSame(await node.gate([kitchen, attic]), { isOpen: true });
  t.equal(asked.length, 0);
});

t.test('the gate opens where each track is on a majority of those who would vote', async (t) => {
  const { node, says, asked, ids } = await houseWith(t, 'one', 'two', 'three');
  says.set(kitchen.node, nothing).set(attic.node, nothing).set(hall.node, new Set(ids));
  t.strictSame(await node.gate([kitchen, attic, hall]), { isOpen: true });
  t.strictSame(asked.at(-1)!.members, [kitchen.node, attic.node, hall.node]);
  t.strictSame([...asked.at(-1)!.tracks].sort(), [...ids].sort());
  t.strictSame(
    await node.gate([kitchen, { ...hall, voter: false }]),
    { isOpen: true },
    'who only learns does not count',
  );
  t.strictSame(asked.at(-1)!.members, [kitchen.node]);
  says.set(attic.node, new Set([ids[1]!]));
  t.match(await node.gate([kitchen, attic, hall]), {
    isOpen: false,
    code: 'TRACKS_AT_RISK',
    detail: '1 track would be on fewer than 2 of the 3 nodes that vote then: "two".',
  });
});

t.test('who cannot be asked counts as having nothing, and is named as people know it', async (t) => {
  const { node, says } = await houseWith(t, 'one', 'two', 'three', 'four', 'five');
  says.set(kitchen.node, nothing).set(attic.node, 'unknown');
  const said = { name: 'loft', address: 'loft:7420', httpUrl: 'http://loft', version: '2', commandVersion: 2 };
  await node.wishes.ask({ type: 'node.describe', node: attic.node, ...said }, { node: attic.node, via: 'node' });
  const answer = await node.gate([kitchen, attic, hall]);
  t.match(answer, {
    detail: /^5 tracks .* 2 of the 3 .*: "five", "four", "one" and 2 more\. .* these have: "loft", "hall"\.$/,
  });
});

t.test('an answer fits into what one node sends another, whatever tracks and nodes are called', async (t) => {
  const long = '世'.repeat(200);
  const { node } = await houseWith(t, ...[0, 1, 2, 3, 4].map((k) => `${k}${'世'.repeat(80)}`));
  for (const { id } of node.cluster.library.list())
    await node.wishes.renameTrack(id, `${id[0]}${long}`, { node: NODE_ID, via: 'api' });
  const answer = await node.gate([kitchen, { ...attic, name: long }, { ...hall, name: long }]);
  if (answer.isOpen) throw new Error('nobody said anything');
  const session = { node: NODE_ID, boot: 'b' as never, seq: 1 };
  const frame = encodeFrame({ type: 'change-answer', session, code: answer.code, detail: answer.detail });
  t.ok(frame.length < 2_000, `${frame.length} bytes`);
});

t.test('where a loss is accepted, what no member has any more is marked lost, and said', async (t) => {
  const { node, says, ids, time } = await houseWith(t, 'one', 'two');
  const before = node.cluster.appliedSlot;
  says.set(kitchen.node, new Set(ids)).set(hall.node, new Set([ids[0]!]));
  const slot = await node.wishes.removeMember('attic', { acceptLoss: true });
  t.equal(slot, before + 2, 'the answer names the slot of the marks');
  t.equal(node.cluster.library.get(ids[0]!)!.lost, true);
  t.equal(node.cluster.library.get(ids[1]!)!.lost, undefined, 'hall has it');
  time.advance(500);
  t.match(
    node.alerts().filter(({ code }) => code === 'TRACK_LOST'),
    [{ severity: 'error' }],
  );
  t.match(await node.gate([kitchen]), { detail: /^1 track .*"two"/ }, 'what is lost already stands in nobody’s way');
});

t.test('while a member cannot be asked nothing is marked lost: it may have everything', async (t) => {
  const { node, says, ids } = await houseWith(t, 'one');
  says.set(kitchen.node, new Set(ids));
  await node.wishes.removeMember('attic', { acceptLoss: true });
  t.equal(node.cluster.library.get(ids[0]!)!.lost, undefined);
});

t.test(
  'a removal that loses nothing marks nothing, and one that was not to lose anything asks nobody after it',
  async (t) => {
    const { node, says, asked } = await houseWith(t, 'one');
    says.set(kitchen.node, nothing).set(attic.node, nothing).set(hall.node, nothing);
    await node.wishes.removeMember('attic', { acceptLoss: false });
    t.equal(asked.length, 0, 'the leader has, where there is one');
    const { appliedSlot } = node.cluster;
    await node.wishes.removeMember('hall', { acceptLoss: true });
    t.equal(node.cluster.appliedSlot, appliedSlot + 1);
  },
);

t.test('a removal stands where the marks cannot be agreed', async (t) => {
  const { node, says, ids, log } = await houseWith(t, 'one');
  const old = { name: 'hall', address: 'hall:7420', httpUrl: 'http://hall', version: '1', commandVersion: 1 };
  await node.wishes.ask({ type: 'node.describe', node: hall.node, ...old }, { node: hall.node, via: 'node' });
  says.set(kitchen.node, new Set(ids)).set(hall.node, new Set(ids));
  await node.wishes.removeMember('attic', { acceptLoss: true });
  t.equal(node.members().length, 2);
  t.equal(node.cluster.library.get(ids[0]!)!.lost, undefined);
  t.match(log.entries.at(-1), { level: 'warn', fields: { code: 'CLUSTER_TOO_OLD' } });
});
