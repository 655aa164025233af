/**
 * PeerLink: ordered, authenticated messages between members. Real: io/net (with consensus). Fake: an in-memory network with faults.
 *
 * Control and bulk are separate connections, so that a file on its way cannot delay a heartbeat. Delivery is at most once, in order
 * within a channel, and may stop at any moment: whoever needs an answer asks again.
 */
import type { NodeId } from '../core/ids.js';

export type Channel = 'control' | 'bulk';

/** Largest message of a channel in bytes: a control message must not hold up the next, a bulk one carries a chunk of a file. */
export const MESSAGE_BYTES_MAX: Readonly<Record<Channel, number>> = { control: 1 << 20, bulk: (4 << 20) + 1024 };

export interface PeerLinkHandlers {
  message(from: NodeId, channel: Channel, bytes: Uint8Array): void;
  /** Both connections to a peer stand. */
  up(peer: NodeId): void;
  /** At least one was lost; `up` may follow. */
  down(peer: NodeId): void;
}

export interface PeerLink {
  /** Listens and connects. Handlers are called from now until `stop` returns. @throws TuttiError PORT_IN_USE */
  start(handlers: PeerLinkHandlers): Promise<void>;
  /** Whom to hold connections with: the addresses ("host:port") of all other members. */
  setPeers(peers: ReadonlyMap<NodeId, string>): void;
  /**
   * Hands a message over; false where the peer is not up or its queue is full, and the message is dropped.
   * @throws TuttiError BAD_REQUEST above {@link MESSAGE_BYTES_MAX}
   */
  send(to: NodeId, channel: Channel, bytes: Uint8Array): boolean;
  /** Idempotent: closes everything, and no handler is called afterwards. */
  stop(): Promise<void>;
}
