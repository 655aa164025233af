/** A track counts only once enough cards have its file; and what becomes of one that no card has any more. */
import t from 'tap';
import { Cluster } from '../../src/cluster/cluster.js';
import type { Command } from '../../src/cluster/command.js';
import { unpack } from '../../src/cluster/messagepack.js';
import { type BootId, type Incarnation, slot } from '../../src/core/ids.js';
import { at, BATH, cardOf, HALL, House, heldBy, idOf, KITCHEN, trackNamed } from './house.js';

const [kitchen, bath, hall] = [cardOf(KITCHEN), cardOf(BATH), cardOf(HALL)];
const voters = [kitchen, bath, hall];
const LOSE: Command = { type: 'track.lose', trackIds: [idOf(1)] };

t.test('a track that a majority of the voters hold is added, one that fewer hold is refused', (t) => {
  const house = new House();
  const refused = house.apply(1, heldBy([kitchen]), { voters });
  t.match(refused, { ok: false, code: 'TRACK_NOT_HELD', info: { trackId: idOf(1), held: 1, needed: 2 } });
  t.equal(house.refused(2, heldBy([]), { voters }), 'TRACK_NOT_HELD');
  t.equal(house.cluster.library.size, 0);
  house.done(3, heldBy([kitchen, hall]), { voters });
  house.done(4, heldBy([kitchen], trackNamed(2, 'alone')), { voters: [kitchen] });
  t.end();
});

t.test('who does not vote, is named twice, or had another card counts for nothing', (t) => {
  const house = new House();
  const oldCard = { ...bath, incarnation: 'f'.repeat(32) as Incarnation };
  for (const [k, other] of [kitchen, cardOf('9'.repeat(32) as typeof BATH), oldCard].entries()) {
    t.equal(house.refused(k + 1, heldBy([kitchen, other]), { voters }), 'TRACK_NOT_HELD');
  }
  house.done(9, heldBy([kitchen, oldCard, bath]), { voters });
  t.end();
});

t.test('a word that was taken back counts for nothing, and one that is given afterwards does', (t) => {
  const house = new House();
  house.done(1, { type: 'member.retract', node: BATH });
  const sinceSlot = house.cluster.appliedSlot;
  const again = { ...bath, sinceSlot };
  t.equal(house.cluster.stillCounts(bath), false);
  t.equal(house.cluster.stillCounts(again), true);
  t.equal(house.cluster.stillCounts(hall), true, 'the others’ words are as good as before');
  t.match(house.apply(2, heldBy([kitchen, bath]), { voters }), {
    ok: false,
    code: 'TRACK_NOT_HELD',
    info: { held: 1, needed: 2 },
  });
  t.equal(
    house.refused(3, heldBy([kitchen, bath]), { voters: [] }),
    'TRACK_NOT_HELD',
    'nor where nobody knows who votes',
  );
  house.done(4, heldBy([kitchen, again], trackNamed(2, 'again')), { voters });
  house.done(5, { type: 'member.retract', node: BATH });
  const restored = new House(Cluster.restore(house.cluster.snapshot()));
  for (const one of [house, restored]) {
    t.equal(one.refused(6, heldBy([kitchen, again]), { voters }), 'TRACK_NOT_HELD', 'nor after the next time');
    one.done(7, heldBy([hall, kitchen, again]), { voters });
  }
  const ahead = { ...kitchen, sinceSlot: slot(sinceSlot + 40) };
  t.equal(house.cluster.stillCounts(ahead), true, 'who knows more than this node');
  t.end();
});

t.test(
  'a state in which nobody has taken a word back is written as old builds write it, and another as none of them reads it',
  (t) => {
    const house = new House();
    const versionOf = () => (unpack(house.cluster.snapshot()) as { readonly version: number }).version;
    house.done(1, { type: 'member.boot', node: BATH, incarnation: 'c' as Incarnation, bootId: 'd' as BootId });
    t.notOk(Buffer.from(house.cluster.snapshot()).includes('retractedIn'));
    t.equal(versionOf(), 1);
    house.done(2, { type: 'member.retract', node: BATH });
    t.equal(versionOf(), 2);
    t.equal(Cluster.restore(house.cluster.snapshot()).member(BATH)?.retractedIn, 2);
    t.end();
  },
);

t.test('a track of the first command set is not compared, and neither is any before voters changed once', (t) => {
  const house = new House();
  house.done(1, { type: 'track.add', track: trackNamed(1, 'of old') }, { voters });
  house.done(2, heldBy([], trackNamed(2, 'first days')), { voters: [] });
  t.end();
});

