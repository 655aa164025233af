import nodeWav from 'node-wav';
import t from 'tap';
import { decodeFrames } from '../../../src/audio/wav/sample-decoder.js';
import { WavReader } from '../../../src/audio/wav/wav-reader.js';
import { InvariantError } from '../../../src/core/assert.js';
import { Prng } from '../../../src/core/prng.js';
import type { SampleFormat } from '../../../src/library/track.js';
import { bytesOf, chunk, extensibleBody, fmtBody, little, plainWav, pushAll, wavOf } from '../../support/wav-files.js';

function decoded(sample: SampleFormat, bytes: Uint8Array, channels = 1): number[] {
  const into = new Float64Array(bytes.length);
  const frames = decodeFrames({ sample, channels }, bytes, into);
  return [...into.subarray(0, frames * channels)];
}

/** All samples of a file, through our reader. */
function readWav(file: Uint8Array): number[] {
  const data: Uint8Array[] = [];
  const reader = new WavReader((bytes) => data.push(bytes.slice()));
  pushAll(reader, file);
  const { format } = reader.end();
  return decoded(format.sample, bytesOf(...data), format.channels);
}

t.test('every 16-bit sample is its value over 32,768, exactly', (t) => {
  const values = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);
  t.strictSame(
    decoded('s16', new Uint8Array(values.buffer)),
    [...values].map((value) => value / 32_768),
  );
  t.end();
});

t.test('every 8-bit sample is its distance from 128 over 128, exactly', (t) => {
  const values = Uint8Array.from({ length: 256 }, (_, i) => i);
  t.strictSame(
    decoded('u8', values),
    [...values].map((value) => (value - 128) / 128),
  );
  t.end();
});

t.test('24-bit and 32-bit samples pass exactly: the ends of the range, around zero, and 100,000 drawn ones', (t) => {
  for (const [sample, bits] of [
    ['s24', 24],
    ['s32', 32],
  ] as const) {
    const half = 2 ** (bits - 1);
    const prng = new Prng(bits);
    const values = [-half, -half + 1, -1, 0, 1, half - 1];
    for (let i = 0; i < 100_000; i++) values.push(prng.below(2 * half) - half);
    const bytes = Buffer.alloc((values.length * bits) / 8);
    for (const [i, value] of values.entries()) bytes.writeIntLE(value, (i * bits) / 8, bits / 8);
    t.strictSame(
      decoded(sample, bytes),
      values.map((value) => value / half),
      sample,
    );
  }
  t.end();
});

t.test('floats pass as they are, above full scale too; what is no number or beyond any scale becomes silence', (t) => {
  const sound = [0, 0.1, -1, 1, 1.5, -7.25, 32_768, -32_768, 2 ** -40];
  const damage = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -1e30, 32_769];
  const f64 = new Float64Array([...sound, ...damage]);
  t.strictSame(decoded('f64', new Uint8Array(f64.buffer)), [...sound, ...damage.map(() => 0)]);
  const f32 = new Float32Array([...sound, ...damage]);
  const heard = [...f32].slice(0, sound.length);
  t.strictSame(decoded('f32', new Uint8Array(f32.buffer)), [...heard, ...damage.map(() => 0)]);
  t.end();
});

t.test('channels stay interleaved, in every encoding and number', (t) => {
  for (const [sample, size] of [
    ['u8', 1],
    ['s16', 2],
    ['s24', 3],
    ['s32', 4],
  ] as const) {
    for (let channels = 1; channels <= 8; channels++) {
      const values = Array.from({ length: channels * 3 }, (_, i) => i + 1);
      const bytes = Buffer.alloc(values.length * size);
      values.forEach((value, i) => {
        if (size === 1) bytes[i] = value + 128;
        else bytes.writeIntLE(value, i * size, size);
      });
      const expected = values.map((value) => value / 2 ** (size * 8 - 1));
      t.strictSame(decoded(sample, bytes, channels), expected, `${sample}, ${channels} channels`);
    }
  }
  const floats = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
  t.strictSame(decoded('f64', new Uint8Array(new Float64Array(floats).buffer), 3), floats);
  t.strictSame(decoded('f32', new Uint8Array(new Float32Array(floats).buffer), 3), [...new Float32Array(floats)]);
  t.end();
});

t.test('a partial frame at the end, and a view at an odd place of a larger buffer, are no trouble', (t) => {
  const larger = bytesOf([9, 9, 9], little(1, 2), little(2, 2), [7]);
  t.strictSame(decoded('s16', larger.subarray(3), 2), [1 / 32_768, 2 / 32_768]);
  t.strictSame(decoded('f64', new Uint8Array(7)), []);
  t.strictSame(decoded('s16', new Uint8Array(0), 2), []);
  t.end();
});

