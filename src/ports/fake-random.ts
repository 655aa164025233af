/** FakeRandom: the same "random" bytes at every run, from a seed. */
import { Prng } from '../core/prng.js';
import type { Random } from './random.js';

/** Bytes that look random, from a seed. */
export class FakeRandom implements Random {
  readonly #prng: Prng;

  /** @param seed any whole number; only its low 32 bits count. */
  constructor(seed = 1) {
    this.#prng = new Prng(seed);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#prng.below(256));
  }

  u32(): number {
    return this.#prng.u32();
  }
}
