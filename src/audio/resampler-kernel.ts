/**
 * The resampler's filter: a sinc under a Kaiser window, tabulated at many phases.
 *
 * Between two source frames the filter is needed at any fraction. It is tabulated at {@link PHASES} fractions, one row of taps each,
 * and the rows on both sides are joined by a line: with rows this close the line errs less than the filter itself. Every row is
 * scaled to the sum 1, so that a steady signal stays steady whatever the phase.
 *
 * Going up (or following a crystal) the cut-off is the source's own Nyquist frequency: the kernel is 1 at 0 and 0 at all other whole
 * numbers, so it leaves frames alone that are hit exactly. Going down the cut-off is lowered and the filter lengthened, so that what
 * the lower rate cannot carry does not fold back.
 *
 * Window and design rule: J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", 1974.
 */
import { assert } from '../core/assert.js';

/** Length of the filter in frames going up: free of images for sound up to 0.39 of the rate (17 kHz of 44.1). */
export const TAPS = 32;
/** Going down the transition is half as wide: it lies within the band that is heard, not beyond it. */
const DOWN_TAPS_FACTOR = 2;
/**
 * Rows per source frame going up. The line between rows errs by at most (pi / 512)^2 / 8 = -106 dB at Nyquist, by less below: more rows
 * measure no better, and this table (128 KiB) fits the second-level cache of every Pi.
 */
const PHASES = 512;
/** What the stop band is lowered by, dB: with the error of the lines this makes more than 100 dB of distance in all. */
const STOP_BAND_DB = 105;
/** Where the stop band begins going down, in cycles per output frame: what folds back lands above 0.48, where little is heard. */
const DOWN_STOP_EDGE = 0.52;

/** Up to this ratio the rates are the same but for the crystals: what folds back is too near the edge of hearing to pay for. */
const CRYSTAL_RATIO_MAX = 1.01;

/** Weights of a filter for every position between two frames. Shared by all resamplers of like ratio: it keeps nothing of theirs. */
export class Kernel {
  /** Weights per row, 2 * half. */
  readonly taps: number;
  /** Source frames before or after a position that count. */
  readonly half: number;
  readonly #phases: number;
  /** Row `r` holds the weights for the fraction r / phases; one row more than phases, for the line up to fraction 1. */
  readonly #rows: Float64Array;
  /** Scratch: the weights of one position. */
  readonly #weights: Float64Array;

  /**
   * @param decimation source frames per output frame where the rate goes down, else 1
   * @param taps length of the filter in frames of the lower rate
   */
  constructor(decimation: number, taps: number) {
    this.half = Math.ceil((taps * decimation) / 2);
    this.taps = 2 * this.half;
    // A filter that is stretched is smoother by as much.
    this.#phases = Math.ceil(PHASES / decimation);
    const transition = (STOP_BAND_DB - 7.95) / 14.36 / this.taps;
    const cutOff = decimation === 1 ? 0.5 : DOWN_STOP_EDGE / decimation - transition / 2;
    const shape = kaiserShape(STOP_BAND_DB);
    this.#weights = new Float64Array(this.taps);
    this.#rows = new Float64Array((this.#phases + 1) * this.taps);
    for (let row = 0; row <= this.#phases; row++) this.#fill(row, cutOff, shape);
  }

  /**
   * Writes to frame `outputFrame` of `output` the sound at `fraction` (0 to less than 1) of a frame after frame `windowFrame` + half - 1
   * of `window`: frames from `windowFrame` on, as many as there are taps, each times its weight. Both interleaved.
   */
  apply(
    fraction: number,
    window: Float64Array,
    windowFrame: number,
    channels: number,
    output: Float64Array,
    outputFrame: number,
  ): void {
    const place = fraction * this.#phases;
    const row = Math.floor(place);
    const along = place - row;
    const at = row * this.taps;
    if (channels === 2) this.#applyStereo(at, along, window, windowFrame, output, outputFrame);
    else this.#applyMany(at, along, window, windowFrame, channels, output, outputFrame);
  }

  /** Nearly all music: weight and sums in one pass, which is twice as fast. Two taps at a time, so that additions overlap. */
  #applyStereo(
    start: number,
    along: number,
    window: Float64Array,
    windowFrame: number,
    output: Float64Array,
    outputFrame: number,
  ): void {
    const rows = this.#rows;
    const end = start + this.taps;
    let leftEven = 0;
    let leftOdd = 0;
    let rightEven = 0;
    let rightOdd = 0;
    for (let at = start, next = end, from = windowFrame * 2; at < end; at += 2, next += 2, from += 4) {
      const even = rows[at]! + along * (rows[next]! - rows[at]!);
      const odd = rows[at + 1]! + along * (rows[next + 1]! - rows[at + 1]!);
      leftEven += even * window[from]!;
      rightEven += even * window[from + 1]!;
      leftOdd += odd * window[from + 2]!;
      rightOdd += odd * window[from + 3]!;
    }
    output[outputFrame * 2] = leftEven + leftOdd;
    output[outputFrame * 2 + 1] = rightEven + rightOdd;
  }

