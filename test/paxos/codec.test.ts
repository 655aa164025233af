/** Messages, entries and configurations survive the way through bytes; other bytes are refused, within bounds. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { ClockClaim } from '../../src/core/clock-line.js';
import { TuttiError } from '../../src/core/errors.js';
import { type BootId, type Incarnation, type NodeId, slot } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import { clusterTime, localTime } from '../../src/core/units.js';
import { type Ballot, ROUND_MAX } from '../../src/paxos/ballot.js';
import {
  decodeConfiguration,
  decodeEntry,
  decodeMessage,
  encodeConfiguration,
  encodeEntry,
  encodeMessage,
  PAYLOAD_BYTES_MAX,
} from '../../src/paxos/codec.js';
import type { Configuration } from '../../src/paxos/configuration.js';
import type { Entry } from '../../src/paxos/entry.js';
import type { Message } from '../../src/paxos/message.js';
import { codeOf } from '../contract/support.js';
import { heldBytes } from '../support/memory.js';

const SEEDED = { seed: 1, numRuns: 1_000 };

/** Records as literals are: with a prototype. */
const record = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
const hexId = fc
  .array(fc.nat({ max: 15 }), { minLength: 32, maxLength: 32 })
  .map((digits) => digits.map((digit) => digit.toString(16)).join(''));
const id = fc.oneof(hexId, fc.constantFrom('', 'a', 'n'.repeat(32)));
const node = id.map((text) => text as NodeId);
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const slots = whole.map(slot);
const nanos = fc.bigInt({ min: 0n, max: (1n << 63n) - 1n });
const ms = fc.double({ min: 0.001, max: 1e6, noNaN: true });
const ballot: fc.Arbitrary<Ballot> = record({ configId: whole, round: fc.nat({ max: ROUND_MAX }), node });
const session = record({ node, boot: id.map((text) => text as BootId), seq: whole });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const configuration: fc.Arbitrary<Configuration> = record({
  id: whole,
  after: slots,
  timing: record({ heartbeatMs: ms, electionMs: ms, leaseMs: ms }),
  members: fc
    .uniqueArray(
      record({
        node,
        incarnation: id.map((text) => text as Incarnation),
        address: fc.string({ maxLength: 40 }),
        name: fc.string({ unit: 'binary', maxLength: 30 }),
        voter: fc.constant(true),
      }),
      { minLength: 1, maxLength: 7, selector: (member) => member.node },
    )
    .map((members) => members.sort((a, b) => (a.node < b.node ? -1 : 1))),
});
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.constant({ type: 'noop' } as const),
  record({
    type: fc.constant('command' as const),
    session,
    stampNs: nanos,
    leadNs: nanos,
    payload: fc.uint8Array({ maxLength: 300 }),
  }),
  record({ type: fc.constant('stop-sign' as const), session: maybe(session), next: configuration }),
);
const standing = record({
  configId: whole,
  promised: ballot,
  following: maybe(ballot),
  leading: fc.boolean(),
  happy: fc.boolean(),
  chosenUpTo: slots,
  acceptedUpTo: slots,
});
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const claim: fc.Arbitrary<ClockClaim> = record({
  localAt: nanos.map(localTime),
  clusterAt: nanos.map(clusterTime),
  driftPpm: fc.double({ noNaN: true, min: -10_000, max: 10_000 }),
  boundNs: fc.integer({ min: 0, max: 1_000_000_000 }),
  epoch: whole,
});
const is = <T extends string>(type: T) => fc.constant(type);
const few = { maxLength: 5 };
const message: fc.Arbitrary<Message> = fc.oneof(
  record({
    type: is('heartbeat'),
    standing,
    round: whole,
    sentAtMs: double,
    leaseMs: double,
    clock: maybe(claim),
  }),
  record({
    type: is('heartbeat-reply'),
    standing,
    round: whole,
    sentAtMs: double,
    granted: maybe(ballot),
    matchedUpTo: slots,
    clock: maybe(claim),
  }),
  record({ type: is('prepare'), ballot, from: slots }),
  record({
    type: is('promise'),
    ballot,
    from: slots,
    accepted: fc.array(record({ slot: slots, ballot, entry }), few),
    unknown: fc.array(record({ slot: slots, ballot: maybe(ballot) }), few),
    chosenUpTo: slots,
    more: fc.boolean(),
    next: slots,
    timeNs: maybe(nanos),
  }),
  record({ type: is('refusal'), ballot, promised: ballot }),
  record({
    type: is('accept'),
    ballot,
    start: slots,
    from: slots,
    entries: fc.array(entry, few),
    chosenUpTo: slots,
  }),
  record({ type: is('accepted'), ballot, upTo: slots, batch: whole }),
  record({ type: is('gap'), ballot, upTo: slots }),
  record({ type: is('chosen'), ballot, start: slots, upTo: slots }),
  record({ type: is('learn'), from: slots }),
  record({
    type: is('learned'),
    from: slots,
    entries: fc.array(record({ ballot, entry }), few),
    chosenUpTo: slots,
  }),
  record({ type: is('behind'), base: slots }),
  record({ type: is('read'), id: whole }),
  record({ type: is('read-reply'), id: whole, slot: maybe(slots) }),
);

