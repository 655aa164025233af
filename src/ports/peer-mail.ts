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

/** Called one at a time, and never from within a call of the mail. */
export interface PeerMailHandlers {
  /** A member sent this. The bytes may be kept. Only between `up` and `down` of that peer. */
  message(from: NodeId, channel: Channel, bytes: Uint8Array): void;
  /** Both connections to a peer stand. Called also at `start`, for those that stand already. */
  up(peer: NodeId): void;
  /** At least one was lost; `up` may follow. */
  down(peer: NodeId): void;
}

/** A user of the peers' connections. */
export interface PeerMail {
  /** Handlers are called from now until `stop` is called. To be called once. */
  start(handlers: PeerMailHandlers): void;
  /**
   * Hands a message over, and with it the bytes, which must not be changed any more; true promises nothing. False where the peer is not up
   * or its queue is full, and the message is dropped. @throws TuttiError BAD_REQUEST above the channel's MESSAGE_BYTES_MAX less one byte
   */
  send(to: NodeId, channel: Channel, bytes: Uint8Array): boolean;
  /** Bytes on their way to a peer that the network has not taken yet; 0 where it is not up. */
  queuedBytes(to: NodeId, channel: Channel): number;
  /** The least and the latest round trip of consensus with a peer, milliseconds; null where none was measured. */
  roundTripMs(peer: NodeId): { readonly least: number; readonly latest: number } | null;
  /** Idempotent: no handler is called afterwards. */
  stop(): void;
}
