import t from 'tap';
import { CommitTimes } from '../../src/node/commit-times.js';

const timesOf = (milliseconds: readonly number[]): CommitTimes => {
  const times = new CommitTimes();
  for (const ms of milliseconds) times.add(BigInt(ms) * 1_000_000n);
  return times;
};
const same = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);

t.test('few commits count by the slowest, and none by nothing', (t) => {
  t.equal(timesOf([]).typicalMs, 0);
  t.equal(timesOf([5, 30, 7]).typicalMs, 30);
  t.end();
});

t.test('of many a single stall does not count, but two do, until 64 others have come', (t) => {
  t.equal(timesOf([...same(32, 10), 900, ...same(31, 10)]).typicalMs, 10);
  t.equal(timesOf([...same(32, 10), 900, 800, ...same(30, 10)]).typicalMs, 800);
  t.equal(timesOf([900, 800, ...same(64, 10)]).typicalMs, 10);
  t.end();
});
