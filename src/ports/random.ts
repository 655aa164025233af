/** Random: the only way to randomness. Real: io/random. Fake: seeded. */
export interface Random {
  /** `length` bytes, unpredictable in the real one: fit for keys and ids. */
  bytes(length: number): Uint8Array;
  /** A whole number from 0 to 2^32 - 1. */
  u32(): number;
}
