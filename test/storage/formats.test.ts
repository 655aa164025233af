/** Batches, identifiers, superblocks and checksums come back as they were written, and only so. */
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { InvariantError } from '../../src/core/assert.js';
import { slot as slotOf } from '../../src/core/ids.js';
import { BatchWriter, entryBytesMax, type LogRecord, readBatch, salvageRecords } from '../../src/storage/batch.js';
import { crc32 } from '../../src/storage/crc32.js';
import { RangeList, readIdentifier, writeIdentifier } from '../../src/storage/identifier.js';
import { BATCH_RANGES_MAX, BATCH_RECORDS_MAX, PAGE_BYTES } from '../../src/storage/limits.js';
import { decodeSuperblock, encodeSuperblock, type SuperblockState } from '../../src/storage/superblock.js';
import { ballot, boot, INIT, record } from './support.js';

const SEAL = 12_345;
const SEGMENT_BYTES = 64 << 10;

const records = fc.array(
  fc
    .record({
      slot: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      round: fc.integer({ min: 1, max: 2 ** 48 }),
      bytes: fc.nat(3_000),
      kind: fc.constantFrom('entry', 'chosen', 'lost'),
    })
    .map(({ slot, round, bytes, kind }): LogRecord => {
      const whole = record(slot, round, { bytes, chosen: kind === 'chosen' });
      return kind === 'lost' ? { slot: whole.slot, ballot: whole.ballot, lost: true } : whole;
    }),
  { minLength: 1, maxLength: 30 },
);

function batchOf(all: readonly LogRecord[], cards: Uint8Array | null = null) {
  const writer = new BatchWriter({ seal: SEAL, segmentBytes: SEGMENT_BYTES });
  const written = all.filter((each) => writer.add(each));
  const place = { sequence: 9, segment: 3, page: 2, previous: 77 };
  const { pages, hash } = writer.finish(place, { cards, chosenUpTo: slotOf(5), highestSlot: slotOf(6) });
  return { bytes: pages.slice(), hash, written };
}

t.test('the checksum is that of zlib, in one piece or in several', (t) => {
  t.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (a, b) => {
      t.equal(crc32(b, crc32(a)), zlibCrc32(Buffer.concat([a, b])));
    }),
    { seed: 1, numRuns: 300 },
  );
  t.end();
});

t.test('a batch comes back as it was written, whatever is behind it', (t) => {
  fc.assert(
    fc.property(records, fc.option(fc.uint8Array({ maxLength: 500 })), (all, cards) => {
      const { bytes, hash, written } = batchOf(all, cards);
      t.equal(bytes.length % PAGE_BYTES, 0);
      const batch = readBatch(Buffer.concat([bytes, Buffer.alloc(PAGE_BYTES, 0xee)]), SEAL);
      t.match(batch, { sequence: 9, segment: 3, page: 2, previous: 77, hash, chosenUpTo: 5, highestSlot: 6 });
      t.same(batch?.records, written);
      t.same(batch?.cards, cards);
      t.same(salvageRecords(bytes, SEAL), written);
      t.equal(readBatch(bytes, SEAL + 1), undefined, 'of another store');
    }),
    { seed: 1, numRuns: 100 },
  );
  t.end();
});

t.test('one bit that flips in a batch is found, and spares the records before and after it', (t) => {
  const { bytes, written } = batchOf([1, 2, 3, 4, 5].map((slot) => record(slot, 2, { bytes: 200 })));
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
  for (let at = 0; at < used; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1 << (at % 8);
    if (readBatch(damaged, SEAL) !== undefined) t.fail(`byte ${at} may be anything`);
    const salvaged = salvageRecords(damaged, SEAL);
    if (salvaged.some((each) => !written.some(({ slot }) => slot === each.slot))) t.fail(`byte ${at} invents a record`);
  }
  const inEntry = bytes.slice();
  inEntry[40 + 4 + 30]! ^= 1;
  t.same(
    salvageRecords(inEntry, SEAL).map(({ slot }) => slot),
    [2, 3, 4, 5],
  );
  t.end();
});

t.test('a batch takes as many records, and as large ones, as fit, and says when it is full', (t) => {
  const writer = new BatchWriter({ seal: SEAL, segmentBytes: SEGMENT_BYTES });
  const place = { sequence: 1, segment: 0, page: 0, previous: 0 };
  const trailer = { cards: null, chosenUpTo: slotOf(0), highestSlot: slotOf(0) };
  for (let slot = 1; slot <= BATCH_RECORDS_MAX; slot++)
    t.ok(writer.add({ ...record(slot, 1), entry: Uint8Array.of(1) }));
  t.notOk(writer.add(record(1, 1)), 'too many');
  t.equal(readBatch(writer.finish(place, trailer).pages, SEAL)?.records.length, BATCH_RECORDS_MAX);
  const largest = record(1, 1, { bytes: entryBytesMax(SEGMENT_BYTES) });
  t.ok(writer.add(largest));
  t.notOk(writer.add(record(2, 1, { bytes: 500 })), 'too large together');
  const { pages } = writer.finish(place, { ...trailer, cards: new Uint8Array(4_096) });
  t.ok(pages.length <= SEGMENT_BYTES);
  t.same(readBatch(pages, SEAL)?.records, [largest]);
  t.throws(() => writer.add(record(1, 1, { bytes: SEGMENT_BYTES })), InvariantError);
  t.end();
});

