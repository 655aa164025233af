import t from 'tap';
import { RecentTimes } from '../../src/core/recent-times.js';
import { NS_PER_S } from '../../src/core/units.js';

/** Times that took so long, one a second from 0 s on. */
const timesOf = (milliseconds: readonly number[]): RecentTimes => {
  const times = new RecentTimes();
  for (const [second, ms] of milliseconds.entries()) times.add(BigInt(second) * NS_PER_S, ms);
  return times;
};
const same = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);
const at = (second: number): bigint => BigInt(second) * NS_PER_S;

t.test('few times count by the longest, and none by nothing', (t) => {
  t.equal(timesOf([]).typicalMs(0n), 0);
  t.equal(timesOf([5, 30, 7]).typicalMs(at(3)), 30);
  t.end();
});

t.test(
  'a single stall does not count, nor does one in eight; what comes more often does, for as long as it is recent',
  (t) => {
    t.equal(timesOf([...same(3, 10), 900]).typicalMs(at(4)), 10);
    t.equal(timesOf([...same(14, 10), 900, 800]).typicalMs(at(16)), 10);
    const often = timesOf([...same(4, 10), 900, 800, 700, ...same(9, 10)]);
    t.equal(often.typicalMs(at(16)), 700);
    t.equal(often.typicalMs(at(64)), 700);
    t.equal(often.typicalMs(at(66)), 10, 'by then one of them is left of ten');
    t.end();
  },
);

t.test('of a busy minute the last 64 count', (t) => {
  const times = new RecentTimes();
  for (const [n, ms] of [...same(20, 900), ...same(64, 10)].entries()) times.add(BigInt(n), ms);
  t.equal(times.typicalMs(84n), 10);
  t.end();
});

t.test('what took long while a house was forming is forgotten with the first commands after it', (t) => {
  const times = timesOf(same(20, 300));
  t.equal(times.typicalMs(at(600)), 300, 'there is nothing else to go by');
  for (let n = 0; n < 7; n++) times.add(at(600 + n), 12);
  t.equal(times.typicalMs(at(607)), 12);
  t.end();
});