  #applyMany(
    start: number,
    along: number,
    window: Float64Array,
    windowFrame: number,
    channels: number,
    output: Float64Array,
    outputFrame: number,
  ): void {
    const rows = this.#rows;
    const weights = this.#weights;
    for (let tap = 0, at = start, next = start + this.taps; tap < this.taps; tap++, at++, next++) {
      weights[tap] = rows[at]! + along * (rows[next]! - rows[at]!);
    }
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let tap = 0, from = windowFrame * channels + channel; tap < this.taps; tap++, from += channels) {
        sum += weights[tap]! * window[from]!;
      }
      output[outputFrame * channels + channel] = sum;
    }
  }

  #fill(row: number, cutOff: number, shape: number): void {
    const first = row * this.taps;
    let sum = 0;
    for (let tap = 0; tap < this.taps; tap++) {
      const distance = tap - (this.half - 1) - row / this.#phases;
      const weight = sinc(2 * cutOff * distance) * kaiser(distance / this.half, shape);
      this.#rows[first + tap] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < this.taps; tap++) this.#rows[first + tap]! /= sum;
  }
}

/** Kernels made so far, by decimation and length: a house has a handful of pairs of rates, and a player goes back and forth. */
const kernels = new Map<string, Kernel>();
/** Beyond this the oldest goes. A kernel takes a quarter of a megabyte. */
const KERNELS_MAX = 8;

/**
 * The filter for about `ratio` source frames per output frame.
 * @param taps even number of frames; see {@link TAPS}
 */
export function kernelFor(ratio: number, taps: number): Kernel {
  assert(ratio > 0 && Number.isFinite(ratio), 'a ratio is positive');
  assert(taps >= 2 && taps % 2 === 0, 'a filter has as many taps before as after');
  const decimation = ratio <= CRYSTAL_RATIO_MAX ? 1 : ratio;
  const length = decimation === 1 ? taps : taps * DOWN_TAPS_FACTOR;
  const key = `${decimation}/${length}`;
  const known = kernels.get(key);
  if (known !== undefined) return known;
  const kernel = new Kernel(decimation, length);
  if (kernels.size === KERNELS_MAX) kernels.delete(kernels.keys().next().value!);
  kernels.set(key, kernel);
  return kernel;
}

/** sin(pi x) / (pi x), and exactly 0 at whole numbers: sin(pi) is not quite 0 in floating point. */
function sinc(x: number): number {
  if (x === 0) return 1;
  if (Number.isInteger(x)) return 0;
  return Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Kaiser's window at `x`, its edges at -1 and 1. */
function kaiser(x: number, shape: number): number {
  return besselI0(shape * Math.sqrt(Math.max(0, 1 - x * x))) / besselI0(shape);
}

/** Kaiser's rule for the shape that gives a stop band lowered by `decibels` (above 50). */
function kaiserShape(decibels: number): number {
  return 0.1102 * (decibels - 8.7);
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}
