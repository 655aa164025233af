/**
 * Witness: all that is seen in a simulation passes here, in the order in which it happened.
 *
 * It is shown to the checkers; the first complaint is the violation that ends the simulation. What is seen after it counts no more.
 */
import { firstViolation, newCheckers, type Violation } from './checkers/checkers.js';
import type { Checker, Observation, ProcessId } from './checkers/observation.js';
import type { Trace } from './trace.js';

/** What a witness works with. */
export interface WitnessComponents {
  /** True time, nanoseconds. */
  nowNs(): bigint;
  /** Null where nobody reads it. */
  readonly trace: Trace | null;
}

/** Keeps what was wrong first, and what the world has to know of what was seen. */
export class Witness {
  readonly #parts: WitnessComponents;
  readonly #isBeyond: boolean;
  readonly #checkers: readonly Checker[] = newCheckers();
  readonly #lostUpTo = new Map<ProcessId, number>();
  #violation: Violation | null = null;
  #restores = 0;

  /** `isBeyond`: more cards are harmed than the atlas allows, so that processes may end where they must not otherwise. */
  constructor(components: WitnessComponents, init: { readonly isBeyond: boolean }) {
    this.#parts = components;
    this.#isBeyond = init.isBeyond;
  }

  /** What was wrong first; null while all is well. */
  get violation(): Violation | null {
    return this.#violation;
  }

  /** How often a state was restored from a snapshot. */
  get restores(): number {
    return this.#restores;
  }

  /**
   * The highest slot of which a process found that its card has lost it, 0 for none: above what was ever there, where it does not know what
   * that was.
   */
  lostUpTo(process: ProcessId): number {
    return this.#lostUpTo.get(process) ?? 0;
  }

  /** Shows it to the checkers. */
  observe(observation: Observation): void {
    if (this.#violation !== null) return;
    if (this.#isBeyond && observation.type === 'ended') return;
    if (observation.type === 'restored') this.#restores++;
    if (observation.type === 'recovered') this.#lostUpTo.set(observation.process, Math.max(0, ...observation.unknown));
    const wrong = firstViolation(this.#checkers, observation);
    if (wrong !== undefined) this.violate(wrong.checker, wrong.text);
  }

  /** Something happened that must not. */
  violate(checker: string, text: string): void {
    if (this.#violation !== null) return;
    this.#parts.trace?.line('checker', `${checker}: ${text}`);
    this.#violation = { checker, text, atMs: Number(this.#parts.nowNs()) / 1e6 };
  }
}
