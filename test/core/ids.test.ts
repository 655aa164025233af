/** Ids are checked by their shape where they come from outside. */
import fc from 'fast-check';
import t from 'tap';
import { clusterId, isRandomId, isTrackId, itemId, nodeId, slot, trackId } from '../../src/core/ids.js';

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''));

t.test('a track id is 64 lower-case hexadecimal digits, an id of a node or cluster 32', (t) => {
  fc.assert(
    fc.property(hex(64), hex(32), (long, short) => {
      return isTrackId(long) && !isTrackId(short) && isRandomId(short) && !isRandomId(long);
    }),
    { seed: 1, numRuns: 100 },
  );
  t.end();
});

t.test('anything else is none', (t) => {
  const id = 'a'.repeat(64);
  for (const bad of [
    '',
    id.slice(1),
    `${id}a`,
    id.toUpperCase(),
    `${id}\n`,
    `\n${id}`,
    ` ${id.slice(1)}`,
    'g'.repeat(64),
  ]) {
    t.notOk(isTrackId(bad), JSON.stringify(bad));
  }
  const random = 'b'.repeat(32);
  for (const bad of ['', random.slice(1), `${random}b`, random.toUpperCase(), `${random}\n`, '-'.repeat(32)]) {
    t.notOk(isRandomId(bad), JSON.stringify(bad));
  }
  t.end();
});

t.test('naming a value changes nothing of it', (t) => {
  t.same([nodeId('n'), clusterId('c'), trackId('t'), itemId('i1'), slot(7)], ['n', 'c', 't', 'i1', 7]);
  t.end();
});
