import fc from 'fast-check';
import t from 'tap';
import { Dither, losesBits, quantize } from '../../src/audio/quantize.js';
import { InvariantError } from '../../src/core/assert.js';
import { tone } from './signals.js';

const BITS = [8, 16, 20, 24, 32];

/** `input` quantised, in steps of the grid. */
function steps(input: Float64Array, bits: number, dither: Dither | null = null): Int32Array {
  const output = new Int32Array(input.length);
  quantize(input, output, input.length, bits, dither);
  return output;
}

t.test('samples on the grid pass bit by bit', (t) => {
  for (const bits of BITS) {
    const scale = 2 ** (bits - 1);
    fc.assert(
      fc.property(fc.integer({ min: -scale, max: scale - 1 }), (whole) => {
        return steps(Float64Array.of(whole / scale), bits)[0] === whole;
      }),
      { seed: 1, numRuns: 2_000, examples: [[-scale], [scale - 1], [0], [-1]] },
    );
  }
  t.pass('8 to 32 bits');
  t.end();
});

t.test('what lies between is rounded to the nearest', (t) => {
  for (const bits of BITS) {
    const scale = 2 ** (bits - 1);
    const between = Float64Array.from([0.4, 0.6, -0.4, -0.6, 41.3, -41.7], (steps) => steps / scale);
    t.strictSame(Array.from(steps(between, bits)), [0, 1, 0, -1, 41, -42], `${bits} bits`);
  }
  t.end();
});

t.test('what is beyond full scale is clipped, and counted', (t) => {
  for (const bits of BITS) {
    const scale = 2 ** (bits - 1);
    const output = new Int32Array(6);
    const input = Float64Array.of(1, 1.5, Number.POSITIVE_INFINITY, -1, -1.01, Number.NEGATIVE_INFINITY);
    t.equal(quantize(input, output, 6, bits, null), 5, `${bits} bits: -1 itself is on the grid`);
    t.strictSame(Array.from(output), [scale - 1, scale - 1, scale - 1, -scale, -scale, -scale]);
  }
  t.end();
});

t.test('what is not a number is silence', (t) => {
  t.strictSame(Array.from(steps(Float64Array.of(Number.NaN, -0), 16)), [0, 0]);
  t.end();
});

t.test('only the samples asked for are written', (t) => {
  const output = new Int32Array(3).fill(7);
  quantize(new Float64Array(3), output, 2, 16, null);
  t.strictSame(Array.from(output), [0, 0, 7]);
  t.end();
});

t.test('dither is due where bits are lost, and only there', (t) => {
  t.notOk(losesBits('s16', false, 16));
  t.notOk(losesBits('u8', false, 16));
  t.notOk(losesBits('s24', false, 32));
  t.ok(losesBits('s24', false, 16));
  t.ok(losesBits('f32', false, 32), 'a float may lie between the steps of any grid');
  t.ok(losesBits('s16', true, 24), 'a gain makes values that were on no grid');
  t.end();
});

t.test('dither is triangular noise: within a step, mean 0, variance 1/6, independent, repeatable', (t) => {
  const count = 200_000;
  const dither = new Dither(1);
  const draws = Float64Array.from({ length: count }, () => dither.next());
  const mean = (of: (i: number) => number) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += of(i);
    return sum / count;
  };
  t.ok(draws.every((draw) => draw > -1 && draw < 1));
  // Bounds are five standard deviations of the estimates.
  const sigma = 5 / Math.sqrt(count);
  t.ok(Math.abs(mean((i) => draws[i]!)) < sigma * Math.sqrt(1 / 6));
  t.ok(Math.abs(mean((i) => draws[i]! ** 2) - 1 / 6) < sigma * Math.sqrt(1 / 15 - 1 / 36));
  t.ok(Math.abs(mean((i) => (Math.abs(draws[i]!) < 0.5 ? 1 : 0)) - 0.75) < sigma * Math.sqrt(0.75 * 0.25), 'triangle');
  for (const lag of [1, 2, 3, 8]) {
    t.ok(Math.abs(mean((i) => draws[i]! * draws[(i + lag) % count]!)) < sigma / 6, `no echo after ${lag}`);
  }
  const again = new Dither(1);
  t.ok(draws.subarray(0, 1_000).every((draw) => draw === again.next()));
  const other = new Dither(2);
  t.notOk(draws.subarray(0, 10).every((draw) => draw === other.next()));
  t.end();
});

t.test('with dither the error is noise of constant level that does not follow the signal', (t) => {
  const count = 100_000;
  const scale = 2 ** 15;
  /** Mean and variance of the error, in steps, for a constant input of `level` steps. */
  const errorAt = (level: number) => {
    const output = steps(new Float64Array(count).fill(level / scale), 16, new Dither(3));
    const mean = output.reduce((sum, step) => sum + step - level, 0) / count;
    return { mean, variance: output.reduce((sum, step) => sum + (step - level - mean) ** 2, 0) / count };
  };
  for (const level of [0, 0.25, 0.5, -0.37, 100.9]) {
    const { mean, variance } = errorAt(level);
    t.ok(Math.abs(mean) < 0.01, `level ${level}: mean ${mean.toFixed(4)}`);
    // 1/12 of rounding and 2/12 of the dither (Lipshitz, Wannamaker, Vanderkooy).
    t.ok(Math.abs(variance - 1 / 4) < 0.01, `level ${level}: variance ${variance.toFixed(4)}`);
  }
  t.end();
});

t.test('a sine below one step is lost without dither and kept with it', (t) => {
  const scale = 2 ** 15;
  const quiet = tone(1_000, 48_000, 96_000).map((sample) => (0.4 * sample) / scale);
  const amplitude = (output: Int32Array) =>
    output.reduce((sum, step, i) => sum + step * Math.sin((2 * Math.PI * i) / 48), 0) / (output.length / 2);
  t.ok(steps(quiet, 16).every((step) => step === 0));
  t.ok(Math.abs(amplitude(steps(quiet, 16, new Dither(4))) - 0.4) < 0.02);
  t.end();
});

t.test('a card with one bit, or with 33, is our own mistake', (t) => {
  for (const bits of [1, 33]) {
    t.throws(() => quantize(new Float64Array(1), new Int32Array(1), 1, bits, null), InvariantError);
  }
  t.end();
});
