import fc from 'fast-check';
import t from 'tap';
import { GainRamp, volumeToGain } from '../../src/audio/gain.js';
import { InvariantError } from '../../src/core/assert.js';

const RATE = 48_000;
/** 20 ms at this rate. */
const RAMP = 960;

/** The gain itself at frames `first` to `first + frames`: what becomes of a signal that is 1 throughout. */
function gains(ramp: GainRamp, first: number, frames: number): Float64Array {
  const buffer = new Float64Array(frames).fill(1);
  ramp.apply(buffer, 1, frames, first);
  return buffer;
}

t.test('volume is a cube: 0 is silence, 100 unchanged, half the way an eighth', (t) => {
  t.equal(volumeToGain(0), 0);
  t.equal(volumeToGain(50), 0.125);
  t.equal(volumeToGain(100), 1);
  for (let percent = 1; percent <= 100; percent++) t.ok(volumeToGain(percent) > volumeToGain(percent - 1));
  t.throws(() => volumeToGain(101), InvariantError);
  t.throws(() => volumeToGain(-1), InvariantError);
  t.throws(() => volumeToGain(Number.NaN), InvariantError);
  t.end();
});

t.test('at unity samples are not touched', (t) => {
  const ramp = new GainRamp(RATE);
  const buffer = Float64Array.of(0.1, -0.7, Number.NaN, Number.MIN_VALUE);
  t.equal(ramp.apply(buffer, 2, 2, 0), false);
  t.strictSame(Array.from(buffer), [0.1, -0.7, Number.NaN, Number.MIN_VALUE]);
  t.end();
});

t.test('a ramp is a line over 20 ms from its frame on, for all channels alike', (t) => {
  const ramp = new GainRamp(RATE);
  ramp.setTarget(0.5, 100);
  const buffer = new Float64Array(2 * 2_000).fill(1);
  t.equal(ramp.apply(buffer, 2, 2_000, 0), true);
  for (let frame = 0; frame < 2_000; frame++) {
    const along = Math.min(1, Math.max(0, (frame - 100) / RAMP));
    const wanted = 1 - 0.5 * along;
    if (Math.abs(buffer[2 * frame]! - wanted) > 1e-12 || buffer[2 * frame] !== buffer[2 * frame + 1]) {
      t.fail(`frame ${frame}: ${buffer[2 * frame]}, not ${wanted}`);
    }
  }
  t.equal(buffer[2 * (100 + RAMP)], 0.5, 'exact at its end');
  t.end();
});

t.test('back at unity, samples pass bit by bit again', (t) => {
  const ramp = new GainRamp(RATE, 0.3);
  t.equal(ramp.apply(new Float64Array(10), 1, 10, 0), true);
  ramp.setTarget(1, 10);
  t.equal(ramp.apply(new Float64Array(RAMP), 1, RAMP, 10), true);
  t.equal(ramp.apply(new Float64Array(10), 1, 10, 10 + RAMP), false);
  ramp.setTarget(1, 5_000);
  t.equal(ramp.apply(new Float64Array(100), 1, 100, 5_000), false, 'from 1 to 1 is no change');
  t.end();
});

t.test('silence is exact', (t) => {
  const ramp = new GainRamp(RATE);
  ramp.setTarget(0, 0);
  t.ok(
    gains(ramp, 0, RAMP + 100)
      .subarray(RAMP)
      .every((gain) => gain === 0),
  );
  t.end();
});

t.test('a change inside a ramp goes on from where that one has got', (t) => {
  const ramp = new GainRamp(RATE, 0);
  ramp.setTarget(1, 0);
  ramp.setTarget(0, RAMP / 2);
  const all = gains(ramp, 0, 2 * RAMP);
  t.equal(all[RAMP / 2], 0.5);
  t.equal(all[RAMP], 0.25);
  t.equal(all[RAMP / 2 + RAMP], 0);
  t.end();
});

t.test('a new target takes the place of those at or after its frame, not of those before', (t) => {
  const ramp = new GainRamp(RATE, 0);
  ramp.setTarget(0.2, 0);
  ramp.setTarget(0.9, 5_000);
  ramp.setTarget(0.8, 3_000);
  ramp.setTarget(0.4, 3_000);
  const all = gains(ramp, 0, 10_000);
  t.equal(all[2_999], 0.2);
  t.equal(all[4_999], 0.4);
  t.equal(all[9_999], 0.4);
  t.end();
});

t.test('a target whose frame is past begins with the first frame there is', (t) => {
  const ramp = new GainRamp(RATE, 0);
  ramp.setTarget(1, 50);
  const late = gains(ramp, 1_000, RAMP + 1);
  t.equal(late[0], 0);
  t.equal(late[RAMP / 2], 0.5);
  t.equal(late[RAMP], 1);
  t.end();
});

t.test('any changes: continuous, within their bounds, and the same whatever the blocks', (t) => {
  const target = fc.record({ gain: fc.double({ min: 0, max: 1, noNaN: true }), atFrame: fc.nat(6_000) });
  fc.assert(
    fc.property(fc.array(target, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 1_500 })), (targets, blocks) => {
      const ordered = targets.sort((a, b) => a.atFrame - b.atFrame);
      const make = () => {
        const ramp = new GainRamp(RATE);
        for (const { gain, atFrame } of ordered) ramp.setTarget(gain, atFrame);
        return ramp;
      };
      const whole = gains(make(), 0, 8_000);
      const pieces = make();
      let at = 0;
      for (const frames of [...blocks, 8_000]) {
        const block = gains(pieces, at, Math.min(frames, 8_000 - at));
        if (block.some((gain, i) => gain !== whole[at + i])) return false;
        at += block.length;
      }
      // A line from 0 to 1 moves by 1 / RAMP from frame to frame; none is steeper.
      return whole.every(
        (gain, i) => gain >= 0 && gain <= 1 && Math.abs(gain - (whole[i - 1] ?? 1)) <= 1 / RAMP + 1e-12,
      );
    }),
    { seed: 1, numRuns: 200 },
  );
  t.end();
});

t.test('over silence it passes as it would over sound', (t) => {
  const [heard, passed] = [new GainRamp(48_000), new GainRamp(48_000)];
  const buffer = new Float64Array(480);
  for (let frame = 0; frame < 9_600; frame += 480) {
    for (const ramp of [heard, passed]) {
      if (frame === 480) ramp.setTarget(0.5, 700);
      if (frame === 960) ramp.setTarget(0.25, 1_300);
    }
    heard.apply(buffer.fill(1), 1, 480, frame);
    if (frame < 1_440) {
      passed.pass(480, frame);
      continue;
    }
    const other = new Float64Array(480).fill(1);
    passed.apply(other, 1, 480, frame);
    t.same(other, buffer, `from frame ${frame} on`);
  }
  t.end();
});