t.test('what is there already is TRACK_EXISTS, whoever holds it', (t) => {
  const house = new House();
  house.done(1, heldBy(voters), { voters });
  t.equal(house.refused(2, heldBy([]), { voters }), 'TRACK_EXISTS');
  t.end();
});

t.test('a track that was held by too few is proposed again under its key, and is done once', (t) => {
  const house = new House();
  const key = { key: 'upload', firstSentNs: at(0), voters };
  t.equal(house.refused(1, heldBy([kitchen]), key), 'TRACK_NOT_HELD');
  t.equal(house.refused(2, heldBy([kitchen]), key), 'TRACK_NOT_HELD', 'as often as it takes');
  const restored = new House(Cluster.restore(house.cluster.snapshot()));
  for (const one of [house, restored]) {
    const done = one.done(3, heldBy([kitchen, bath]), key);
    t.match(done, { slot: 3, trackId: idOf(1), title: 'Song' });
    t.same(one.apply(4, heldBy([kitchen]), key), done, 'an earlier proposal that comes late has the same outcome');
    t.same(one.apply(5, heldBy(voters), key), done, 'and so has the client that asks again');
  }
  t.equal(house.refused(6, heldBy(voters, trackNamed(2, 'other')), key), 'KEY_REUSED', 'the key is this track’s');
  t.equal(house.cluster.library.size, 1);
  t.end();
});

t.test('a refusal that is a last word stays the key’s outcome, also when enough hold the file later', (t) => {
  const house = new House();
  house.done(1, heldBy(voters), { voters });
  t.equal(house.refused(2, heldBy(voters), { voters, key: 'k' }), 'TRACK_EXISTS');
  house.done(3, { type: 'track.remove', trackId: idOf(1) });
  t.equal(house.refused(4, heldBy(voters), { voters, key: 'k' }), 'TRACK_EXISTS');
  t.end();
});

t.test('a lost track says so, and cannot be queued', (t) => {
  const house = House.withTracks(2);
  house.add(10, 1);
  const { rev } = house.cluster.library;
  house.done(11, { ...LOSE, trackIds: [idOf(1), idOf(1), idOf(7)] } as Command);
  t.same(
    house.cluster.view(at(12)).tracks.map(({ lost }) => lost),
    [true, undefined],
  );
  t.equal(house.cluster.library.rev, rev + 1, 'a change of one track');
  t.equal(house.refused(13, { type: 'queue.add', trackIds: [idOf(2), idOf(1)] }), 'TRACK_LOST');
  t.equal(house.refused(14, { type: 'transport.play', trackId: idOf(1) }), 'TRACK_LOST');
  t.same(house.shows(15)[3], 't1', 'what is queued already keeps its place');
  house.done(16, LOSE);
  t.equal(house.cluster.library.rev, rev + 1, 'it is lost once');
  t.equal(Cluster.restore(house.cluster.snapshot()).library.get(idOf(1))?.lost, true, 'and stays so');
  t.end();
});

t.test('the same bytes make a lost track whole: its title and its place in the queue stay', (t) => {
  const house = new House();
  house.done(1, heldBy(voters), { voters });
  house.done(2, { type: 'track.rename', trackId: idOf(1), title: 'Mine' });
  house.add(3, 1);
  house.done(4, LOSE);
  t.equal(house.refused(5, heldBy([hall]), { voters }), 'TRACK_NOT_HELD', 'too few have it');
  t.equal(
    house.refused(6, { type: 'track.add', track: trackNamed(1, 'Song') }, { voters }),
    'TRACK_EXISTS',
    'without chunks nobody can say who has it',
  );
  const again = { ...trackNamed(1, 'Song'), frames: 1, bytes: 45, addedAt: 5 };
  t.match(house.done(7, heldBy([hall, bath], again), { voters, key: 'k' }), { trackId: idOf(1), title: 'Mine' });
  const track = house.cluster.library.get(idOf(1))!;
  t.equal(track.lost, undefined);
  t.same(track.holders, [hall, bath]);
  t.equal(track.frames, trackNamed(1, 'Song').frames);
  t.same(house.shows(8), ['stopped', null, 0, 'Mine']);
  house.done(9, { type: 'queue.add', trackIds: [idOf(1)] });
  t.equal(house.refused(10, heldBy(voters), { voters }), 'TRACK_EXISTS', 'it is like any other again');
  t.end();
});

t.test('nobody adds a track as a lost one', (t) => {
  const house = new House();
  house.done(1, { type: 'track.add', track: { ...trackNamed(1, 'x'), lost: true } });
  t.equal(house.cluster.library.get(idOf(1))?.lost, undefined);
  t.end();
});
