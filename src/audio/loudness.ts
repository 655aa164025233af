/**
 * How loud a track is: integrated loudness by ITU-R BS.1770-4 (the "LUFS" of EBU R 128), and its sample peak.
 *
 * Each channel passes the K-weighting, two filters that stand for the head and for how little the ear makes of low notes. The mean
 * square over blocks of 400 ms, one every 100 ms, summed over the channels, is a block's energy. Two gates leave out what is no
 * programme: blocks below -70 LUFS, then those 10 LU below the mean of the rest. The mean of what is left is the loudness.
 *
 * The second gate is known at the end only, so blocks are kept: in a histogram of 0.01 LU, each bin with the count and the exact sum
 * of its energies. Hours of music take as much memory as a jingle; the one loss is that the blocks within 0.01 LU of the gate fall on
 * the same side of it, which moves the result by less than 0.01 LU in all but contrived material.
 *
 * Further reading: ITU-R BS.1770-4; EBU Tech 3341 for test cases; libebur128 for the filters at any sample rate.
 */
import { assert } from '../core/assert.js';
import type { AudioFormat, Loudness } from '../library/track.js';
import { fileSpeakers, type Speaker } from './speakers.js';

/** Blocks start every 100 ms and last four times as long. */
const HOPS_PER_SECOND = 10;
const HOPS_PER_BLOCK = 4;
/** Blocks below it are silence, LUFS. */
const ABSOLUTE_GATE = -70;
/** Blocks so far below the mean of the others are pauses, LU. */
const RELATIVE_GATE = -10;
/** Bins of the histogram: 0.01 LU each, from the absolute gate up to +30 LUFS; what is louder shares the last one. */
const BINS_PER_LU = 100;
const BINS = (30 - ABSOLUTE_GATE) * BINS_PER_LU;

/** The filters' state below which sound has died away: -600 dB. Left alone it would decay into denormal numbers, which are slow. */
const STATE_FLOOR = 1e-30;

/** Loudness of an energy: the offset makes a sine of 1 kHz at full scale in one channel -3.01 LUFS (BS.1770-4, annex 1). */
const lufsOf = (energy: number): number => -0.691 + 10 * Math.log10(energy);

/** What the meter has to know of a track. */
export type MeteredFormat = Pick<AudioFormat, 'sampleRate' | 'channels' | 'channelMask'>;

/** Measures one track as its samples come by, in 160 kB however long it is. `add` allocates nothing. */
export class LoudnessMeter {
  readonly #channels: number;
  readonly #weights: readonly number[];
  readonly #filter: KWeighting;
  /** Four numbers of filter state for each channel. */
  readonly #state: Float64Array;
  readonly #hopFrames: number;

  /** Weighted sum of squares of the hop under way, and how many frames are in it. */
  #hopSum = 0;
  #hopFilled = 0;
  /** Sums of the last four hops, in a ring, and how many hops there were. */
  readonly #hops = new Float64Array(HOPS_PER_BLOCK);
  #hopCount = 0;

  readonly #binCounts = new Float64Array(BINS);
  readonly #binEnergies = new Float64Array(BINS);
  #peak = 0;

  constructor(format: MeteredFormat) {
    this.#channels = format.channels;
    this.#weights = channelWeights(format.channels, format.channelMask);
    this.#filter = kWeighting(format.sampleRate);
    this.#state = new Float64Array(4 * format.channels);
    this.#hopFrames = Math.round(format.sampleRate / HOPS_PER_SECOND);
  }

