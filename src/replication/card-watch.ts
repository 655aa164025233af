/**
 * CardWatch: what this node says of its own card, what it makes of the others', and what it does where its own is not believed.
 *
 * Whether a card is the one that is known is judged in cards.ts. A peer that is doubted is not counted by this node's core, and is told
 * why. A node that is told so, or finds so itself, takes part no more: it neither votes nor proposes until a person has replaced it. It tells
 * everybody: not every peer can judge its card, and all are to show what is wrong.
 */
import { TuttiError } from '../core/errors.js';
import type { BootId, NodeId, Slot } from '../core/ids.js';
import { slot as slotOf } from '../core/ids.js';
import { isMember } from '../paxos/configuration.js';
import type { Sessions } from '../paxos/sessions.js';
import type { PeerHello } from '../ports/peer-link.js';
import { Cards, decodeCard, encodeCard } from './cards.js';
import type { LogStore, StoreRecovered } from './log-store.js';
import type { Proposals } from './proposals.js';
import { memberOf, type Self } from './self.js';

/** What the watch needs. */
export interface CardWatchComponents {
  readonly self: Self;
  readonly store: Pick<LogStore, 'forgetBoots'>;
  readonly proposals: Pick<Proposals, 'stop'>;
  /** Of a node's processes, the one that the log saw last. */
  readonly bootOf: (node: NodeId) => ReturnType<Sessions['bootOf']>;
  /** Sequence of the last durable batch. */
  readonly batch: () => number;
}

/** This start of this card. */
export interface CardWatchInit {
  readonly boot: BootId;
  readonly recovered: Pick<StoreRecovered, 'incarnation' | 'boots' | 'cards' | 'chosenUpTo'>;
}

/** All cards of the cluster, as one node knows them. */
export class CardWatch {
  readonly #components: CardWatchComponents;
  readonly #init: CardWatchInit;
  readonly #cards: Cards;
  #isDoubted = false;

  constructor(components: CardWatchComponents, init: CardWatchInit) {
    this.#components = components;
    this.#init = init;
    this.#cards = new Cards(init.recovered.cards);
  }

  /** The others do not know this node's card. */
  get isDoubted(): boolean {
    return this.#isDoubted;
  }

  /** What goes beside the log's records; null where it is as before. */
  encodeIfChanged(): Uint8Array | null {
    return this.#cards.encodeIfChanged();
  }

  /**
   * What this node says of its card when it connects. Which starts this card has forgotten stands in what it had applied before it went
   * down, and all of that was chosen. So a peer may judge it only if it has applied as much, and as much as this node by now: where a
   * damaged snapshot leaves this node with nothing applied, one that was away would miss the only start that it knows of.
   */
  said(): Uint8Array {
    const { self, batch } = this.#components;
    const since = slotOf(Math.max(self.applied(), this.#init.recovered.chosenUpTo));
    return encodeCard({ boots: this.#init.recovered.boots, since, batch: batch() });
  }

  /** When this node begins: another card of its id may have been let in meanwhile. */
  lookAtSelf(): void {
    const { self } = this.#components;
    const isOther = memberOf(self, self.node)?.incarnation !== this.#init.recovered.incarnation;
    if (isOther && isMember(self.configuration(), self.node)) this.distrustSelf('Another card of this id is a member.');
  }

  /** A peer connects: to be called before anything that it says is counted. */
  lookAt(peer: NodeId, hello: PeerHello): void {
    const { self, bootOf } = this.#components;
    const member = memberOf(self, peer);
    if (member === undefined) return;
    if (this.#isDoubted) self.send(peer, { type: 'out-of-trust' });
    let why: string | null;
    try {
      const card = decodeCard(hello.card);
      const known = {
        incarnation: member.incarnation,
        boot: bootOf(peer)?.boot ?? null,
        applied: self.applied(),
      };
      why = this.#cards.doubt(peer, { incarnation: hello.incarnation, card }, known);
      if (why === null) this.#cards.heard(peer, hello.incarnation, card.batch);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      why = `What it says of its card cannot be read: ${error.detail}`;
    }
    const isTrusted = !self.state.distrusted.has(peer);
    if (isTrusted !== (why === null)) self.handle({ type: 'trust', node: peer, trusted: why === null });
    if (why === null) return;
    self.log.error('the card of a member is not the one that is known', { peer, why });
    self.send(peer, { type: 'distrusted', why });
  }

  /** A peer has written up to this batch. */
  heard(peer: NodeId, batch: number): void {
    const incarnation = memberOf(this.#components.self, peer)?.incarnation;
    if (incarnation !== undefined) this.#cards.heard(peer, incarnation, batch);
  }

  /** A peer says that it takes part no more: its card is not the one that somebody knows. */
  isOut(peer: NodeId): void {
    const { self } = this.#components;
    if (memberOf(self, peer) === undefined || self.state.distrusted.has(peer)) return;
    self.log.error('a member takes part no more: its card is not the one that others know', { peer });
    self.handle({ type: 'trust', node: peer, trusted: false });
    self.statusChanged();
  }

  /** Neither votes nor proposes from now on. */
  distrustSelf(why: string): void {
    if (this.#isDoubted) return;
    this.#isDoubted = true;
    const { self, proposals } = this.#components;
    self.log.error('this card is not the one that the others know: it takes part no more', { why });
    self.handle({ type: 'trust', node: self.node, trusted: false });
    proposals.stop();
    for (const { node } of self.configuration().members)
      if (node !== self.node) self.send(node, { type: 'out-of-trust' });
    self.statusChanged();
  }

  /** A slot is applied: with the first command of this process, peers know this card by this start from now on. */
  applied(slot: Slot): void {
    const { self, store, bootOf } = this.#components;
    const own = bootOf(self.node);
    if (own?.openedAt === slot && own.boot === this.#init.boot) store.forgetBoots(own.boot);
  }

  /** Forgets those who are no members any more. */
  keepMembers(): void {
    this.#cards.keep(new Set(this.#components.self.configuration().members.map(({ node }) => node)));
  }
}
