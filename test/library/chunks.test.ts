/** How files are cut into chunks. */
import fc from 'fast-check';
import t from 'tap';
import {
  CHUNK_LIMITS,
  chunkAt,
  chunkBytesFor,
  chunkHash,
  chunkLength,
  chunkOffset,
  chunkPlan,
} from '../../src/library/chunks.js';

const MIB = 1 << 20;

t.test('chunks are powers of two, and as few as limits allow', (t) => {
  t.equal(chunkBytesFor(1), 256 << 10);
  t.equal(chunkBytesFor(256 * MIB), 256 << 10, '1,024 chunks of the smallest size');
  t.equal(chunkBytesFor(256 * MIB + 1), 512 << 10);
  t.equal(chunkBytesFor(4_096 * MIB), 4 * MIB);
  t.equal(chunkBytesFor(100_000 * MIB), 4 * MIB, 'not larger, however long the file is');
  t.equal(chunkBytesFor(1_000, { bytesMin: 64, bytesMax: 256, countAim: 8 }), 128);
  t.end();
});

t.test('the chunks of any file are the file, without a gap', (t) => {
  const files = fc.record({
    fileBytes: fc.integer({ min: 1, max: 2 ** 40 }),
    chunkBytes: fc.constantFrom(64, 4_096, 256 << 10),
  });
  fc.assert(
    fc.property(files, ({ fileBytes, chunkBytes }) => {
      const plan = chunkPlan(fileBytes, chunkBytes);
      const last = plan.count - 1;
      t.equal(chunkOffset(plan, 0), 0);
      t.equal(chunkOffset(plan, last) + chunkLength(plan, last), fileBytes);
      t.ok(chunkLength(plan, last) > 0 && chunkLength(plan, last) <= chunkBytes);
      if (last > 0) t.equal(chunkLength(plan, 0), chunkBytes);
      t.equal(chunkAt(plan, chunkOffset(plan, last)), last);
      t.equal(chunkAt(plan, fileBytes - 1), last);
    }),
    { numRuns: 200 },
  );
  t.throws(() => chunkLength(chunkPlan(10, 64), 1), 'there is no second chunk');
  t.end();
});

t.test('a chunk of real files is one message, and finds its hash in the manifest', (t) => {
  t.ok(CHUNK_LIMITS.bytesMax <= 4 * MIB, 'see MESSAGE_BYTES_MAX of the bulk channel');
  const manifest = Uint8Array.from({ length: 96 }, (_, i) => i);
  t.strictSame([...chunkHash(manifest, 1)], [...manifest.slice(32, 64)]);
  t.end();
});
