import t from 'tap';
import { CORRECTION_MAX_PPM, NOMINAL_PACE, Servo, SNAP_ABOVE_US } from '../../src/audio/servo.js';

/** One frame at 50 kHz: 20 us. */
const RATE = 50_000;
const BLOCK_S = 0.02;
const paced = (ppm: number) => ({ ppm, isNominal: false });

t.test('the rate of the card is made good for before there is any error', (t) => {
  for (const ppm of [80, -60, 400]) {
    const servo = new Servo(RATE);
    servo.update(0, BLOCK_S, paced(ppm), false);
    t.ok(Math.abs((1 + servo.correctionPpm / 1e6) * (1 + ppm / 1e6) - 1) < 1e-12, `${ppm} ppm`);
  }
  t.end();
});

t.test('ahead reads slower, behind reads faster, in proportion', (t) => {
  for (const sign of [1, -1]) {
    const [near, far] = [new Servo(RATE), new Servo(RATE)];
    near.update(sign * 50, BLOCK_S, paced(0), false);
    far.update(sign * 100, BLOCK_S, paced(0), false);
    t.equal(Math.sign(near.correctionPpm), -sign);
    t.ok(Math.abs(far.correctionPpm - 2 * near.correctionPpm) < 1e-9);
  }
  t.end();
});

t.test('no correction of an error is above 500 ppm, and one above 1 ms is no matter of speed', (t) => {
  const servo = new Servo(RATE);
  t.equal(servo.update(SNAP_ABOVE_US, BLOCK_S, paced(0), false), 'steer');
  t.equal(servo.correctionPpm, -CORRECTION_MAX_PPM);
  t.equal(servo.update(SNAP_ABOVE_US + 1, BLOCK_S, paced(0), false), 'snap');
  t.equal(servo.update(-SNAP_ABOVE_US - 1, BLOCK_S, paced(0), false), 'snap');
  t.end();
});

t.test('dead band as standing error: the smallest error is corrected as well', (t) => {
  const servo = new Servo(RATE);
  servo.update(0.1, BLOCK_S, paced(0), false);
  t.ok(servo.correctionPpm < 0);
  servo.update(0.1, BLOCK_S, NOMINAL_PACE, false);
  t.ok(servo.correctionPpm < 0, 'also on a card that keeps perfect time, where samples are not passed as they are');
  t.end();
});

t.test('integral wind-up: what is corrected depends on the error now, and on none before', (t) => {
  const [pushed, fresh] = [new Servo(RATE), new Servo(RATE)];
  for (let i = 0; i < 10_000; i++) pushed.update(900, BLOCK_S, paced(0), false);
  pushed.update(-3, BLOCK_S, paced(0), false);
  fresh.update(-3, BLOCK_S, paced(0), false);
  t.equal(pushed.correctionPpm, fresh.correctionPpm);
  t.end();
});

t.test('samples that pass untouched are left alone within one frame of a perfect card, and nowhere else', (t) => {
  const servo = new Servo(RATE);
  servo.update(20, BLOCK_S, NOMINAL_PACE, true);
  t.equal(servo.correctionPpm, 0);
  servo.update(20.1, BLOCK_S, NOMINAL_PACE, true);
  t.ok(servo.correctionPpm < 0);
  servo.update(20, BLOCK_S, paced(0), true);
  t.ok(servo.correctionPpm < 0);
  t.end();
});

t.test('the error that is shown is the average of a second', (t) => {
  const servo = new Servo(RATE);
  servo.update(200, BLOCK_S, paced(0), false);
  t.equal(servo.errorUs, 200, 'the first reading counts alone');
  for (let i = 0; i < 500; i++) servo.update(i % 2 === 0 ? 0 : 40, BLOCK_S, paced(0), false);
  t.ok(Math.abs(servo.errorUs - 20) < 1);
  servo.update(900, BLOCK_S, paced(0), false);
  t.ok(servo.errorUs < 50);
  servo.reset();
  t.equal(servo.errorUs, 0);
  t.end();
});
