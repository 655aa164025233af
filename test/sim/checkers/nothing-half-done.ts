/** Nothing half-done is seen: a file that a node says it holds is what its id says, and so is all that is heard of a track. */
import type { Checker, Observation } from './observation.js';

/** Compares contents with names. */
export class NothingHalfDone implements Checker {
  readonly name = 'files are what their ids say';

  observe(observation: Observation): string | undefined {
    if (observation.type !== 'seen' || observation.track === observation.found) return undefined;
    const { process, track, how, found } = observation;
    return `process ${process} ${how} track ${track.slice(0, 8)}, and its bytes are ${found === null ? 'not there' : `those of ${found.slice(0, 8)}`}`;
  }
}
