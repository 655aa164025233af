/**
 * Every track is on a majority of those who vote: when it is agreed, and when others come to vote.
 *
 * What counts is what the cards would give back after a power cut, not what anybody said. A card that a fault has harmed counts for what it
 * had until then: see track-ledger.ts.
 */
import { majorityOf } from '../../../src/core/majority.js';
import type { Checker, Observation } from './observation.js';

/** Counts. */
export class TracksOnMajority implements Checker {
  readonly name = 'every track on a majority';

  observe(observation: Observation): string | undefined {
    if (observation.type !== 'track-counted') return undefined;
    const { slot, track, why, voters, holders } = observation;
    const needed = majorityOf(voters.length);
    if (holders.length >= needed) return undefined;
    const when = why === 'chosen' ? 'is agreed' : 'lives through a change of voters';
    return `track ${track.slice(0, 8)} ${when} in slot ${slot}, and is on ${holders.length} of the cards of ${voters.length} voters`;
  }
}
