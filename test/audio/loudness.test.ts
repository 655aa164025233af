import t, { type Test } from 'tap';
import { LoudnessMeter, type MeteredFormat } from '../../src/audio/loudness.js';
import { Prng } from '../../src/core/prng.js';

const stereo = (sampleRate = 48_000): MeteredFormat => ({ sampleRate, channels: 2, channelMask: 0 });

/** A tone in all channels: level in dBFS (peak), length in seconds. Channels that `only` leaves out are silent. */
interface Tone {
  readonly db: number;
  readonly s: number;
  readonly hz?: number;
  readonly only?: readonly number[];
}

function meter(format: MeteredFormat, tones: readonly Tone[], blockFrames = 4_800): LoudnessMeter {
  const loudness = new LoudnessMeter(format);
  const block = new Float64Array(blockFrames * format.channels);
  for (const { db, s, hz = 1_000, only } of tones) {
    const total = Math.round(s * format.sampleRate);
    for (let done = 0; done < total; ) {
      const frames = Math.min(blockFrames, total - done);
      for (let i = 0; i < frames; i++) {
        const x = 10 ** (db / 20) * Math.sin((2 * Math.PI * hz * (done + i)) / format.sampleRate);
        for (let c = 0; c < format.channels; c++) {
          block[i * format.channels + c] = only === undefined || only.includes(c) ? x : 0;
        }
      }
      loudness.add(block, frames);
      done += frames;
    }
  }
  return loudness;
}

const lufs = (format: MeteredFormat, tones: readonly Tone[]): number =>
  meter(format, tones).result().integratedLufs ?? Number.NaN;

