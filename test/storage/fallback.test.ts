/** Where the snapshot that counts is damaged, the one before and the log after that one come to the same. */
import t from 'tap';
import { slot as slotOf } from '../../src/core/ids.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { Store } from '../../src/storage/store.js';
import { codeOf } from '../contract/support.js';
import { accept, ballot, boot, freshStore, record, records, SMALL, textOf, work } from './support.js';

const LIMITS = { ...SMALL, segments: 16, ringPages: 64 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function reopen(disk: FakeDisk, store: Store, start = 1): Store {
  store.close();
  return Store.open(disk, { bootId: boot(start) }, LIMITS);
}

/** Damages the snapshot as of `slot` on the card; cached copies show nothing of it. */
function damageSnapshot(disk: FakeDisk, slot: number): void {
  const found = disk.list('consensus/snapshots').filter(({ name }) => name.startsWith(`${slot}-`));
  for (const { name } of found) disk.flipBit(`consensus/snapshots/${name}`, 1, 0, { cached: true });
}

/** Commits each slot in a batch of its own. */
function commitEach(store: Store, from: number, to: number): void {
  for (const each of records(from, to, 1)) store.commit([work({ records: [each], chosenUpTo: each.slot })]);
}

/** Damages batch and identifier of the batch with this sequence. */
function loseBatch(disk: FakeDisk, sequence: number): void {
  const marker = bytes(`slot ${sequence} round`);
  for (const { name, kind, size } of disk.list('consensus')) {
    if (kind !== 'file' || !name.startsWith('log')) continue;
    const file = disk.open(`consensus/${name}`, 'read');
    const content = new Uint8Array(size);
    file.read(content, 0);
    file.close();
    const at = Buffer.from(content).indexOf(marker);
    if (at >= 0) disk.flipBit(`consensus/${name}`, at, 0, { cached: true });
  }
}

t.test('a damaged snapshot costs nothing while the one before and the log after that are there', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk, LIMITS);
  commitEach(store, 1, 4);
  store.saveSnapshot(slotOf(4), bytes('four'));
  commitEach(store, 5, 9);
  store.saveSnapshot(slotOf(7), bytes('seven'));
  store.commit([accept(record(10, 2))]);
  damageSnapshot(disk, 7);
  const again = reopen(disk, store);
  const { recovered } = again;
  t.match(recovered, { base: 4, snapshot: { slot: 4 }, unknown: [], promised: ballot(2), lastBatch: 10 });
  t.ok(recovered.chosenUpTo >= 7);
  const expected = [...records(5, 9, 1), record(10, 2)].map(textOf);
  t.same(recovered.accepted.map(textOf), expected);
  t.same(again.readSnapshot(), bytes('four'));
  t.match(recovered.repairs.join(), /snapshot of slot 7 was damaged/);
  again.commit([accept(record(11, 2))]);
  again.saveSnapshot(slotOf(10), bytes('ten'));
  const later = reopen(disk, again, 2);
  t.match(later.recovered, { base: 10, accepted: [{ slot: 11 }], repairs: [] }, 'and it goes on from there');
  t.same(later.verify(), []);
  t.end();
});

t.test('the first snapshot is made up for by the log alone', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk, LIMITS);
  commitEach(store, 1, 5);
  store.saveSnapshot(slotOf(5), bytes('five'));
  damageSnapshot(disk, 5);
  const again = reopen(disk, store);
  t.match(again.recovered, { base: 0, snapshot: null, unknown: [], chosenUpTo: 5 });
  t.same(again.recovered.accepted.map(textOf), records(1, 5, 1).map(textOf));
  t.end();
});

t.test('what stood in the log under a snapshot of a peer never comes back', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk, LIMITS);
  // Accepted from a leader that is over: others were chosen.
  store.commit([accept(...records(1, 5, 1))]);
  store.installSnapshot(slotOf(5), bytes('of a peer'), { configuration: bytes('c'), promised: null });
  damageSnapshot(disk, 5);
  const again = reopen(disk, store);
  t.match(again.recovered, { base: 5, accepted: [], snapshot: { slot: 5 } });
  t.same(again.damagedSnapshot, { slot: 5, missing: null });
  t.equal(
    codeOf(() => again.readSnapshot()),
    'BAD_SNAPSHOT',
  );
  t.end();
});

t.test('what is damaged beside the snapshot is lost only where a person gives it up', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk, LIMITS);
  commitEach(store, 1, 6);
  store.saveSnapshot(slotOf(6), bytes('six'));
  commitEach(store, 7, 8);
  damageSnapshot(disk, 6);
  loseBatch(disk, 3);
  const again = reopen(disk, store);
  t.match(again.recovered, { base: 6, accepted: [{ slot: 7 }, { slot: 8 }], unknown: [] }, 'nothing is guessed');
  t.same(again.damagedSnapshot, { slot: 6, missing: [3] });
  again.giveUpSnapshot();
  const later = reopen(disk, again, 2);
  t.match(later.recovered, { base: 0, snapshot: null, unknown: [] });
  t.same(
    later.recovered.accepted.map(({ slot }) => slot),
    [1, 2, 4, 5, 6, 7, 8],
  );
  t.equal(later.damagedSnapshot, null);
  t.end();
});

t.test('a log that was written over makes up for nothing', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk, LIMITS);
  commitEach(store, 1, 6);
  store.saveSnapshot(slotOf(6), bytes('six'));
  commitEach(store, 7, 66);
  damageSnapshot(disk, 6);
  const again = reopen(disk, store);
  t.match(again.recovered, { base: 6, accepted: { length: 60 }, unknown: [], lastBatch: 66 });
  t.same(again.damagedSnapshot, { slot: 6, missing: null });
  t.end();
});

t.test('a snapshot of the same slot takes the place of a damaged one, and what was before it still counts', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk, LIMITS);
  commitEach(store, 1, 4);
  for (let damages = 0; damages < 2; damages++) {
    store.saveSnapshot(slotOf(4), bytes('four'));
    t.same(store.verify(), []);
    damageSnapshot(disk, 4);
    t.match(store.verify(), [{ part: 'snapshot' }]);
  }
  t.equal(disk.list('consensus/snapshots').length, 1);
  t.match(reopen(disk, store).recovered, { base: 0, accepted: { length: 4 } });
  t.end();
});

t.test('a full disk gives up the snapshot before for the next one', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk, LIMITS);
  commitEach(store, 1, 4);
  store.saveSnapshot(slotOf(2), new Uint8Array(8_000));
  store.saveSnapshot(slotOf(3), new Uint8Array(8_000));
  t.equal(disk.list('consensus/snapshots').length, 2);
  disk.setFreeBytes(0);
  store.saveSnapshot(slotOf(4), new Uint8Array(8_000));
  t.match(reopen(disk, store).recovered, { base: 4, snapshot: { slot: 4 } });
  t.end();
});
