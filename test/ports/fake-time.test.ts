/** FakeTime moves only when it is moved, and fires at exact instants. */
import t from 'tap';
import { localTime } from '../../src/core/units.js';
import { FakeTime } from '../../src/ports/fake-time.js';

t.test('timers fire at their very instants, those of one instant in the order in which they were set', (t) => {
  const time = new FakeTime({ startNs: 0n });
  const fired: string[] = [];
  const note = (name: string) => () => fired.push(`${name} ${time.now()}`);
  time.after('b', 2, note('b'));
  time.after('a', 1.5, note('a'));
  time.after('c', 2, note('c'));
  time.every('tick', 1, note('tick'));
  time.advance(2);
  t.same(fired, ['tick 1000000', 'a 1500000', 'b 2000000', 'c 2000000', 'tick 2000000']);
  t.equal(time.now(), 2_000_000n);
  time.advanceNs(999_999n);
  t.equal(fired.length, 5);
  time.advanceNs(1n);
  t.equal(fired.length, 6);
  t.end();
});

t.test('it goes from one instant to the next at which something falls due, as far as it is told', (t) => {
  const time = new FakeTime({ startNs: 7n });
  const fired: string[] = [];
  const note = (name: string) => () => fired.push(`${name} ${time.now()}`);
  time.after('a', 1, note('a'));
  time.after('b', 1, note('b'));
  time.after('c', 2, note('c'));
  t.ok(time.advanceToNext(localTime(2_000_007n)));
  t.same(fired, ['a 1000007', 'b 1000007']);
  t.notOk(time.advanceToNext(localTime(2_000_006n)), 'what falls due later has to wait');
  t.equal(time.now(), 1_000_007n);
  t.ok(time.advanceToNext(localTime(2_000_007n)));
  t.equal(fired.at(-1), 'c 2000007');
  t.notOk(time.advanceToNext(localTime(9_000_000n)), 'nothing falls due any more');
  t.end();
});

t.test('timers that a callback sets fire in the same advance, where they fall due', (t) => {
  const time = new FakeTime({ startNs: 0n });
  const fired: bigint[] = [];
  const again = () => {
    fired.push(time.now());
    if (fired.length < 5) time.after('again', 10, again);
  };
  time.after('again', 10, again);
  time.advance(35);
  t.same(fired, [10_000_000n, 20_000_000n, 30_000_000n]);
  t.equal(time.now(), 35_000_000n);
  t.end();
});

t.test('what falls due while a callback takes its time fires late, and not within it', (t) => {
  const time = new FakeTime({ startNs: 0n });
  const fired: string[] = [];
  time.after('slow', 10, () => {
    time.advance(100);
    fired.push(`slow until ${time.now()}`);
  });
  time.after('waiting', 20, () => fired.push(`waiting ${time.now()}`));
  time.advance(30);
  t.same(fired, ['slow until 110000000', 'waiting 110000000']);
  t.equal(time.now(), 110_000_000n);
  t.end();
});

t.test('a callback that throws leaves the clock usable', (t) => {
  const time = new FakeTime();
  time.after('bad', 1, () => {
    throw new Error('bad');
  });
  let fired = false;
  time.after('good', 2, () => {
    fired = true;
  });
  t.throws(() => time.advance(5), { message: 'bad' });
  time.advance(5);
  t.ok(fired);
  t.end();
});

t.test('the wall clock goes with it, and may be set without anything else noticing', (t) => {
  const time = new FakeTime({ wallClockMs: 1_000 });
  const before = time.now();
  time.advance(500);
  t.equal(time.wallClockMs(), 1_500);
  time.setWallClockMs(9_000_000);
  t.equal(time.wallClockMs(), 9_000_000);
  time.advance(1);
  t.equal(time.wallClockMs(), 9_000_001);
  t.equal(time.now() - before, 501_000_000n);
  t.end();
});
