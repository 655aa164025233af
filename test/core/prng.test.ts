/** The generator is xoshiro128**, the same everywhere, even where it is bounded, and shuffles without favour. */
import fc from 'fast-check';
import t from 'tap';
import { Prng, shuffled } from '../../src/core/prng.js';

t.test('a seed gives the same numbers for ever: queues are shuffled alike by every version', (t) => {
  const prng = new Prng(42);
  const drawn = Array.from({ length: 4 }, () => prng.u32());
  t.same(drawn, [660444221, 3652823732, 77672526, 910233633], 'what a C program of the same definitions gives');
  t.same(shuffled([...'abcdefg'], 7), [...'dfbcage']);
  t.end();
});

t.test('only the low 32 bits of a seed count, and near seeds give unlike streams', (t) => {
  const first = (seed: number) => new Prng(seed).u32();
  t.equal(first(5), first(5 + 2 ** 32));
  t.equal(first(-1), first(0xffff_ffff));
  t.equal(new Set(Array.from({ length: 1_000 }, (_, seed) => first(seed))).size, 1_000);
  t.end();
});

t.test('numbers keep to their ranges', (t) => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, bound) => {
      const prng = new Prng(seed);
      const [word, bounded, fraction] = [prng.u32(), prng.below(bound), prng.fraction()];
      return (
        Number.isInteger(word) &&
        word >= 0 &&
        word < 2 ** 32 &&
        Number.isInteger(bounded) &&
        bounded >= 0 &&
        bounded < bound &&
        fraction >= 0 &&
        fraction < 1
      );
    }),
    { seed: 1, numRuns: 1_000 },
  );
  t.equal(new Prng(3).below(1), 0);
  t.end();
});

t.test('each number below a bound is as likely as the others, also where the bound is no power of two', (t) => {
  const prng = new Prng(1);
  // Of 2^32 numbers, a remainder would favour the lower third of this range by two to one.
  const bound = 3 * 2 ** 30;
  const thirds = [0, 0, 0];
  for (let i = 0; i < 30_000; i++) thirds[Math.floor(prng.below(bound) / 2 ** 30)]!++;
  // Three sigma of a binomial of 30,000 with p = 1/3 are 245.
  for (const count of thirds) t.ok(Math.abs(count - 10_000) < 300, `${count} of 10,000`);
  t.end();
});

t.test('every bit is set half of the time', (t) => {
  const prng = new Prng(9);
  const counts = new Array<number>(32).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const word = prng.u32();
    for (let bit = 0; bit < 32; bit++) counts[bit]! += (word >>> bit) & 1;
  }
  // Four sigma of a binomial of 10,000 with p = 1/2 are 200.
  t.same(
    counts.filter((count) => Math.abs(count - 5_000) > 200),
    [],
  );
  t.end();
});

t.test('a shuffle keeps the elements, leaves its input alone, and favours no order', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
      const before = [...items];
      const result = shuffled(items, seed);
      t.same(items, before);
      t.same(
        result.toSorted((a, b) => a - b),
        before.toSorted((a, b) => a - b),
      );
    }),
    { seed: 1, numRuns: 50 },
  );
  const orders = new Map<string, number>();
  for (let seed = 0; seed < 6_000; seed++) {
    const order = shuffled(['a', 'b', 'c'], seed).join('');
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  t.equal(orders.size, 6);
  for (const [order, count] of orders) t.ok(Math.abs(count - 1_000) < 130, `${order}: ${count} of 1,000`);
  t.end();
});
