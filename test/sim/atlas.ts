/**
 * Atlas: the bound within which every simulation must come out well.
 *
 * Consensus promises nothing once more cards are damaged than a quorum can mend: with n voters and a quorum of q, at most n - q of them may
 * be in doubt at any one time. A card is in doubt from the instant at which it is harmed until its node has read it anew and holds, by its
 * own word, all that was agreed when it was harmed; and until none of the slots that it knows to have lost is still to be agreed on: for
 * those it has no answer. Without this bound the checkers would be false of correct code; with a wider one they would prove less.
 */
import { acceptQuorum } from '../../src/paxos/configuration.js';

/** What the atlas has to know of the world. */
export interface AtlasView {
  /** Machines of those who vote, in the latest agreed configuration. */
  voters(): readonly number[];
  /** A change of members is under way, or may be. */
  isChanging(): boolean;
}

/** Keeps book of the machines whose cards are in doubt. */
export class Atlas {
  readonly #view: AtlasView;
  readonly #isUnbounded: boolean;
  readonly #inDoubt = new Set<number>();

  constructor(view: AtlasView, init: { readonly isUnbounded: boolean }) {
    this.#view = view;
    this.#isUnbounded = init.isUnbounded;
  }

  /** Whether this machine's card may be harmed now. */
  mayHarm(machine: number): boolean {
    if (this.#isUnbounded || this.#inDoubt.has(machine)) return true;
    // Between two configurations a card may count in either: wait until it is clear.
    if (this.#view.isChanging()) return false;
    const voters = this.#view.voters();
    if (!voters.includes(machine)) return this.#inDoubt.size === 0;
    return this.#inDoubt.size + 1 <= voters.length - acceptQuorum(voters.length);
  }

  /** Its card is in doubt from now on. */
  harmed(machine: number): void {
    this.#inDoubt.add(machine);
  }

  /** Its node has read it anew, and holds everything that was agreed. */
  mended(machine: number): void {
    this.#inDoubt.delete(machine);
  }

  /** True from `harmed` to `mended`. */
  isInDoubt(machine: number): boolean {
    return this.#inDoubt.has(machine);
  }

  /** Machines in doubt, by number. */
  get inDoubt(): readonly number[] {
    return [...this.#inDoubt].sort((a, b) => a - b);
  }
}
