/** A store keeps what it returned for, writes no more than it must, and refuses what would undo a promise. */
import t from 'tap';
import { InvariantError } from '../../src/core/assert.js';
import { slot as slotOf } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import { NO_BALLOT } from '../../src/paxos/ballot.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { PAGE_BYTES } from '../../src/storage/limits.js';
import { Store } from '../../src/storage/store.js';
import { codeOf } from '../contract/support.js';
import { accept, ballot, boot, freshStore, INIT, id, record, records, SMALL, textOf, work } from './support.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function reopen(disk: FakeDisk, store: Store, start = 1): Store {
  store.close();
  return Store.open(disk, { bootId: boot(start) }, SMALL);
}

t.test('a new store is who it was made as, and has accepted nothing', (t) => {
  const disk = new FakeDisk();
  t.equal(Store.inspect(disk), 'empty');
  const store = freshStore(disk);
  t.equal(Store.inspect(disk), 'formatted');
  t.match(store.recovered, {
    cluster: INIT.cluster,
    node: INIT.node,
    incarnation: INIT.incarnation,
    boots: [boot(0)],
    starts: 1,
    promised: NO_BALLOT,
    leaseMsMax: 450,
    base: 0,
    snapshot: null,
    accepted: [],
    unknown: [],
    chosenUpTo: 0,
    cards: null,
    lastBatch: 0,
    fill: 0,
    repairs: [],
  });
  t.equal(
    codeOf(() => Store.format(disk, INIT, SMALL)),
    'ALREADY_A_MEMBER',
  );
  t.equal(
    codeOf(() => store.readSnapshot()),
    'NOT_FOUND',
  );
  t.equal(
    codeOf(() => Store.open(new FakeDisk(), { bootId: boot(1) }, SMALL)),
    'NOT_FOUND',
  );
  t.end();
});

t.test('a store that finds no room takes none, and can be made once there is some', (t) => {
  const disk = new FakeDisk();
  disk.setFreeBytes(100_000);
  t.equal(
    codeOf(() => Store.format(disk, INIT, SMALL)),
    'DISK_FULL',
  );
  t.strictSame(
    disk.list('consensus.new').filter(({ kind }) => kind === 'file'),
    [],
  );
  disk.setFreeBytes(1e9);
  Store.format(disk, INIT, SMALL);
  t.equal(Store.inspect(disk), 'formatted');
  t.end();
});

t.test('a last batch of which everything is damaged is not forgotten, whichever read goes astray besides', (t) => {
  const made = new FakeDisk();
  const store = freshStore(made);
  const texts = ['one', 'two', 'the last'];
  for (const [at, text] of texts.entries()) {
    store.commit([accept({ slot: slotOf(at + 1), ballot: ballot(1), chosen: false, entry: bytes(text) })]);
  }
  store.close();
  const identifierAt = (3 % SMALL.ringPages) * PAGE_BYTES;
  const bodyAt = 2 * PAGE_BYTES;
  for (const [what, damages] of [
    ['both', ['body', 'identifier']],
    ['its body', ['body']],
    ['its identifier', ['identifier']],
  ] as const) {
    const forgotten: number[] = [];
    for (let after = 0; after < 80; after++) {
      const disk = made.copy();
      for (const damage of damages) {
        if (damage === 'body') disk.flipBit('consensus/log-0000', bodyAt + 8, 0);
        else disk.flipBit('consensus/identifiers', identifierAt + 8, 0);
      }
      disk.misdirectReads(1, after);
      const { accepted, unknown } = Store.open(disk, { bootId: boot(1) }, SMALL).recovered;
      if (![...accepted, ...unknown].some(({ slot }) => slot === 3)) forgotten.push(after);
    }
    t.strictSame(forgotten, [], what);
  }
  t.end();
});

