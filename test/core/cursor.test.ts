import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { ByteReader, ByteWriter, fromUtf8, utf8 } from '../../src/core/cursor.js';
import { codeOf } from '../contract/support.js';

const SEEDED = { seed: 1, numRuns: 1_000 };

t.test('what was written is read back, field by field', (t) => {
  const anything = fc.record({
    whole: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    double: fc.double({ noNaN: true, noDefaultInfinity: true }),
    nanos: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
    flag: fc.boolean(),
    text: fc.string({ unit: 'binary', maxLength: 60 }),
    bytes: fc.uint8Array({ maxLength: 300 }),
  });
  const to = new ByteWriter();
  fc.assert(
    fc.property(anything, ({ whole, double, nanos, flag, text, bytes }) => {
      to.varint(whole);
      to.f64(double);
      to.u63(nanos);
      to.flag(flag);
      to.text(text);
      to.bytes(bytes);
      const from = new ByteReader(to.take());
      const read = [from.varint(), from.f64(), from.u63(), from.flag(), from.text(1_000), from.bytes(3_000)];
      from.end();
      assert.deepStrictEqual(read, [whole, double, nanos, flag, text, bytes]);
    }),
    { ...SEEDED, numRuns: 200 },
  );
  t.pass();
  t.end();
});

t.test('four bytes are a whole number without a sign, the highest first', (t) => {
  const from = new ByteReader(Uint8Array.of(0, 0, 1, 2, 0xff, 0xff, 0xff, 0xfe, 1, 2, 3));
  t.equal(from.u32(), 258);
  t.equal(from.u32(), 0xffff_fffe);
  t.throws(() => from.u32(), { code: 'BAD_FRAME' });
  t.end();
});

t.test('what a writer shared is not written to again, however much it writes', (t) => {
  const to = new ByteWriter(64);
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 20 }), (pieces) => {
      const given = pieces.map((piece, index) => {
        to.raw(piece);
        assert.equal(to.length, piece.length);
        return index % 3 === 2 ? to.take() : to.share();
      });
      assert.deepStrictEqual(given, pieces);
    }),
    { ...SEEDED, numRuns: 200 },
  );
  const [first, second] = [1, 2].map((byte) => {
    to.u8(byte);
    return to.share();
  });
  t.equal(first!.buffer, second!.buffer, 'short ones lie side by side');
  t.end();
});

t.test('whole numbers take as few bytes as they can, up to 2^53 - 1', (t) => {
  const lengthOf = (value: number) => {
    const to = new ByteWriter();
    to.varint(value);
    return to.length;
  };
  t.strictSame([0, 127, 128, 2 ** 31, 2 ** 49 - 1, 2 ** 53 - 1].map(lengthOf), [1, 1, 2, 5, 7, 8]);
  t.throws(() => lengthOf(2 ** 53), { name: 'InvariantError' });
  t.throws(() => lengthOf(-1), { name: 'InvariantError' });
  t.end();
});

t.test('UTF-8 is what the platform says it is', (t) => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      assert.deepEqual(utf8(text), new TextEncoder().encode(text));
    }),
    { ...SEEDED, numRuns: 200 },
  );
  const decoded = (bytes: Uint8Array) => {
    try {
      return decoder.decode(bytes);
    } catch {
      return null;
    }
  };
  // Bytes near the edges of what is valid.
  const edges = fc.constantFrom(
    0x7f,
    0x80,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0xbf,
    0xc0,
    0xc2,
    0xdf,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
  );
  let wrong = 0;
  fc.assert(
    fc.property(fc.array(edges, { maxLength: 5 }), (array) => {
      const bytes = Uint8Array.from(array);
      const expected = decoded(bytes);
      if (expected === null) wrong++;
      return fromUtf8(bytes) === expected;
    }),
    { ...SEEDED, numRuns: 20_000 },
  );
  t.ok(wrong > 1_000 && wrong < 20_000, `${wrong} of them are not UTF-8`);
  t.end();
});

t.test('a reader refuses what is not there, and never looks outside', (t) => {
  const at = (...bytes: number[]) => new ByteReader(new Uint8Array([9, ...bytes, 9]).subarray(1, 1 + bytes.length));
  t.equal(
    codeOf(() => at().u8()),
    'BAD_FRAME',
  );
  t.equal(
    codeOf(() => at(0x80).varint()),
    'BAD_FRAME',
  );
  t.equal(
    codeOf(() => at(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01).varint()),
    'BAD_FRAME',
    'above 2^53',
  );
  t.equal(
    codeOf(() => at(5).varint(4)),
    'BAD_FRAME',
    'above what is allowed',
  );
  t.equal(
    codeOf(() => at(2).flag()),
    'BAD_FRAME',
  );
  t.equal(
    codeOf(() => at(0x7f, 0xf0, 0, 0, 0, 0, 0, 0).f64()),
    'BAD_FRAME',
    'infinity',
  );
  t.equal(
    codeOf(() => at(0x80, 0, 0, 0, 0, 0, 0, 0).u63()),
    'BAD_FRAME',
    'negative',
  );
  t.equal(
    codeOf(() => at(3, 1, 2).bytes(10)),
    'BAD_FRAME',
    'a length beyond the end',
  );
  t.equal(
    codeOf(() => at(2, 1, 2).bytes(1)),
    'BAD_FRAME',
    'a length beyond the bound',
  );
  t.equal(
    codeOf(() => at(200, 1).count(1_000)),
    'BAD_FRAME',
    'more elements than bytes',
  );
  t.equal(
    codeOf(() => at(1, 2).end()),
    'BAD_FRAME',
  );
  t.strictSame(at(2, 1, 2).bytes(2), Uint8Array.of(1, 2));
  t.end();
});
