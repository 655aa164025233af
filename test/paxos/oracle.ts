/**
 * What must be true of a whole cluster, worked out from what reached the disks and what the nodes said: who accepted what, what is
 * thereby chosen, who promised what. It knows nothing of how the core goes about it, so it cannot share its mistakes.
 */
import type { NodeId, Slot } from '../../src/core/ids.js';
import { type Ballot, ballotText, compareBallots } from '../../src/paxos/ballot.js';
import type { Configuration } from '../../src/paxos/configuration.js';
import type { Applied, Persist } from '../../src/paxos/effects.js';
import { type Entry, sameEntry } from '../../src/paxos/entry.js';
import type { DurableMessage } from '../../src/paxos/message.js';

/** Something happened that must never happen. */
export class Violation extends Error {}

/** One value under one ballot in one slot, and whose disks held it. */
interface Accepts {
  readonly slot: Slot;
  readonly ballot: Ballot;
  readonly entry: Entry;
  readonly voters: readonly NodeId[];
}

/** Watches one cluster. */
export class Oracle {
  readonly #configurations: Map<number, Configuration>;
  readonly #accepts: Map<string, Accepts>;
  readonly #chosen: Map<Slot, Entry>;
  readonly #promises: Map<NodeId, Ballot>;
  #key: string | null = null;
  /** The highest slot that any node has applied. */
  appliedUpTo: number;

  /** Begins with the first configuration, or where another oracle stands. */
  constructor(from: Configuration | Oracle) {
    const other = from instanceof Oracle ? from : null;
    this.#configurations = other
      ? new Map(other.#configurations)
      : new Map([[(from as Configuration).id, from as Configuration]]);
    this.#accepts = new Map(other ? other.#accepts : []);
    this.#chosen = new Map(other ? other.#chosen : []);
    this.#promises = new Map(other ? other.#promises : []);
    this.appliedUpTo = other ? other.appliedUpTo : 0;
    if (other) this.#key = other.#key;
  }

  /** What a quorum of disks has held in `slot` under one ballot. */
  chosenAt(slot: Slot): Entry | undefined {
    return this.#chosen.get(slot);
  }

  /** The highest slot that is chosen; 0 where none is. */
  get chosenUpTo(): number {
    return Math.max(0, ...this.#chosen.keys());
  }

  /** The latest configuration whose stop-sign is chosen. */
  get configuration(): Configuration {
    return [...this.#configurations.values()].reduce((a, b) => (a.id > b.id ? a : b));
  }

  /** The configuration that `slot` belongs to. */
  configurationAt(slot: Slot): Configuration {
    return [...this.#configurations.values()]
      .filter(({ after }) => after < slot)
      .reduce((a, b) => (a.id > b.id ? a : b));
  }

  /** A write of `node` became durable. */
  stored(node: NodeId, { records, promised }: Persist): void {
    const told = this.#promises.get(node);
    if (promised !== null && told !== undefined && compareBallots(promised, told) < 0) {
      throw new Violation(`${node} writes the promise ${ballotText(promised)} after it told ${ballotText(told)}`);
    }
    for (const { slot, ballot, entry, chosen } of records) if (!chosen) this.#accepted(node, slot, ballot, entry);
  }

  #accepted(node: NodeId, slot: Slot, ballot: Ballot, entry: Entry): void {
    const told = this.#promises.get(node);
    if (told !== undefined && compareBallots(ballot, told) < 0) {
      throw new Violation(`${node} accepts ${slot} at ${ballotText(ballot)}, and promised ${ballotText(told)}`);
    }
    const configuration = this.#configurations.get(ballot.configId);
    if (configuration === undefined) throw new Violation(`nobody chose the configuration of ${ballotText(ballot)}`);
    if (slot <= configuration.after) throw new Violation(`slot ${slot} is older than ${ballotText(ballot)}`);
    const key = `${slot} ${ballotText(ballot)}`;
    const known = this.#accepts.get(key);
    if (known && !sameEntry(known.entry, entry)) throw new Violation(`two values under one ballot: ${key}`);
    const others = known?.voters ?? [];
    const voters = configuration.members.filter(({ voter }) => voter).map((member) => member.node);
    if (!voters.includes(node) || others.includes(node)) return;
    const accepts: Accepts = { slot, ballot, entry, voters: [...others, node].sort() };
    this.#accepts.set(key, accepts);
    this.#key = null;
    if (accepts.voters.length > voters.length / 2) this.#choose(accepts);
  }

  #choose({ slot, ballot, entry }: Accepts): void {
    const known = this.#chosen.get(slot);
    if (known && !sameEntry(known, entry)) throw new Violation(`slot ${slot} is chosen twice, with two values`);
    if (this.configurationAt(slot).id !== ballot.configId) {
      throw new Violation(`slot ${slot} is chosen at ${ballotText(ballot)}, above that configuration's stop-sign`);
    }
    this.#chosen.set(slot, entry);
    if (entry.type === 'stop-sign') this.#configurations.set(entry.next.id, entry.next);
  }

  /** A message that states what is on a disk left `node`. */
  told(node: NodeId, message: DurableMessage): void {
    if (message.type === 'accepted') return;
    const before = this.#promises.get(node);
    if (before !== undefined && compareBallots(message.ballot, before) < 0) {
      throw new Violation(`the promise of ${node} goes back to ${ballotText(message.ballot)}`);
    }
    this.#promises.set(node, message.ballot);
    this.#key = null;
  }

  /** `node` applies an entry. */
  applied(node: NodeId, { slot, entry }: Applied): void {
    const chosen = this.#chosen.get(slot);
    if (chosen === undefined) throw new Violation(`${node} applies slot ${slot}, which is not chosen`);
    if (!sameEntry(chosen, entry)) throw new Violation(`${node} applies another value in slot ${slot} than was chosen`);
    if (slot > this.appliedUpTo) this.appliedUpTo = slot;
  }

  /** All that bears on what may still go wrong, as text. */
  key(): string {
    this.#key ??= this.#makeKey();
    return this.#key;
  }

  #makeKey(): string {
    const accepts = [...this.#accepts].map(([key, { entry, voters }]) => `${key} ${entryKey(entry)} ${voters.join()}`);
    const promises = [...this.#promises].map(([node, ballot]) => `${node} ${ballotText(ballot)}`);
    const chosen = [...this.#chosen].map(([slot, entry]) => `${slot} ${entryKey(entry)}`);
    return [...accepts.sort(), '|', ...promises.sort(), '|', ...chosen.sort()].join(';');
  }
}

/** An entry as short text, other for other entries. */
export function entryKey(entry: Entry): string {
  if (entry.type === 'noop') return '-';
  if (entry.type === 'stop-sign') {
    return `stop(${entry.next.id}: ${entry.next.members.map(({ node, voter }) => (voter ? node : `(${node})`)).join(' ')})`;
  }
  return `${String.fromCharCode(...entry.payload)}@${entry.stampNs}`;
}