t.test('what was committed is there after a restart, the latest record of each slot', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk);
  t.equal(store.commit([accept(...records(1, 3, 1))]), 1);
  const cards = bytes('cards');
  const works = [
    accept(record(2, 2)),
    work({ promised: ballot(5), leaseMs: 700, configuration: bytes('two'), chosenUpTo: slotOf(1), cards }),
    accept(record(4, 5, { chosen: true })),
  ];
  t.equal(store.commit(works), 2, 'a group of works is one batch');
  const { recovered } = reopen(disk, store);
  t.same(
    recovered.accepted.map(textOf),
    [1, 2, 3, 4].map((slot, at) => textOf(record(slot, [1, 2, 1, 5][at]!, { chosen: slot === 4 }))),
  );
  t.match(recovered, { promised: ballot(5), leaseMsMax: 700, chosenUpTo: 1, lastBatch: 2, boots: [boot(0), boot(1)] });
  t.same(recovered.configuration, bytes('two'));
  t.same(recovered.cards, cards);
  t.end();
});

t.test('one commit is two writes and two syncs; with nothing new to say it is none', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk);
  const spent = (body: () => void) => {
    const before = disk.counts;
    body();
    const after = disk.counts;
    return { writes: after.writes - before.writes, syncs: after.syncs - before.syncs };
  };
  t.same(
    spent(() => store.commit([accept(record(1, 1)), accept(record(2, 1))])),
    { writes: 2, syncs: 2 },
  );
  t.same(
    spent(() => store.commit([work({ chosenUpTo: slotOf(2), cards: bytes('x') })])),
    { writes: 0, syncs: 0 },
  );
  t.same(
    spent(() => store.forgetBoots(boot(0))),
    { writes: 0, syncs: 0 },
  );
  t.same(
    spent(() => store.commit([work({ promised: ballot(2) })])),
    { writes: 4, syncs: 2 },
    'four copies in two files',
  );
  t.same(
    spent(() => store.commit([work({ promised: ballot(2) })])),
    { writes: 0, syncs: 0 },
    'the same promise again',
  );
  t.same(
    spent(() => store.verify()),
    { writes: 0, syncs: 0 },
  );
  t.end();
});

t.test('a promise is never taken back, and one that only records tell counts', (t) => {
  const disk = new FakeDisk();
  let store = freshStore(disk);
  store.commit([accept(record(1, 9))]);
  store.commit([work({ promised: ballot(4) })]);
  store = reopen(disk, store);
  t.same(store.recovered.promised, ballot(9));
  t.throws(() => store.commit([work({ promised: ballot(8) })]), InvariantError);
  t.equal(
    codeOf(() => store.commit([accept(record(2, 9))])),
    'DISK_FAILED',
    'and a broken invariant is the end',
  );
  t.end();
});

t.test('a promise that only recycled records told is not forgotten with them', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk);
  store.commit([accept(record(1, 9))]);
  store.saveSnapshot(slotOf(1), bytes('one'));
  const { recovered } = reopen(disk, store);
  t.same(recovered.promised, ballot(9));
  t.match(recovered, { base: 1, accepted: [], snapshot: { slot: 1, length: 3 }, chosenUpTo: 1, lastBatch: 1 });
  t.end();
});

t.test('a failed write or sync is the end of the store, whichever it is', (t) => {
  // A batch, its identifier, and the superblock in two steps of two copies each.
  const failures = [
    ...[0, 1, 2, 3, 4, 5].map((at) => ({ operation: 'write', at }) as const),
    ...[0, 1, 2, 3].map((at) => ({ operation: 'sync', at }) as const),
  ];
  for (const { operation, at } of failures) {
    let left = Number.POSITIVE_INFINITY;
    const disk: FakeDisk = new FakeDisk({
      onChange: ({ change }) => {
        if (change === operation && left-- === 0) disk.failNext(operation);
      },
    });
    const store = freshStore(disk);
    left = at;
    const commit = () => store.commit([work({ promised: ballot(2), records: [record(1, 1)] })]);
    t.equal(codeOf(commit), 'DISK_FAILED', `${operation} ${at}`);
    const before = disk.changes;
    t.equal(codeOf(commit), 'DISK_FAILED');
    t.equal(
      codeOf(() => store.saveSnapshot(slotOf(1), bytes('x'))),
      'DISK_FAILED',
    );
    t.equal(disk.changes, before, 'nothing is tried again');
    store.close();
    const again = Store.open(disk, { bootId: boot(1) }, SMALL);
    t.same(again.recovered.unknown, []);
    again.close();
  }
  t.end();
});

