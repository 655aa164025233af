/**
 * By how much one sound is later than another, to a fraction of a microsecond.
 *
 * A window of the first is compared with the second, read at the same instants plus a lag; the lag at which the two are most alike is the
 * offset. Reading between samples is windowed-sinc interpolation. First whole frames are tried, then a parabola through the three best gives
 * a fraction, around which it is done again: a parabola is biased between samples and exact at its vertex, so that a few rounds suffice
 * (the bias is described by Boucher and Hassab, "Analysis of Discrete Implementation of Generalized Cross Correlator", 1981).
 *
 * The two may run at different rates, as far as crystals go: their instants say so.
 */

/** One channel over time; instants are nanoseconds after any common origin. */
export interface Sound {
  /** Nominal frames a second. */
  readonly rate: number;
  /** When a frame is heard; frames may be fractional. */
  instantOf(frame: number): number;
  /** Which frame, in fractions, is heard at that instant; undefined where none is. */
  frameAt(atNs: number): number | undefined;
  /** `count` samples from frame `from` on, full scale = 1; zeros before the beginning and after the end. */
  read(from: number, count: number): Float64Array;
}

/** The outcome of one comparison. */
export interface Offset {
  /** The middle of the window. */
  readonly atNs: number;
  /** By how much the second is later; negative where it is earlier. */
  readonly offsetNs: number;
  /** Normalised correlation: 1 where they are the same but for the offset, near 0 where they have nothing in common. */
  readonly likeness: number;
}

/** Where to compare. */
export interface Window {
  /** First instant of the window, and how long it is. */
  readonly fromNs: number;
  readonly lengthNs: number;
  /** The offset is looked for this far around `aroundNs` (0 by default). */
  readonly aroundNs?: number;
  readonly withinNs: number;
}

/** Taps to either side of an instant between two samples. */
const HALF_TAPS = 16;
/** Rows of the table of taps; between two it is interpolated, which leaves an error near 1e-6. */
const PHASES = 512;
/** Shape of the Kaiser window: side lobes below -90 dB. */
const KAISER_BETA = 9;
/** No crystal is further off: 1,000 ppm. */
const CRYSTAL_ERROR_MAX = 1e-3;
/** Rounds of refinement, each a hundred times nearer. */
const ROUNDS = 3;

const TAPS = tapTable();

function tapTable(): Float64Array {
  const table = new Float64Array((PHASES + 1) * 2 * HALF_TAPS);
  for (let phase = 0; phase <= PHASES; phase++) {
    for (let tap = 0; tap < 2 * HALF_TAPS; tap++) {
      const x = tap - HALF_TAPS + 1 - phase / PHASES;
      const within = 1 - (x / HALF_TAPS) ** 2;
      const shape = within < 0 ? 0 : bessel(KAISER_BETA * Math.sqrt(within)) / bessel(KAISER_BETA);
      table[phase * 2 * HALF_TAPS + tap] = shape * (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
    }
  }
  return table;
}

/** The modified Bessel function of the first kind and order 0, by its series. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** The value of `samples` at the fractional index `at`, which has {@link HALF_TAPS} neighbours to either side. */
function between(samples: Float64Array, at: number): number {
  const whole = Math.floor(at);
  const phase = (at - whole) * PHASES;
  const row = Math.floor(phase);
  const share = phase - row;
  const first = whole - HALF_TAPS + 1;
  const low = row * 2 * HALF_TAPS;
  const high = low + (share > 0 ? 2 * HALF_TAPS : 0);
  let sum = 0;
  for (let tap = 0; tap < 2 * HALF_TAPS; tap++) {
    const weight = TAPS[low + tap]! + share * (TAPS[high + tap]! - TAPS[low + tap]!);
    sum += weight * samples[first + tap]!;
  }
  return sum;
}

/** `sound` at `count` instants from `fromNs` on, `stepNs` apart; undefined where it does not reach. */
export function sampled(sound: Sound, fromNs: number, stepNs: number, count: number): Float64Array | undefined {
  const first = sound.frameAt(fromNs);
  const last = sound.frameAt(fromNs + (count - 1) * stepNs);
  if (first === undefined || last === undefined) return undefined;
  // Within a window of a tenth of a second a crystal runs straight.
  const step = (last - first) / (count - 1);
  // It stood still somewhere in between.
  if (Math.abs((step * 1e9) / (stepNs * sound.rate) - 1) > CRYSTAL_ERROR_MAX) return undefined;
  const start = Math.floor(first) - HALF_TAPS;
  const samples = sound.read(start, Math.ceil(last) - start + HALF_TAPS + 2);
  return Float64Array.from({ length: count }, (_, i) => between(samples, first - start + i * step));
}

const dot = (a: Float64Array, b: Float64Array, shift: number): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i + shift]!;
  return sum;
};

/** How alike `a` and `b` from index `shift` on are. */
function likeness(a: Float64Array, b: Float64Array, shift: number): number {
  const part = b.subarray(shift, shift + a.length);
  const energy = dot(a, a, 0) * dot(part, part, 0);
  return energy === 0 ? 0 : dot(a, part, 0) / Math.sqrt(energy);
}

/** Where the parabola through three equidistant values has its vertex, in steps from the middle one; at most one step away. */
function vertex(left: number, middle: number, right: number): number {
  const curve = left - 2 * middle + right;
  return curve >= 0 ? Math.sign(right - left) : Math.max(-1, Math.min(1, (left - right) / (2 * curve)));
}

/** Compares `b` with `a` within a window; undefined where one of them does not reach. */
export function offsetBetween(a: Sound, b: Sound, window: Window): Offset | undefined {
  const { fromNs, lengthNs, withinNs, aroundNs = 0 } = window;
  const stepNs = 1e9 / a.rate;
  const count = Math.round(lengthNs / stepNs);
  const reach = Math.ceil(withinNs / stepNs);
  const model = sampled(a, fromNs, stepNs, count);
  const wide = sampled(b, fromNs + aroundNs - reach * stepNs, stepNs, count + 2 * reach);
  if (model === undefined || wide === undefined) return undefined;

  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let shift = 0; shift <= 2 * reach; shift++) {
    const value = dot(model, wide, shift);
    if (value <= most) continue;
    most = value;
    best = shift;
  }
  let offsetNs = aroundNs + (best - reach) * stepNs;
  let alike = likeness(model, wide, best);
  for (let round = 0; round < ROUNDS; round++) {
    const near = sampled(b, fromNs + offsetNs - stepNs, stepNs, count + 2);
    if (near === undefined) break;
    alike = likeness(model, near, 1);
    offsetNs += vertex(dot(model, near, 0), dot(model, near, 1), dot(model, near, 2)) * stepNs;
  }
  return { atNs: fromNs + lengthNs / 2, offsetNs, likeness: alike };
}
