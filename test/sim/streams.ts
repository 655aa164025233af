/**
 * Streams: one generator per purpose, all from one seed.
 *
 * Faults, clients and disks draw from streams of their own, so that leaving one kind of fault out leaves all other draws as they were:
 * that is what makes a failing seed shrink.
 */
import { Prng } from '../../src/core/prng.js';

/** A whole number for `text` (FNV-1a, 32 bits). */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The generator for one purpose under one seed. */
export const streamOf = (seed: number, purpose: string): Prng => new Prng(hash32(`${seed} ${purpose}`));

/** A whole number from `low` to `high`, both included. */
export const between = (prng: Prng, low: number, high: number): number => low + prng.below(high - low + 1);

/** One of `items`, which must not be empty. */
export const pick = <T>(prng: Prng, items: readonly T[]): T => items[prng.below(items.length)]!;

/** True in a `share` (0 to 1) of the draws. */
export const chance = (prng: Prng, share: number): boolean => prng.fraction() < share;

/** A time with this mean, evenly spread from 0 to twice as much. */
export const around = (prng: Prng, mean: number): number => 2 * mean * prng.fraction();
