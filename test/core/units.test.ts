/** Times are whole nanoseconds, and arithmetic on them is exact. */
import fc from 'fast-check';
import t from 'tap';
import {
  addTime,
  clusterTime,
  earlierOf,
  frames,
  laterOf,
  localTime,
  NS_PER_MS,
  NS_PER_S,
  nanos,
  nanosFromMs,
} from '../../src/core/units.js';

t.test('milliseconds become nanoseconds, fractions of one are dropped', (t) => {
  t.equal(nanosFromMs(1), NS_PER_MS);
  t.equal(nanosFromMs(1_000), NS_PER_S);
  t.equal(nanosFromMs(0.000_001), 1n);
  t.equal(nanosFromMs(0.000_000_9), 0n);
  t.equal(nanosFromMs(-1.5), -1_500_000n);
  t.equal(nanosFromMs(-0.000_000_9), 0n);
  t.end();
});

t.test('a century of nanoseconds is exact', (t) => {
  const century = 100n * 365n * 86_400n * NS_PER_S;
  t.equal(addTime(clusterTime(century), 1n) - century, 1n);
  t.equal(addTime(localTime(century), -century), 0n);
  t.end();
});

t.test('later and earlier pick one of the two', (t) => {
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
      const [x, y] = [localTime(a), localTime(b)];
      const [later, earlier] = [laterOf(x, y), earlierOf(x, y)];
      return later >= earlier && [x, y].includes(later) && [x, y].includes(earlier) && later + earlier === a + b;
    }),
    { seed: 1, numRuns: 200 },
  );
  t.end();
});

t.test('naming a quantity changes nothing of it', (t) => {
  t.same([nanos(5n), localTime(6n), clusterTime(7n), frames(480)], [5n, 6n, 7n, 480]);
  t.end();
});
