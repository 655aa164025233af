import fc from 'fast-check';
import t from 'tap';
import { Resampler, type ResamplerInit } from '../../src/audio/resampler.js';
import { InvariantError } from '../../src/core/assert.js';
import { Prng } from '../../src/core/prng.js';
import { fitSine, levelDb, tone } from './signals.js';

const noise = (samples: number, seed = 1) => {
  const prng = new Prng(seed);
  return Float64Array.from({ length: samples }, () => prng.fraction() * 2 - 1);
};

/** All of `input` at once, as far as its look-ahead reaches. */
function resampleAll(input: Float64Array, channels: number, init: ResamplerInit): Float64Array {
  const resampler = new Resampler({ channels }, init);
  const frames = Math.ceil(input.length / channels / resampler.ratio);
  const output = new Float64Array(frames * channels);
  const produced = resampler.process(input, input.length / channels, output, frames);
  return output.slice(0, produced * channels);
}

/** What is heard of a tone after resampling, away from its ends. */
function heard(hertz: number, from: number, to: number) {
  const output = resampleAll(tone(hertz, from, from / 3), 1, { ratio: from / to });
  return { output, start: 1_000, end: output.length - 1_000 };
}

t.test('a sine comes out as the same sine, its rest at least 100 dB below', (t) => {
  const cases = [
    { from: 44_100, to: 48_000, hertz: 1_000, snrDb: 115 },
    { from: 44_100, to: 48_000, hertz: 100, snrDb: 115 },
    { from: 44_100, to: 48_000, hertz: 10_000, snrDb: 105 },
    { from: 44_100, to: 48_000, hertz: 17_000, snrDb: 110 },
    { from: 48_000, to: 44_100, hertz: 1_000, snrDb: 115 },
    { from: 48_000, to: 44_100, hertz: 10_000, snrDb: 105 },
    { from: 48_000, to: 44_100, hertz: 18_000, snrDb: 100 },
    { from: 96_000, to: 48_000, hertz: 19_000, snrDb: 100 },
    { from: 192_000, to: 44_100, hertz: 1_000, snrDb: 115 },
    { from: 22_050, to: 48_000, hertz: 1_000, snrDb: 115 },
    { from: 8_000, to: 192_000, hertz: 1_000, snrDb: 105 },
  ];
  for (const { from, to, hertz, snrDb } of cases) {
    const { output, start, end } = heard(hertz, from, to);
    const fit = fitSine(output, hertz, to, start, end);
    const name = `${hertz} Hz from ${from} to ${to}`;
    t.ok(fit.snrDb >= snrDb, `${name}: ${fit.snrDb.toFixed(1)} dB, at least ${snrDb}`);
    t.ok(Math.abs(fit.levelDb) < 0.001, `${name}: as loud as it was (${fit.levelDb.toFixed(5)} dB)`);
    t.ok(Math.abs(fit.lateS * from) < 1e-6, `${name}: late by ${(fit.lateS * from).toExponential(1)} source frames`);
  }
  t.end();
});

t.test('treble loses little up to the edge of hearing', (t) => {
  const { output, start, end } = heard(19_000, 44_100, 48_000);
  t.ok(fitSine(output, 19_000, 48_000, start, end).levelDb > -0.2);
  t.end();
});

t.test('what a lower rate cannot carry does not fold back', (t) => {
  const cases = [
    { from: 48_000, to: 44_100, hertz: 23_000 },
    { from: 48_000, to: 44_100, hertz: 23_900 },
    { from: 96_000, to: 48_000, hertz: 25_000 },
    { from: 96_000, to: 44_100, hertz: 40_000 },
    { from: 192_000, to: 48_000, hertz: 47_000 },
    { from: 44_100, to: 8_000, hertz: 4_200 },
  ];
  for (const { from, to, hertz } of cases) {
    const { output, start, end } = heard(hertz, from, to);
    const level = levelDb(output, start, end);
    t.ok(level <= -100, `${hertz} Hz from ${from} to ${to}: ${level.toFixed(1)} dB`);
  }
  t.end();
});

t.test('a steady signal stays steady at every phase, up and down', (t) => {
  for (const ratio of [0.91875, 0.3001, 1.0884, 4.354]) {
    const output = resampleAll(new Float64Array(4_000).fill(1), 1, { ratio });
    const middle = output.subarray(400, -1);
    t.ok(
      middle.every((sample) => Math.abs(sample - 1) < 1e-12),
      `ratio ${ratio}`,
    );
  }
  t.end();
});