t.test('after a sync that failed, a restart finds what the medium holds, not what the system remembers', (t) => {
  let lost = 0;
  for (let seed = 0; seed < 40; seed++) {
    const disk = new FakeDisk({ seed });
    const store = freshStore(disk);
    store.commit([accept(record(1, 1))]);
    disk.failNext('sync');
    t.equal(
      codeOf(() => store.commit([accept(record(2, 1, { bytes: 9_000 }))])),
      'DISK_FAILED',
    );
    disk.killProcess();
    const again = Store.open(disk, { bootId: boot(1) }, SMALL);
    const found = again.recovered.accepted.map(({ slot }) => slot);
    const image = disk.copy();
    t.ok(found.includes(slotOf(1)));
    if (!found.includes(slotOf(2))) lost++;
    const restarted = Store.open(image, { bootId: boot(2) }, SMALL);
    t.same(
      restarted.recovered.accepted.map(({ slot }) => slot),
      found,
      'and the next start finds the same',
    );
  }
  t.ok(lost > 10 && lost < 40, `${lost} of 40 times the pages never reached the medium`);
  t.end();
});

t.test('a snapshot makes room; the ring and the segments go round many times', (t) => {
  const disk = new FakeDisk();
  let store = freshStore(disk);
  for (let slot = 1; slot <= 200; slot++) {
    store.commit([work({ records: [record(slot, 1)], chosenUpTo: slotOf(slot - 1) })]);
    if (store.fill > 0.5) store.saveSnapshot(slotOf(slot - 1), bytes(`state ${slot - 1}`));
    t.ok(store.fill <= 0.75);
    if (slot % 17 === 0) {
      store = reopen(disk, store, slot);
      t.same(store.recovered.repairs, []);
      t.equal(store.recovered.accepted.at(-1)?.slot, slot);
      t.equal(store.recovered.base + store.recovered.accepted.length, slot);
    }
  }
  t.equal(store.lastBatch, 200);
  t.end();
});

t.test(
  'a page of the ring that was spoilt since its round makes nothing unknown when the power cuts a batch off',
  (t) => {
    const made = new FakeDisk();
    const store = freshStore(made);
    // Both where the ring goes on and where it begins anew.
    for (let slot = 1; slot <= 2 * SMALL.ringPages + 2; slot++) {
      for (const when of ['while the store was open', 'before'] as const) {
        // Of a log that is empty nobody knows where it goes on, so nothing shows that its next batch never was.
        if (when === 'before' && slot === 1) continue;
        for (let seed = 0; seed < 4; seed++) {
          const disk = made.copy();
          const spoil = (sequence: number) =>
            disk.flipBit('consensus/identifiers', (sequence % SMALL.ringPages) * PAGE_BYTES + 8, 0);
          if (when === 'before') spoil(slot);
          const cutOff = Store.open(disk, { bootId: boot(1) }, SMALL);
          if (when !== 'before') {
            spoil(slot + 1);
            cutOff.commit([accept(record(slot, 1))]);
          }
          disk.failNext('sync');
          t.equal(
            codeOf(() => cutOff.commit([accept(record(slot + 1, 1, { bytes: 2 * PAGE_BYTES }))])),
            'DISK_FAILED',
          );
          disk.crash(new Prng(seed));
          const { recovered } = Store.open(disk, { bootId: boot(2) }, SMALL);
          t.same(recovered.unknown, [], `slot ${slot + 1}, seed ${seed}, spoilt ${when}`);
        }
      }
      store.commit([work({ records: [record(slot, 1)], chosenUpTo: slotOf(slot - 1) })]);
      if (store.fill > 0.5) store.saveSnapshot(slotOf(slot - 1), bytes(`state ${slot - 1}`));
    }
    t.end();
  },
);

t.test('a quiet house fills the ring by batches, not by bytes', (t) => {
  const store = freshStore(new FakeDisk(), { ...SMALL, segments: 16 });
  for (let slot = 1; slot <= 9; slot++) store.commit([accept(record(slot, 1))]);
  t.equal(store.fill, 9 / 16);
  t.end();
});

t.test('a log that is full refuses, and loses nothing', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk);
  let slot = 0;
  const code = codeOf(() => {
    for (;;) store.commit([accept(record(++slot, 1))]);
  });
  t.equal(code, 'DISK_FULL');
  const again = reopen(disk, store);
  t.equal(again.recovered.accepted.length, 15, 'one page of the ring is always blank');
  t.equal(again.recovered.fill, 1);
  again.saveSnapshot(slotOf(15), bytes('all of it'));
  t.ok(again.fill < 0.5, 'and a snapshot makes room again');
  t.end();
});

