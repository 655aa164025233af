import t from 'tap';
import { Cluster, TRANSPORT_CHANGES_MAX } from '../../src/cluster/cluster.js';
import { encodeProposal } from '../../src/cluster/codec.js';
import type { Command, Proposal } from '../../src/cluster/command.js';
import { KEYS_MAX } from '../../src/cluster/idempotency.js';
import { pack } from '../../src/cluster/messagepack.js';
import { LEVEL_STEPS_MAX } from '../../src/cluster/volume.js';
import type { BootId, Incarnation } from '../../src/core/ids.js';
import { itemId, nodeId, slot } from '../../src/core/ids.js';
import { at, BATH, House, heldBy, idOf, KITCHEN, trackNamed } from './house.js';

const i = (seq: number) => itemId(`i${seq}`);
const PLAY: Command = { type: 'transport.play' };
const PAUSE: Command = { type: 'transport.pause' };
const SKIP: Command = { type: 'transport.skip' };
const begin = (epoch: number, ...reproposed: number[]): Command => ({
  type: 'leader.begin',
  node: KITCHEN,
  epoch,
  reserveUntilNs: 1_000n,
  reproposed: reproposed.map(slot),
});
const describe = (node = KITCHEN, commandVersion = 1): Command => ({
  type: 'node.describe',
  node,
  name: 'kitchen',
  address: '192.0.2.7:7420',
  httpUrl: 'http://192.0.2.7:8080',
  version: '0.1.0',
  commandVersion,
});

t.test('a track is added under a title of its own, and told apart from its twin [row 4]', (t) => {
  const house = new House();
  t.same(house.done(1, { type: 'track.add', track: trackNamed(1, 'Song.wav') }), {
    ok: true,
    slot: 1,
    trackId: idOf(1),
    title: 'Song',
  });
  t.equal(house.done(2, { type: 'track.add', track: trackNamed(2, 'song') }).title, 'song (2)');
  const again = house.apply(3, { type: 'track.add', track: trackNamed(1, 'Other') });
  t.match(again, { ok: false, slot: 3, code: 'TRACK_EXISTS', info: { trackId: idOf(1), title: 'Song' } });
  t.equal(house.done(4, { type: 'track.rename', trackId: idOf(1), title: 'SONG (2).wav' }).title, 'SONG (2) (2)');
  t.end();
});

t.test('a track is not removed while it is current; else it leaves the queue too [row 17]', (t) => {
  const house = House.withTracks(2);
  house.add(10, 1, 2, 1, 2);
  house.done(11, PLAY);
  t.equal(house.refused(12, { type: 'track.remove', trackId: idOf(1) }), 'TRACK_PLAYING');
  house.done(13, { type: 'track.remove', trackId: idOf(2) });
  t.same(house.shows(500), ['playing', 't1', 389, 't1 t1']);
  t.equal(house.refused(14, { type: 'track.remove', trackId: idOf(2) }), 'TRACK_NOT_FOUND');
  t.equal(house.cluster.view(at(20)).tracksRev, 3);
  t.end();
});

t.test('the queue is the same three items on every view [row 19]', (t) => {
  const house = House.withTracks(3);
  t.same(house.add(10, 1, 2, 3), ['i1', 'i2', 'i3']);
  t.same(house.shows(11), ['stopped', null, 0, 't1 t2 t3']);
  house.done(12, { type: 'queue.add', trackIds: [idOf(1)], next: true });
  house.done(13, { type: 'queue.add', trackIds: [idOf(2)], beforeItemId: i(3) });
  t.same(house.shows(14), ['stopped', null, 0, 't1 t1 t2 t2 t3']);
  house.done(15, { type: 'queue.move', itemId: i(3), beforeItemId: i(1) });
  house.done(16, { type: 'queue.remove', itemId: i(4) });
  t.same(house.shows(17), ['stopped', null, 0, 't3 t1 t2 t2']);
  house.done(18, { type: 'queue.shuffle', seed: 3 });
  house.done(19, { type: 'queue.clear' });
  t.same(house.shows(20), ['stopped', null, 0, '']);
  t.equal(house.refused(21, { type: 'queue.add', trackIds: [idOf(1), idOf(9)] }), 'TRACK_NOT_FOUND');
  t.equal(house.refused(22, PLAY), 'QUEUE_EMPTY');
  t.end();
});

