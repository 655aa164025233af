/** The real clock and timers keep the contract of Time, on CLOCK_MONOTONIC_RAW and without it. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { loadLibc } from '../../../src/io/libc/libc.js';
import { SystemTime } from '../../../src/io/time/system-time.js';
import { passRealTime } from '../../contract/support.js';
import { runTimeContract } from '../../contract/time.js';

const libc = loadLibc();

for (const [name, make] of [
  ['SystemTime', () => new SystemTime()],
  ['SystemTime without koffi', () => new SystemTime({ libc: undefined })],
] as const) {
  await runTimeContract(t, name, () => {
    const time = make();
    const stall = (ms: number) => {
      const until = time.now() + BigInt(ms * 1e6);
      while (time.now() < until);
    };
    return { time, pass: passRealTime, stall };
  });
}

t.test('it says which clock it reads', (t) => {
  t.equal(new SystemTime({ libc: undefined }).clock, 'CLOCK_MONOTONIC');
  t.equal(new SystemTime().clock, libc === undefined ? 'CLOCK_MONOTONIC' : 'CLOCK_MONOTONIC_RAW');
  t.end();
});

t.test('both clocks count nanoseconds since the machine started', (t) => {
  const uptimeNs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e9;
  for (const time of [new SystemTime(), new SystemTime({ libc: undefined })]) {
    const now = Number(time.now());
    t.ok(Math.abs(now - uptimeNs) < 0.01 * uptimeNs + 60e9, `${now} is near ${uptimeNs}`);
  }
  t.end();
});

t.test('a 32-bit libc, whose longs are of four bytes, is read alike', (t) => {
  const time = new SystemTime({
    libc: {
      longBytes: 4,
      errno: () => 0,
      bindPooled: () => () => Promise.resolve(0),
      bind: () => (_clock, timespec) => {
        (timespec as Int32Array).set([12, 345]);
        return 0;
      },
    },
  });
  t.equal(time.now(), 12_000_000_345n);
  t.end();
});

t.test('a delay that Node has no room for is no trouble to it', async (t) => {
  const warnings: string[] = [];
  const onWarning = (warning: Error) => warnings.push(warning.name);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const time = new SystemTime();
  const timer = time.after('in a year', 365 * 86_400_000, () => t.fail('a year passed in no time'));
  await new Promise<void>((resolve) => time.after('soon', 5, resolve));
  timer.cancel();
  t.same(warnings, [], 'it would say TimeoutOverflowWarning, and fire at once');
});

t.test('cancelled and fired timers leave no handle', async (t) => {
  const time = new SystemTime();
  const timeouts = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timeouts();
  const timers = [time.after('a', 1_000_000, () => {}), time.every('b', 1_000_000, () => {})];
  t.equal(timeouts(), before + 2);
  for (const timer of timers) timer.cancel();
  t.equal(timeouts(), before);
  await new Promise<void>((resolve) => time.after('c', 1, resolve));
  t.equal(timeouts(), before);
});