t.test('a snapshot older than the one that is here is refused, and a peer’s of the same slot too', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk);
  store.commit([accept(...records(1, 6, 1))]);
  store.saveSnapshot(slotOf(4), bytes('four'));
  const init = { configuration: bytes('c'), promised: null };
  t.equal(
    codeOf(() => store.saveSnapshot(slotOf(3), bytes('x'))),
    'BAD_SNAPSHOT',
  );
  for (const slot of [3, 4]) {
    t.equal(
      codeOf(() => store.installSnapshot(slotOf(slot), bytes('x'), init)),
      'BAD_SNAPSHOT',
    );
  }
  t.same(store.readSnapshot(), bytes('four'));
  store.installSnapshot(slotOf(4), bytes('another four'), { ...init, trusted: false });
  t.same(store.readSnapshot(), bytes('another four'), 'but for a state that is not trusted');
  t.equal(
    codeOf(() => store.installSnapshot(slotOf(3), bytes('x'), { ...init, trusted: false })),
    'BAD_SNAPSHOT',
  );
  store.installSnapshot(slotOf(5), bytes('five'), { configuration: bytes('c5'), promised: ballot(8) });
  const again = reopen(disk, store);
  t.same(again.readSnapshot(), bytes('five'));
  t.match(again.recovered, { base: 5, promised: ballot(8), accepted: [{ slot: 6 }] });
  t.same(again.recovered.configuration, bytes('c5'));
  t.end();
});

t.test('a snapshot that is damaged is said to be, and a peer’s of the same slot takes its place', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk);
  // One that jumped over what this log never had: nothing on this card can make up for it.
  store.installSnapshot(slotOf(1), bytes('the state'), { configuration: bytes('c'), promised: null });
  const { name } = disk.list('consensus/snapshots')[0]!;
  disk.flipBit(`consensus/snapshots/${name}`, 3, 0, { cached: true });
  t.equal(
    codeOf(() => store.readSnapshot()),
    'BAD_SNAPSHOT',
  );
  t.same(store.verify(), [{ part: 'snapshot', detail: 'the snapshot of slot 1 is damaged' }]);
  const again = reopen(disk, store);
  t.match(again.recovered, { base: 1, snapshot: { slot: 1 } }, 'the log still begins behind it');
  t.equal(
    codeOf(() => again.installSnapshot(slotOf(0), bytes('x'), { configuration: bytes('c'), promised: null })),
    'BAD_SNAPSHOT',
  );
  again.installSnapshot(slotOf(1), bytes('the state'), { configuration: bytes('c'), promised: null });
  t.same(again.readSnapshot(), bytes('the state'));
  t.same(again.verify(), []);
  t.end();
});

t.test('a full disk stops no commit; the ballast makes room for a snapshot, and comes back', (t) => {
  const limits = { ...SMALL, ballastBytes: 40_960 };
  const disk = new FakeDisk();
  const store = freshStore(disk, limits);
  t.ok(disk.exists('consensus/ballast'));
  disk.setFreeBytes(0);
  store.commit([accept(...records(1, 5, 1)), work({ promised: ballot(2) })]);
  t.equal(
    codeOf(() => store.saveSnapshot(slotOf(2), new Uint8Array(1 << 20))),
    'DISK_FULL',
    'larger than the ballast',
  );
  t.notOk(disk.exists('consensus/ballast'));
  t.same(disk.list('consensus/snapshots'), []);
  store.commit([accept(record(6, 2))]);
  store.saveSnapshot(slotOf(3), new Uint8Array(30_000).fill(1));
  disk.setFreeBytes(1 << 20);
  store.saveSnapshot(slotOf(4), bytes('small'));
  t.ok(disk.exists('consensus/ballast'));
  t.same(store.verify(), []);
  t.end();
});