t.test('at ratio 1 samples pass bit by bit', (t) => {
  const input = noise(3 * 5_000);
  const output = resampleAll(input, 3, {});
  t.equal(output.length, input.length - 3 * new Resampler({ channels: 3 }).lookAhead);
  t.strictSame(output, input.slice(0, output.length));
  t.end();
});

t.test('a frame that is hit exactly is not changed by the filter either', (t) => {
  const input = noise(2_000);
  const output = resampleAll(input, 1, { ratio: 0.5 });
  t.strictSame(
    output.filter((_, i) => i % 2 === 0),
    input.slice(0, Math.ceil(output.length / 2)),
  );
  t.end();
});

t.test('streaming in blocks of any size gives the same as all at once', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 44_100 / 48_000, 48_000 / 44_100, 2.177, 8),
      fc.constantFrom(1, 2, 5),
      fc.array(fc.record({ offered: fc.nat(700), asked: fc.nat(700) }), { minLength: 1, maxLength: 60 }),
      (ratio, channels, blocks) => {
        const input = noise(6_000 * channels);
        const whole = resampleAll(input, channels, { ratio });
        const resampler = new Resampler({ channels }, { ratio });
        const output = new Float64Array(whole.length);
        let read = 0;
        let written = 0;
        for (const { offered, asked } of blocks) {
          const offer = Math.min(offered, 6_000 - read);
          const ask = Math.min(asked, whole.length / channels - written);
          written += resampler.process(input, offer, output, ask, read, written);
          read += resampler.consumed;
          if (resampler.consumed > offer) return false;
        }
        return output.subarray(0, written * channels).every((sample, i) => sample === whole[i]);
      },
    ),
    { seed: 1, numRuns: 200 },
  );
  t.end();
});

t.test('inputFramesFor says what a block takes, and at most one frame more', (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 4, noNaN: true }),
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 20 }),
      (ratio, blocks) => {
        const resampler = new Resampler({ channels: 1 }, { ratio });
        const input = new Float64Array(4_000);
        const output = new Float64Array(900);
        return blocks.every((frames) => {
          const tooFew = resampler.inputFramesFor(frames) - 2;
          const given = tooFew > 0 ? resampler.process(input, tooFew, output, frames) : 0;
          if (given === frames) return false;
          const rest = frames - given;
          return resampler.process(input, resampler.inputFramesFor(rest), output, rest) === rest;
        });
      },
    ),
    { seed: 1, numRuns: 200 },
  );
  t.equal(new Resampler({ channels: 1 }).inputFramesFor(0), 0);
  t.end();
});

t.test('a ratio that changes from block to block by up to 500 ppm', (t) => {
  const hertz = 1_000;
  const rate = 44_100;
  const nominal = 0.91875;
  const input = tone(hertz, rate, 120_000);
  const resampler = new Resampler({ channels: 1 }, { ratio: nominal });
  const prng = new Prng(7);
  const block = new Float64Array(100);
  let read = 0;
  // Sums of multiples of 2^-20 are exact in floating point, so the position can be told to the last bit.
  let expected = 0;
  let error = 0;
  let power = 0;
  for (let n = 0; n < 1_000; n++) {
    const ratio = Math.round(nominal * (1 + (prng.fraction() - 0.5) * 1e-3) * 2 ** 20) / 2 ** 20;
    resampler.setRatio(ratio);
    resampler.process(input, 200, block, block.length, read);
    read += resampler.consumed;
    for (let k = 0; k < block.length && n > 0; k++) {
      const exact = Math.sin((2 * Math.PI * hertz * (expected + k * ratio)) / rate);
      error += (block[k]! - exact) ** 2;
      power += exact ** 2;
    }
    expected += block.length * ratio;
    if (resampler.position !== expected) t.fail(`block ${n}: at ${resampler.position}, not ${expected}`);
  }
  const snrDb = 10 * Math.log10(power / error);
  t.ok(snrDb >= 110, `does not leave the sine: ${snrDb.toFixed(1)} dB`);
  t.end();
});

