import t from 'tap';
import { CORRECTION_MAX_PPM, Servo, SNAP_ABOVE_US } from '../../src/audio/servo.js';

/** One frame at 50 kHz: 20 us. */
const RATE = 50_000;

t.test('an error within one frame of the card is left alone', (t) => {
  const servo = new Servo(RATE);
  for (const errorUs of [20, -20, 19, 0]) {
    t.equal(servo.update(errorUs), 'steer');
    t.equal(servo.correctionPpm, 0);
  }
  t.end();
});

t.test('ahead reads slower, behind reads faster, the more the further', (t) => {
  for (const sign of [1, -1]) {
    const [near, far] = [new Servo(RATE), new Servo(RATE)];
    near.update(sign * 50);
    far.update(sign * 100);
    t.equal(Math.sign(near.correctionPpm), -sign);
    t.ok(Math.abs(far.correctionPpm) > Math.abs(near.correctionPpm));
  }
  t.end();
});

t.test('no correction is above 500 ppm, and an error above 1 ms is no matter of speed', (t) => {
  const servo = new Servo(RATE);
  t.equal(servo.update(SNAP_ABOVE_US), 'steer');
  t.equal(servo.correctionPpm, -CORRECTION_MAX_PPM);
  t.equal(servo.update(SNAP_ABOVE_US + 1), 'snap');
  t.equal(servo.update(-SNAP_ABOVE_US - 1), 'snap');
  t.end();
});

t.test('single readings are averaged, so that a coarse delay does not shake the speed', (t) => {
  const servo = new Servo(RATE);
  for (let i = 0; i < 200; i++) {
    servo.update(i % 2 === 0 ? 0 : 35);
    if (i > 0) t.equal(servo.correctionPpm, 0);
  }
  t.ok(Math.abs(servo.errorUs - 17.5) < 2);
  servo.update(900);
  t.ok(servo.errorUs < 100);
  servo.reset();
  t.same([servo.errorUs, servo.correctionPpm], [0, 0]);
  servo.update(200);
  t.equal(servo.errorUs, 200, 'after a reset the first reading counts alone');
  t.end();
});
