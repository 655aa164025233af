/** What a TrackExchange is made of, and whom it tells. */
import type { Incarnation, NodeId, TrackId } from '../core/ids.js';
import type { ChunkLimits } from '../library/chunks.js';
import type { Holder, Track } from '../library/track.js';
import type { Log } from '../ports/log.js';
import type { PeerMail } from '../ports/peer-mail.js';
import type { Time } from '../ports/time.js';
import type { ChunkFiles } from './chunk-files.js';
import type { Release } from './leaving.js';

/** Whom the exchange tells. Called one at a time, each may call the exchange. */
export interface ExchangeHandlers {
  /** A file came in and has its place. */
  arrived(track: Track): void;
  /** A file that was held is damaged or gone: nobody is to count on it. It is repaired where it is wanted, and then `arrived` again. */
  withdrawn(id: TrackId): void;
  /**
   * Nobody wants these files, which are in their place, and the others were told some seconds ago that they are not held here any more: once no
   * earlier word counts they may be removed, each as long as `isReleased`. Then `dropped` is said of it, or `stays`.
   */
  released(release: Release): void;
  /** A chunk of a file that is on its way is here. */
  kept(id: TrackId, index: number): void;
  /** Who holds what, or how far something is, has changed. */
  changed(): void;
}

/** What is on the card at the start. */
export interface ExchangeStart {
  /** Files in their place. */
  readonly held: Iterable<TrackId>;
  /** Files of which some chunks are here. */
  readonly arriving: Iterable<TrackId>;
  /** Files in their place that were left out: they may be right, and nobody is told that they are here. */
  readonly leftOut: Iterable<TrackId>;
}

/** What an exchange works with. */
export interface ExchangeComponents {
  readonly mail: PeerMail;
  readonly files: ChunkFiles;
  readonly time: Time;
  readonly log: Log;
  /** True for a word on a file that its node has not taken back. */
  readonly stillCounts: (holder: Holder) => boolean;
}

/** Whose it is. */
export interface ExchangeInit {
  readonly self: NodeId;
  /** Of this node's card: what it holds, it holds under this. */
  readonly incarnation: Incarnation;
  /** For tracks that do not say how they are cut. */
  readonly chunkLimits?: ChunkLimits;
  /** How long what nobody wants is kept: {@link LINGER_MS}. */
  readonly lingerMs?: number | undefined;
  /** When an offer of which nothing was heard is over: {@link OFFER_LAPSE_MS}. */
  readonly offerLapseMs?: number | undefined;
}