t.test('a buffer too small for what is decoded is our own mistake', (t) => {
  t.throws(() => decodeFrames({ sample: 's16', channels: 2 }, new Uint8Array(8), new Float64Array(3)), InvariantError);
  t.end();
});

t.test('where node-wav fails on whole files, our reader does not', async (t) => {
  const data = bytesOf(little(0x4000, 2), little(0xc000, 2));
  const right = [0.5, -0.5];
  const mono = { channels: 1 };

  await t.test('WAVE_FORMAT_EXTENSIBLE', (t) => {
    const file = wavOf([chunk('fmt ', extensibleBody(mono)), chunk('data', data)]);
    t.throws(() => nodeWav.decode(file), TypeError);
    t.strictSame(readWav(file), right);
    t.end();
  });

  await t.test('a chunk of odd length before the data', (t) => {
    const file = wavOf([chunk('fmt ', fmtBody(mono)), chunk('LIST', 'INFOx'), chunk('data', data)]);
    let theirs: unknown;
    try {
      theirs = nodeWav.decode(file);
    } catch (error) {
      theirs = error;
    }
    t.ok(theirs === undefined || theirs instanceof RangeError, 'node-wav finds no data');
    t.strictSame(readWav(file), right);
    t.end();
  });

  await t.test('a small Buffer from the pool', (t) => {
    const pooled = Buffer.concat([Buffer.alloc(100), plainWav(mono, data)]).subarray(100);
    t.equal(nodeWav.decode(pooled), undefined);
    t.strictSame(readWav(pooled), right);
    t.end();
  });

  await t.test('32-bit samples at an offset that is no multiple of four', (t) => {
    const wide = bytesOf(little(0x4000_0000, 4), little(0xc000_0000, 4));
    const file = wavOf([chunk('fmt ', bytesOf(fmtBody({ channels: 1, bits: 32 }), [0, 0])), chunk('data', wide)]);
    t.throws(() => nodeWav.decode(file), RangeError);
    t.strictSame(readWav(file), right);
    t.end();
  });

  await t.test('the most negative 24-bit sample', (t) => {
    const file = plainWav({ channels: 1, bits: 24 }, bytesOf([0, 0, 0x80]));
    t.ok((nodeWav.decode(file)?.channelData[0]?.[0] ?? 0) >= 1, 'node-wav makes it positive');
    t.strictSame(readWav(file), [-1]);
    t.end();
  });

  await t.test('32-bit and 64-bit samples, of which a 32-bit float keeps 24 bits', (t) => {
    const integer = plainWav({ channels: 1, bits: 32 }, little(0x4000_0001, 4));
    t.equal(nodeWav.decode(integer)?.channelData[0]?.[0], 0.5);
    t.strictSame(readWav(integer), [0x4000_0001 / 2 ** 31]);
    const float = plainWav({ tag: 3, channels: 1, bits: 64 }, new Uint8Array(new Float64Array([0.1]).buffer));
    t.throws(() => nodeWav.decode(float), RangeError);
    t.strictSame(readWav(float), [0.1]);
    t.end();
  });

  await t.test('a declared size above what is there', (t) => {
    const file = wavOf([chunk('fmt ', fmtBody(mono)), chunk('data', data, 8)]);
    t.ok(Number.isNaN(nodeWav.decode(file)?.channelData[0]?.[3]), 'node-wav gives samples that are no numbers');
    t.throws(() => readWav(file), { code: 'INCOMPLETE_AUDIO' });
    t.end();
  });

  await t.test('a size of all ones, as pipes have it', (t) => {
    const file = wavOf([chunk('fmt ', fmtBody(mono)), chunk('data', data, 0xffff_ffff)], 0xffff_ffff);
    // node-wav would set about allocating a thousand million frames: not tried here.
    t.strictSame(readWav(file), right);
    t.end();
  });

  await t.test('RF64', (t) => {
    const ds64 = chunk('ds64', bytesOf(little(80, 8), little(4, 8), little(2, 8), little(0, 4)));
    const file = wavOf([ds64, chunk('fmt ', fmtBody(mono)), chunk('data', data, 0xffff_ffff)], 0xffff_ffff, 'RF64');
    t.throws(() => nodeWav.decode(file), TypeError);
    t.strictSame(readWav(file), right);
    t.end();
  });
});
