/** Stamps rise from command to command, in the order of the log. */
import type { Checker, Observation } from './observation.js';

/** Follows the stamps of each process, over snapshots too: what one held is not looked into, and what follows it must rise all the same. */
export class Stamps implements Checker {
  readonly name = 'stamps rise';
  readonly #last = new Map<number, bigint>();

  observe(observation: Observation): string | undefined {
    if (observation.type !== 'applied' || observation.stampNs === null) return undefined;
    const { process, slot, stampNs } = observation;
    const before = this.#last.get(process);
    this.#last.set(process, stampNs);
    if (before === undefined || stampNs > before) return undefined;
    return `slot ${slot} has the stamp ${stampNs}, after ${before}`;
  }
}
