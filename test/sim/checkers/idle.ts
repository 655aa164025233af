/** Idle means idle: a house that is asked nothing writes nothing. */
import type { Checker, Observation } from './observation.js';

/** Looks at what was written while nothing was asked. */
export class Idle implements Checker {
  readonly name = 'idle writes nothing';

  observe(observation: Observation): string | undefined {
    if (observation.type !== 'idle') return undefined;
    const { seconds, writes, syncs } = observation;
    if (writes === 0 && syncs === 0) return undefined;
    return `${writes} writes and ${syncs} syncs in ${seconds} idle seconds`;
  }
}
