/** What Fetching is made of, and what it shows. */
import type { NodeId, TrackId } from '../core/ids.js';
import type { ChunkLimits } from '../library/chunks.js';
import type { Track } from '../library/track.js';
import type { Log } from '../ports/log.js';
import type { RoundTrip } from '../ports/peer-mail.js';
import type { ChunkFiles } from './chunk-files.js';
import type { Message } from './messages.js';
import type { Said } from './wanted-file.js';

/** How far a file is. */
export interface FetchProgress {
  readonly id: TrackId;
  /** Chunks that are here, and that there are. */
  readonly chunks: number;
  readonly count: number;
}

/** What fetching works with, and whom it tells. */
export interface FetchingComponents {
  readonly files: ChunkFiles;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly send: (to: NodeId, message: Message) => void;
  readonly isHeld: (id: TrackId) => boolean;
  /** Some of a file that is not begun is on the card. */
  readonly isOnCard: (id: TrackId) => boolean;
  /** The file lies where held files are, and was left out at the start. */
  readonly isLeftOut: (id: TrackId) => boolean;
  /** Peers that are up. */
  readonly peers: () => readonly NodeId[];
  /** What a peer that is up says of a file; null for nothing. */
  readonly said: (peer: NodeId, id: TrackId) => Said | null;
  /** A peer waits for others to hold a file, which it holds itself. */
  readonly isOfferedBy: (peer: NodeId, id: TrackId) => boolean;
  /** Peers that are up and have something of a file, those that have all of it first. */
  readonly whoHas: (id: TrackId) => readonly NodeId[];
  readonly roundTrip: (peer: NodeId) => RoundTrip | null;
  /** A chunk is here and right. */
  readonly kept: (id: TrackId, index: number) => void;
  /** A file has its place. */
  readonly arrived: (track: Track) => void;
  /** Something may be done: calls `look`. */
  readonly changed: () => void;
}

/** Who fetches, and in what pieces. */
export interface FetchingInit {
  readonly self: NodeId;
  /** For tracks that do not say how they are cut. */
  readonly chunkLimits?: ChunkLimits;
}
