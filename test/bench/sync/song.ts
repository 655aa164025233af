/**
 * Songs of which every moment is unlike every other, so that an offset between two rooms can only be what it is. (A tone would look the
 * same one period later.) Noise with the treble taken off, as steady as music never is: a fade, a gap and a click all stand out.
 */
import { Prng } from '../../../src/core/prng.js';
import { plainWav } from '../../support/wav-files.js';
import type { Sound } from './offset.js';

/** The rate of a CD: no card here has it, so every node resamples. */
const RATE = 44_100;
/** Share of a sample that each of the filters takes over from the one before: a corner near 5 kHz. */
const SMOOTHING = 0.5;
/** Loudest possible sample, as a share of full scale: the filters leave about a tenth of it on average. */
const PEAK = 0.9;

/** A song that a seed makes. */
export interface Song {
  readonly name: string;
  readonly seconds: number;
  /** As a file of 16 bits in two channels. */
  readonly wav: Uint8Array;
  /** What its left channel holds, from instant 0 on. */
  readonly sound: Sound;
}

export function makeSong(seed: number, seconds: number): Song {
  const prng = new Prng(seed);
  const samples = new Int16Array(seconds * RATE);
  let first = 0;
  let second = 0;
  for (let i = 0; i < samples.length; i++) {
    first += SMOOTHING * (2 * prng.fraction() - 1 - first);
    second += SMOOTHING * (first - second);
    samples[i] = Math.round(second * PEAK * 32_767);
  }
  const stereo = new Int16Array(2 * samples.length);
  for (let i = 0; i < samples.length; i++) {
    stereo[2 * i] = samples[i]!;
    stereo[2 * i + 1] = -samples[i]!;
  }
  const wav = plainWav({ channels: 2, sampleRate: RATE, bits: 16 }, new Uint8Array(stereo.buffer));
  return { name: `noise-${seed}.wav`, seconds, wav, sound: soundOf(samples) };
}

const soundOf = (samples: Int16Array): Sound => ({
  rate: RATE,
  instantOf: (frame) => (frame * 1e9) / RATE,
  frameAt: (atNs) => (atNs < 0 || atNs >= (samples.length * 1e9) / RATE ? undefined : (atNs * RATE) / 1e9),
  read: (from, count) => Float64Array.from({ length: count }, (_, i) => (samples[from + i] ?? 0) / 32_768),
});