t.test('an identifier names every record of its batch in one page', (t) => {
  fc.assert(
    fc.property(records, (all) => {
      const ranges = new RangeList();
      const named = all.filter((each) => {
        if (ranges.isFull(each)) return false;
        ranges.add(each);
        return true;
      });
      const page = new Uint8Array(PAGE_BYTES);
      const taken = ranges.take();
      const identifier = {
        sequence: 4,
        segment: 1,
        page: 2,
        pages: 3,
        hash: 0xffff_ffff,
        ranges: taken,
        chosenUpTo: slotOf(Number.MAX_SAFE_INTEGER),
        highestSlot: slotOf(1),
      };
      writeIdentifier(page, identifier, SEAL);
      t.same(readIdentifier(page, SEAL), identifier);
      t.equal(readIdentifier(page, SEAL + 1), undefined, 'of another store');
      const slots = taken.flatMap(({ from, count }) => Array.from({ length: count }, (_, at) => from + at));
      t.same(
        slots,
        named.map(({ slot }) => slot),
      );
    }),
    { seed: 1, numRuns: 100 },
  );
  const ranges = new RangeList();
  for (let slot = 1; slot <= BATCH_RANGES_MAX; slot++) ranges.add(record(2 * slot, 2 ** 47));
  t.ok(ranges.isFull(record(1, 1)));
  t.notOk(
    ranges.isFull(record(2 * BATCH_RANGES_MAX + 1, 2 ** 47)),
    'what goes on from the last range needs no new one',
  );
  const longNode = { configId: Number.MAX_SAFE_INTEGER - 1, round: 2 ** 48, node: 'n'.repeat(64) } as never;
  const wide = Array.from({ length: BATCH_RANGES_MAX }, () => ({
    from: slotOf(Number.MAX_SAFE_INTEGER - 1),
    count: BATCH_RECORDS_MAX,
    ballot: longNode,
  }));
  const largest = {
    sequence: 1,
    segment: 0,
    page: 0,
    pages: 1,
    hash: 0,
    ranges: wide,
    chosenUpTo: slotOf(Number.MAX_SAFE_INTEGER),
    highestSlot: slotOf(Number.MAX_SAFE_INTEGER),
  };
  const page = new Uint8Array(PAGE_BYTES);
  writeIdentifier(page, largest, SEAL);
  t.same(readIdentifier(page, SEAL), largest, 'the widest ranges fit');
  t.end();
});

t.test('a superblock comes back as it was written, small or as large as it gets', (t) => {
  const { cluster, node, incarnation } = INIT;
  const small: SuperblockState = {
    cluster,
    node,
    incarnation,
    boots: [],
    starts: 0,
    promised: ballot(3),
    configuration: new Uint8Array(0),
    leaseMsMax: 450,
    base: { sequence: 5, segment: 2 },
    last: { sequence: 9, hash: 0xffff_ffff },
    highestSlot: slotOf(8),
    chosenUpTo: slotOf(7),
    cards: null,
    snapshot: null,
    previous: null,
    geometry: { segmentBytes: 4_096, segments: 3, ringPages: 8 },
  };
  const large: SuperblockState = {
    ...small,
    boots: Array.from({ length: 1_024 }, (_, at) => boot(at)),
    starts: 1e6,
    configuration: new Uint8Array(64 << 10).fill(7),
    cards: new Uint8Array(4 << 10).fill(8),
    snapshot: { slot: slotOf(6), name: '6-123', bytes: 1e9, crc: 0 },
    previous: { snapshot: { slot: slotOf(4), name: '4-99', bytes: 1e9, crc: 1 }, base: { sequence: 2, segment: 1 } },
  };
  for (const state of [small, large]) {
    const bytes = encodeSuperblock(42, state);
    t.equal(bytes.length % PAGE_BYTES, 0);
    t.same(decodeSuperblock(bytes)?.state, state);
    t.equal(decodeSuperblock(bytes)?.sequence, 42);
    for (let at = 0; at < bytes.length; at += 37) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1 << (at % 8);
      if (decodeSuperblock(damaged) !== undefined) t.fail(`byte ${at} may be anything`);
    }
    t.equal(decodeSuperblock(bytes.subarray(0, bytes.length - PAGE_BYTES)), undefined, 'cut');
  }
  t.equal(encodeSuperblock(1, small).length, PAGE_BYTES, 'most often one page');
  t.end();
});
