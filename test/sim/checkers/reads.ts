/**
 * Reads are linearizable: the state that a strong read sees holds everything that anybody was told, by an answered write or an answered
 * read, before the read began.
 */
import type { Checker, Observation } from './observation.js';

/** Keeps the highest slot that was ever told, and what it was when each read began. */
export class Reads implements Checker {
  readonly name = 'linearizable reads';
  #told = 0;
  readonly #toldAtStart = new Map<number, number>();

  observe(observation: Observation): string | undefined {
    switch (observation.type) {
      case 'acknowledged':
        this.#told = Math.max(this.#told, observation.slot);
        return undefined;
      case 'read-began':
        this.#toldAtStart.set(observation.read, this.#told);
        return undefined;
      case 'read-ended': {
        const { read, slot, seen } = observation;
        const least = this.#toldAtStart.get(read) ?? 0;
        this.#toldAtStart.delete(read);
        this.#told = Math.max(this.#told, seen);
        if (seen < slot) return `read ${read} was answered at slot ${seen}, before its barrier ${slot} was applied`;
        if (slot < least) return `read ${read} gave slot ${slot}; slot ${least} was answered before it began`;
        return undefined;
      }
      default:
        return undefined;
    }
  }
}
