/**
 * PeerMail: the connections to the other members as they are to those who have something to say beside consensus: the tracks.
 *
 * The same connections carry both, so the same holds as for {@link PeerLink}: delivery is at most once, in order within a channel, and may
 * stop at any moment; whoever needs an answer asks again. Whom there are connections with is for consensus to say.
 *
 * Real: replication/peer-hub.ts, over any PeerLink.
 */
import type { NodeId } from '../core/ids.js';
import type { Channel } from './peer-link.js';

/** Whose a message is, its first byte says: from `least` to `most` it is mail, below it is consensus's. */
export const MAIL_FIRST_BYTE = { least: 64, most: 239 } as const;

/** Called one at a time, and never from within a call of the mail. */
export interface PeerMailHandlers {
  /** A member sent this. The bytes may be kept. Only between `up` and `down` of that peer. */
  message(from: NodeId, channel: Channel, bytes: Uint8Array): void;
  /** Both connections to a peer stand. Called also after `start`, for those that stand already. */
  up(peer: NodeId): void;
  /** At least one was lost; `up` may follow. */
  down(peer: NodeId): void;
}

/** Milliseconds from a control message to its answer. */
export interface RoundTrip {
  /** The shortest since the connection was made: what it takes when nothing is in the way. */
  readonly least: number;
  /** The latest; what has passed already, where an answer takes longer than that. */
  readonly latest: number;
}

/** A user of the peers' connections. */
export interface PeerMail {
  /** Handlers are called from now until `stop` is called. To be called once. */
  start(handlers: PeerMailHandlers): void;
  /**
   * Hands a message over, and with it the bytes, which must not be changed any more; true promises nothing. The first byte is one of
   * {@link MAIL_FIRST_BYTE}. False where the peer is not up or its queue is full, and the message is dropped.
   * @throws TuttiError BAD_REQUEST above the channel's MESSAGE_BYTES_MAX
   */
  send(to: NodeId, channel: Channel, bytes: Uint8Array): boolean;
  /** Bytes for a peer that wait here for the network to take them, consensus's as well; 0 where it is not up. */
  queuedBytes(to: NodeId, channel: Channel): number;
  /** What a round trip with a peer takes on the control channel; null before the first. Being asked is what makes it measured. */
  roundTripMs(peer: NodeId): RoundTrip | null;
  /** Idempotent: no handler is called afterwards. */
  stop(): void;
}
