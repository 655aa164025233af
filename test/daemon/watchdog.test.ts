/** The service manager hears that the daemon lives for as long as every part of it moves. */
import t from 'tap';
import { Watchdog, watchdogTimeoutMs } from '../../src/daemon/watchdog.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { FakeServiceNotify } from '../../src/ports/fake-service-notify.js';
import { FakeTime } from '../../src/ports/fake-time.js';

/** A watchdog over one part, whose sign a test moves. */
function watched(timeoutMs: number | null = 45_000) {
  const time = new FakeTime();
  const log = new FakeLog();
  const notify = new FakeServiceNotify();
  const part = { name: 'disk', patienceMs: 30_000, at: null as number | null, sign: () => part.at };
  const told = { status: 'leader, 1/1 nodes, stopped' };
  const watchdog = new Watchdog({ time, log, notify, vitals: () => [part], status: () => told.status }, { timeoutMs });
  watchdog.start();
  return {
    time,
    log,
    notify,
    part,
    told,
    watchdog,
    /** Lets time pass; gives how often it was said meanwhile that the daemon lives. */
    alive: (ms: number) => {
      const before = notify.messages.length;
      time.advance(ms);
      return notify.messages.slice(before).filter((message) => message === 'WATCHDOG=1').length;
    },
  };
}

t.test('what has nothing to do, and what moves, is alive', (t) => {
  const { alive, part, watchdog, time } = watched();
  t.equal(alive(600_000), 120, 'every five seconds');
  for (let sync = 1; sync <= 100; sync++) {
    part.at = sync;
    t.ok(alive(20_000) > 0, `sync ${sync} takes 20 s, and the next one comes at once`);
  }
  watchdog.stop();
  watchdog.stop();
  t.same(time.running(), []);
  t.equal(alive(60_000), 0);
  t.end();
});

t.test('a sync that is outstanding for 30 s is told as what it is, and the service manager hears nothing more', (t) => {
  const { alive, part, notify, log } = watched();
  part.at = 7;
  t.equal(alive(30_000), 6);
  t.equal(alive(300_000), 0);
  t.equal(notify.messages.at(-1), 'STATUS=hangs: disk');
  t.same(
    log.entries.map(({ level, fields }) => [level, fields.part]),
    [['error', 'disk']],
    'it is said once',
  );
  part.at = 8;
  t.ok(alive(10_000) > 0, 'the card came back');
  t.equal(
    notify.messages.filter((message) => message.startsWith('STATUS')).at(-1),
    'STATUS=leader, 1/1 nodes, stopped',
  );
  t.equal(log.entries.at(-1)?.level, 'warn');
  t.end();
});

t.test('a part that has finished does not hang, whatever came before', (t) => {
  const { alive, part } = watched();
  part.at = 7;
  alive(60_000);
  part.at = null;
  t.ok(alive(5_000) > 0);
  t.equal(alive(100_000), 20);
  t.end();
});

t.test('it speaks four times within the service manager’s time-out at least', (t) => {
  const { alive } = watched(200);
  t.equal(alive(200), 4);
  t.end();
});

t.test('who is not watched says how it is, and not that it lives', (t) => {
  const { alive, notify, told } = watched(null);
  t.equal(alive(60_000), 0);
  told.status = 'leader, 1/1 nodes, playing';
  alive(60_000);
  t.same(notify.messages, ['STATUS=leader, 1/1 nodes, stopped', 'STATUS=leader, 1/1 nodes, playing']);
  t.end();
});

t.test('a process is watched where the variables of sd_watchdog_enabled(3) say so, and name it', (t) => {
  t.equal(watchdogTimeoutMs({ WATCHDOG_USEC: '45000000', WATCHDOG_PID: '12' }, 12), 45_000);
  t.equal(watchdogTimeoutMs({ WATCHDOG_USEC: '45000000' }, 12), 45_000);
  t.equal(watchdogTimeoutMs({ WATCHDOG_USEC: '45000000', WATCHDOG_PID: '1' }, 12), null);
  t.equal(watchdogTimeoutMs({}, 12), null);
  t.end();
});
