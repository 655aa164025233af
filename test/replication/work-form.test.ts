/** What the log's thread is given is what was asked for. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type NodeId, slot } from '../../src/core/ids.js';
import { decodeRecords, decodeWork, encodeRecords, encodeWork } from '../../src/replication/work-form.js';

const slots = fc.maxSafeNat().map(slot);
/** As objects are that are written in a program. */
const PLAIN = { noNullPrototype: true } as const;
const node = fc.constantFrom('a'.repeat(32), 'b') as fc.Arbitrary<NodeId>;
const ballot = fc.record({ configId: fc.nat(), round: fc.nat(), node }, PLAIN);
const bytes = fc.uint8Array({ maxLength: 3_000 });
const records = fc.array(fc.record({ slot: slots, ballot, chosen: fc.boolean(), entry: bytes }, PLAIN), {
  maxLength: 20,
});
const work = fc.record(
  {
    promised: fc.option(ballot),
    configuration: fc.option(bytes),
    leaseMs: fc.option(fc.nat()),
    records,
    chosenUpTo: slots,
    cards: fc.option(bytes),
  },
  PLAIN,
);

t.test('work and records are the same on both sides', (t) => {
  fc.assert(
    fc.property(work, (work) => {
      assert.deepStrictEqual(decodeWork(encodeWork(work)), work);
      assert.deepStrictEqual(decodeRecords(encodeRecords(work.records)), work.records);
    }),
    { seed: 1, numRuns: 300 },
  );
  t.end();
});
