/**
 * Bytes of a WAV's data chunk to numbers, interleaved, full scale = 1.
 *
 * A whole number of b bits becomes value / 2^(b-1), which a double holds exactly: -1 is the most negative one, the most positive one
 * lies one step below 1, and a player that multiplies by 2^(b-1) again has the bits of the file.
 *
 * node-wav converts the encodings that it converts without loss: 8 and 16 bits and 32-bit floats. It scales positive numbers by
 * 2^(b-1) - 1 and negative ones by 2^(b-1), into 32-bit floats; both steps are undone by scaling back and rounding. The rest is ours:
 * a 32-bit float has 24 bits, too few for 32-bit and 64-bit samples, and node-wav reads the most negative 24-bit sample as +1.
 */
import nodeWav from 'node-wav';
import { assert } from '../../core/assert.js';
import type { AudioFormat, SampleFormat } from '../../library/track.js';
import { frameBytes } from './fmt-chunk.js';

/**
 * The largest float taken for a sample. Some programs write floats in the range of 16-bit integers; what is beyond even those, and what
 * is no number at all, is damage. It becomes 0: as 1e30 or infinity it would ring through every filter after it, and as the file's
 * peak it would make levelling turn the whole track down to nothing.
 */
const FLOAT_LIMIT = 32_768;

/** The parts of a track's format that decoding depends on. */
export type EncodedFrames = Pick<AudioFormat, 'sample' | 'channels'>;

/**
 * Decodes all whole frames of `bytes` to the start of `into` and gives their number; a partial frame at the end is left alone.
 * `into` must have room for them: frames x channels.
 */
export function decodeFrames(format: EncodedFrames, bytes: Uint8Array, into: Float64Array): number {
  const frames = Math.floor(bytes.length / frameBytes(format));
  assert(into.length >= frames * format.channels, 'decoded frames fit into their buffer');
  const whole = bytes.subarray(0, frames * frameBytes(format));
  if (frames > 0) DECODERS[format.sample](whole, format.channels, into);
  return frames;
}

type Decoder = (bytes: Uint8Array, channels: number, into: Float64Array) => void;

const DECODERS: Readonly<Record<SampleFormat, Decoder>> = {
  u8: (bytes, channels, into) => interleaveWhole(throughNodeWav(bytes, channels, 8, 1), 128, into),
  s16: (bytes, channels, into) => interleaveWhole(throughNodeWav(bytes, channels, 16, 1), 32_768, into),
  f32: (bytes, channels, into) => interleaveFloats(throughNodeWav(bytes, channels, 32, 3), into),
  s24: (bytes, _channels, into) => {
    for (let at = 0, i = 0; at < bytes.length; at += 3, i++) {
      // The sample at the top of 32 bits, so that its sign lands in the sign bit.
      into[i] = ((bytes[at]! << 8) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 24)) / 0x8000_0000;
    }
  },
  s32: (bytes, _channels, into) => {
    for (let at = 0, i = 0; at < bytes.length; at += 4, i++) {
      const value = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      into[i] = value / 0x8000_0000;
    }
  },
  f64: (bytes, _channels, into) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0, i = 0; at < bytes.length; at += 8, i++) into[i] = soundOf(view.getFloat64(at, true));
  },
};

/** A plain RIFF/WAVE header: RIFF form, `fmt ` of 16 bytes, `data`. A multiple of 4, which node-wav's typed arrays need. */
const PLAIN_HEADER_BYTES = 44;

/** The frames of `bytes`, one array a channel, by node-wav behind a header that it reads rightly. */
function throughNodeWav(bytes: Uint8Array, channels: number, bits: 8 | 16 | 32, tag: 1 | 3): readonly Float32Array[] {
  // A buffer of its own: node-wav ignores where a view ends, and looks at the buffer beneath it.
  const file = new Uint8Array(PLAIN_HEADER_BYTES + bytes.length);
  const view = new DataView(file.buffer);
  const text = (at: number, id: string) => {
    for (let i = 0; i < id.length; i++) view.setUint8(at + i, id.charCodeAt(i));
  };
  const rate = 48_000; // of no consequence for the samples
  const blockAlign = (channels * bits) / 8;
  text(0, 'RIFF');
  view.setUint32(4, file.length - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, tag, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * blockAlign, true);
  view.setUint16(32, blockAlign, true);
  view.setUint16(34, bits, true);
  text(36, 'data');
  view.setUint32(40, bytes.length, true);
  file.set(bytes, PLAIN_HEADER_BYTES);
  const decoded = nodeWav.decode(file);
  assert(decoded !== undefined, 'node-wav reads a plain header');
  return decoded.channelData;
}

/**
 * Undoes node-wav's scaling: half - 1 for positive samples, `half` = 2^(bits-1) for negative ones. A float holds what it made of them
 * to 2^-24, so the nearest whole number is the one from the file.
 */
function interleaveWhole(channelData: readonly Float32Array[], half: number, into: Float64Array): void {
  const positive = half - 1;
  const unit = 1 / half;
  for (const [channel, samples] of channelData.entries()) {
    for (let i = 0, at = channel; i < samples.length; i++, at += channelData.length) {
      const sample = samples[i]!;
      into[at] = (sample < 0 ? sample * half : Math.floor(sample * positive + 0.5)) * unit;
    }
  }
}

function interleaveFloats(channelData: readonly Float32Array[], into: Float64Array): void {
  for (const [channel, samples] of channelData.entries()) {
    for (let i = 0, at = channel; i < samples.length; i++, at += channelData.length) into[at] = soundOf(samples[i]!);
  }
}

/** The sample itself, or 0 where it can be no sound. A NaN fails both comparisons. */
const soundOf = (sample: number): number => (sample >= -FLOAT_LIMIT && sample <= FLOAT_LIMIT ? sample : 0);
