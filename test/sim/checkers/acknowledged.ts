/** Acknowledged survives: a command that its proposer was told of stands in its slot, at the end, at every node. */
import type { Checker, Observation } from './observation.js';

/** Compares what proposers were told with what was applied. */
export class Acknowledged implements Checker {
  readonly name = 'acknowledged survives';
  /** What stands in each slot. */
  readonly #payloads = new Map<number, string | null>();
  #lastAcknowledged = 0;

  observe(observation: Observation): string | undefined {
    switch (observation.type) {
      case 'applied':
        this.#payloads.set(observation.slot, observation.payload);
        return undefined;
      case 'acknowledged': {
        const { payload, slot } = observation;
        this.#lastAcknowledged = Math.max(this.#lastAcknowledged, slot);
        const holds = this.#payloads.get(slot);
        if (holds === payload) return undefined;
        return `somebody was told that ${payload} stands in slot ${slot}, which holds ${holds ?? 'no command'}`;
      }
      case 'converged': {
        const behind = observation.nodes.filter(({ slot }) => slot < this.#lastAcknowledged);
        if (behind.length === 0) return undefined;
        const list = behind.map(({ process, slot }) => `${process} (slot ${slot})`).join(', ');
        return `slot ${this.#lastAcknowledged} was acknowledged, and is missing at the end at the processes ${list}`;
      }
      default:
        return undefined;
    }
  }
}
