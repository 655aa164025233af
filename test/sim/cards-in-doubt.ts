/**
 * CardsInDoubt: from the harm that is done to a card to the moment when it is good again.
 *
 * The atlas bounds how many there may be at once; the ledger knows which files they had. Here it is decided when one is mended, which is not
 * believed of a node that has not read its card anew: see the atlas for what it takes.
 */
import type { Atlas } from './atlas.js';
import type { ProcessId } from './checkers/observation.js';
import type { Machine } from './machine.js';
import type { Reference } from './reference.js';
import type { Trace } from './trace.js';
import type { TrackLedger } from './track-ledger.js';
import type { Witness } from './witness.js';

/** What it works with. */
export interface CardsInDoubtComponents {
  readonly machines: readonly Machine[];
  readonly atlas: Atlas;
  readonly ledger: TrackLedger;
  readonly reference: Reference;
  readonly witness: Witness;
  /** Null where nobody reads it. */
  readonly trace: Trace | null;
  /** The process that was started last, on whichever machine. */
  latestProcess(): ProcessId;
}

/** Process that ran, and slot that was agreed, when a card came into doubt. */
interface Doubt {
  readonly process: ProcessId;
  readonly slot: number;
}

/** Keeps what the atlas and the ledger know of harmed cards in step. */
export class CardsInDoubt {
  readonly #parts: CardsInDoubtComponents;
  /** By the machine's number. */
  readonly #doubts = new Map<number, Doubt>();

  constructor(components: CardsInDoubtComponents) {
    this.#parts = components;
  }

  /** Its card is in doubt from now on. To be called before the card is harmed. */
  harm(machine: Machine): void {
    const { atlas, ledger } = this.#parts;
    ledger.harms(machine);
    atlas.harmed(machine.number);
    this.#doubts.delete(machine.number);
  }

  /** Looks whether any of them is good again. To be called once in a while. */
  look(): void {
    const { atlas, machines } = this.#parts;
    for (const number of atlas.inDoubt) this.#look(machines[number]!);
  }

  #look(machine: Machine): void {
    const { atlas, reference, trace, latestProcess } = this.#parts;
    const { number } = machine;
    const doubt = this.#doubts.get(number);
    if (doubt === undefined) {
      this.#doubts.set(number, { process: latestProcess(), slot: reference.appliedSlot });
      return;
    }
    if (!this.#isMended(machine, doubt)) return;
    this.#doubts.delete(number);
    atlas.mended(number);
    trace?.line(machine.name, 'its card is good again');
  }

  /** Its node has read it anew, and holds what was agreed when it was harmed. */
  #isMended(machine: Machine, doubt: Doubt): boolean {
    const { ledger, reference, witness } = this.#parts;
    const { processId } = machine;
    const isRead = machine.isUp && processId !== null && processId > doubt.process && !machine.needsPowerCycle;
    if (!isRead || machine.appliedSlot < doubt.slot || machine.isAwaitingReplacement) return false;
    // Until something else stands in a slot that it has lost, it has no answer for it: neither "this" nor "nothing".
    if (machine.appliedSlot < witness.lostUpTo(processId)) return false;
    if (!ledger.isMended(machine, reference.library)) return false;
    const status = machine.status()!;
    if (status.trouble !== null || status.role === 'removed') return false;
    return status.members.some(({ node, trusted }) => node === machine.identity?.node && trusted);
  }
}