t.test('leaving the bit-exact state and coming back moves nothing', (t) => {
  const hertz = 997;
  const input = tone(hertz, 48_000, 20_000);
  const resampler = new Resampler({ channels: 1 });
  const output = new Float64Array(18_000);
  const places: number[] = [];
  let read = 0;
  let written = 0;
  const run = (frames: number, ratio: number) => {
    resampler.setRatio(ratio);
    for (let k = 0; k < frames; k++) places.push(resampler.position + k * ratio);
    written += resampler.process(input, 20_000 - read, output, frames, read, written);
    read += resampler.consumed;
  };
  t.ok(resampler.exact);
  run(4_000, 1);
  run(2_048, 1 + 2 ** -11);
  t.ok(resampler.exact === false, 'still at the ratio that left it');
  t.equal(resampler.position, 4_000 + 2_048 + 1);
  run(4_000, 1);
  t.ok(resampler.exact);
  run(1_000, 1 - 2 ** -11);
  run(1_000, 1);
  t.notOk(resampler.exact, 'ratio 1 between two frames is filtered');
  t.equal(written, places.length);
  t.strictSame(output.slice(0, 4_000), input.slice(0, 4_000));
  t.strictSame(output.slice(6_048, 10_048), input.slice(6_049, 10_049));
  const worst = places.slice(100).reduce((most, place, k) => {
    const exact = Math.sin((2 * Math.PI * hertz * place) / 48_000);
    return Math.max(most, Math.abs(output[k + 100]! - exact));
  }, 0);
  t.ok(worst < 1e-5, `every sample is the sound at its position: ${worst.toExponential(1)} at worst`);
  t.end();
});

t.test('position does not drift', (t) => {
  const ratio = 44_100 / 48_000;
  const resampler = new Resampler({ channels: 1 }, { ratio, taps: 2 });
  const silence = new Float64Array(50_000);
  const output = new Float64Array(48_000);
  for (let second = 0; second < 600; second++) resampler.process(silence, 50_000, output, 48_000);
  t.ok(Math.abs(resampler.position - 600 * 44_100) < 1e-6, `${resampler.position - 600 * 44_100} frames`);
  t.end();
});

t.test('reset', (t) => {
  const input = noise(2 * 5_000);
  const ratio = 44_100 / 48_000;

  t.test('begins in mid-track as if what was before had played', (t) => {
    const steady = new Resampler({ channels: 2 }, { ratio });
    const output = new Float64Array(2 * 4_000);
    steady.process(input, 5_000, output, 2_000);
    const { position } = steady;
    steady.process(input, 5_000, output, 1_000, steady.consumed);
    const late = new Resampler({ channels: 2 }, { ratio });
    late.process(noise(2_000, 2), 1_000, new Float64Array(2_000), 500);
    const firstFed = Math.floor(position) - late.lookBack;
    late.reset(position, firstFed);
    t.equal(late.position, position);
    const again = new Float64Array(2 * 1_000);
    t.equal(late.process(input, 5_000 - firstFed, again, 1_000, firstFed), 1_000);
    const worst = again.reduce((most, sample, i) => Math.max(most, Math.abs(sample - output[i]!)), 0);
    t.ok(worst < 1e-9, `${worst}`);
    t.end();
  });

  t.test('far ahead of the first frame drops what lies between', (t) => {
    const near = new Resampler({ channels: 2 });
    near.reset(3_000.5, 2_900);
    const wanted = new Float64Array(2 * 100);
    near.process(input, 2_000, wanted, 100, 2_900);
    const far = new Resampler({ channels: 2 });
    far.reset(3_000.5);
    const output = new Float64Array(2 * 100);
    let read = 0;
    let produced = 0;
    while (produced < 100 && read < 4_000) {
      produced += far.process(input, 200, output, 100 - produced, read, produced);
      read += far.consumed;
    }
    t.strictSame(output, wanted);
    t.equal(far.position, 3_100.5);
    t.end();
  });

  t.test('more than lookAhead before the first frame is a mistake', (t) => {
    const resampler = new Resampler({ channels: 1 });
    resampler.reset(-resampler.lookAhead);
    t.throws(() => resampler.reset(-resampler.lookAhead - 1), InvariantError);
    t.end();
  });
  t.end();
});