t.test('the view shows the newest fact at once, and stands at its start until it takes effect [row 25]', (t) => {
  const house = House.withTracks(2);
  house.add(10, 1, 2);
  house.done(1_000, PLAY, { via: 'button', node: BATH });
  const { transport, queue, queueLength } = house.cluster.view(at(1_050));
  t.same(transport, {
    status: 'playing',
    itemId: 'i1',
    trackId: idOf(1),
    title: 't1',
    positionMs: 0,
    durationMs: 10_000,
    atNs: at(1_050),
    startAtNs: at(1_100),
    changedBy: { node: BATH, via: 'button', atNs: at(1_000) },
  });
  t.same(queue[1], {
    itemId: 'i2',
    seq: 2,
    trackId: idOf(2),
    title: 't2',
    durationMs: 10_000,
    addedBy: { node: KITCHEN, via: 'web' },
  });
  t.equal(queueLength, 2);
  t.same(house.shows(3_600), ['playing', 't1', 2_500, 't1 t2']);
  t.same(house.shows(12_100), ['playing', 't2', 1_000, 't2']);
  t.same(house.shows(22_000), ['stopped', null, 0, '']);
  t.same(house.shows(3_600), ['playing', 't1', 2_500, 't1 t2'], 'also when an earlier instant is asked for');
  t.end();
});

t.test('views of one queue share its list, until the queue or a title changes', (t) => {
  const house = House.withTracks(2);
  house.add(10, 1, 2);
  const first = house.cluster.view(at(11)).queue;
  t.equal(house.cluster.view(at(12)).queue, first);
  house.done(13, { type: 'track.rename', trackId: idOf(2), title: 'new' });
  t.same(house.shows(14)[3], 't1 new');
  t.end();
});

t.test('two people who press skip on the same song skip one song [row 22]', (t) => {
  const house = House.withTracks(3);
  house.add(10, 1, 2, 3);
  house.done(11, PLAY);
  house.done(5_000, { ...SKIP, expectItem: i(1) } as Command);
  t.equal(house.refused(5_000.001, { ...SKIP, expectItem: i(1) } as Command), 'ITEM_CHANGED');
  t.same(house.shows(5_100), ['playing', 't2', 0, 't2 t3']);
  (['play', 'pause', 'stop', 'previous'] as const).forEach((name, k) => {
    t.equal(house.refused(5_200 + k, { type: `transport.${name}`, expectItem: i(1) }), 'ITEM_CHANGED', name);
  });
  t.equal(house.refused(5_300, { type: 'transport.seek', positionMs: 0, expectItem: i(1) }), 'ITEM_CHANGED');
  t.end();
});

t.test('also under repeat all, where the same song comes round again', (t) => {
  const house = House.withTracks(1);
  house.add(10, 1);
  house.done(11, PLAY);
  house.done(12, { type: 'transport.mode', repeat: 'all' });
  house.done(5_000, { ...SKIP, expectItem: i(1) } as Command);
  t.equal(house.refused(5_001, { ...SKIP, expectItem: i(1) } as Command), 'ITEM_CHANGED');
  t.equal(house.cluster.view(at(5_200)).transport.itemId, 'i2');
  t.end();
});

t.test('each transport command does what its name says', (t) => {
  const house = House.withTracks(4);
  house.add(10, 1, 2, 3);
  t.same(house.done(1_000, { type: 'transport.play', trackId: idOf(4) }).itemIds, ['i4']);
  t.same(house.shows(1_100), ['playing', 't4', 0, 't4 t1 t2 t3']);
  house.done(2_000, { type: 'transport.play', itemId: i(2) });
  t.same(house.shows(2_100), ['playing', 't2', 0, 't2 t3']);
  house.done(3_000, { type: 'transport.previous' });
  t.same(house.shows(3_100), ['playing', 't1', 0, 't1 t2 t3']);
  house.done(3_200, { type: 'transport.seek', positionMs: 9_000 });
  house.done(3_400, PAUSE);
  t.same(house.shows(9_999), ['paused', 't1', 9_200, 't1 t2 t3']);
  house.done(10_000, { type: 'transport.stop' });
  t.same(house.shows(10_001), ['stopped', null, 0, 't1 t2 t3']);
  house.done(10_002, { type: 'transport.mode', repeat: 'one' });
  t.equal(house.cluster.view(at(10_003)).repeat, 'one');
  house.done(10_004, PLAY);
  house.done(10_005, { type: 'queue.clear', current: true });
  t.same(house.shows(11_000), ['stopped', null, 0, '']);
  t.equal(house.refused(11_001, SKIP), 'NOTHING_PLAYING');
  t.equal(house.refused(11_002, { type: 'transport.play', trackId: idOf(9) }), 'TRACK_NOT_FOUND');
  t.end();
});

