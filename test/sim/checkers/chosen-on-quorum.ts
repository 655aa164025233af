/**
 * Chosen on a quorum: what is applied for the first time is durable on the cards of a majority of those who vote.
 *
 * A house that counts a learner, or its own unfinished write, agrees all the same for as long as nothing fails. This finds it out at once.
 */
import { acceptQuorum } from '../../../src/paxos/configuration.js';
import type { Checker, Observation } from './observation.js';

/** What the cards of one node ever held. */
interface Held {
  readonly slots: Set<number>;
  base: number;
}

/** Follows what every node's store reported as durable, or as found at its start. */
export class ChosenOnQuorum implements Checker {
  readonly name = 'chosen on a quorum';
  readonly #held = new Map<string, Held>();
  readonly #heldBy = new Map<number, Held>();

  observe(observation: Observation): string | undefined {
    switch (observation.type) {
      case 'started': {
        const { process, node } = observation;
        const held = this.#held.get(node) ?? { slots: new Set(), base: 0 };
        this.#held.set(node, held);
        this.#heldBy.set(process, held);
        return undefined;
      }
      case 'recovered':
      case 'durable': {
        const held = this.#heldBy.get(observation.process);
        for (const { slot } of observation.accepted) held?.slots.add(slot);
        if (observation.type === 'recovered') raiseBase(held, observation.base);
        return undefined;
      }
      case 'installed':
        raiseBase(this.#heldBy.get(observation.process), observation.base);
        return undefined;
      case 'chosen': {
        const { slot, voters } = observation;
        const holders = voters.filter((node) => {
          const held = this.#held.get(node);
          return held !== undefined && (slot <= held.base || held.slots.has(slot));
        });
        if (holders.length >= acceptQuorum(voters.length)) return undefined;
        return `slot ${slot} is applied, and durable on ${holders.length} of ${voters.length} voters`;
      }
      default:
        return undefined;
    }
  }
}

function raiseBase(held: Held | undefined, base: number): void {
  if (held !== undefined) held.base = Math.max(held.base, base);
}
