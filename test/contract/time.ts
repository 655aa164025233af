/** What every Time keeps. */
import type { Test } from 'tap';
import { InvariantError } from '../../src/core/assert.js';
import { NS_PER_MS } from '../../src/core/units.js';
import type { Time } from '../../src/ports/time.js';
import { type Pass, until } from './support.js';

export interface TimeSetup {
  readonly time: Time;
  readonly pass: Pass;
  /** Keeps the thread busy for that long, from within a callback. Milliseconds. */
  stall(ms: number): void;
}

export const runTimeContract = (t: Test, name: string, setup: () => TimeSetup): Promise<unknown> =>
  t.test(`${name} keeps the contract of Time`, async (t) => {
    await t.test('the clock never runs backwards, and moves', async (t) => {
      const { time, pass } = setup();
      const first = time.now();
      let previous = first;
      await until(
        () => {
          const now = time.now();
          if (now < previous) t.fail(`${now} came after ${previous}`);
          previous = now;
          return now - first >= 3n * NS_PER_MS;
        },
        pass,
        'three milliseconds pass',
      );
      t.ok(time.wallClockMs() > 1_600_000_000_000, 'the wall clock counts milliseconds since 1970');
    });

    await t.test('a timer fires once, and not before its delay has passed', async (t) => {
      const { time, pass } = setup();
      const early: string[] = [];
      let fired = 0;
      const delaysMs = [0, 1, 1.5, 2, 3.25, 5, 8, 13];
      for (const delayMs of delaysMs) {
        const setAt = time.now();
        time.after('once', delayMs, () => {
          fired++;
          const elapsedNs = time.now() - setAt;
          if (elapsedNs < BigInt(delayMs * 1e6)) early.push(`${delayMs} ms after ${elapsedNs} ns`);
        });
      }
      t.equal(fired, 0, 'never within the call that sets it');
      await until(() => fired === delaysMs.length, pass, 'all timers fire');
      let isLater = false;
      time.after('later', 20, () => {
        isLater = true;
      });
      await until(() => isLater, pass, 'a later timer fires');
      t.same(early, []);
      t.equal(fired, delaysMs.length);
    });

    await t.test('timers fire in the order of their instants', async (t) => {
      const { time, pass } = setup();
      const order: number[] = [];
      for (const delayMs of [30, 10, 20]) time.after(`after ${delayMs}`, delayMs, () => order.push(delayMs));
      await until(() => order.length === 3, pass, 'all timers fire');
      t.same(order, [10, 20, 30]);
    });

    await t.test('a cancelled timer does not fire, and may be cancelled again', async (t) => {
      const { time, pass } = setup();
      let isOver = false;
      const cancelled = time.after('cancelled', 5, () => t.fail('a cancelled timer fired'));
      const periodic = time.every('cancelled too', 5, () => t.fail('a cancelled timer fired'));
      cancelled.cancel();
      cancelled.cancel();
      periodic.cancel();
      const last = time.after('last', 15, () => {
        isOver = true;
      });
      await until(() => isOver, pass, 'a later timer fires');
      last.cancel();
      t.same(time.running(), []);
    });

    await t.test(
      'a periodic timer fires at multiples of its period until it is cancelled, also by itself',
      async (t) => {
        const { time, pass } = setup();
        const setAt = time.now();
        const early: string[] = [];
        let calls = 0;
        const timer = time.every('tick', 4, () => {
          calls++;
          const elapsedNs = time.now() - setAt;
          if (elapsedNs < BigInt(calls) * 4n * NS_PER_MS) early.push(`call ${calls} after ${elapsedNs} ns`);
          if (calls === 5) timer.cancel();
        });
        await until(() => time.running().length === 0, pass, 'it cancels itself');
        let isOver = false;
        time.after('later', 12, () => {
          isOver = true;
        });
        await until(() => isOver, pass, 'a later timer fires');
        t.equal(calls, 5);
        t.same(early, []);
      },
    );

    await t.test('a late call does not bunch up those after it, and does not shift them', async (t) => {
      const { time, pass, stall } = setup();
      const periodNs = 10n * NS_PER_MS;
      const setAt = time.now();
      const multiples: bigint[] = [];
      const timer = time.every('tick', 10, () => {
        multiples.push((time.now() - setAt) / periodNs);
        if (multiples.length === 1) stall(35);
        if (multiples.length === 3) timer.cancel();
      });
      await until(() => multiples.length === 3, pass, 'three calls');
      const [first, second, third] = multiples;
      t.ok(second! >= first! + 3n, 'the periods that were missed are left out');
      t.ok(third! > second!, 'and no two calls fall into one period');
    });

    await t.test('running names the timers that wait', async (t) => {
      const { time, pass } = setup();
      let hasFired = false;
      time.after('a', 1, () => {
        hasFired = true;
      });
      const b = time.every('b', 60_000, () => {});
      t.same(time.running(), ['a', 'b']);
      await until(() => hasFired, pass, 'a fires');
      t.same(time.running(), ['b']);
      b.cancel();
      t.same(time.running(), []);
    });

    await t.test('a delay of weeks does not fire at once', async (t) => {
      const { time, pass } = setup();
      let isOver = false;
      const weeks = time.after('in 60 days', 60 * 86_400_000, () => t.fail('60 days passed in no time'));
      time.after('soon', 20, () => {
        isOver = true;
      });
      await until(() => isOver, pass, 'the near timer fires');
      t.same(time.running(), ['in 60 days']);
      weeks.cancel();
    });

    await t.test('a delay or a period out of range is a mistake of ours', (t) => {
      const { time } = setup();
      const nothing = () => {};
      for (const delayMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
        t.throws(() => time.after('bad', delayMs, nothing), InvariantError);
        t.throws(() => time.every('bad', delayMs, nothing), InvariantError);
      }
      t.throws(() => time.every('bad', 0, nothing), InvariantError);
      t.same(time.running(), []);
      t.end();
    });
  });