t.test('after 200 random commands the position is still what facts and time say [row 34]', (t) => {
  const house = House.withTracks(3);
  house.add(10, 1, 2, 3);
  house.done(11, { type: 'transport.mode', repeat: 'all' });
  house.done(12, PLAY);
  for (let k = 0; k < 200; k++) {
    const command = [PAUSE, PLAY, SKIP, { type: 'transport.seek', positionMs: (k * 37) % 9_000 } as Command][k % 4]!;
    house.done(1_000 + k * 777, command);
  }
  house.done(200_000, { type: 'transport.seek', positionMs: 5_000 });
  t.equal(house.shows(201_100)[2], 6_000);
  t.end();
});

t.test('house and rooms have volumes of their own, and a room plays at their product', (t) => {
  const house = new House();
  house.done(1, describe(BATH));
  house.done(1_000, { type: 'volume.set', volume: 50 });
  house.done(2_000, { type: 'volume.set', node: BATH, delta: -20 });
  t.same(house.cluster.gainsOf(BATH), [
    { at: at(0), percent: 100, muted: false },
    { at: at(1_100), percent: 50, muted: false },
    { at: at(2_100), percent: 40, muted: false },
  ]);
  t.same(house.cluster.gainsOf(KITCHEN), [
    { at: at(0), percent: 100, muted: false },
    { at: at(1_100), percent: 50, muted: false },
  ]);
  house.done(3_000, { type: 'volume.set', muted: true });
  house.done(3_001, { type: 'volume.set', delta: 100 });
  t.same(house.cluster.gainsOf(KITCHEN).at(-1), { at: at(3_101), percent: 100, muted: true });
  house.done(3_002, { type: 'volume.set', delta: -100 }, { leadMs: 0 });
  t.equal(house.cluster.gainsOf(KITCHEN).at(-1)!.at, at(3_101), 'never before the change that was asked earlier');
  const unchanged = house.cluster.house;
  house.done(4_000, { type: 'volume.set', volume: 0 });
  t.equal(house.cluster.house, unchanged, 'a volume that is set already is no change');
  t.match(house.cluster.view(at(4_001)), { volume: 0, muted: true });
  t.equal(house.refused(5_000, { type: 'volume.set', node: nodeId('x'), volume: 1 }), 'NODE_NOT_FOUND');
  t.end();
});

t.test('changes of volume within one lead hold each from its own time, in the house and in a room', (t) => {
  const house = new House();
  house.done(1, describe(BATH));
  const turn = (ms: number, volume: number, node?: typeof BATH) =>
    house.done(ms, { type: 'volume.set', volume, ...(node && { node }) }, { leadMs: 120 });
  turn(1_000, 10);
  turn(1_005, 50, BATH);
  turn(1_010, 20);
  const steps = () => house.cluster.gainsOf(BATH).map((step) => [Number(step.at) / 1e6, step.percent]);
  t.same(steps(), [
    [0, 100],
    [1_120, 10],
    [1_125, 5],
    [1_130, 10],
  ]);
  turn(1_125, 30);
  t.same(
    steps(),
    [
      [0, 100],
      [1_120, 10],
      [1_125, 5],
      [1_130, 10],
      [1_245, 15],
    ],
    'what is over at the stamp is still to be heard where a room is behind by its latency',
  );
  for (let k = 0; k < 40; k++) turn(4_000 + k, 40 + k);
  t.equal(house.cluster.house.before.length, LEVEL_STEPS_MAX);
  t.equal(house.cluster.house.volume, 79, 'the newest counts, however many there are');
  t.same(
    steps().slice(0, 3),
    [
      [0, 30],
      [1_125, 15],
      [4_120, 20],
    ],
    'what no room is behind by any more is forgotten, and the first ones keep their time',
  );
  t.end();
});

