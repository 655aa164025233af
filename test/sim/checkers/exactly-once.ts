/**
 * Exactly once: a command comes to stand in no more slots than it was proposed times, however often it was sent on; and a client's key
 * takes effect once at most, however often the client asked again.
 */
import type { Checker, Observation } from './observation.js';

/** Counts proposals and the slots that hold them, by their bytes. */
export class ExactlyOnce implements Checker {
  readonly name = 'exactly once';
  readonly #proposals = new Map<string, number>();
  readonly #slots = new Map<string, Set<number>>();
  readonly #effects = new Map<string, number>();

  observe(observation: Observation): string | undefined {
    if (observation.type === 'proposed') {
      const { payload } = observation;
      this.#proposals.set(payload, (this.#proposals.get(payload) ?? 0) + 1);
    }
    if (observation.type !== 'applied') return undefined;
    const { slot, payload, effectOf } = observation;
    return this.#appliedTooOften(slot, payload) ?? this.#effectiveTooOften(slot, effectOf);
  }

  /** Commands that nobody proposed stem from the log itself: a leader's first one. */
  #appliedTooOften(slot: number, payload: string | null): string | undefined {
    const times = payload === null ? undefined : this.#proposals.get(payload);
    if (payload === null || times === undefined) return undefined;
    const slots = this.#slots.get(payload) ?? new Set();
    this.#slots.set(payload, slots.add(slot));
    if (slots.size <= times) return undefined;
    return `what was proposed ${times} times was applied in slots ${[...slots].join(' and ')}: ${payload}`;
  }

  #effectiveTooOften(slot: number, key: string | null): string | undefined {
    if (key === null) return undefined;
    const first = this.#effects.get(key);
    if (first === undefined) this.#effects.set(key, slot);
    else if (first !== slot) return `${key} took effect in slot ${first} and again in slot ${slot}`;
    return undefined;
  }
}
