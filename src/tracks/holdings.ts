/**
 * Holdings: which files are where. Soft state: each node tells the others what it holds, and all of it anew when a connection is made.
 *
 * To hold a file is to have it in its place, whole, durably and read back: an attestation, which counts under the incarnation of the card
 * that it was made for. What a peer said stays true while it is away, until it says otherwise: its card does not forget. It may have said
 * otherwise and not been heard: so each word carries since when the node has taken none back, and one that is too old does not count
 * (library/holding.ts).
 *
 * Each change has a revision, one more than the last, and a message says which it leads to. Messages may get lost: whoever misses one asks
 * for everything. The last one is missed only when another comes, so each node says now and then at which revision it is.
 */
import type { Incarnation, NodeId, Slot, TrackId } from '../core/ids.js';
import type { Holder } from '../library/track.js';
import type { Word } from './asking.js';
import { IDS_MAX, type Message, PAGES_MAX } from './messages.js';

type Page = Extract<Message, { readonly type: 'holdings' }>;
type Change = Extract<Message, { readonly type: 'holdings-change' }>;
/** What nodes say of what they hold. */
export type HoldingsMessage = Page | Change;

/** Files of one node that others know of: far more than a card has room for. */
const HELD_MAX = IDS_MAX * PAGES_MAX;

/** What this node holds, and what it has to say of that. */
export class OwnHoldings {
  readonly #incarnation: Incarnation;
  readonly #ids = new Set<TrackId>();
  /** What was not told yet. */
  readonly #added = new Set<TrackId>();
  readonly #removed = new Set<TrackId>();
  #revision = 0;
  /** Slot in which this node last took its words back; null where it never has. And what of that the others were told. */
  #sinceSlot: Slot | null = null;
  #sinceSlotTold: Slot | null = null;

  constructor(init: { readonly incarnation: Incarnation }) {
    this.#incarnation = init.incarnation;
  }

  /** True where the file is held. */
  has(id: TrackId): boolean {
    return this.#ids.has(id);
  }

