/**
 * Offers: files that are to be on several cards before they are agreed to be tracks.
 *
 * The node that took a file in offers it; the others fetch it and say that they hold it, as of any file; and when enough do, the node
 * proposes the track. How the offer ended tells the others what the file is to them: agreed, or perhaps yet to be, so that what they said
 * must stay true; or nothing any more.
 *
 * An offer is repeated while it lasts, so one of which nothing is heard any more is over. Several nodes may offer the same file.
 */
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import type { NodeId, TrackId } from '../core/ids.js';
import type { Holder, Track } from '../library/track.js';
import { OFFER_AGAIN_MS, OFFER_LAPSE_MS, OFFERS_MAX } from './exchange-limits.js';
import { encodeMessage, type Message, type OfferFate } from './messages.js';

/** How far one peer is with a file. */
export interface PeerProgress {
  readonly node: NodeId;
  /** Chunks that it has; all where it holds the file. */
  readonly chunks: number;
  readonly isHeld: boolean;
}

/** Says whether these are enough, by what the caller knows of them. */
export type Enough = (holders: readonly Holder[]) => boolean;

/** Somebody waits for enough holders. */
interface Waiting {
  readonly enough: Enough;
  resolve(holders: readonly Holder[]): void;
  reject(error: unknown): void;
}

/** What this node's offers need. */
export interface OwnOffersComponents {
  readonly send: (to: NodeId, message: Message) => void;
  /** Peers that are up. */
  readonly peers: () => readonly NodeId[];
  /** Who holds a file now, this node included. */
  readonly holders: (id: TrackId) => readonly Holder[];
  readonly progress: (track: Track) => readonly PeerProgress[];
  /** An offer is over. */
  readonly ended: () => void;
}

/** A file that this node offers, until `stop` is called. */
export class Offer {
  readonly track: Track;
  readonly #components: OwnOffersComponents;
  readonly #waiting = new Set<Waiting>();
  #isOver = false;

  constructor(components: OwnOffersComponents, init: { readonly track: Track }) {
    this.#components = components;
    this.track = init.track;
  }

  /** How far the peers are: those who are up, or hold it. */
  progress(): readonly PeerProgress[] {
    return this.#components.progress(this.track);
  }

