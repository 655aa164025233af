/**
 * A seeded generator, so that what looks random can be played again: shuffles that every node must agree on, simulations, dither.
 *
 * xoshiro128** by Blackman and Vigna (https://prng.di.unimi.it/), seeded through SplitMix32 so that near seeds give unlike streams.
 * Not for secrets: those come from the Random port.
 */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed any whole number; only its low 32 bits count. */
  constructor(seed: number) {
    let state = seed >>> 0;
    const next = () => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  /** The next 32 bits, 0 to 2^32 - 1. */
  u32(): number {
    const rotl = (x: number, k: number) => (x << k) | (x >>> (32 - k));
    const result = Math.imul(rotl(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotl(this.#d, 11);
    return result;
  }

  /** A whole number from 0 to `bound - 1`, each as likely as the others. `bound`: 1 to 2^32. */
  below(bound: number): number {
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    for (;;) {
      const draw = this.u32();
      if (draw < limit) return draw % bound;
    }
  }

  /** A number from 0 (included) to 1 (excluded), in steps of 2^-32. */
  fraction(): number {
    return this.u32() / 0x1_0000_0000;
  }
}

/** A new array with the elements of `items` in an order that depends on `seed` alone (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const prng = new Prng(seed);
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = prng.below(i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