  /** Takes the next `frames` interleaved frames; full scale is 1. Samples must be finite. */
  add(samples: Float64Array, frames: number): void {
    for (let from = 0; from < frames; ) {
      const to = Math.min(frames, from + this.#hopFrames - this.#hopFilled);
      for (let channel = 0; channel < this.#channels; channel++) this.#addChannel(samples, channel, from, to);
      this.#hopFilled += to - from;
      if (this.#hopFilled === this.#hopFrames) this.#endHop();
      from = to;
    }
  }

  /** What was measured so far. */
  result(): Loudness {
    return { integratedLufs: this.#integrated(), samplePeak: this.#peak };
  }

  #addChannel(samples: Float64Array, channel: number, from: number, to: number): void {
    const { b0, b1, b2, a1, a2, c1, c2 } = this.#filter;
    const step = this.#channels;
    const state = this.#state;
    const s = channel * 4;
    let z1 = state[s]!;
    let z2 = state[s + 1]!;
    let z3 = state[s + 2]!;
    let z4 = state[s + 3]!;
    let peak = this.#peak;
    let sum = 0;
    const end = to * step;
    for (let at = from * step + channel; at < end; at += step) {
      const x = samples[at]!;
      const magnitude = Math.abs(x);
      if (magnitude > peak) peak = magnitude;
      // Two biquads in transposed direct form II: shelf, then high-pass with the numerator 1, -2, 1.
      const y = b0 * x + z1;
      z1 = b1 * x - a1 * y + z2;
      z2 = b2 * x - a2 * y;
      const w = y + z3;
      z3 = -2 * y - c1 * w + z4;
      z4 = y - c2 * w;
      sum += w * w;
    }
    state[s] = audible(z1);
    state[s + 1] = audible(z2);
    state[s + 2] = audible(z3);
    state[s + 3] = audible(z4);
    this.#peak = peak;
    this.#hopSum += sum * this.#weights[channel]!;
  }

  #endHop(): void {
    this.#hops[this.#hopCount % HOPS_PER_BLOCK] = this.#hopSum;
    this.#hopCount++;
    this.#hopSum = 0;
    this.#hopFilled = 0;
    if (this.#hopCount < HOPS_PER_BLOCK) return;
    let sum = 0;
    for (const hop of this.#hops) sum += hop;
    const energy = sum / (HOPS_PER_BLOCK * this.#hopFrames);
    const lufs = lufsOf(energy);
    if (lufs <= ABSOLUTE_GATE) return;
    const bin = Math.min(BINS - 1, Math.floor((lufs - ABSOLUTE_GATE) * BINS_PER_LU));
    this.#binCounts[bin]! += 1;
    this.#binEnergies[bin]! += energy;
  }

  #integrated(): number | null {
    const ungated = this.#meanEnergy(0);
    if (ungated === null) return null;
    const gate = Math.ceil((lufsOf(ungated) + RELATIVE_GATE - ABSOLUTE_GATE) * BINS_PER_LU);
    // Below the absolute gate there are no bins; above the last one there are none either, and it holds all that is louder.
    const gated = this.#meanEnergy(Math.min(BINS - 1, Math.max(0, gate)));
    assert(gated !== null, 'the loudest block passes a gate below the mean');
    return lufsOf(gated);
  }

  /** Mean energy of the blocks in the bins from `first` on; null where there are none. */
  #meanEnergy(first: number): number | null {
    let count = 0;
    let energy = 0;
    for (let bin = first; bin < BINS; bin++) {
      count += this.#binCounts[bin]!;
      energy += this.#binEnergies[bin]!;
    }
    return count === 0 ? null : energy / count;
  }
}

const audible = (state: number): number => (state > STATE_FLOOR || state < -STATE_FLOOR ? state : 0);

/** Coefficients of the two biquads, the first of each denominator and the high-pass numerator (1, -2, 1) left out. */
interface KWeighting {
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly a1: number;
  readonly a2: number;
  readonly c1: number;
  readonly c2: number;
}

/**
 * The K-weighting at a sample rate. BS.1770 tabulates coefficients for 48 kHz only. They are the bilinear transform of an analog
 * high shelf and high-pass, whose parameters, solved for by libebur128's authors, give the tables back to all their digits.
 */
function kWeighting(sampleRate: number): KWeighting {
  const shelf = { frequency: 1681.974450955533, q: 0.7071752369554196, gainDb: 3.999843853973347 };
  const highPass = { frequency: 38.13547087602444, q: 0.5003270373238773 };

  const k = Math.tan((Math.PI * shelf.frequency) / sampleRate);
  const top = 10 ** (shelf.gainDb / 20);
  const middle = top ** 0.4996667741545416;
  const a0 = 1 + k / shelf.q + k * k;

  const h = Math.tan((Math.PI * highPass.frequency) / sampleRate);
  const c0 = 1 + h / highPass.q + h * h;

  return {
    b0: (top + (middle * k) / shelf.q + k * k) / a0,
    b1: (2 * (k * k - top)) / a0,
    b2: (top - (middle * k) / shelf.q + k * k) / a0,
    a1: (2 * (k * k - 1)) / a0,
    a2: (1 - k / shelf.q + k * k) / a0,
    c1: (2 * (h * h - 1)) / c0,
    c2: (1 - h / highPass.q + h * h) / c0,
  };
}

/** Beside or behind the listener, at the ceiling too. */
const SURROUND: ReadonlySet<Speaker> = new Set<Speaker>(['BL', 'BR', 'BC', 'SL', 'SR', 'TBL', 'TBC', 'TBR']);
/** +1.5 dB of energy: what comes from the side or from behind sounds louder. */
const SURROUND_WEIGHT = 1.41;

/**
 * What each channel counts for. The five-channel method of BS.1770-4 has left, right and centre at 1 and the two surrounds at 1.41,
 * without the effects channel. For files with more than two surrounds all of them count as such, as in ffmpeg: the figures of the
 * programs that people compare with stay ours. (Annex 3 of the standard would have those right behind at 1.)
 */
function channelWeights(channels: number, channelMask: number): number[] {
  return fileSpeakers(channels, channelMask).map((speaker) =>
    speaker === 'LFE' ? 0 : SURROUND.has(speaker) ? SURROUND_WEIGHT : 1,
  );
}