t.test('every message comes back as it was', (t) => {
  const types = new Set<string>();
  fc.assert(
    fc.property(message, (sent) => {
      types.add(sent.type);
      assert.deepStrictEqual(decodeMessage(encodeMessage(sent)), sent);
    }),
    SEEDED,
  );
  t.equal(types.size, 14, 'all of them were tried');
  t.end();
});

t.test('every entry and configuration comes back as it was, and is encoded once', (t) => {
  fc.assert(
    fc.property(entry, configuration, (entry, configuration) => {
      const bytes = encodeEntry(entry);
      assert.deepStrictEqual(decodeEntry(bytes.slice()), entry);
      assert.equal(encodeEntry(entry), bytes, 'the same bytes');
      const decoded = decodeEntry(bytes.slice());
      assert.deepStrictEqual(encodeEntry(decoded), bytes, 'also of what was decoded');
      assert.deepStrictEqual(decodeConfiguration(encodeConfiguration(configuration)), configuration);
    }),
    { ...SEEDED, numRuns: 200 },
  );
  t.pass();
  t.end();
});

t.test('a message outlives the buffer that it came in', (t) => {
  const command: Entry = {
    type: 'command',
    session: { node: 'a' as NodeId, boot: 'b' as BootId, seq: 1 },
    stampNs: 1n,
    leadNs: 0n,
    payload: Uint8Array.of(1, 2, 3),
  };
  const zero = { configId: 1, round: 1, node: 'a' as NodeId };
  const sent: Message = {
    type: 'accept',
    ballot: zero,
    start: slot(1),
    from: slot(1),
    entries: [command],
    chosenUpTo: slot(0),
  };
  const bytes = encodeMessage(sent);
  const received = decodeMessage(bytes);
  bytes.fill(0xee);
  t.strictSame(received, sent);
  t.end();
});

t.test('what is out of range is refused', (t) => {
  const zero = { configId: 1, round: ROUND_MAX, node: 'a' as NodeId };
  const prepare = encodeMessage({ type: 'prepare', ballot: zero, from: slot(1) });
  t.strictSame(decodeMessage(prepare), { type: 'prepare', ballot: zero, from: 1 });
  const tooHigh = encodeMessage({ type: 'prepare', ballot: { ...zero, round: ROUND_MAX + 1 }, from: slot(1) });
  t.equal(
    codeOf(() => decodeMessage(tooHigh)),
    'BAD_FRAME',
    'a round that would use the numbers up',
  );
  t.equal(
    codeOf(() => decodeMessage(Uint8Array.of(2, ...prepare.subarray(1)))),
    'BAD_FRAME',
    'another version',
  );
  t.equal(
    codeOf(() => decodeMessage(Uint8Array.of(...prepare, 0))),
    'BAD_FRAME',
    'a byte too many',
  );
  const large: Entry = {
    type: 'command',
    session: { node: 'a' as NodeId, boot: 'b' as BootId, seq: 1 },
    stampNs: 1n,
    leadNs: 0n,
    payload: new Uint8Array(PAYLOAD_BYTES_MAX + 1),
  };
  t.throws(() => encodeEntry(large), { name: 'InvariantError' });
  t.end();
});

// Of two hundred thousand errors nobody reads the stack.
Error.stackTraceLimit = 0;

const onlyTypedErrors = (decode: () => unknown): 'read' | 'refused' => {
  try {
    decode();
    return 'read';
  } catch (error) {
    if (error instanceof TuttiError && error.code === 'BAD_FRAME') return 'refused';
    throw error;
  }
};

t.test('100,000 random frames are refused, and nothing else happens', (t) => {
  const prng = new Prng(1);
  const counts = { read: 0, refused: 0 };
  for (let n = 0; n < 100_000; n++) {
    const bytes = Uint8Array.from({ length: prng.below(80) }, () => prng.below(256));
    // Most would fail at the first byte.
    if (n % 2 === 0 && bytes.length > 1) [bytes[0], bytes[1]] = [1, 1 + prng.below(14)];
    counts[onlyTypedErrors(() => decodeMessage(bytes))]++;
    onlyTypedErrors(() => decodeEntry(bytes));
    onlyTypedErrors(() => decodeConfiguration(bytes));
  }
  t.ok(counts.refused > 90_000, `${counts.refused} refused`);
  t.end();
});

t.test('100,000 mutated frames are read or refused, in bounded memory', (t) => {
  const prng = new Prng(2);
  const frames = fc.sample(message, { seed: 3, numRuns: 500 }).map(encodeMessage);
  const counts = { read: 0, refused: 0 };
  const before = heldBytes();
  let peak = 0;
  for (let n = 0; n < 100_000; n++) {
    const frame = frames[n % frames.length]!;
    const bytes = frame.slice(0, prng.below(20) === 0 ? prng.below(frame.length + 1) : frame.length);
    for (let flips = 1 + prng.below(3); flips > 0 && bytes.length > 0; flips--)
      bytes[prng.below(bytes.length)] = prng.below(256);
    counts[onlyTypedErrors(() => decodeMessage(bytes))]++;
    if (n % 10_000 === 0) peak = Math.max(peak, heldBytes() - before);
  }
  t.ok(counts.refused > 1_000 && counts.read > 1_000, JSON.stringify(counts));
  t.ok(peak < 8 << 20, `${peak} bytes at the peak`);
  t.end();
});