t.test('starts are named until they are known to be known, and a chain that grows too long keeps its ends', (t) => {
  const disk = new FakeDisk();
  let store = freshStore(disk);
  for (let start = 1; start <= 5; start++) store = reopen(disk, store, start);
  t.equal(store.recovered.starts, 6);
  t.same(store.recovered.boots, [0, 1, 2, 3, 4, 5].map(boot));
  store.forgetBoots(boot(4));
  store.forgetBoots(id(99) as never);
  store.commit([work({ promised: ballot(1) })]);
  store = reopen(disk, store, 6);
  t.same(store.recovered.boots, [4, 5, 6].map(boot));
  for (let start = 7; start <= 1_040; start++) store = reopen(disk, store, start);
  t.equal(store.recovered.boots.length, 1_024);
  t.equal(store.recovered.boots[0], boot(4));
  t.equal(store.recovered.boots.at(-1), boot(1_040));
  t.end();
});

t.test('a damaged slot is unknown until a peer’s record covers it, or a person gives it up', (t) => {
  const disk = new FakeDisk();
  let store = freshStore(disk);
  for (let slot = 1; slot <= 4; slot++) store.commit([accept(record(slot, slot))]);
  for (const page of [1, 2]) disk.flipBit('consensus/log-0000', page * 4_096 + 60, 1);
  t.equal(store.verify().filter(({ part }) => part === 'batch').length, 2);
  store = reopen(disk, store);
  t.same(store.recovered.unknown, [
    { slot: 2, ballot: ballot(2) },
    { slot: 3, ballot: ballot(3) },
  ]);
  t.match(store.recovered.repairs, [/batch 2.*unknown/, /batch 3.*unknown/]);
  store.commit([accept(record(2, 2))]);
  store = reopen(disk, store, 2);
  t.same(store.recovered.unknown, [{ slot: 3, ballot: ballot(3) }]);
  store.acceptLoss([slotOf(3)]);
  store = reopen(disk, store, 3);
  t.same(store.recovered.unknown, []);
  t.same(
    store.recovered.accepted.map(({ slot }) => slot),
    [1, 2, 4],
  );
  store.saveSnapshot(slotOf(4), bytes('four'));
  t.same(reopen(disk, store, 4).recovered.accepted, []);
  t.end();
});

t.test('a damaged batch is unknown in its damaged records only, and what was chosen before stays', (t) => {
  const disk = new FakeDisk();
  let store = freshStore(disk);
  store.commit([accept(...records(1, 4, 1))]);
  store.commit([work({ records: [record(9, 1)], chosenUpTo: slotOf(2) })]);
  store.commit([accept(...records(1, 5, 2, { bytes: 100 }))]);
  disk.flipBit('consensus/log-0000', 2 * 4_096 + 40 + 3 * 135, 1);
  store = reopen(disk, store);
  const { accepted, unknown } = store.recovered;
  t.same(
    unknown.map(({ slot, ballot }) => [slot, ballot?.round]),
    [[4, 2]],
  );
  t.same(
    accepted.map(({ slot, ballot }) => [slot, ballot.round]),
    [
      [1, 2],
      [2, 2],
      [3, 2],
      [5, 2],
      [9, 1],
    ],
  );
  t.end();
});

t.test('when batch and identifier are both gone, all that they may have held is unknown, and no more', (t) => {
  const disk = new FakeDisk();
  let store = freshStore(disk);
  store.commit([work({ records: records(1, 3, 1), chosenUpTo: slotOf(2) })]);
  store.commit([accept(...records(4, 5, 1))]);
  store.commit([accept(record(5, 2))]);
  disk.breakPage('consensus/log-0000', 4_096);
  disk.breakPage('consensus/identifiers', 2 * 4_096);
  store = reopen(disk, store);
  t.same(store.recovered.unknown, [
    { slot: 3, ballot: null },
    { slot: 4, ballot: null },
  ]);
  t.same(
    store.recovered.accepted.map(({ slot }) => slot),
    [1, 2, 5],
  );
  t.match(store.recovered.repairs, [/every slot that nothing else covers is unknown/]);
  t.end();
});

t.test(
  'a member that was far behind, and has lost the first batch that it accepted of a term, does not take that for nothing',
  (t) => {
    const disk = new FakeDisk();
    let store = freshStore(disk);
    store.commit([accept(...records(1, 3, 1))]);
    store.commit([work({ promised: ballot(7) })]);
    // What the term begins with; all below it is chosen elsewhere, and still on its way.
    store.commit([accept(record(5_000, 7))]);
    disk.breakPage('consensus/log-0000', 4_096);
    disk.breakPage('consensus/identifiers', 2 * 4_096);
    store = reopen(disk, store);
    t.ok(store.recovered.unknown.some(({ slot }) => slot === 5_000));
    t.equal(Math.max(...store.recovered.unknown.map(({ slot }) => slot)), 5_000, 'and no more');
    t.end();
  },
);

