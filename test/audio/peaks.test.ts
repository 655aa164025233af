import fc from 'fast-check';
import t from 'tap';
import { PEAK_COUNT, PeakMeter } from '../../src/audio/peaks.js';
import { Prng } from '../../src/core/prng.js';

function outline(samples: Float64Array, channels = 1, blockFrames = samples.length): Uint8Array {
  const meter = new PeakMeter(channels);
  const frames = samples.length / channels;
  for (let at = 0; at < frames; at += blockFrames) {
    const count = Math.min(blockFrames, frames - at);
    meter.add(samples.subarray(at * channels, (at + count) * channels), count);
  }
  return meter.result();
}

/** Largest absolute sample of the frames from `start` up to `end`, as a byte. */
function byteBetween(samples: Float64Array, channels: number, start: number, end: number): number {
  let peak = 0;
  const last = Math.min(end * channels, samples.length);
  for (let i = Math.max(0, start) * channels; i < last; i++) peak = Math.max(peak, Math.abs(samples[i]!));
  return Math.min(255, Math.round(peak * 255));
}

const stretch = (i: number, frames: number): [start: number, end: number] => {
  const start = Math.floor((i * frames) / PEAK_COUNT);
  return [start, Math.max(start + 1, Math.floor(((i + 1) * frames) / PEAK_COUNT))];
};

function noise(frames: number, channels: number, seed: number): Float64Array {
  const prng = new Prng(seed);
  // Mostly quiet, so that single peaks stand out.
  return Float64Array.from(
    { length: frames * channels },
    () => (prng.fraction() * 2 - 1) * (prng.below(50) === 0 ? 1.1 : 0.1),
  );
}

t.test('up to 32,767 frames each byte is the peak of its stretch, exactly', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 32_767 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer(),
      (frames, channels, seed) => {
        const samples = noise(frames, channels, seed);
        const expected = Uint8Array.from({ length: PEAK_COUNT }, (_, i) =>
          byteBetween(samples, channels, ...stretch(i, frames)),
        );
        return Buffer.compare(outline(samples, channels), expected) === 0;
      },
    ),
    { seed: 1, numRuns: 40 },
  );
  t.end();
});

t.test('beyond, no peak is lost, and none is shown further off than an eighth of a stretch', (t) => {
  for (const frames of [32_768, 32_769, 65_537, 100_000, 777_777]) {
    const samples = noise(frames, 2, frames);
    const actual = outline(samples, 2);
    const slack = Math.ceil(frames / PEAK_COUNT / 8);
    for (let i = 0; i < PEAK_COUNT; i++) {
      const [start, end] = stretch(i, frames);
      const least = byteBetween(samples, 2, start, end);
      const most = byteBetween(samples, 2, start - slack, end + slack);
      if (actual[i]! < least || actual[i]! > most)
        t.fail(`${frames} frames: byte ${i} is ${actual[i]}, ${least} to ${most} expected`);
    }
    t.equal(actual.length, PEAK_COUNT);
  }
  t.end();
});

t.test('how the frames are cut into blocks makes no difference', (t) => {
  const samples = noise(70_001, 1, 4);
  const whole = outline(samples);
  for (const blockFrames of [1, 13, 2_048, 69_999]) t.strictSame(outline(samples, 1, blockFrames), whole);
  t.end();
});

t.test('silence is 0, full scale and above is 255, of either sign, and no track is all zeros', (t) => {
  t.strictSame(outline(new Float64Array([0])), new Uint8Array(PEAK_COUNT));
  t.strictSame(outline(new Float64Array([-1])), new Uint8Array(PEAK_COUNT).fill(255));
  t.strictSame(outline(new Float64Array([3])), new Uint8Array(PEAK_COUNT).fill(255));
  t.strictSame(new PeakMeter(2).result(), new Uint8Array(PEAK_COUNT));
  t.end();
});

t.test('the last frame of a long track is seen', (t) => {
  const samples = new Float64Array(100_001);
  samples[100_000] = 1;
  const actual = outline(samples);
  t.equal(actual[PEAK_COUNT - 1], 255);
  t.equal(actual.filter((byte) => byte > 0).length, 1);
  t.end();
});