t.test('drain gives the sound up to the end of the source, then silence', (t) => {
  const input = noise(2_000);
  const exact = new Resampler({ channels: 1 });
  const output = new Float64Array(4_000).fill(9);
  const produced = exact.process(input, 2_000, output, 4_000);
  t.equal(produced, 2_000 - exact.lookAhead);
  exact.drain(output, 4_000 - produced, produced);
  t.strictSame(output.slice(0, 2_000), input);
  t.ok(output.subarray(2_000).every((sample) => sample === 0));
  t.equal(exact.position, 4_000);

  const between = new Resampler({ channels: 1 }, { ratio: 1.3 });
  const given = between.process(input, 2_000, output, 4_000);
  between.drain(output, 200);
  t.ok(output[0] !== 0, 'a filter has a ring');
  t.ok(output.subarray(Math.ceil((2_000 + between.lookAhead) / 1.3) - given + 1, 200).every((sample) => sample === 0));
  t.end();
});

t.test('two rates meet without a seam where both streams are added', (t) => {
  const hertz = 440;
  const seconds = 0.1;
  const first = new Resampler({ channels: 1 }, { ratio: 44_100 / 48_000 });
  const second = new Resampler({ channels: 1 }, { ratio: 96_000 / 48_000 });
  const output = new Float64Array(9_600);
  // The end of one track and the start of the next are one sine.
  const before = tone(hertz, 44_100, 44_100 * seconds);
  const after = tone(hertz, 96_000, 96_000 * 2 * seconds).subarray(96_000 * seconds);
  const made = first.process(before, before.length, output, output.length);
  first.drain(output, 200, made);
  const seam = 48_000 * seconds;
  const ahead = Math.floor(second.lookAhead / second.ratio);
  second.reset(-ahead * second.ratio);
  const next = new Float64Array(4_000);
  second.process(after, after.length, next, next.length);
  for (let i = 0; i < next.length; i++) output[seam - ahead + i]! += next[i]!;
  const end = seam - ahead + next.length;
  const { snrDb } = fitSine(output, hertz, 48_000, 500, end);
  let worst = 0;
  for (let i = 500; i < end; i++) {
    worst = Math.max(worst, Math.abs(output[i]! - Math.sin((2 * Math.PI * hertz * i) / 48_000)));
  }
  t.ok(worst < 0.01 && snrDb > 60, `off by ${worst.toFixed(5)} at worst, ${snrDb.toFixed(1)} dB in all`);
  t.end();
});

t.test('channels do not leak into one another', (t) => {
  const ratio = 44_100 / 48_000;
  for (const channels of [2, 3, 8]) {
    const singles = Array.from({ length: channels }, (_, channel) => noise(2_000, channel));
    const input = Float64Array.from(
      { length: 2_000 * channels },
      (_, i) => singles[i % channels]![Math.floor(i / channels)]!,
    );
    const together = resampleAll(input, channels, { ratio });
    const worst = singles.reduce((most, single, channel) => {
      const alone = resampleAll(single, 1, { ratio });
      return alone.reduce((m, sample, i) => Math.max(m, Math.abs(sample - together[i * channels + channel]!)), most);
    }, 0);
    t.ok(worst < 1e-14, `${channels} channels: ${worst}`);
  }
  t.end();
});

t.test('a longer filter carries more treble', (t) => {
  const level = (taps: number) => {
    const output = resampleAll(tone(20_000, 44_100, 20_000), 1, { ratio: 44_100 / 48_000, taps });
    return fitSine(output, 20_000, 48_000, 500, output.length - 500).levelDb;
  };
  t.ok(level(64) > -0.02);
  t.ok(level(64) > level(32) + 0.3);
  t.end();
});

t.test('filters that were dropped are made again when they are needed', (t) => {
  const input = noise(500);
  const before = resampleAll(input, 1, { ratio: 1.5 });
  for (let n = 0; n < 20; n++) resampleAll(input, 1, { ratio: 2 + n / 100, taps: 8 });
  t.strictSame(resampleAll(input, 1, { ratio: 1.5 }), before);
  t.end();
});

t.test('mistakes of a caller end loudly', (t) => {
  const resampler = new Resampler({ channels: 1 });
  t.throws(() => resampler.setRatio(1.02), InvariantError);
  t.throws(() => resampler.setRatio(Number.NaN), InvariantError);
  for (const init of [{ ratio: 0 }, { ratio: Number.POSITIVE_INFINITY }, { taps: 33 }, { taps: 0 }]) {
    t.throws(() => new Resampler({ channels: 1 }, init), InvariantError, JSON.stringify(init));
  }
  t.end();
});