  /**
   * Resolves with who holds the file, this node among them, as soon as that is `enough`. They hold it durably, each under the incarnation
   * that stands beside it; it is for `enough` to say whose word counts, and `look` has it asked again.
   * @throws TuttiError TRACK_NOT_HELD where the offer is stopped before, and the reason of `signal` where that aborts
   */
  async until(enough: Enough, signal?: AbortSignal): Promise<readonly Holder[]> {
    signal?.throwIfAborted();
    if (this.#isOver) throw new TuttiError('TRACK_NOT_HELD');
    let giveUp = () => {};
    let waiting: Waiting | null = null;
    try {
      return await new Promise((resolve, reject) => {
        waiting = { enough, resolve, reject };
        this.#waiting.add(waiting);
        giveUp = () => reject(signal?.reason);
        signal?.addEventListener('abort', giveUp);
        this.look();
      });
    } finally {
      if (waiting !== null) this.#waiting.delete(waiting);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** Idempotent: nobody is asked to fetch the file any more. */
  stop(fate: OfferFate): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const { reject } of this.#waiting) reject(new TuttiError('TRACK_NOT_HELD'));
    const { peers, send, ended } = this.#components;
    for (const peer of peers()) send(peer, { type: 'offer-over', id: this.track.id, fate });
    ended();
  }

  /** Who holds it, or whose word counts, may have changed. */
  look(): void {
    if (this.#waiting.size === 0) return;
    const holders = this.#components.holders(this.track.id);
    for (const { enough, resolve } of this.#waiting) if (enough(holders)) resolve(holders);
  }
}

/** What this node offers. */
export class OwnOffers {
  readonly #components: OwnOffersComponents;
  readonly #offers = new Map<TrackId, Offer>();
  /** Local milliseconds. */
  #saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(components: OwnOffersComponents) {
    this.#components = components;
  }

  /** Undefined where this node does not offer it. */
  get(id: TrackId): Track | undefined {
    return this.#offers.get(id)?.track;
  }

  /** Offers a file. @throws TuttiError BODY_TOO_LARGE where its description is too long to be sent */
  add(track: Track): Offer {
    assert(!this.#offers.has(track.id), 'a file is offered once at a time');
    encodeMessage({ type: 'offer', track });
    const offer: Offer = new Offer(
      {
        ...this.#components,
        ended: () => {
          this.#offers.delete(track.id);
          this.#components.ended();
        },
      },
      { track },
    );
    this.#offers.set(track.id, offer);
    this.#saidAtMs = Number.NEGATIVE_INFINITY;
    return offer;
  }

  /** Tells a peer that came up. */
  greet(peer: NodeId): void {
    for (const { track } of this.#offers.values()) this.#components.send(peer, { type: 'offer', track });
  }

  /** Says again what is offered, where it is time, to those who have not got it. */
  repeat(nowMs: number): void {
    if (nowMs - this.#saidAtMs < OFFER_AGAIN_MS) return;
    this.#saidAtMs = nowMs;
    const { peers, holders, send } = this.#components;
    for (const { track } of this.#offers.values()) {
      const held = holders(track.id).map(({ node }) => node);
      for (const peer of peers()) if (!held.includes(peer)) send(peer, { type: 'offer', track });
    }
  }

  /** Who holds what has changed. */
  look(): void {
    for (const offer of [...this.#offers.values()]) offer.look();
  }

  /** Ends all of them; they may yet be agreed. */
  stop(): void {
    for (const offer of [...this.#offers.values()]) offer.stop('open');
  }
}

/** A file that others offer. */
interface Offered {
  readonly track: Track;
  /** By whom, and when they last said so, local milliseconds. */
  readonly from: Map<NodeId, number>;
}

/** What the other nodes offer. */
export class PeerOffers {
  readonly #offered = new Map<TrackId, Offered>();
  readonly #lapseMs: number;

  /** `lapseMs`: an offer of which nothing was heard for so long is over, milliseconds. */
  constructor({ lapseMs = OFFER_LAPSE_MS }: { readonly lapseMs?: number | undefined } = {}) {
    this.#lapseMs = lapseMs;
  }

  /** What is offered, the oldest first. */
  ids(): TrackId[] {
    return [...this.#offered.keys()];
  }

  /** Undefined where nobody offers it. */
  get(id: TrackId): Track | undefined {
    return this.#offered.get(id)?.track;
  }

  /** True where this peer offers the file. */
  isFrom(peer: NodeId, id: TrackId): boolean {
    return this.#offered.get(id)?.from.has(peer) === true;
  }

  /** A peer offers a file, or says so again. More than OFFERS_MAX of one peer are not listened to. */
  heard(peer: NodeId, track: Track, nowMs: number): void {
    const offered = this.#offered.get(track.id);
    const own = [...this.#offered.values()].filter(({ from }) => from.has(peer));
    if (offered?.from.has(peer) !== true && own.length >= OFFERS_MAX) return;
    if (offered === undefined) this.#offered.set(track.id, { track, from: new Map([[peer, nowMs]]) });
    else offered.from.set(peer, nowMs);
  }

  /** A peer's offer is over. True where nobody offers the file any more. */
  over(peer: NodeId, id: TrackId): boolean {
    const offered = this.#offered.get(id);
    if (offered === undefined) return false;
    offered.from.delete(peer);
    if (offered.from.size > 0) return false;
    this.#offered.delete(id);
    return true;
  }

  /** Ends those of which nothing was heard for long, and gives them. */
  lapsed(nowMs: number): Track[] {
    const gone: Track[] = [];
    for (const [id, { track, from }] of this.#offered) {
      for (const [peer, atMs] of from) if (nowMs - atMs >= this.#lapseMs) from.delete(peer);
      if (from.size > 0) continue;
      this.#offered.delete(id);
      gone.push(track);
    }
    return gone;
  }
}
