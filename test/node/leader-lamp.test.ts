import t from 'tap';
import { LeaderLamp } from '../../src/node/leader-lamp.js';
import { FakeLamp } from '../../src/ports/fake-controls.js';
import { FakeTime } from '../../src/ports/fake-time.js';

t.test('the lamp is lit while the lease is held, and goes out soon after its end without being told', async (t) => {
  const time = new FakeTime();
  const lamp = new FakeLamp();
  let isHeld = true;
  const leader = new LeaderLamp({ time, lamp, holdsLease: () => isHeld });
  await leader.stop();
  await leader.start();
  t.equal(lamp.lit, true);
  isHeld = false;
  time.advance(50);
  t.equal(lamp.lit, false);
  isHeld = true;
  time.advance(50);
  t.equal(lamp.lit, true);
  await leader.stop();
  await leader.stop();
  t.equal(lamp.lit, false);
  t.strictSame(time.running(), []);
});
