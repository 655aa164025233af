/**
 * StateHashes: do all nodes have the same state?
 *
 * They apply the same log, so they must; where they do not, a bug or a broken memory made a difference that no log mends, and the worst that
 * could follow is that it spreads by a snapshot. So every node hashes its state at the same slots, and tells the leader. Whoever differs
 * from a majority, the leader included, is told so. Where no majority is of one mind, nobody can be told that he is wrong.
 */
import type { NodeId, Slot } from '../core/ids.js';

/** Slots of which hashes are collected at once: a member that is a little behind still gets its say. */
const SLOTS_KEPT = 4;

/** What the hashes at a slot come to. */
export interface HashVerdict {
  readonly slot: Slot;
  /** Members whose state is another than a majority's. */
  readonly differ: readonly NodeId[];
}

/** Hashes that members told the leader. */
export class StateHashes {
  /** By slot, the latest last. */
  readonly #bySlot = new Map<Slot, Map<NodeId, string>>();

  /** A member's hash. Gives who differs, once a majority of `voters` agrees; empty where nobody does; null where it cannot be said yet. */
  heard(from: NodeId, slot: Slot, hash: Uint8Array, voters: readonly NodeId[]): HashVerdict | null {
    const hashes = this.#bySlot.get(slot) ?? new Map<NodeId, string>();
    this.#bySlot.set(slot, hashes);
    hashes.set(from, text(hash));
    for (const old of this.#bySlot.keys()) if (this.#bySlot.size > SLOTS_KEPT) this.#bySlot.delete(old);
    const counts = new Map<string, number>();
    for (const voter of voters) {
      const said = hashes.get(voter);
      if (said !== undefined) counts.set(said, (counts.get(said) ?? 0) + 1);
    }
    for (const [agreed, count] of counts) {
      if (count <= voters.length / 2) continue;
      return { slot, differ: [...hashes].filter(([, said]) => said !== agreed).map(([node]) => node) };
    }
    return null;
  }

  /** A member that was told so is not told again for the same slot. */
  told(node: NodeId, slot: Slot): void {
    this.#bySlot.get(slot)?.delete(node);
  }
}

const text = (bytes: Uint8Array): string => bytes.join();