t.test('to press play twice leaves no trace: the music is known to have got to the mark, and no further', (t) => {
  const house = House.withTracks(3);
  house.done(5, begin(1));
  house.add(10, 1, 2, 3);
  house.done(1_000, PLAY);
  house.done(15_000, PLAY);
  house.done(16_000, begin(2));
  t.same(house.shows(16_000), ['paused', 't1', 0, 't1 t2 t3']);
  t.end();
});

t.test('what a node says of itself is kept, with what a newer version adds', (t) => {
  const house = new House();
  house.done(1, { ...describe(), amplifier: 'valves' } as unknown as Command);
  house.done(2, { type: 'member.boot', node: KITCHEN, incarnation: 'c' as Incarnation, bootId: 'd' as BootId });
  house.done(3, { type: 'output.set', node: KITCHEN, channels: 'left' });
  house.done(4, { type: 'output.set', node: KITCHEN, latencyUs: -250 });
  house.done(5, { type: 'member.boot', node: BATH, incarnation: 'e' as Incarnation, bootId: 'f' as BootId });
  t.match(house.cluster.member(KITCHEN), {
    description: { name: 'kitchen', amplifier: 'valves', commandVersion: 1 },
    boot: { incarnation: 'c', bootId: 'd' },
    output: { latencyUs: -250, channels: 'left' },
  });
  t.same(
    house.cluster.members.map((member) => member.node),
    [KITCHEN, BATH],
  );
  t.equal(house.refused(6, { type: 'output.set', node: nodeId('x'), latencyUs: 0 }), 'NODE_NOT_FOUND');
  house.cluster.pass(slot(7), new Set([BATH]));
  t.equal(house.cluster.member(KITCHEN), undefined, 'a node that was removed is forgotten');
  t.end();
});

t.test('the cluster is as old as its oldest node', (t) => {
  const house = new House();
  t.equal(house.cluster.commandVersion, 1);
  house.done(1, describe(KITCHEN, 3));
  t.equal(house.cluster.commandVersion, 3);
  house.done(2, describe(BATH, 2));
  t.equal(house.cluster.commandVersion, 2);
  t.end();
});

t.test('a proposal is checked before it goes into the log, and every mistake is named', (t) => {
  const { cluster } = new House();
  const check = (command: object, origin: object = { node: KITCHEN, via: 'web' }) =>
    cluster.check({ command, origin } as Proposal);
  t.doesNotThrow(() => check({ type: 'transport.skip', unknown: 1 }));
  t.throws(() => check({ type: 'transport.jump' }), { code: 'BAD_REQUEST', info: { type: 'transport.jump' } });
  t.throws(() => check({ type: 'toString' }), { code: 'BAD_REQUEST' });
  t.throws(() => check({ type: 'transport.seek', positionMs: -1, expectItem: '' }, { via: 'fax', node: KITCHEN }), {
    code: 'BAD_REQUEST',
    detail: /command\.positionMs .*command\.expectItem .*origin\.via /,
  });
  const contradictions = [
    { type: 'queue.add', trackIds: [idOf(1)], beforeItemId: 'i1', next: true },
    { type: 'transport.play', trackId: idOf(1), itemId: 'i1' },
    { type: 'volume.set', volume: 1, delta: 1 },
    { type: 'volume.set' },
    { type: 'output.set', node: KITCHEN },
  ];
  for (const command of contradictions) t.throws(() => check(command), { code: 'BAD_REQUEST' }, command.type);
  t.throws(() => check({ type: 'leader.reserve', reserveUntilNs: 2n ** 63n }), { code: 'BAD_REQUEST' });
  t.throws(() => check(SKIP, { node: KITCHEN, via: 'web', key: 'a\u0301' }), { code: 'BAD_REQUEST' });
  t.end();
});

t.test('a command that an older node does not know is CLUSTER_TOO_OLD', (t) => {
  const house = new House();
  const check = (command: Command) => house.cluster.check({ command, origin: { node: KITCHEN, via: 'web' } });
  const tooOld = { code: 'CLUSTER_TOO_OLD' };
  house.done(1, describe(KITCHEN, 2));
  house.done(2, describe(BATH, 1));
  t.throws(() => check(heldBy([])), tooOld);
  t.throws(() => check({ type: 'track.lose', trackIds: [idOf(1)] }), tooOld);
  t.doesNotThrow(() => check({ type: 'track.add', track: trackNamed(1, 'without chunks') }));
  house.done(3, describe(BATH, 2));
  t.doesNotThrow(() => check(heldBy([])));
  const retract: Command = { type: 'member.retract', node: BATH };
  t.throws(() => check(retract), tooOld);
  for (const [k, node] of [KITCHEN, BATH].entries()) house.done(4 + k, describe(node, 3));
  t.doesNotThrow(() => check(retract));
  t.end();
});

