/**
 * PeerFiles: what this node knows of the others' files: who is up, what each holds, and what is on its way to it.
 *
 * What a peer holds is known also while it is away (holdings.ts); what is on its way to it only while it is up.
 */
import type { NodeId, TrackId } from '../core/ids.js';
import type { Holder } from '../library/track.js';
import type { Word } from './asking.js';
import { countChunks } from './chunk-set.js';
import { ARRIVING_MAX, HOLDINGS_ASK_MS } from './exchange-limits.js';
import { type HoldingsMessage, type HoldingsNews, PeerHoldings } from './holdings.js';
import type { PeerProgress } from './offers.js';
import type { Arriving } from './telling.js';
import type { Said } from './wanted-file.js';

/** A peer that is up. */
interface PeerUp {
  /** The oldest word first. */
  readonly arriving: Map<TrackId, Arriving>;
  /** When it was asked for everything that it holds, or was about to tell. Local milliseconds. */
  askedAtMs: number;
}

/** The files of all others. */
export class PeerFiles {
  readonly #holdings = new PeerHoldings();
  readonly #up = new Map<NodeId, PeerUp>();

  /** Peers that are up, the longest first. */
  peers(): NodeId[] {
    return [...this.#up.keys()];
  }

  /** A peer is up, and tells what it holds unasked. */
  up(peer: NodeId, nowMs: number): void {
    this.#up.set(peer, { arriving: new Map(), askedAtMs: nowMs });
  }

  /** It is not. */
  down(peer: NodeId): void {
    this.#up.delete(peer);
    this.#holdings.down(peer);
  }

  /** A node is no member any more. */
  forget(peer: NodeId): void {
    this.#holdings.forget(peer);
  }

  /** A peer says what it holds. */
  heardHoldings(peer: NodeId, message: HoldingsMessage): HoldingsNews {
    const news = this.#holdings.heard(peer, message);
    for (const id of news.added) this.#up.get(peer)?.arriving.delete(id);
    return news;
  }

  /** A peer says what is on its way to it: no bytes where a file is not any more. Of very many files the oldest word is forgotten. */
  heardArriving(peer: NodeId, id: TrackId, { chunks, coming }: Arriving): void {
    const arriving = this.#up.get(peer)?.arriving;
    if (arriving === undefined) return;
    arriving.delete(id);
    if (chunks.length === 0) return;
    // What came is a view of a whole message.
    arriving.set(id, { chunks: chunks.slice(), coming: coming.slice() });
    const [oldest] = arriving.keys();
    if (arriving.size > ARRIVING_MAX) arriving.delete(oldest!);
  }

  /** Peers that are to be asked for everything that they hold, since something was missed. They count as asked. */
  toAsk(nowMs: number): NodeId[] {
    const all = [...this.#up].filter(([node, { askedAtMs }]) => {
      return !this.#holdings.isKnown(node) && nowMs - askedAtMs >= HOLDINGS_ASK_MS;
    });
    for (const [, peer] of all) peer.askedAtMs = nowMs;
    return all.map(([node]) => node);
  }

  /** All that a peer holds; null where that is not known. */
  word(peer: NodeId): Word | null {
    return this.#holdings.word(peer);
  }

  /** True where it is known what every peer holds that is up. */
  isComplete(): boolean {
    return this.peers().every((peer) => this.#holdings.isKnown(peer));
  }

  /** True where a peer, up or not, has the file in its place. */
  holds(peer: NodeId, id: TrackId): boolean {
    return this.#holdings.holds(peer, id);
  }

  /** Who has the file in its place, up or not. */
  holders(id: TrackId): Holder[] {
    return this.#holdings.holders(id);
  }

  /** What a peer that is up says of a file; null for nothing. */
  said(peer: NodeId, id: TrackId): Said | null {
    const up = this.#up.get(peer);
    if (up === undefined) return null;
    return this.holds(peer, id) ? 'all' : (up.arriving.get(id) ?? null);
  }

  /** Peers that are up and have something of a file, those that have all of it first. */
  whoHas(id: TrackId): NodeId[] {
    const whole: NodeId[] = [];
    const some: NodeId[] = [];
    // Asked of thousands of tracks at a time: nothing is built that is not needed.
    for (const [peer, { arriving }] of this.#up) {
      if (this.holds(peer, id)) whole.push(peer);
      else if (countChunks(arriving.get(id)?.chunks ?? NOTHING) > 0) some.push(peer);
    }
    return [...whole, ...some];
  }

  /** How far the others are with a file of `count` chunks: those who are up, or hold it. */
  progress(id: TrackId, count: number, stillCounts: (holder: Holder) => boolean): PeerProgress[] {
    const held = this.holders(id)
      .filter(stillCounts)
      .map(({ node }) => ({ node, chunks: count, isHeld: true }));
    const others = [...this.#up].filter(([peer]) => !held.some(({ node }) => node === peer));
    const chunksOf = ({ arriving }: PeerUp) => countChunks(arriving.get(id)?.chunks ?? NOTHING);
    return [...held, ...others.map(([node, up]) => ({ node, chunks: chunksOf(up), isHeld: false }))];
  }
}

const NOTHING = new Uint8Array(0);
