/**
 * Samples as a card wants them: whole numbers of so many bits, put into the places that a format of ALSA has for them.
 *
 * The formats, with the numbers that alsa/pcm.h gives them. All are little endian, as every Pi is. A sample that has fewer bits than its
 * place is shifted up, so that full scale stays full scale; nothing is rounded here.
 */
import { assert } from '../../core/assert.js';

/** How a format keeps a sample. */
export interface PcmFormat {
  readonly name: 'S32_LE' | 'S24_LE' | 'S24_3LE' | 'S16_LE';
  /** snd_pcm_format_t */
  readonly code: number;
  /** Bytes from one sample to the next. */
  readonly bytes: number;
  /** Bits of the number that they hold; the rest is ignored by the card. */
  readonly bits: number;
}

/** What we can write, best first: where a card takes 32 bits, its driver need not convert, and unused bits cost nothing. */
export const FORMATS: readonly PcmFormat[] = [
  { name: 'S32_LE', code: 10, bytes: 4, bits: 32 },
  { name: 'S24_LE', code: 6, bytes: 4, bits: 24 },
  { name: 'S24_3LE', code: 32, bytes: 3, bits: 24 },
  { name: 'S16_LE', code: 2, bytes: 2, bits: 16 },
];

/** Packs into one buffer that is used again and again: nothing is allocated once it is made. */
export class SamplePacker {
  readonly #place: Uint8Array | Int16Array | Int32Array;
  readonly #shift: number;

  /** @param init `bits`: of the samples that {@link pack} gets, at most those of the format; `samples`: the most that it gets at once */
  constructor(init: { readonly format: PcmFormat; readonly bits: number; readonly samples: number }) {
    const { format, bits, samples } = init;
    assert(bits <= format.bits, `${format.name} holds samples of ${bits} bits`);
    this.#shift = format.bits - bits;
    this.#place =
      format.bytes === 2
        ? new Int16Array(samples)
        : format.bytes === 4
          ? new Int32Array(samples)
          : new Uint8Array(3 * samples);
  }

  /** What the packed samples are in: the same from the first to the last. */
  get memory(): ArrayBufferLike {
    return this.#place.buffer;
  }

  /** The first `count` of `samples`, packed. Valid until the next call. */
  pack(samples: Int32Array, count: number): NodeJS.TypedArray {
    const place = this.#place;
    const shift = this.#shift;
    if (place instanceof Uint8Array) {
      for (let i = 0, to = 0; i < count; i++) {
        const sample = samples[i]! << shift;
        place[to++] = sample;
        place[to++] = sample >> 8;
        place[to++] = sample >> 16;
      }
    } else {
      for (let i = 0; i < count; i++) place[i] = samples[i]! << shift;
    }
    return place;
  }
}
