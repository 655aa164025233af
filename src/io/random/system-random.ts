/** SystemRandom: the kernel's randomness, through node:crypto; fit for keys. */
import { getRandomValues } from 'node:crypto';
import type { Random } from '../../ports/random.js';

/** Unpredictable bytes. */
export class SystemRandom implements Random {
  bytes(length: number): Uint8Array {
    return getRandomValues(new Uint8Array(length));
  }

  u32(): number {
    return getRandomValues(new Uint32Array(1))[0]!;
  }
}
