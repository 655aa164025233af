/** Sets of chunks are what sets of numbers are, in an eighth of a byte each. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  addChunk,
  allChunks,
  chunksWithin,
  countChunks,
  hasChunk,
  noChunks,
  removeChunk,
} from '../../src/tracks/chunk-set.js';

t.test('a set of chunks holds what a set of numbers would', (t) => {
  const steps = fc.array(fc.record({ index: fc.nat({ max: 20 }), isAdded: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (steps) => {
      const twin = new Set<number>();
      const set = noChunks(21);
      for (const { index, isAdded } of steps) {
        if (isAdded) addChunk(set, index);
        else removeChunk(set, index);
        if (isAdded) twin.add(index);
        else twin.delete(index);
      }
      const held = Array.from({ length: 30 }, (_, index) => index).filter((index) => hasChunk(set, index));
      assert.deepEqual(
        held,
        [...twin].toSorted((a, b) => a - b),
      );
      assert.equal(countChunks(set), twin.size);
    }),
    { seed: 1, numRuns: 300 },
  );
  t.pass();
  t.end();
});

t.test('all chunks are as many as there are, and no bit more', (t) => {
  for (const count of [1, 7, 8, 9, 1_024]) {
    t.equal(countChunks(allChunks(count)), count);
    t.notOk(hasChunk(allChunks(count), count));
  }
  t.end();
});

t.test('of a peer’s set counts what the file has', (t) => {
  t.same(chunksWithin(Uint8Array.of(0xff, 0xff, 0xff), 10), Uint8Array.of(0xff, 3));
  t.same(chunksWithin(Uint8Array.of(5), 10), Uint8Array.of(5, 0));
  t.same(chunksWithin(new Uint8Array(0), 10), noChunks(10));
  t.end();
});
