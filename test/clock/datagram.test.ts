/** Clock datagrams as bytes. */
import fc from 'fast-check';
import t from 'tap';
import { type ClockMessage, decodeClockMessage, encodeClockMessage, isClockFormat } from '../../src/clock/datagram.js';
import type { BootId } from '../../src/core/ids.js';
import { nodeId } from '../../src/core/ids.js';
import { localTime } from '../../src/core/units.js';
import { DATAGRAM_BYTES_MAX } from '../../src/ports/datagram.js';
import { SEAL_BYTES } from '../../src/timekeeping/seal.js';

const id = fc
  .array(fc.constantFrom(...'0123456789abcdef'), { minLength: 32, maxLength: 32 })
  .map((digits) => digits.join(''));
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const at = fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }).map(localTime);
const heads = { from: id.map(nodeId), to: id.map(nodeId), boot: id.map((text) => text as BootId), nonce: u64 };
const messages: fc.Arbitrary<ClockMessage> = fc.oneof(
  fc.record({ type: fc.constant('probe' as const), ...heads, sequence: u64 }),
  fc.record({
    type: fc.constant('answer' as const),
    ...heads,
    receivedAt: at,
    previous: fc.option(fc.record({ nonce: u64, sentAt: at })),
    reverseAt: fc.option(at),
  }),
);

const probe: ClockMessage = {
  type: 'probe',
  from: nodeId('0123456789abcdef'.repeat(2)),
  to: nodeId('f'.repeat(32)),
  boot: 'a'.repeat(32) as BootId,
  nonce: 0x1122334455667788n,
  sequence: 5n,
};

t.test('[row 29] what is written is read back, and is shorter sealed than a datagram may be', async () => {
  fc.assert(
    fc.property(messages, (message) => {
      const bytes = encodeClockMessage(message);
      t.match(decodeClockMessage(bytes), message);
      return bytes.length + SEAL_BYTES < DATAGRAM_BYTES_MAX;
    }),
    { seed: 1, numRuns: 300 },
  );
});

t.test('the bytes are as they were when this version was made', async (t) => {
  t.equal(
    Buffer.from(encodeClockMessage(probe)).toString('hex'),
    `54430101${'0123456789abcdef'.repeat(2)}${'f'.repeat(32)}${'a'.repeat(32)}11223344556677880000000000000005`,
  );
});

t.test('another mark, version, kind or length is no clock datagram', async (t) => {
  const bytes = encodeClockMessage(probe);
  t.ok(isClockFormat(bytes));
  for (const [index, value] of [
    [0, 0],
    [1, 0],
    [2, 2],
    [3, 0],
    [3, 2],
    [3, 99],
  ] as const) {
    const other = Uint8Array.from(bytes);
    other[index] = value;
    t.notOk(isClockFormat(other), `byte ${index} is ${value}`);
    t.equal(decodeClockMessage(other), null);
  }
  for (let length = 0; length < bytes.length; length++) t.equal(decodeClockMessage(bytes.subarray(0, length)), null);
  t.equal(decodeClockMessage(Uint8Array.of(...bytes, 0)), null, 'nor what has something behind it');
});

t.test('an answer of a clock below zero is none', async (t) => {
  const answer = { ...probe, type: 'answer', receivedAt: localTime(1n), previous: null, reverseAt: null } as const;
  const bytes = encodeClockMessage(answer);
  t.ok(decodeClockMessage(bytes));
  for (const field of [60, 76, 84]) {
    const other = Uint8Array.from(bytes);
    other[field] = 0x80;
    t.equal(decodeClockMessage(other), null, `at ${field}`);
  }
});

t.test('an id of another shape is a mistake of ours', async (t) => {
  t.throws(() => encodeClockMessage({ ...probe, to: nodeId('kitchen') }), { name: 'InvariantError' });
});

t.test('any bytes are a message or none, and never an error', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => decodeClockMessage(bytes) === null || bytes.length > 60),
    { seed: 1, numRuns: 2_000 },
  );
});