t.test('bad entries are refused, take their slot and nothing else', (t) => {
  const house = House.withTracks(1);
  const bad = [
    { type: 'transport.seek' },
    { type: 'transport.seek', positionMs: 1.5 },
    { type: 'volume.set' },
    { type: 'transport.play', trackId: idOf(1), itemId: 'i1' },
  ];
  bad.forEach((command, k) => {
    t.equal(house.refused(100 + k, command as Command), 'BAD_REQUEST', JSON.stringify(command));
  });
  t.equal(house.refused(200, SKIP, { key: 'ä' }), 'BAD_REQUEST');
  const raw = {
    origin: { node: KITCHEN, via: 'web' as const },
    slot: slot(7),
    stampNs: at(300),
    leadNs: 0n,
    voters: [],
  };
  const shapeless = house.cluster.apply({ ...raw, command: { type: 5 } as unknown as Command });
  t.match(shapeless, { ok: false, slot: 7, code: 'BAD_REQUEST', info: { type: 'command' } });
  t.end();
});

t.test('an entry is applied from its bytes; broken ones are refused on every node alike', (t) => {
  const { cluster } = new House();
  const place = (k: number) => ({ slot: slot(k), stampNs: BigInt(k), leadNs: 0n, voters: [] });
  const good = encodeProposal({ command: { type: 'transport.mark' }, origin: { node: KITCHEN, via: 'node' } });
  t.same(cluster.applyEncoded(place(1), good), { ok: true, slot: 1 });
  t.match(cluster.applyEncoded(place(2), new Uint8Array([0xc1])), { ok: false, slot: 2, code: 'BAD_REQUEST' });
  const newer = pack({ command: { type: 'queue.clear' }, origin: {}, v: 99 });
  t.throws(() => cluster.applyEncoded(place(3), newer), { name: 'InvariantError' });
  t.equal(cluster.appliedSlot, 2, 'a loud stop leaves everything as it was');
  t.end();
});

t.test('what must not happen stops the process', (t) => {
  const { cluster } = House.withTracks(1);
  const entry = {
    command: SKIP,
    origin: { node: KITCHEN, via: 'web' as const },
    slot: slot(2),
    leadNs: 0n,
    stampNs: at(1),
    voters: [],
  };
  const stops = { name: 'InvariantError' };
  t.throws(() => cluster.apply({ ...entry, slot: slot(3) }), stops, 'a gap');
  t.throws(() => cluster.apply({ ...entry, slot: slot(1) }), stops, 'the same slot again');
  t.throws(() => cluster.apply({ ...entry, stampNs: cluster.lastStamp }), stops, 'a stamp that does not rise');
  t.throws(() => cluster.apply({ ...entry, leadNs: -1n }), stops);
  t.throws(() => cluster.apply({ ...entry, leadNs: 10_000_000_001n }), stops);
  t.throws(
    () => cluster.apply({ ...entry, command: { type: 'party' } as unknown as Command }),
    stops,
    'a newer command',
  );
  t.throws(() => cluster.pass(slot(5)), stops);
  t.end();
});

t.test('a key that comes with another kind of command, or another track, is refused, and stays what it was', (t) => {
  const house = House.withTracks(1);
  const add: Command = { type: 'queue.add', trackIds: [idOf(1)] };
  const first = house.done(10, add, { key: 'k' });
  t.equal(house.refused(11, PLAY, { key: 'k' }), 'KEY_REUSED');
  t.equal(house.cluster.view(at(12)).transport.status, 'stopped', 'it was not done');
  t.same(house.apply(13, add, { key: 'k' }), first);

  const newTrack = (n: number): Command => ({ type: 'track.add', track: trackNamed(n, `new ${n}`) });
  const added = house.done(14, newTrack(8), { key: 'upload' });
  t.equal(house.refused(15, newTrack(9), { key: 'upload' }), 'KEY_REUSED');
  t.same(house.apply(16, newTrack(8), { key: 'upload' }), added);
  const restored = new House(Cluster.restore(house.cluster.snapshot()));
  t.equal(restored.refused(17, newTrack(9), { key: 'upload' }), 'KEY_REUSED', 'after a restore too');
  t.equal(restored.cluster.addedUnder('upload'), idOf(8), 'everyone knows which track came under which key');
  t.equal(restored.cluster.addedUnder('k'), null, 'that of another command added none');
  t.equal(restored.cluster.addedUnder('nobody'), null);
  t.end();
});

