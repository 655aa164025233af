/** Equal state at equal slots: what nodes have made of the same entries is the same, to the byte. */
import type { Checker, Observation } from './observation.js';

/** Keeps the first hash of each slot, and compares. */
export class StateHash implements Checker {
  readonly name = 'equal state at equal slots';
  readonly #hashes = new Map<number, string>();

  observe(observation: Observation): string | undefined {
    if (observation.type !== 'state') return undefined;
    const { process, slot, hash } = observation;
    const first = this.#hashes.get(slot);
    if (first === undefined) this.#hashes.set(slot, hash);
    else if (first !== hash)
      return `the state at slot ${slot} is ${hash} at process ${process}, and ${first} elsewhere`;
    return undefined;
  }
}