  /** All of it. */
  word(): Word {
    return { incarnation: this.#incarnation, ids: this.#ids };
  }

  /** Since when none of this node's words was taken back: of what it holds now, and of all that it will. */
  get sinceSlot(): Slot | null {
    return this.#sinceSlot;
  }

  /** What was said before does not count any more; what is held now is said anew. */
  retracted(sinceSlot: Slot): void {
    this.#sinceSlot = sinceSlot;
  }

  /** It is held from now on. */
  add(id: TrackId): void {
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    if (!this.#removed.delete(id)) this.#added.add(id);
  }

  /** It is not held any more. */
  remove(id: TrackId): void {
    if (!this.#ids.delete(id)) return;
    if (!this.#added.delete(id)) this.#removed.add(id);
  }

  /** For everybody: what has changed since this was last asked for; mostly nothing. */
  changes(): Change[] {
    const changes: Change[] = [];
    while (this.#added.size > 0 || this.#removed.size > 0) {
      this.#revision++;
      changes.push(this.#change(takeSome(this.#added), takeSome(this.#removed)));
    }
    if (this.#sinceSlot !== this.#sinceSlotTold) changes.push(this.#change([], []));
    return changes;
  }

  /** For everybody, now and then: a change of nothing, which says what there is to be known. */
  standing(): Change {
    return this.#change([], []);
  }

  /** For one peer: everything. */
  pages(): Page[] {
    const ids = [...this.#ids].slice(0, HELD_MAX);
    const pages: Page[] = [];
    for (let from = 0; from < ids.length || from === 0; from += IDS_MAX) {
      pages.push({
        type: 'holdings',
        incarnation: this.#incarnation,
        revision: this.#revision,
        page: pages.length,
        isLast: from + IDS_MAX >= ids.length,
        ids: ids.slice(from, from + IDS_MAX),
        sinceSlot: this.#sinceSlot,
      });
    }
    return pages;
  }

  #change(added: readonly TrackId[], removed: readonly TrackId[]): Change {
    // It is said of all that is held: not while some are yet to be told that are not.
    if (this.#removed.size === 0) this.#sinceSlotTold = this.#sinceSlot;
    return {
      type: 'holdings-change',
      incarnation: this.#incarnation,
      revision: this.#revision,
      added,
      removed,
      sinceSlot: this.#sinceSlotTold,
    };
  }
}

/** Takes as many out of a set as fit into a message. */
function takeSome(set: Set<TrackId>): TrackId[] {
  const some = [...set].slice(0, IDS_MAX);
  for (const id of some) set.delete(id);
  return some;
}

/** What is known of one peer. */
interface PeerKnown {
  incarnation: Incarnation | null;
  ids: Set<TrackId>;
  /** Of `ids`: see Holder. */
  sinceSlot: Slot | null;
  /** Of `ids`; null where something was missed, or may have been. */
  revision: number | null;
  /** Pages that have come so far. */
  pages: { readonly revision: number; readonly ids: Set<TrackId>; count: number } | null;
}

/** A node with its word. */
export const holderOf = (node: NodeId, incarnation: string, sinceSlot: Slot | null): Holder =>
  sinceSlot === null ? { node, incarnation } : { node, incarnation, sinceSlot };

/** What a message told. `isGap`: something was missed, and everything is to be asked for. */
export interface HoldingsNews {
  readonly added: readonly TrackId[];
  readonly removed: readonly TrackId[];
  readonly isGap: boolean;
}

const NO_NEWS: HoldingsNews = { added: [], removed: [], isGap: false };
const GAP: HoldingsNews = { ...NO_NEWS, isGap: true };

/** What the others hold. */
export class PeerHoldings {
  readonly #peers = new Map<NodeId, PeerKnown>();

  /** A peer says what it holds. */
  heard(peer: NodeId, message: HoldingsMessage): HoldingsNews {
    const known = this.#known(peer);
    return message.type === 'holdings' ? takePage(known, message) : takeChange(known, message);
  }

  /** The connection is lost, and perhaps messages with it: what the peer holds is as before, and will be told anew. */
  down(peer: NodeId): void {
    const known = this.#peers.get(peer);
    if (known === undefined) return;
    known.revision = null;
    known.pages = null;
  }

  /** A peer is no member any more. */
  forget(peer: NodeId): void {
    this.#peers.delete(peer);
  }

  /** All that a peer holds; null where something was missed. */
  word(peer: NodeId): Word | null {
    const known = this.#peers.get(peer);
    if (known === undefined || known.revision === null || known.incarnation === null) return null;
    return { incarnation: known.incarnation, ids: known.ids };
  }

  /** True where a peer told everything, and nothing was missed since. */
  isKnown(peer: NodeId): boolean {
    return (this.#peers.get(peer)?.revision ?? null) !== null;
  }

  /** True where the peer has the file in its place. */
  holds(peer: NodeId, id: TrackId): boolean {
    return this.#peers.get(peer)?.ids.has(id) === true;
  }

  /** Who has the file in its place, each with the incarnation of the card that it said so for. */
  holders(id: TrackId): Holder[] {
    const holders: Holder[] = [];
    for (const [node, { ids, incarnation, sinceSlot }] of this.#peers) {
      if (incarnation !== null && ids.has(id)) holders.push(holderOf(node, incarnation, sinceSlot));
    }
    return holders;
  }

  #known(peer: NodeId): PeerKnown {
    const known = this.#peers.get(peer) ?? {
      incarnation: null,
      ids: new Set(),
      sinceSlot: null,
      revision: null,
      pages: null,
    };
    this.#peers.set(peer, known);
    return known;
  }
}

function takePage(known: PeerKnown, { incarnation, revision, page, isLast, ids, sinceSlot }: Page): HoldingsNews {
  if (page === 0) known.pages = { revision, ids: new Set(), count: 0 };
  const { pages } = known;
  if (pages === null || pages.count !== page || pages.revision !== revision) {
    known.pages = null;
    return known.revision === null ? GAP : NO_NEWS;
  }
  pages.count++;
  for (const id of ids) pages.ids.add(id);
  if (!isLast) return NO_NEWS;
  const before = known.ids;
  known.ids = pages.ids;
  known.incarnation = incarnation;
  known.sinceSlot = sinceSlot;
  known.revision = revision;
  known.pages = null;
  const added = [...known.ids].filter((id) => !before.has(id));
  const removed = [...before].filter((id) => !known.ids.has(id));
  return { added, removed, isGap: false };
}

function takeChange(known: PeerKnown, { incarnation, revision, added, removed, sinceSlot }: Change): HoldingsNews {
  const isStanding = added.length === 0 && removed.length === 0;
  const isNext = known.revision !== null && revision === known.revision + (isStanding ? 0 : 1);
  if (!isNext || incarnation !== known.incarnation) {
    // What comes while the pages do is in them, or after them.
    known.revision = null;
    return GAP;
  }
  known.revision = revision;
  known.sinceSlot = sinceSlot;
  const news = {
    added: added.filter((id) => !known.ids.has(id)),
    removed: removed.filter((id) => known.ids.has(id)),
    isGap: false,
  };
  for (const id of news.added) if (known.ids.size < HELD_MAX) known.ids.add(id);
  for (const id of news.removed) known.ids.delete(id);
  return news;
}
