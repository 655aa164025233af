import t from 'tap';
import { addTime, type LocalTime, nanosFromMs } from '../../src/core/units.js';
import { LeaderLamp } from '../../src/node/leader-lamp.js';
import { FakeLeaseLamp } from '../../src/ports/fake-controls.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { FakeTime } from '../../src/ports/fake-time.js';

function make() {
  const time = new FakeTime();
  const lamp = new FakeLeaseLamp({ time });
  const lease: { until: LocalTime | null } = { until: null };
  const log = new FakeLog();
  const leader = new LeaderLamp({ time, log, lamp, leaseUntil: () => lease.until });
  const grant = (ms: number) => {
    lease.until = addTime(time.now(), nanosFromMs(ms));
  };
  return { time, log, lamp, lease, leader, grant };
}

t.test('the lamp is lit while the lease is held, and goes out when it is lost', async (t) => {
  const { time, lamp, lease, leader, grant } = make();
  await leader.stop();
  grant(450);
  await leader.start();
  t.equal(lamp.lit, true);
  for (let beat = 0; beat < 50; beat++) {
    grant(450);
    time.advance(100);
    t.equal(lamp.lit, true, 'steadily');
  }
  lease.until = null;
  time.advance(50);
  t.equal(lamp.lit, false);
  grant(450);
  time.advance(50);
  t.equal(lamp.lit, true);
  await leader.stop();
  await leader.stop();
  t.equal(lamp.lit, false);
  t.strictSame(time.running(), []);
});

t.test('it goes out at the end of the lease, to the moment, where nobody renews it', async (t) => {
  const { time, lamp, leader, grant } = make();
  grant(450);
  await leader.start();
  time.advance(449);
  t.equal(lamp.lit, true);
  time.advance(1);
  t.equal(lamp.lit, false);
  await leader.stop();
});

t.test('it is told of each renewal once, and of nothing while another node leads', async (t) => {
  const { time, lamp, leader, grant } = make();
  await leader.start();
  time.advance(10_000);
  t.equal(lamp.told, 0);
  for (let beat = 0; beat < 100; beat++) {
    grant(450);
    time.advance(100);
  }
  t.equal(lamp.told, 100);
  await leader.stop();
});

t.test('a lamp that cannot be had is told, and keeps nobody from starting', async (t) => {
  const { time, log, lamp, leader } = make();
  lamp.broken = 'line 26 is in use by led0';
  await leader.start();
  t.equal(leader.trouble(), 'line 26 is in use by led0');
  t.match(log.entries, [{ level: 'warn', fields: { why: 'line 26 is in use by led0' } }]);
  await leader.stop();
  t.strictSame(time.running(), []);
});