t.test('a superblock of which one copy is left, or none, is said to be unreadable, and what to do', (t) => {
  const disk = new FakeDisk();
  freshStore(disk).close();
  for (const offset of [0, SMALL.superblockGapBytes]) disk.breakPage('consensus/superblock-a', offset);
  t.equal(Store.inspect(disk), 'formatted', 'two are enough');
  disk.breakPage('consensus/superblock-b', 0);
  t.equal(Store.inspect(disk), 'unreadable');
  t.equal(
    codeOf(() => Store.open(disk, { bootId: boot(1) }, SMALL)),
    'STORE_UNREADABLE',
  );
  t.equal(
    codeOf(() => Store.format(disk, INIT, SMALL)),
    'ALREADY_A_MEMBER',
    'it is never taken for a new one',
  );
  const half = new FakeDisk();
  freshStore(half).close();
  half.remove('consensus/superblock-b');
  const store = Store.open(half, { bootId: boot(1) }, SMALL);
  t.same(store.verify(), [], 'the file that was gone is there again');
  half.remove('consensus/superblock-a');
  half.remove('consensus/superblock-b');
  t.equal(Store.inspect(half), 'unreadable');
  t.end();
});

t.test('a single copy with a higher sequence is an unfinished write: it is ignored, and outnumbered for good', (t) => {
  const disk = new FakeDisk();
  freshStore(disk).close();
  const ahead = disk.copy();
  const other = Store.open(ahead, { bootId: boot(1) }, SMALL);
  other.commit([work({ promised: ballot(7) })]);
  other.close();
  const page = new Uint8Array(4_096);
  ahead.open('consensus/superblock-a', 'read').read(page, 0);
  disk.open('consensus/superblock-a', 'write').write(page, 0);
  disk.killProcess();
  const store = Store.open(disk, { bootId: boot(2) }, SMALL);
  t.same(store.recovered.promised, NO_BALLOT);
  t.match(store.recovered.repairs, [/copy at 0 of superblock-a differed/]);
  t.same(store.verify(), []);
  t.end();
});

t.test('pages of another format of the same card are nobody’s', (t) => {
  const disk = new FakeDisk();
  const store = freshStore(disk);
  store.commit([accept(...records(1, 5, 9))]);
  store.close();
  disk.rename('consensus', 'old');
  Store.format(disk, { ...INIT, incarnation: id(4) as never }, SMALL);
  for (const name of ['log-0000', 'identifiers']) disk.rename(`old/${name}`, `consensus/${name}`);
  const { recovered } = Store.open(disk, { bootId: boot(1) }, SMALL);
  t.same(recovered.accepted, []);
  t.same(recovered.promised, NO_BALLOT);
  t.end();
});

t.test('a batch that was written for another place is nobody’s', (t) => {
  const disk = new FakeDisk();
  let store = freshStore(disk);
  store.commit([accept(record(1, 1))]);
  const ahead = disk.copy();
  const other = Store.open(ahead, { bootId: boot(1) }, SMALL);
  other.commit([accept(record(2, 2))]);
  const page = new Uint8Array(4_096);
  ahead.open('consensus/log-0000', 'read').read(page, 4_096);
  disk.open('consensus/log-0000', 'write').write(page, 2 * 4_096);
  store = reopen(disk, store);
  t.same(store.recovered.accepted.map(textOf), [textOf(record(1, 1))]);
  disk.open('consensus/log-0000', 'write').write(page, 4_096);
  t.equal(reopen(disk, store, 2).recovered.accepted.length, 2, 'in its place it is the next one');
  t.end();
});

t.test('close is idempotent, and nothing is done after it', (t) => {
  const store = freshStore(new FakeDisk());
  store.close();
  store.close();
  t.equal(
    codeOf(() => store.commit([accept(record(1, 1))])),
    'DISK_FAILED',
  );
  t.end();
});
