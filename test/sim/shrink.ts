/**
 * Shrinking: a failing simulation made as small as it goes, for a person to read.
 *
 * Kinds of fault draw from streams of their own, so leaving one out leaves the others' draws as they were. One after another is left out
 * for good where the simulation fails without it too; then the faults are made to end sooner, by halves.
 */
import type { FaultKind } from './knobs.js';
import type { SeedName } from './run-seed.js';

/** Faults are not made to last less than this, milliseconds. */
const FAULTS_MS_MIN = 2_000;

/** What is asked of simulations on the way. */
export interface Shrinking {
  /** Kinds of fault that strike in the one that failed. */
  readonly kinds: readonly FaultKind[];
  /** How long faults last in it, milliseconds. */
  readonly faultsMs: number;
  /** When it failed, milliseconds since its beginning. */
  readonly failedAtMs: number;
  /** Runs one: whether it fails with the same checker. */
  fails(name: SeedName): Promise<boolean>;
}

/** The smallest one that still fails. */
export async function shrink(name: SeedName, { kinds, faultsMs, failedAtMs, fails }: Shrinking): Promise<SeedName> {
  let smallest = name;
  for (const kind of kinds) {
    const smaller = { ...smallest, without: [...smallest.without, kind] };
    if (await fails(smaller)) smallest = smaller;
  }
  for (let ms = Math.min(faultsMs, failedAtMs); ms >= FAULTS_MS_MIN; ms /= 2) {
    const smaller = { ...smallest, faultsMs: Math.round(ms) };
    if (await fails(smaller)) smallest = smaller;
    else if (ms < Math.min(faultsMs, failedAtMs)) break;
  }
  return smallest;
}