t.test('a key that was seen gets its first outcome, slot and all, and nothing is done again', (t) => {
  const house = House.withTracks(2);
  const add: Command = { type: 'queue.add', trackIds: [idOf(1), idOf(2)] };
  const first = house.done(10, add, { key: 'k1' });
  t.same(house.apply(11, add, { key: 'k1' }), first);
  t.equal(house.cluster.view(at(12)).queueLength, 2);
  t.equal(house.cluster.appliedSlot, 4);
  const track: Command = { type: 'track.rename', trackId: idOf(1), title: 'x' };
  t.same(house.apply(14, track, { key: 'k2' }), { ok: true, slot: 5, trackId: idOf(1), title: 'x' });
  t.same(house.apply(15, track, { key: 'k2' }), { ok: true, slot: 5, trackId: idOf(1), title: 'x' });
  const refused = house.apply(16, SKIP, { key: 'k3' });
  t.match(
    house.apply(17, SKIP, { key: 'k3' }),
    { ok: false, slot: 7, code: 'NOTHING_PLAYING', info: {} },
    'refusals too',
  );
  t.notOk(refused.ok);
  const restored = new House(Cluster.restore(house.cluster.snapshot()));
  t.same(restored.apply(18, add, { key: 'k1' }), first, 'and after a restore');
  t.end();
});

t.test('outcomes are kept for ten minutes of cluster time; an older retry is RETRY_EXPIRED', (t) => {
  const house = House.withTracks(1);
  const add: Command = { type: 'queue.add', trackIds: [idOf(1)] };
  const tenMinutes = 600_000;
  house.done(10, add, { key: 'k', firstSentNs: at(9) });
  house.done(10 + tenMinutes, add, { key: 'k', firstSentNs: at(9) });
  t.equal(house.cluster.view(at(700_000)).queueLength, 1, 'to the nanosecond');
  t.equal(house.refused(11 + tenMinutes, add, { key: 'k', firstSentNs: at(9) }), 'RETRY_EXPIRED');
  t.ok(house.apply(12 + tenMinutes, add, { key: 'k' }).ok, 'without a first time it is a new command');
  t.ok(house.apply(13 + tenMinutes, add, { firstSentNs: at(9) }).ok, 'and without a key too');
  t.ok(house.apply(14 + tenMinutes, add, { key: 'fresh', firstSentNs: at(13 + tenMinutes) }).ok);
  house.cluster.invariants();
  t.end();
});

t.test('at most 4,096 outcomes are kept, and what was pushed out is not done twice', (t) => {
  const house = House.withTracks(1);
  for (let k = 0; k <= KEYS_MAX; k++) house.apply(10 + k, { type: 'queue.clear' }, { key: `k${k}` });
  house.cluster.invariants();
  t.equal(house.refused(9_000, { type: 'queue.clear' }, { key: 'k0', firstSentNs: at(10) }), 'RETRY_EXPIRED');
  t.equal(house.done(9_001, { type: 'queue.clear' }, { key: 'k1', firstSentNs: at(11) }).slot, 3);
  t.end();
});

t.test('a play that lay unanswered through the night does not wake the house [row 71]', (t) => {
  const house = House.withTracks(2);
  house.done(5, begin(1));
  house.add(10, 1, 2);
  house.done(1_000, PLAY);
  house.done(4_000, PAUSE);
  const night = 4 * 3_600_000;
  const lost = house.done(10_000, PLAY);
  const restarted = new House(Cluster.restore(house.cluster.snapshot()));
  restarted.done(night, begin(1, lost.slot));
  t.equal(restarted.shows(night)[0], 'paused', 'also on a node that was restarted in between');
  house.done(night, begin(1, lost.slot));
  t.same(house.shows(night), ['paused', 't1', 3_000, 't1 t2']);
  t.equal(house.cluster.view(at(night)).transport.changedBy!.via, 'web');
  t.match(house.cluster.term, { node: KITCHEN, epoch: 1, since: at(night) });
  t.end();
});

