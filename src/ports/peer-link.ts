/**
 * PeerLink: ordered, authenticated messages between members. Real: io/net (with consensus). Fake: fake-peer-link.ts, on a network with faults.
 *
 * Control and bulk are separate connections, so that a file on its way cannot delay a heartbeat. Delivery is at most once, in order
 * within a channel, and may stop at any moment: whoever needs an answer asks again.
 */
import { TuttiError } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';

/** `control`: consensus, which must not wait. `bulk`: chunks of files. */
export type Channel = 'control' | 'bulk';

/** Largest message of a channel in bytes: a control message must not hold up the next, a bulk one carries a chunk of a file. */
export const MESSAGE_BYTES_MAX: Readonly<Record<Channel, number>> = { control: 1 << 20, bulk: (4 << 20) + 1024 };

/** Called one at a time, and never from within a call of the link. */
export interface PeerLinkHandlers {
  /** `from` is proven, not claimed. The bytes may be kept. Only between `up` and `down` of that peer. */
  message(from: NodeId, channel: Channel, bytes: Uint8Array): void;
  /** Both connections to a peer stand. */
  up(peer: NodeId): void;
  /** At least one was lost; `up` may follow. */
  down(peer: NodeId): void;
}

/** The connections of this node with all other members. */
export interface PeerLink {
  /** Listens and connects. Handlers are called from now until `stop` is called. To be called once. @throws TuttiError PORT_IN_USE */
  start(handlers: PeerLinkHandlers): Promise<void>;
  /**
   * Whom to hold connections with: the addresses ("host:port") of all other members. Both ends must name one another. A peer that is
   * not named any more is cut off, and `down` is called if it was up. May be called before `start`.
   */
  setPeers(peers: ReadonlyMap<NodeId, string>): void;
  /**
   * Hands a message over, and with it the bytes, which must not be changed any more; true promises nothing. False where the peer is not up or its queue is full, and the message is dropped.
   * @throws TuttiError BAD_REQUEST above {@link MESSAGE_BYTES_MAX}
   */
  send(to: NodeId, channel: Channel, bytes: Uint8Array): boolean;
  /** Idempotent, fine before `start`: closes everything, and no handler is called afterwards. */
  stop(): Promise<void>;
}

/** Every PeerLink checks what it is to send with this. @throws TuttiError BAD_REQUEST above {@link MESSAGE_BYTES_MAX} */
export function checkMessage(channel: Channel, bytes: Uint8Array): void {
  const limit = MESSAGE_BYTES_MAX[channel];
  if (bytes.length <= limit) return;
  throw new TuttiError('BAD_REQUEST', `A message on "${channel}" holds at most ${limit} bytes, not ${bytes.length}.`);
}
