/** Pages of log, ring and superblock that hold anything at all: each is read or is nothing, and nothing else happens. */
import t from 'tap';
import { slot as slotOf } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import { BatchWriter, readBatch, readBatchHeader, salvageRecords } from '../../src/storage/batch.js';
import { crc32 } from '../../src/storage/crc32.js';
import { readIdentifier, writeIdentifier } from '../../src/storage/identifier.js';
import { PAGE_BYTES } from '../../src/storage/limits.js';
import { decodeSuperblock, encodeSuperblock, superblockBytes } from '../../src/storage/superblock.js';
import { ballot, boot, INIT, records } from '../storage/support.js';

const SEAL = 99;
const PAGES = 100_000;
/** What a young generation of garbage may take, and far below one length that was believed. Bytes. */
const GROWTH_MAX = 256 << 20;

function batchPage(): Uint8Array {
  const writer = new BatchWriter({ seal: SEAL, segmentBytes: 16 << 10 });
  for (const record of records(1, 8, 3, { bytes: 100 })) writer.add(record);
  const place = { sequence: 5, segment: 0, page: 0, previous: 1 };
  return writer
    .finish(place, { cards: Uint8Array.of(1, 2), chosenUpTo: slotOf(3), highestSlot: slotOf(8) })
    .pages.slice();
}

function identifierPage(): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  const ranges = [1, 4, 9].map((from) => ({ from: slotOf(from), count: 2, ballot: ballot(from) }));
  const place = { sequence: 5, segment: 0, page: 0, pages: 1, hash: 7 };
  writeIdentifier(page, { ...place, ranges, chosenUpTo: slotOf(3), highestSlot: slotOf(10) }, SEAL);
  return page;
}

function superblockPage(): Uint8Array {
  const { cluster, node, incarnation, configuration } = INIT;
  return encodeSuperblock(9, {
    cluster,
    node,
    incarnation,
    boots: [boot(1), boot(2)],
    starts: 3,
    promised: ballot(3),
    configuration,
    leaseMsMax: 450,
    base: { sequence: 1, segment: 0 },
    last: { sequence: 4, hash: 5 },
    highestSlot: slotOf(8),
    chosenUpTo: slotOf(7),
    cards: Uint8Array.of(1),
    snapshot: { slot: slotOf(2), name: '2-3', bytes: 10, crc: 11 },
    previous: { snapshot: null, base: { sequence: 1, segment: 0 } },
    geometry: { segmentBytes: 4_096, segments: 4, ringPages: 16 },
  });
}

const setU32 = (page: Uint8Array, at: number, value: number) =>
  new DataView(page.buffer, page.byteOffset).setUint32(at, value, true);
const getU32 = (page: Uint8Array, at: number) => new DataView(page.buffer, page.byteOffset).getUint32(at, true);

/** Characters of JSON that a page of records can come to, a byte being up to six. */
const TEXT_MAX = 16 * PAGE_BYTES;

/** Each kind of page, how it is read, and how its checksums are made right again after a mutation, so that what is behind them is reached. */
const KINDS = [
  {
    name: 'log page',
    page: batchPage(),
    read: (page: Uint8Array) => {
      readBatchHeader(page, SEAL);
      salvageRecords(page, SEAL);
      return readBatch(page, SEAL);
    },
    mend: (page: Uint8Array) => {
      setU32(page, 36, crc32(page.subarray(0, 36), SEAL));
      for (let at = 40; at + 8 < page.length; ) {
        const length = getU32(page, at);
        if (length <= 8 || at + length > page.length) break;
        setU32(page, at + length - 4, crc32(page.subarray(at, at + length - 4), SEAL));
        at += length;
      }
    },
  },
  {
    name: 'ring page',
    page: identifierPage(),
    read: (page: Uint8Array) => readIdentifier(page, SEAL),
    mend: (page: Uint8Array) => {
      const end = 36 + getU32(page, 32);
      if (end + 4 <= page.length) setU32(page, end, crc32(page.subarray(0, end), SEAL));
    },
  },
  {
    name: 'superblock',
    page: superblockPage(),
    read: (page: Uint8Array) => {
      superblockBytes(page);
      return decodeSuperblock(page);
    },
    mend: (page: Uint8Array) => setU32(page, 20, crc32(page.subarray(24), crc32(page.subarray(0, 20)))),
  },
];

t.setTimeout(120_000);

for (const { name, page, read, mend } of KINDS) {
  t.test(`random and mutated bytes as a ${name}`, (t) => {
    t.ok(read(page), 'the page itself is read');
    const prng = new Prng(7);
    const before = process.memoryUsage().rss;
    let readAll = 0;
    for (let run = 0; run < PAGES; run++) {
      const random = new Uint8Array(64 + prng.below(64));
      for (let at = 0; at < random.length; at++) random[at] = prng.below(256);
      const padded = new Uint8Array(PAGE_BYTES);
      padded.set(random);
      // Every other one begins as the real thing does.
      if (run % 2 === 0) padded.set(page.subarray(0, 8));
      if (run % 4 === 0) mend(padded);
      read(run % 8 === 0 ? random : padded);

      const mutated = page.slice();
      for (let change = prng.below(4); change >= 0; change--) {
        const at = prng.below(run % 3 === 0 ? mutated.length : 300);
        mutated[at] = prng.below(3) === 0 ? 0xff : prng.below(256);
      }
      if (run % 2 === 0) mend(mutated);
      const found = read(mutated);
      if (found === undefined) continue;
      readAll++;
      if (run % 100 === 0 && JSON.stringify(found).length > TEXT_MAX) t.fail('more was read than was there');
    }
    t.ok(readAll > 0 && readAll < PAGES, `${readAll} of ${PAGES} mutated pages could be read`);
    const growth = process.memoryUsage().rss - before;
    t.ok(growth < GROWTH_MAX, `memory is bounded: ${Math.round(growth / 2 ** 20)} MiB more`);
    t.end();
  });
}