t.test('a skip that comes back late pauses at the start of the next song', (t) => {
  const house = House.withTracks(3);
  house.done(5, begin(1));
  house.add(10, 1, 2, 3);
  house.done(1_000, PLAY);
  const lost = house.done(5_000, SKIP);
  house.done(15_000, begin(1, 2, lost.slot));
  t.same(house.shows(20_000), ['paused', 't2', 0, 't2 t3']);
  t.end();
});

t.test('what comes back within 5 s plays on, and so does what was never in doubt', (t) => {
  const house = House.withTracks(2);
  house.done(5, begin(1));
  house.add(10, 1, 2);
  const { slot: playSlot } = house.done(1_000, PLAY);
  house.done(6_000, begin(1, playSlot));
  t.equal(house.shows(6_001)[0], 'playing', 'exactly 5 s is not more than 5 s');
  house.done(6_100, { type: 'transport.mark' });
  const { slot: markSlot } = house.done(6_200, { type: 'transport.mark' });
  house.done(16_000, begin(1, markSlot));
  t.same(house.shows(16_000), ['playing', 't2', 4_900, 't2'], 'a mark is no change');
  t.end();
});

t.test('of two that come back the older one decides', (t) => {
  const house = House.withTracks(2);
  house.done(5, begin(1));
  house.add(10, 1, 2);
  const play = house.done(1_000, PLAY);
  const skip = house.done(8_000, SKIP);
  house.done(9_000, begin(1, play.slot, skip.slot));
  t.same(house.shows(9_000), ['paused', 't2', 0, 't2']);
  t.end();
});

t.test('after an outage of the whole house the music stands at the last mark [row 71]', (t) => {
  const house = House.withTracks(3);
  house.done(5, begin(1));
  house.add(10, 1, 2, 3);
  house.done(1_000, PLAY);
  house.done(11_100, { type: 'transport.mark' });
  house.done(13_100, { type: 'transport.mark' });
  const nextDay = 26 * 3_600_000;
  house.done(nextDay, begin(2));
  t.same(house.shows(nextDay + 5), ['paused', 't2', 2_000, 't2 t3']);
  house.done(nextDay + 1_000, PLAY);
  t.same(house.shows(nextDay + 1_600), ['playing', 't2', 2_500, 't2 t3']);
  t.end();
});

t.test('reserved time never shrinks', (t) => {
  const house = new House();
  house.done(1, { type: 'leader.reserve', reserveUntilNs: 50_000n });
  house.done(2, begin(1));
  house.done(3, { type: 'leader.reserve', reserveUntilNs: 40_000n });
  t.equal(house.cluster.reserveUntilNs, 50_000n);
  t.equal(house.cluster.term?.since, at(2));
  t.end();
});

t.test('the memory for changes of the transport is bounded', (t) => {
  const house = House.withTracks(1);
  house.add(10, 1);
  const sizeAfter = (count: number) => {
    for (let k = 0; k < count; k++) {
      house.done(Number(house.cluster.lastStamp) / 1e6 + 1_000, { type: 'transport.seek', positionMs: 5 });
    }
    return house.cluster.snapshot().length;
  };
  house.done(11, PLAY);
  const once = sizeAfter(TRANSPORT_CHANGES_MAX);
  t.ok(Math.abs(sizeAfter(10 * TRANSPORT_CHANGES_MAX) - once) < 32, 'numbers grow wider, and that is all');
  t.end();
});

t.test('an empty house has a view', (t) => {
  t.same(Cluster.empty().view(at(7)), {
    appliedSlot: 0,
    tracksRev: 0,
    tracks: [],
    queueVersion: 0,
    queueLength: 0,
    queue: [],
    transport: {
      status: 'stopped',
      itemId: null,
      trackId: null,
      title: null,
      positionMs: 0,
      durationMs: 0,
      atNs: at(7),
      startAtNs: at(0),
      changedBy: null,
    },
    repeat: 'off',
    volume: 100,
    muted: false,
  });
  t.end();
});
