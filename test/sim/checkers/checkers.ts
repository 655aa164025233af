/** All checkers of a simulation, and the violation that ends one. */
import { Acknowledged } from './acknowledged.js';
import { ChosenOnQuorum } from './chosen-on-quorum.js';
import { ClusterTimeRuns } from './cluster-time.js';
import { Durable } from './durable.js';
import { ExactlyOnce } from './exactly-once.js';
import { Idle } from './idle.js';
import { Lease } from './lease.js';
import { NoBugs } from './no-bugs.js';
import { NothingHalfDone } from './nothing-half-done.js';
import type { Checker, Observation } from './observation.js';
import { OneValue } from './one-value.js';
import { Promises } from './promises.js';
import { Reads } from './reads.js';
import { Stamps } from './stamps.js';
import { StateHash } from './state-hash.js';
import { TracksOnMajority } from './tracks-on-majority.js';
import { UploadsSurvive } from './uploads-survive.js';

/** Name of the checker that the simulation itself plays: progress within its bound (liveness.ts). */
export const LIVENESS = 'liveness';
/** And this: in the end every card has the files of the library, and no others. */
export const EVERYWHERE = 'every track on every card';

/** Something happened that must not. */
export interface Violation {
  readonly checker: string;
  readonly text: string;
  /** True time, milliseconds since the simulation began. */
  readonly atMs: number;
}

/** One of each. */
export const newCheckers = (): Checker[] => [
  new NoBugs(),
  new OneValue(),
  new Promises(),
  new Durable(),
  new ChosenOnQuorum(),
  new Acknowledged(),
  new StateHash(),
  new ExactlyOnce(),
  new Reads(),
  new Lease(),
  new Stamps(),
  new ClusterTimeRuns(),
  new TracksOnMajority(),
  new UploadsSurvive(),
  new NothingHalfDone(),
  new Idle(),
];

/** Shows an observation to all; gives the first complaint. */
export function firstViolation(
  checkers: readonly Checker[],
  observation: Observation,
): { readonly checker: string; readonly text: string } | undefined {
  for (const checker of checkers) {
    const text = checker.observe(observation);
    if (text !== undefined) return { checker: checker.name, text };
  }
  return undefined;
}
