/**
 * From floating point to the whole numbers of a card.
 *
 * Rounding alone turns the quietest sounds into buzz: its error follows the signal. Dither, noise of a triangular distribution one step
 * wide to each side, added before rounding, makes the error noise of constant level instead (S. P. Lipshitz, R. A. Wannamaker,
 * J. Vanderkooy, "Quantization and Dither: A Theoretical Survey", JAES 40, 1992). It is added only where bits are lost: samples that lie
 * on the card's grid already pass bit by bit.
 */
import { assert } from '../core/assert.js';
import { Prng } from '../core/prng.js';
import type { SampleFormat } from '../library/track.js';

/** Bits that a sample of a file may use; a float may lie between the steps of any grid. */
const SIGNIFICANT_BITS: Readonly<Record<SampleFormat, number>> = {
  u8: 8,
  s16: 16,
  s24: 24,
  s32: 32,
  f32: Number.POSITIVE_INFINITY,
  f64: Number.POSITIVE_INFINITY,
};

/**
 * True where samples of a file do not fit a card of `bits` as they are, and dither is due.
 * @param touched whether they were changed on the way: resampled, mixed, or multiplied by a gain other than 1
 */
export function losesBits(sample: SampleFormat, touched: boolean, bits: number): boolean {
  return touched || SIGNIFICANT_BITS[sample] > bits;
}

/** Noise of triangular distribution: each draw between -1 and 1, mean 0, variance 1/6, independent of all others. */
export class Dither {
  readonly #prng: Prng;

  /** @param seed the same seed gives the same noise, so that a run can be repeated */
  constructor(seed: number) {
    this.#prng = new Prng(seed);
  }

  next(): number {
    // The halves of one draw are independent; 2^-16 of a step is fine enough for noise.
    const bits = this.#prng.u32();
    return ((bits & 0xffff) - (bits >>> 16)) / 0x1_0000;
  }
}

/**
 * Full scale of a card, by its bits. A table, because a power in the function itself is worked out anew for every sample: V8 takes it into
 * the loop, where it cost a sixth of the player's time.
 */
const SCALES = Float64Array.from({ length: 33 }, (_, bits) => 2 ** (bits - 1));

/**
 * Writes the first `samples` of `input` (full scale: -1 to 1) to `output` as whole numbers from -2^(bits-1) to 2^(bits-1) - 1, rounded to the
 * nearest. What is beyond is clipped, what is not a number becomes 0.
 * @param bits 2 to 32
 * @param dither null where no bits are lost ({@link losesBits})
 * @returns how many samples were clipped
 */
export function quantize(
  input: Float64Array,
  output: Int32Array,
  samples: number,
  bits: number,
  dither: Dither | null,
): number {
  assert(bits >= 2 && bits <= 32, 'a card has samples of 2 to 32 bits');
  const scale = SCALES[bits]!;
  let clipped = 0;
  for (let i = 0; i < samples; i++) {
    const noise = dither === null ? 0 : dither.next();
    let value = Math.floor(input[i]! * scale + noise + 0.5);
    if (value > scale - 1) {
      value = scale - 1;
      clipped += 1;
    } else if (value < -scale) {
      value = -scale;
      clipped += 1;
    }
    output[i] = value;
  }
  return clipped;
}
