/**
 * StateRepair: a node whose state is no good takes another's.
 *
 * There are two ways to come to that. The snapshot on this disk cannot be read, and the log below it is gone. Or this node's state is another
 * than a majority's: every so many slots all nodes tell the leader what theirs comes to (state-hashes.ts), and it tells those who differ. Until
 * a peer's snapshot has taken its place, such a node applies nothing, keeps what is chosen meanwhile, and does not vote: it cannot say
 * what it has promised the house by its state. It asks one peer after another, because the first may have no better one.
 */
import type { NodeId, Slot } from '../core/ids.js';
import { slot as slotOf } from '../core/ids.js';
import { votersOf } from '../paxos/configuration.js';
import type { Applied } from '../paxos/effects.js';
import type { CardWatch } from './card-watch.js';
import type { Peers } from './peers.js';
import { type Self, serves } from './self.js';
import { sha256 } from './snapshots.js';
import { StateHashes } from './state-hashes.js';

/** How often a node without a good state asks another peer for one. Milliseconds. */
const ASK_FOR_STATE_MS = 1_000;

/** What repair needs. */
export interface StateRepairComponents {
  readonly self: Self;
  readonly peers: Pick<Peers, 'online'>;
  readonly cards: Pick<CardWatch, 'isDoubted'>;
  /** The state as bytes: the same on all nodes that have applied as much. */
  readonly encoded: () => Uint8Array;
  /** Applies what was held back. */
  readonly apply: (applied: Applied) => void;
  /** Fetches a peer's snapshot, which is to hold everything up to `least`. */
  readonly fetch: (from: NodeId, least: Slot) => void;
  /** Calls back when this turn of the event loop is over. */
  readonly defer: (callback: () => void) => void;
}

/** How it stands at the start, and how often states are compared. */
export interface StateRepairInit {
  /** The snapshot on this disk, as of this slot, cannot be read; null where it can, or there is none. */
  readonly unreadable: Slot | null;
  /** Every how many slots states are compared; the same on all nodes. */
  readonly hashEverySlots: number;
}

/** Why this node's state is of no use, and what it waits for. */
interface Lack {
  readonly trouble: 'LOG_DAMAGED' | 'STATE_DIFFERS';
  /** The snapshot is to hold everything up to here. */
  readonly least: Slot;
  /** Chosen since, and not applied yet. */
  readonly held: Applied[];
}

/** Is this node's state good, and what is done about it? */
export class StateRepair {
  readonly #components: StateRepairComponents;
  readonly #hashEverySlots: number;
  readonly #hashes = new StateHashes();
  /** Null where all is well. */
  #lack: Lack | null;
  #askedMs = 0;
  /** Counts whom it asked. */
  #asked = 0;

  constructor(components: StateRepairComponents, { unreadable, hashEverySlots }: StateRepairInit) {
    this.#components = components;
    this.#hashEverySlots = hashEverySlots;
    this.#lack = unreadable === null ? null : { trouble: 'LOG_DAMAGED', least: unreadable, held: [] };
  }

  /** What is wrong; null where the state is good. */
  get trouble(): Lack['trouble'] | null {
    return this.#lack?.trouble ?? null;
  }

  /** A snapshot as of `slot` is better than what this node has. */
  isOfUse(slot: Slot): boolean {
    return this.#lack === null ? slot > this.#components.self.applied() : slot >= this.#lack.least;
  }

  /** True where the state is no good: `applied` is kept for later then. */
  holds(applied: Applied): boolean {
    this.#lack?.held.push(applied);
    return this.#lack !== null;
  }

  /** When this node begins. */
  begin(): void {
    const { self } = this.#components;
    if (this.#lack !== null) self.handle({ type: 'trust', node: self.node, trusted: false });
  }

  /** A slot is applied: tells the leader what this node's state comes to, if it is time. */
  applied(slot: Slot): void {
    if (slot % this.#hashEverySlots !== 0) return;
    const { self, encoded } = this.#components;
    const hash = sha256(encoded());
    const { role, following } = self.state;
    if (role.type === 'leader') this.#compare(self.node, slot, hash);
    else if (following !== null) self.send(following.node, { type: 'hash', slot, hash });
  }

  /** A peer that takes this node for the leader says what its state comes to. */
  heard(from: NodeId, slot: Slot, hash: Uint8Array): void {
    if (serves(this.#components.self)) this.#compare(from, slot, hash);
  }

  /** The leader, if it is one, says that this node's state is another than a majority's. */
  differs(from: NodeId, slot: Slot): void {
    if (this.#components.self.state.following?.node === from) this.#reinstall(slot);
  }

  /** A snapshot as of `slot` took the place of the state: applies what was held back since. */
  mended(slot: Slot): void {
    if (this.#lack === null) return;
    const { self, cards, apply } = this.#components;
    const { held } = this.#lack;
    this.#lack = null;
    for (const applied of held) if (applied.slot > slot) apply(applied);
    if (!cards.isDoubted) self.handle({ type: 'trust', node: self.node, trusted: true });
  }

  /** Asks one peer after another for a good state, where this node has none. */
  tick(): void {
    const { self, peers, fetch } = this.#components;
    const nowMs = self.nowMs();
    if (this.#lack === null || nowMs - this.#askedMs < ASK_FOR_STATE_MS) return;
    this.#askedMs = nowMs;
    const { online } = peers;
    const peer = online[this.#asked++ % Math.max(1, online.length)];
    if (peer !== undefined) fetch(peer, this.#lack.least);
  }

  #compare(from: NodeId, slot: Slot, hash: Uint8Array): void {
    const { self } = this.#components;
    const verdict = this.#hashes.heard(from, slot, hash, votersOf(self.configuration()));
    for (const node of verdict?.differ ?? []) {
      this.#hashes.told(node, slot);
      self.log.error('the state of a member is not that of the others', { node, slot });
      if (node === self.node) this.#reinstall(slot);
      else self.send(node, { type: 'state-differs', slot });
    }
  }

  /** A majority has another state: this node takes theirs, and does not vote until it has. */
  #reinstall(slot: Slot): void {
    if (this.#lack !== null) return;
    const { self, defer } = this.#components;
    self.log.error('the state of this node is not that of the others: it is fetched anew', { slot });
    this.#lack = { trouble: 'STATE_DIFFERS', least: slotOf(Math.max(slot, self.applied())), held: [] };
    // Not from within an event of the core: it is told once that is over.
    defer(() => {
      self.handle({ type: 'trust', node: self.node, trusted: false });
      self.statusChanged();
    });
  }
}
