/** What most clocks agree on, and who is outside. */
import fc from 'fast-check';
import t from 'tap';
import { type Interval, majorityOf } from '../../src/clock/majority.js';

const interval = (of: string, low: number, high: number): Interval<string> => ({ of, low, high });

t.test('three that overlap have a part in common, and nobody is outside', async (t) => {
  t.same(majorityOf([interval('a', 0, 10), interval('b', 5, 15), interval('c', 8, 20)]), {
    low: 8,
    high: 10,
    inside: ['a', 'b', 'c'],
    outside: [],
  });
});

t.test('the one that has nothing in common with most is named', async (t) => {
  const found = majorityOf([interval('a', 0, 10), interval('liar', 100, 110), interval('c', 8, 20)]);
  t.same(found, { low: 8, high: 10, inside: ['a', 'c'], outside: ['liar'] });
});

t.test('without a majority nobody is right', async (t) => {
  t.equal(majorityOf([interval('a', 0, 10), interval('b', 20, 30)]), null);
  t.equal(majorityOf([interval('a', 0, 1), interval('b', 2, 3), interval('c', 4, 5)]), null);
  t.equal(majorityOf([]), null);
});

t.test('one alone agrees with itself', async (t) => {
  t.same(majorityOf([interval('a', 3, 4)]), { low: 3, high: 4, inside: ['a'], outside: [] });
});

t.test('intervals that touch agree on that point', async (t) => {
  t.same(majorityOf([interval('a', 0, 5), interval('b', 5, 9)]), { low: 5, high: 5, inside: ['a', 'b'], outside: [] });
  t.same(majorityOf([interval('a', 5, 5), interval('b', 5, 5)])?.inside, ['a', 'b'], 'exact ones too');
});

t.test('an interval that runs downwards is a mistake of ours', async (t) => {
  t.throws(() => majorityOf([interval('a', 2, 1)]), { name: 'InvariantError' });
});

t.test('it is what counting at every end gives', async () => {
  const some = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 10 })), { maxLength: 9 });
  fc.assert(
    fc.property(some, (pairs) => {
      const intervals = pairs.map(([low, width], index) => ({ of: index, low, high: low + width }));
      const holding = (at: number) => intervals.filter(({ low, high }) => low <= at && at <= high).length;
      const most = Math.max(0, ...intervals.map(({ low }) => holding(low)));
      const found = majorityOf(intervals);
      if (2 * most <= intervals.length) return found === null;
      if (found === null || found.low > found.high) return false;
      const middle = (found.low + found.high) / 2;
      return (
        holding(found.low) === most &&
        holding(found.high) === most &&
        holding(middle) === most &&
        found.inside.length === most &&
        found.outside.every((of) => intervals[of]!.high < found.low || intervals[of]!.low > found.high)
      );
    }),
    { seed: 1, numRuns: 2_000 },
  );
});
