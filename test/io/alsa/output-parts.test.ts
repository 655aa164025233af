/** The parts of AlsaOutput that need no card: stamps, packed samples, and when a card is not believed any more. */
import fc from 'fast-check';
import t from 'tap';
import { type LocalTime, localTime } from '../../../src/core/units.js';
import { nanosOfTimespec, UNTOUCHED } from '../../../src/io/alsa/pcm-reader.js';
import { PositionCheck } from '../../../src/io/alsa/position-check.js';
import { FORMATS, SamplePacker } from '../../../src/io/alsa/sample-packer.js';

t.test('a timespec is read as C left it, whichever of its three layouts it has', async (t) => {
  const filled = (...values: number[]) => {
    const words = new Int32Array(4).fill(UNTOUCHED);
    words.set(values);
    return words;
  };
  t.equal(nanosOfTimespec(filled(7, 0, 999_999_999, 0)), 7_999_999_999n, '64 bits each');
  t.equal(nanosOfTimespec(filled(7, 0, 999_999_999)), 7_999_999_999n, 'seconds of 64 bits on a machine of 32');
  t.equal(nanosOfTimespec(filled(7, 999_999_999)), 7_999_999_999n, 'seconds of 32 bits');
  t.equal(
    nanosOfTimespec(filled(-1, 2, 0, 0)),
    (2n * 2n ** 32n + 2n ** 32n - 1n) * 1_000_000_000n,
    'no sign in the low word',
  );
  t.equal(nanosOfTimespec(filled(0, 0, 0, 0)), 0n);
  t.equal(nanosOfTimespec(filled(0, 0)), 0n);
});

t.test('packed samples are the samples, at the top of their places', async (t) => {
  const property = fc.property(
    fc.constantFrom(...FORMATS),
    fc.constantFrom(16, 24, 32),
    fc.array(fc.double({ min: -1, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1, maxLength: 64 }),
    (format, wanted, values) => {
      const bits = Math.min(wanted, format.bits);
      const samples = Int32Array.from(values, (value) => Math.floor(value * 2 ** (bits - 1)));
      const packed = new SamplePacker({ format, bits, samples: 64 }).pack(samples, samples.length);
      const bytes = Buffer.from(packed.buffer);
      for (let i = 0; i < samples.length; i++) {
        // In S24_LE the fourth byte is nobody's.
        const unpacked = bytes.readIntLE(i * format.bytes, format.bits / 8);
        if (unpacked !== samples[i]! * 2 ** (format.bits - bits)) return false;
      }
      return true;
    },
  );
  t.doesNotThrow(() => fc.assert(property, { seed: 1, numRuns: 500 }));
});

const RATE = 48_000;
const NS_PER_MS = 1_000_000;

/** What a check says in the end of a card that has played `position(seconds)` frames, looked at every `everyMs` for `seconds`. */
function verdictOn(position: (seconds: number) => number, seconds: number, everyMs = 10): string | undefined {
  const check = new PositionCheck({ rate: RATE });
  for (let ms = 0; ms <= seconds * 1_000; ms += everyMs) {
    const verdict = check.watch(instant(ms), position(ms / 1_000));
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

const instant = (ms: number): LocalTime => localTime(BigInt(Math.round(5e12 + ms * NS_PER_MS)));

t.test('an honest card is never accused', async (t) => {
  const property = fc.property(
    fc.double({ min: -500, max: 500, noNaN: true }),
    fc.integer({ min: 0, max: 20 }),
    fc.integer({ min: 1, max: 400 }),
    fc.integer({ min: 0, max: 4_000 }),
    (ppm, stepMs, everyMs, burst) => {
      const step = (RATE * stepMs) / 1_000 || 1;
      // Most cards fetch a burst when they start.
      const position = (s: number) =>
        Math.floor((s * RATE * (1 + ppm / 1e6)) / step) * step + Math.min(burst, s * 20_000);
      return verdictOn(position, 30, everyMs) === undefined;
    },
  );
  t.doesNotThrow(() => fc.assert(property, { seed: 1, numRuns: 100 }));
});

t.test('a card that says what cannot be is accused', async (t) => {
  const honest = (s: number) => s * RATE;
  const lies: readonly [string, (s: number) => number][] = [
    ['it stands still', (s) => honest(Math.min(s, 2))],
    ['it jumps forward', (s) => honest(s) + (s > 2 ? 6_000 : 0)],
    ['it jumps back', (s) => honest(s) - (s > 2 ? 6_000 : 0)],
    ['it jumps at the end of a long watch', (s) => honest(s) + (s > 10.6 ? 6_000 : 0)],
    ['44.1 kHz in place of 48', (s) => s * 44_100],
    ['2 % too fast', (s) => s * RATE * 1.02],
    ['1.6 % too slow', (s) => s * RATE * 0.984],
    ['it goes backwards', (s) => -honest(s)],
  ];
  for (const [name, position] of lies) t.match(verdictOn(position, 14), /cannot be believed/, name);
  t.equal(
    verdictOn((s) => honest(s) + (s > 0.3 ? 6_000 : 0), 14),
    undefined,
    'in its first half second it may settle',
  );
});

t.test('after a stop the watch begins anew', async (t) => {
  const check = new PositionCheck({ rate: RATE });
  for (let ms = 0; ms < 2_000; ms += 10) check.watch(instant(ms), ms * 48);
  check.reset();
  for (let ms = 2_000; ms < 4_000; ms += 10) t.equal(check.watch(instant(ms), (ms - 2_000) * 48), undefined);
});
