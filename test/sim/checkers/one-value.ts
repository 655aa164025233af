/** One value per slot: what one node has applied in a slot is what every node applies there, now and after any restart. */
import type { Checker, Observation } from './observation.js';

/** Keeps the first value of each slot, and compares. Also that no process skips a slot. */
export class OneValue implements Checker {
  readonly name = 'one value per slot';
  readonly #values = new Map<number, string>();
  readonly #appliedUpTo = new Map<number, number>();

  observe(observation: Observation): string | undefined {
    if (observation.type === 'restored') this.#appliedUpTo.set(observation.process, observation.slot);
    if (observation.type !== 'applied') return undefined;
    const { process, slot, value } = observation;
    const expected = (this.#appliedUpTo.get(process) ?? 0) + 1;
    this.#appliedUpTo.set(process, slot);
    if (slot !== expected) return `process ${process} applied slot ${slot} after ${expected - 1}`;
    const first = this.#values.get(slot);
    if (first === undefined) this.#values.set(slot, value);
    else if (first !== value) return `slot ${slot} holds ${value} at process ${process}, and ${first} elsewhere`;
    return undefined;
  }
}
