/** A process ends by itself only where its disk failed: a broken invariant, or an error that nobody expected, is a bug. */
import { TuttiError } from '../../../src/core/errors.js';
import { PowerCut } from '../../../src/ports/fake-disk.js';
import type { Checker, Observation } from './observation.js';

/** Codes of errors that the world is at fault for, and that may end a process. */
const WORLDLY = new Set(['DISK_FAILED', 'STORE_UNREADABLE', 'BAD_SNAPSHOT']);

/** Looks at why processes end. */
export class NoBugs implements Checker {
  readonly name = 'no broken invariant';

  observe(observation: Observation): string | undefined {
    if (observation.type !== 'ended') return undefined;
    const { process, error, diskIsFull } = observation;
    if (error instanceof PowerCut) return undefined;
    // A log that could not be compacted for as long as it takes to fill up: the node says so, and waits for room.
    const isWorldly = (code: string) => WORLDLY.has(code) || (code === 'DISK_FULL' && diskIsFull);
    if (error instanceof TuttiError && isWorldly(error.code)) return undefined;
    return `process ${process} ended with ${error.stack ?? error.message}`;
  }
}
