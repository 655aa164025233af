import fc from 'fast-check';
import t from 'tap';
import { fadeFrames, fadeIn, fadeInGain, fadeOut, fadeOutGain } from '../../src/audio/fade.js';

const LENGTH = 240;

t.test('a fade takes 5 ms', (t) => {
  t.equal(fadeFrames(48_000), LENGTH);
  t.equal(fadeFrames(44_100), 221);
  t.end();
});

t.test('in and out add up to 1 at every frame', (t) => {
  for (let index = -10; index < LENGTH + 10; index++) {
    t.equal(fadeInGain(index, LENGTH) + fadeOutGain(index, LENGTH), 1);
  }
  t.end();
});

t.test('a fade in rises from silence to unity without a step or a corner', (t) => {
  let steepest = 0;
  let sharpest = 0;
  for (let index = -2; index < LENGTH + 2; index++) {
    const [a, b, c] = [index - 1, index, index + 1].map((i) => fadeInGain(i, LENGTH)) as [number, number, number];
    if (c < b) t.fail(`falls at ${index}`);
    steepest = Math.max(steepest, c - b);
    sharpest = Math.max(sharpest, Math.abs(c - 2 * b + a));
  }
  t.ok(steepest < 2 / LENGTH, `${steepest}`);
  t.ok(sharpest < (Math.PI / LENGTH) ** 2, `${sharpest}`);
  t.equal(fadeInGain(-1, LENGTH), 0);
  t.equal(fadeInGain(LENGTH, LENGTH), 1);
  t.end();
});

t.test('the way in is the way out turned round', (t) => {
  for (let index = 0; index < LENGTH; index++) {
    const turned = fadeOutGain(LENGTH - 1 - index, LENGTH);
    if (Math.abs(fadeInGain(index, LENGTH) - turned) > 1e-15) t.fail(`at ${index}`);
  }
  t.pass('symmetric');
  t.end();
});

t.test('before and after a fade nothing but silence and the sound itself', (t) => {
  const signal = () => Float64Array.from({ length: 2 * (LENGTH + 100) }, (_, i) => 0.001 * i - 0.3);
  const into = signal();
  fadeIn(into, 2, LENGTH + 100, -50, LENGTH);
  t.ok(into.subarray(0, 100).every((sample) => sample === 0));
  t.strictSame(into.slice(2 * (LENGTH + 50)), signal().slice(2 * (LENGTH + 50)));
  const out = signal();
  fadeOut(out, 2, LENGTH + 100, -50, LENGTH);
  t.strictSame(out.slice(0, 100), signal().slice(0, 100));
  t.ok(out.subarray(2 * (LENGTH + 50)).every((sample) => sample === 0));
  t.end();
});

t.test('a crossfade of a signal with itself leaves it as it was, whatever the blocks', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 10 }), (blocks) => {
      let index = -20;
      return blocks.every((frames) => {
        const signal = Float64Array.from({ length: 3 * frames }, (_, i) => Math.sin(index + i));
        const into = signal.slice();
        const out = signal.slice();
        fadeIn(into, 3, frames, index, LENGTH);
        fadeOut(out, 3, frames, index, LENGTH);
        index += frames;
        return signal.every((sample, i) => Math.abs(into[i]! + out[i]! - sample) < 1e-15);
      });
    }),
    { seed: 1, numRuns: 100 },
  );
  t.end();
});
