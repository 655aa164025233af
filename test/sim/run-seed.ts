/** One simulation from its name: profile, seed, and the kinds of fault that are left out of it. */
import { drawKnobs, type FaultKind, type Knobs, type ProfileName, profileOf } from './knobs.js';
import { RealEngine } from './real-engine.js';
import { type Outcome, runWorld } from './world.js';

/** Names a simulation: the same one at every run. */
export interface SeedName {
  readonly seed: number;
  readonly profile: ProfileName;
  readonly without: readonly FaultKind[];
  /** Faults end after so many milliseconds; null where the knobs say when. */
  readonly faultsMs: number | null;
}

/** What came of it. */
export interface SeedResult extends Outcome {
  readonly name: SeedName;
  /** Processor time that it took, milliseconds. */
  readonly cpuMs: number;
}

/** The simulation of a seed as a run of many has it. */
export const nameOf = (seed: number, profile: ProfileName = profileOf(seed)): SeedName => ({
  seed,
  profile,
  without: [],
  faultsMs: null,
});

/** The knobs of a simulation. */
export function knobsOf({ seed, profile, without, faultsMs }: SeedName): Knobs {
  const knobs = drawKnobs(seed, profile, new Set(without));
  return faultsMs === null ? knobs : { ...knobs, faultsMs };
}

/** The command that runs it again. */
export const replayCommand = ({ seed, profile, without, faultsMs }: SeedName): string =>
  [
    `npm run sim -- --seed ${seed} --profile ${profile}`,
    ...(without.length > 0 ? [`--without ${without.join(',')}`] : []),
    ...(faultsMs === null ? [] : [`--faults-ms ${faultsMs}`]),
  ].join(' ');

/** Runs it. `trace` gets a line for everything that happens. */
export async function runSeed(name: SeedName, trace: ((line: string) => void) | null = null): Promise<SeedResult> {
  const before = process.cpuUsage();
  const knobs = knobsOf(name);
  const outcome = await runWorld(
    { engine: (eyes) => new RealEngine({ ringPages: knobs.ringPages, ...eyes }), trace },
    { seed: name.seed, knobs },
  );
  const { user, system } = process.cpuUsage(before);
  return { ...outcome, name, cpuMs: (user + system) / 1_000 };
}
