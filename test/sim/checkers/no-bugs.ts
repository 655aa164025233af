/** A process ends by itself only for what was done to its disk: a broken invariant, or an error that nobody expected, is a bug. */
import { TuttiError } from '../../../src/core/errors.js';
import { PowerCut } from '../../../src/ports/fake-disk.js';
import type { Checker, Observation } from './observation.js';

/** Looks at why processes end. */
export class NoBugs implements Checker {
  readonly name = 'no broken invariant';

  observe(observation: Observation): string | undefined {
    if (observation.type !== 'ended') return undefined;
    const { process, error, causes } = observation;
    if (error instanceof PowerCut) return undefined;
    if (error instanceof TuttiError && causes.includes(error.code)) return undefined;
    return `process ${process} ended with ${error.stack ?? error.message}`;
  }
}
