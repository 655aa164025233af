import fc from 'fast-check';
import t from 'tap';
import { Cluster } from '../../src/cluster/cluster.js';
import type { Command } from '../../src/cluster/command.js';
import { pack, unpack } from '../../src/cluster/messagepack.js';
import { TuttiError } from '../../src/core/errors.js';
import { BATH, House, idOf, KITCHEN, trackNamed } from './house.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** A house that has something of everything in its state. */
function furnished(): House {
  const house = House.withTracks(3);
  const node = (id: typeof KITCHEN): Command => ({
    type: 'node.describe',
    node: id,
    name: 'n',
    address: '',
    httpUrl: '',
    version: '',
    commandVersion: 1,
  });
  house.done(5, node(BATH));
  house.done(6, node(KITCHEN));
  house.done(7, { type: 'leader.begin', node: KITCHEN, epoch: 1, reserveUntilNs: 5n, reproposed: [] });
  house.add(10, 1, 2, 3);
  house.done(11, { type: 'transport.play' }, { key: 'play' });
  house.apply(12, { type: 'queue.remove', itemId: 'i9' as never }, { key: 'refused' });
  house.done(13, { type: 'queue.add', trackIds: [idOf(1), idOf(2)] }, { key: 'items' });
  house.done(14, { type: 'volume.set', volume: 30 });
  house.done(15, { type: 'transport.skip' });
  return house;
}

/** A snapshot as a plain value, to be tampered with. */
const opened = (house: House) =>
  unpack(house.cluster.snapshot()) as { playback: object; outcomes: object[]; tracks: object[]; members: object[] };

t.test('a state that is written and read is the same state', (t) => {
  const house = furnished();
  const bytes = house.cluster.snapshot();
  t.equal(hex(Cluster.restore(bytes).snapshot()), hex(bytes));
  t.equal(hex(Cluster.restore(Cluster.empty().snapshot()).snapshot()), hex(Cluster.empty().snapshot()));
  t.end();
});

t.test('equal states give equal bytes, whatever way they came about', (t) => {
  const names = ['b', 'a', 'c'];
  const one = new House();
  const other = new House();
  names.forEach((name, k) => void one.done(k + 1, { type: 'track.add', track: trackNamed(k, name) }));
  [2, 0, 1].forEach((k, step) => void other.done(step + 1, { type: 'track.add', track: trackNamed(k, names[k]!) }));
  t.equal(hex(one.cluster.snapshot()), hex(other.cluster.snapshot()));
  // The same once more, with lists and fields of the snapshot in another order.
  const snapshot = opened(furnished());
  const turned = Object.fromEntries(Object.entries(snapshot).reverse());
  const again = Cluster.restore(
    pack({ ...turned, tracks: snapshot.tracks.toReversed(), members: snapshot.members.toReversed() }),
  );
  t.equal(hex(again.snapshot()), hex(furnished().cluster.snapshot()));
  t.end();
});

t.test('unequal states give unequal bytes: no field is left out', (t) => {
  const commands: Command[] = [
    { type: 'transport.mark' },
    { type: 'transport.mode', repeat: 'all' },
    { type: 'volume.set', muted: true },
    { type: 'volume.set', node: BATH, muted: true },
    { type: 'output.set', node: BATH, channels: 'mono' },
    { type: 'track.rename', trackId: idOf(1), title: 'other' },
    { type: 'leader.reserve', reserveUntilNs: 99n },
    { type: 'queue.shuffle', seed: 5 },
  ];
  const after = commands.map((command) => {
    const house = furnished();
    house.done(1_000, command);
    return hex(house.cluster.snapshot());
  });
  const keyed = furnished();
  keyed.done(1_000, { type: 'transport.mark' }, { key: 'k' });
  t.equal(new Set([...after, hex(keyed.cluster.snapshot())]).size, commands.length + 1);
  t.end();
});

t.test('fields of a newer version live on in the state', (t) => {
  const house = new House();
  house.done(1, { type: 'track.add', track: { ...trackNamed(1, 'x'), mood: { calm: [1, 2n] } } } as Command);
  const restored = Cluster.restore(house.cluster.snapshot());
  t.match(restored.library.get(idOf(1)), { mood: { calm: [1, 2n] } });
  t.end();
});

t.test('a snapshot that is damaged, newer, or contradicts itself is BAD_SNAPSHOT', (t) => {
  const house = furnished();
  const good = opened(house);
  const { playback, outcomes, tracks, members } = good;
  const bad: [string, object][] = [
    ['newer', { ...good, version: 3 }],
    ['a field is missing', { ...good, tracksRev: undefined }],
    ['a track is missing', { ...good, tracks: [] }],
    ['two tracks are one', { ...good, tracks: [...tracks, tracks[0]] }],
    ['two members are one', { ...good, members: [...members, members[0]] }],
    ['an item is longer than its track', { ...good, tracks: tracks.map((x) => ({ ...x, frames: 1 })) }],
    ['the current item is not the first', { ...good, playback: { ...playback, queue: [] } }],
    ['the mark is ahead', { ...good, playback: { ...playback, markedAt: 10n ** 15n } }],
    ['a change is ahead', { ...good, playback: { ...playback, changedBy: { node: 'x', via: 'web', at: 10n ** 15n } } }],
    ['outcomes are out of order', { ...good, outcomes: outcomes.toReversed() }],
    ['an outcome has no code', { ...good, outcomes: [{ ...outcomes[0], refusal: { code: 'OOPS', info: {} } }] }],
    ['too many changes', { ...good, transportChanges: Array.from({ length: 17 }, () => ({ slot: 1, at: 1n })) }],
  ];
  for (const [what, value] of bad) t.throws(() => Cluster.restore(pack(value)), { code: 'BAD_SNAPSHOT' }, what);
  t.throws(() => Cluster.restore(new Uint8Array([0xc1])), { code: 'BAD_SNAPSHOT' });
  t.doesNotThrow(() => Cluster.restore(pack(good)));
  t.end();
});

t.test('mutated snapshots give a typed error or a state that holds together', (t) => {
  const good = furnished().cluster.snapshot();
  const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(changes, (some) => {
      const bytes = good.slice();
      for (const [index, byte] of some) bytes[index] = byte;
      try {
        Cluster.restore(bytes).invariants();
        return true;
      } catch (error) {
        return error instanceof TuttiError && error.code === 'BAD_SNAPSHOT';
      }
    }),
    { seed: 1, numRuns: 2_000 },
  );
  t.end();
});