/** Within the 0.1 LU that EBU Tech 3341 asks for. */
function near(t: Test, actual: number, expected: number, what: string, tolerance = 0.1): void {
  t.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual.toFixed(3)} LUFS, ${expected} expected`);
}

t.test('the cases 1 to 5 of EBU Tech 3341', (t) => {
  near(t, lufs(stereo(), [{ db: -23, s: 20 }]), -23, '1 kHz at -23 dBFS');
  near(t, lufs(stereo(), [{ db: -33, s: 20 }]), -33, '1 kHz at -33 dBFS');
  near(
    t,
    lufs(stereo(), [
      { db: -36, s: 10 },
      { db: -23, s: 60 },
      { db: -36, s: 10 },
    ]),
    -23,
    'quiet ends are gated',
  );
  const withSilence = [
    { db: -72, s: 10 },
    { db: -36, s: 10 },
    { db: -23, s: 60 },
    { db: -36, s: 10 },
    { db: -72, s: 10 },
  ];
  near(t, lufs(stereo(), withSilence), -23, 'ends near silence are gated');
  near(
    t,
    lufs(stereo(), [
      { db: -26, s: 20 },
      { db: -20, s: 20.1 },
      { db: -26, s: 20 },
    ]),
    -23,
    'three steps',
  );
  t.end();
});

t.test('case 6 of EBU Tech 3341: five channels, each with its weight', (t) => {
  // Left and right -28, centre -24, surrounds -30 dBFS. Channels add as energy, so each pair is measured alone and summed.
  const format = { sampleRate: 48_000, channels: 5, channelMask: 0x37 };
  const parts = [
    lufs(format, [{ db: -28, s: 5, only: [0, 1] }]),
    lufs(format, [{ db: -24, s: 5, only: [2] }]),
    lufs(format, [{ db: -30, s: 5, only: [3, 4] }]),
  ];
  const sum = 10 * Math.log10(parts.reduce((energy, part) => energy + 10 ** (part / 10), 0));
  near(t, sum, -23, 'sum');
  t.end();
});

t.test('one channel at full scale is -3.01 LUFS at 997 Hz (BS.1770-4), at every sample rate', (t) => {
  for (const sampleRate of [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000]) {
    const mono = { sampleRate, channels: 1, channelMask: 0 };
    near(t, lufs(mono, [{ db: 0, s: 2, hz: 997 }]), -3.01, `${sampleRate} Hz`, 0.05);
  }
  t.end();
});

t.test('a second channel of the same sound adds 3 LU; mono counts as one channel', (t) => {
  const one = lufs({ sampleRate: 48_000, channels: 1, channelMask: 0 }, [{ db: -20, s: 2 }]);
  const two = lufs(stereo(), [{ db: -20, s: 2 }]);
  near(t, two - one, 3.01, 'difference', 0.001);
  t.end();
});

t.test('channels count by the speakers that they are for', (t) => {
  const front = 0;
  const surround = 10 * Math.log10(1.41);
  const weights = (channels: number, channelMask: number) => {
    const format = { sampleRate: 8_000, channels, channelMask };
    const reference = lufs({ sampleRate: 8_000, channels: 1, channelMask: 0 }, [{ db: -20, s: 1 }]);
    return Array.from({ length: channels }, (_, only) => {
      const level = meter(format, [{ db: -20, s: 1, only: [only] }]).result().integratedLufs;
      return level === null ? null : Math.round((level - reference) * 1000) / 1000;
    });
  };
  const s = Math.round(surround * 1000) / 1000;
  const usual = [
    [front],
    [front, front],
    [front, front, front],
    [front, front, s, s],
    [front, front, front, s, s],
    [front, front, front, null, s, s],
    [front, front, front, null, s, s, s],
    [front, front, front, null, s, s, s, s],
  ];
  for (const [i, expected] of usual.entries()) {
    t.strictSame(weights(i + 1, 0), expected, `${i + 1} channels without a mask`);
  }
  t.strictSame(weights(3, 0x0b), [front, front, null], '2.1');
  t.strictSame(weights(4, 0x107), [front, front, front, s], 'a back centre');
  t.strictSame(weights(6, 0x60f), [front, front, front, null, s, s], '5.1 with side speakers');
  t.strictSame(weights(3, 0x3f), [front, front, front], 'a mask of more speakers than channels is not believed');
  t.strictSame(weights(2, 0x30), [front, front], 'two channels are left and right');
  t.end();
});

t.test('the K-weighting leaves out the lowest notes and lifts the highest', (t) => {
  const at = (hz: number) => lufs(stereo(), [{ db: -23, s: 3, hz }]);
  // From the response that the coefficients tabulated in BS.1770-4 have at 48 kHz, relative to 1 kHz.
  near(t, at(10_000) - at(1_000), responseDb(10_000) - responseDb(1_000), '10 kHz', 0.005);
  near(t, at(100) - at(1_000), responseDb(100) - responseDb(1_000), '100 Hz', 0.005);
  near(t, at(25) - at(1_000), responseDb(25) - responseDb(1_000), '25 Hz', 0.02);
  t.end();
});

/** Gain in dB at 48 kHz of the two filters with the coefficients printed in BS.1770-4, tables 1 and 2. */
function responseDb(hz: number): number {
  const gain = (b: readonly number[], a: readonly number[]) => {
    const power = (c: readonly number[]) => {
      const w = (2 * Math.PI * hz) / 48_000;
      const re = c.reduce((sum, value, k) => sum + value * Math.cos(k * w), 0);
      const im = c.reduce((sum, value, k) => sum + value * Math.sin(k * w), 0);
      return re * re + im * im;
    };
    return 10 * Math.log10(power(b) / power(a));
  };
  return (
    gain([1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585]) +
    gain([1, -2, 1], [1, -1.99004745483398, 0.99007225036621])
  );
}

t.test('the absolute gate leaves out what is below -70 LUFS, however quiet the rest', (t) => {
  near(
    t,
    lufs(stereo(), [
      { db: -65, s: 10 },
      { db: -72, s: 10 },
    ]),
    -65,
    'a whisper and a hiss',
  );
  t.end();
});

t.test('silence, near silence and less than 400 ms have no loudness, and a peak all the same', (t) => {
  t.strictSame(new LoudnessMeter(stereo()).result(), { integratedLufs: null, samplePeak: 0 });
  t.equal(meter(stereo(), [{ db: -90, s: 2 }]).result().integratedLufs, null);
  const short = meter(stereo(), [{ db: 0, s: 0.399, hz: 12_000 }]).result();
  t.equal(short.integratedLufs, null);
  t.ok(short.samplePeak > 0.99);
  t.type(meter(stereo(), [{ db: 0, s: 0.4 }]).result().integratedLufs, 'number');
  t.end();
});

t.test('the sample peak is the largest sample of any channel, of either sign, the effects channel too', (t) => {
  for (let channel = 0; channel < 6; channel++) {
    const loudness = new LoudnessMeter({ sampleRate: 48_000, channels: 6, channelMask: 0x3f });
    const samples = new Float64Array(600).fill(0.25);
    samples[300 + channel] = -1.75;
    loudness.add(samples, 100);
    t.equal(loudness.result().samplePeak, 1.75);
  }
  t.end();
});

t.test('how the frames are cut into blocks makes no difference', (t) => {
  const tones = [
    { db: -30, s: 1 },
    { db: -20, s: 1.23, hz: 440 },
  ];
  const whole = meter(stereo(44_100), tones, 200_000).result();
  for (const blockFrames of [1, 7, 4_409, 4_410, 4_411]) {
    const cut = meter(stereo(44_100), tones, blockFrames).result();
    near(t, cut.integratedLufs ?? 0, whole.integratedLufs ?? 1, `${blockFrames} frames`, 1e-9);
    t.equal(cut.samplePeak, whole.samplePeak);
  }
  t.end();
});

t.test('the histogram costs less than 0.01 LU against keeping every block', (t) => {
  const format = { sampleRate: 8_000, channels: 1, channelMask: 0 };
  const prng = new Prng(11);
  for (let round = 0; round < 20; round++) {
    // Each 400 ms block is one level, so that every level weighs in; their order does not matter.
    const tones = Array.from({ length: 60 }, () => ({ db: -10 - 45 * prng.fraction(), s: 0.4, hz: 500 }));
    const meters = meter(format, tones).result().integratedLufs ?? 0;
    near(t, meters, gatedMean(format, tones), `round ${round}`, 0.01);
  }
  t.end();
});

/** The definition, straight: the filters' output kept whole, blocks as slices of it, both gates over a list. */
function gatedMean(format: MeteredFormat, tones: readonly Tone[]): number {
  const energies: number[] = [];
  // A meter of one block at a time would filter anew; so the energy of each block is that of a meter run up to its end.
  const hop = format.sampleRate / 10;
  const samples: number[] = [];
  for (const { db, s, hz = 1_000 } of tones) {
    const count = Math.round(s * format.sampleRate);
    for (let i = 0; i < count; i++)
      samples.push(10 ** (db / 20) * Math.sin((2 * Math.PI * hz * i) / format.sampleRate));
  }
  const weighted = kWeighted(samples, format.sampleRate);
  for (let start = 0; start + 4 * hop <= weighted.length; start += hop) {
    let sum = 0;
    for (let i = start; i < start + 4 * hop; i++) sum += weighted[i]! ** 2;
    energies.push(sum / (4 * hop));
  }
  const loud = (energy: number) => -0.691 + 10 * Math.log10(energy);
  const mean = (list: readonly number[]) => list.reduce((sum, energy) => sum + energy, 0) / list.length;
  const above = energies.filter((energy) => loud(energy) > -70);
  const gate = loud(mean(above)) - 10;
  return loud(mean(above.filter((energy) => loud(energy) > gate)));
}

/** K-weighting in direct form I, by the analog prototypes' bilinear transform. */
function kWeighted(samples: readonly number[], sampleRate: number): number[] {
  const biquad = (input: readonly number[], b: readonly number[], a: readonly number[]) => {
    const output: number[] = [];
    for (let n = 0; n < input.length; n++) {
      let y = 0;
      for (let k = 0; k < 3; k++) y += b[k]! * (input[n - k] ?? 0) - (k > 0 ? a[k]! * (output[n - k] ?? 0) : 0);
      output.push(y);
    }
    return output;
  };
  const k1 = Math.tan((Math.PI * 1681.974450955533) / sampleRate);
  const q1 = 0.7071752369554196;
  const top = 10 ** (3.999843853973347 / 20);
  const mid = top ** 0.4996667741545416;
  const n1 = 1 + k1 / q1 + k1 * k1;
  const shelf = [top + (mid * k1) / q1 + k1 * k1, 2 * (k1 * k1 - top), top - (mid * k1) / q1 + k1 * k1].map(
    (b) => b / n1,
  );
  const k2 = Math.tan((Math.PI * 38.13547087602444) / sampleRate);
  const q2 = 0.5003270373238773;
  const n2 = 1 + k2 / q2 + k2 * k2;
  const first = biquad(samples, shelf, [1, (2 * (k1 * k1 - 1)) / n1, (1 - k1 / q1 + k1 * k1) / n1]);
  return biquad(first, [1, -2, 1], [1, (2 * (k2 * k2 - 1)) / n2, (1 - k2 / q2 + k2 * k2) / n2]);
}

t.test('floats far above full scale are measured too', (t) => {
  near(t, lufs(stereo(), [{ db: 40, s: 2 }]), 40, '1 kHz at +40 dBFS');
  t.end();
});

t.test('silence after the sound is gated: it changes nothing', (t) => {
  const loudness = meter(stereo(), [
    { db: -20, s: 2 },
    { db: Number.NEGATIVE_INFINITY, s: 20 },
  ]);
  const before = loudness.result();
  loudness.add(new Float64Array(2 * 48_000 * 10), 48_000 * 10);
  t.strictSame(loudness.result(), before);
  t.end();
});
