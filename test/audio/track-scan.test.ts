import t from 'tap';
import { PeakMeter } from '../../src/audio/peaks.js';
import { TrackScan } from '../../src/audio/track-scan.js';
import { Prng } from '../../src/core/prng.js';
import { heldBytes } from '../support/memory.js';
import { bytesOf, chunk, fmtBody, little, plainWav, pushAll, wavOf } from '../support/wav-files.js';

function scan(file: Uint8Array, pieceSize?: () => number) {
  const trackScan = new TrackScan();
  pushAll(trackScan, file, pieceSize);
  return trackScan.end();
}

/** One second of a 1 kHz tone at half of full scale, 16-bit stereo at 8 kHz. */
const TONE = Buffer.alloc(8_000 * 4);
for (let i = 0; i < 16_000; i++) TONE.writeInt16LE(Math.round(16_384 * Math.sin((Math.PI / 4) * (i >> 1))), i * 2);

t.test('one pass gives format, length, size, tags, loudness and outline', (t) => {
  const list = chunk('LIST', bytesOf('INFO', chunk('INAM', 'Tone')));
  const file = wavOf([chunk('fmt ', fmtBody({ sampleRate: 8_000 })), chunk('data', TONE), list]);
  const { loudness, peaks, ...facts } = scan(file);
  t.strictSame(facts, {
    format: { sampleRate: 8_000, channels: 2, sample: 's16', dataOffset: 44, channelMask: 0 },
    frames: 8_000,
    bytes: file.length,
    tags: { title: 'Tone' },
  });
  t.equal(loudness.samplePeak, 0.5);
  t.ok(
    Math.abs((loudness.integratedLufs ?? 0) + 6) < 0.1,
    `-6 dBFS in two channels is ${loudness.integratedLufs} LUFS`,
  );
  const meter = new PeakMeter(2);
  meter.add(
    Float64Array.from({ length: 16_000 }, (_, i) => TONE.readInt16LE(i * 2) / 32_768),
    8_000,
  );
  t.strictSame(peaks, meter.result());
  t.end();
});

t.test('how the bytes are cut into pieces makes no difference, in any encoding and number of channels', (t) => {
  const prng = new Prng(2);
  for (const bits of [8, 16, 24, 32]) {
    for (const channels of [1, 2, 3, 8]) {
      const data = Uint8Array.from({ length: channels * (bits / 8) * 500 }, () => prng.below(256));
      const file = plainWav({ bits, channels, sampleRate: 8_000 }, data);
      const whole = scan(file);
      for (const largest of [3, 60, 2_000]) {
        t.strictSame(
          scan(file, () => 1 + prng.below(largest)),
          whole,
          `${bits} bits, ${channels} channels, ${largest}`,
        );
      }
      t.strictSame(
        scan(file, () => 1),
        whole,
        'byte by byte',
      );
    }
  }
  t.end();
});

t.test('bytes of a partial frame at the end are no sound', (t) => {
  const file = plainWav({ bits: 24, channels: 2 }, bytesOf(new Uint8Array(12), [255, 255, 255, 127]));
  t.match(scan(file), { frames: 2, loudness: { samplePeak: 0 } });
  t.end();
});

t.test('a broken file is refused while it comes, or at its end', (t) => {
  const early = new TrackScan();
  t.throws(() => early.push(bytesOf('fLaC', new Uint8Array(8))), { code: 'UNSUPPORTED_AUDIO' });
  const late = new TrackScan();
  late.push(wavOf([chunk('fmt ', fmtBody()), bytesOf('data', little(100, 4), new Uint8Array(50))], 136));
  t.equal(late.header?.fileBytes, 144);
  t.throws(() => late.end(), { code: 'INCOMPLETE_AUDIO', info: { promised: 144, came: 94 } });
  t.throws(() => new TrackScan().end(), { code: 'UNSUPPORTED_AUDIO', info: { found: 'an empty file' } });
  t.end();
});

t.test('damaged floats do not spoil the measures', (t) => {
  const samples = new Float32Array(8_000 * 2).map((_, i) => 0.5 * Math.sin((Math.PI / 4) * (i >> 1)));
  const bytesWith = (damage: number) => {
    const damaged = samples.slice();
    damaged[777] = damage;
    return new Uint8Array(damaged.buffer);
  };
  const fmt = { tag: 3, bits: 32, sampleRate: 8_000 };
  for (const damage of [Number.NaN, Number.NEGATIVE_INFINITY, 3e38]) {
    t.strictSame(scan(plainWav(fmt, bytesWith(damage))), scan(plainWav(fmt, bytesWith(0))));
  }
  t.end();
});

t.test('memory does not grow with the file', (t) => {
  const scanOf = new TrackScan();
  scanOf.push(wavOf([chunk('fmt ', fmtBody()), bytesOf('data', little(0xffff_ffff, 4))], 0xffff_ffff));
  const second = new Uint8Array(44_100 * 4).fill(7);
  for (let i = 0; i < 30; i++) scanOf.push(second);
  const before = heldBytes();
  for (let i = 0; i < 120; i++) scanOf.push(second);
  const more = heldBytes() - before;
  t.ok(more < 2 ** 20, `${more} bytes more after 21 MB`);
  t.equal(scanOf.end().frames, 150 * 44_100);
  t.end();
});
