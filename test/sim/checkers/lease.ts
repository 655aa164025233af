/** At most one node holds the leader's lease at any instant of true time. */
import type { Checker, Observation } from './observation.js';

/** Looks at who says so at one instant. */
export class Lease implements Checker {
  readonly name = 'one lease holder';

  observe(observation: Observation): string | undefined {
    if (observation.type !== 'lease' || observation.holders.length <= 1) return undefined;
    return `${observation.holders.join(' and ')} hold the lease at once`;
  }
}
