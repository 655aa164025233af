import fc from 'fast-check';
import t from 'tap';
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import { COMMANDS, Origin } from '../../src/cluster/command.js';
import { matches } from '../../src/core/matches.js';
import { VolumeBody } from '../../src/http/schema.js';

t.test('a value matches a schema or does not', (t) => {
  const schema = Type.Object({ volume: Type.Integer({ minimum: 0, maximum: 100 }) }, { additionalProperties: false });
  t.ok(matches(schema, { volume: 30 }));
  for (const wrong of [{}, { volume: 101 }, { volume: 1.5 }, { volume: 1, more: 1 }, null, 'volume']) {
    t.notOk(matches(schema, wrong));
  }
  t.end();
});

t.test('bounds of bigints are kept to the last digit, in fields and everywhere else', (t) => {
  const stamp = Type.BigInt({ minimum: 0n, maximum: 2n ** 63n - 1n });
  const deep = Type.Object({ inner: Type.Optional(Type.Object({ stamp })), name: Type.String() });
  for (const [value, isRight] of [
    [2n ** 63n - 1n, true] as const,
    [2n ** 63n, false] as const,
    [-1n, false] as const,
  ]) {
    t.equal(matches(stamp, value), isRight);
    t.equal(matches(Type.Array(stamp), [0n, value]), isRight);
    t.equal(matches(deep, { name: 'a', inner: { stamp: value } }), isRight);
  }
  t.ok(matches(deep, { name: 'a' }), 'without such a field the compiled check will do');
  t.notOk(matches(deep, { name: 1 }));
  t.notOk(matches(deep, null));
  t.end();
});

t.test("it says what the library's own check says, of any value", (t) => {
  const fields = fc.constantFrom(
    'type',
    'volume',
    'muted',
    'node',
    'trackIds',
    'positionMs',
    'key',
    'via',
    'delta',
    'firstSentNs',
    'reserveUntilNs',
    'epoch',
  );
  const value = fc.oneof(
    fc.anything({ withBigInt: true }),
    fc.dictionary(
      fields,
      fc.oneof(
        fc.integer(),
        fc.string(),
        fc.bigInt(),
        fc.constantFrom(2n ** 63n, 2n ** 63n - 1n, 2n ** 64n),
        fc.boolean(),
        fc.array(fc.string()),
      ),
    ),
  );
  // Nearly right ones, whose wide fields are what decides.
  const ns = fc.constantFrom(0n, -1n, 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n, 5, undefined, null);
  const id = fc.constantFrom('a'.repeat(32), 'a');
  const nearly = fc.oneof(
    fc.record(
      { node: id, via: fc.constantFrom('api', 'x'), key: fc.constant('k'), firstSentNs: ns },
      { requiredKeys: [] },
    ),
    fc.record(
      {
        type: fc.constant('leader.begin'),
        node: id,
        epoch: fc.constant(1),
        reserveUntilNs: ns,
        reproposed: fc.constant([]),
      },
      { requiredKeys: [] },
    ),
    fc.record({ type: fc.constant('leader.reserve'), reserveUntilNs: ns }, { requiredKeys: [] }),
  );
  const schemas = [...Object.values(COMMANDS), Origin, VolumeBody];
  const property = fc.property(fc.oneof(value, nearly), (value) => {
    for (const schema of schemas) if (matches(schema, value) !== Check(schema, value)) return false;
    return true;
  });
  t.doesNotThrow(() => fc.assert(property, { seed: 1, numRuns: 2_000 }));
  t.end();
});
