/**
 * PeerLink: ordered, authenticated messages between members. Real: io/net. Fake: fake-peer-link.ts, on a network with faults.
 *
 * Control and bulk are separate connections, so that a file on its way cannot delay a heartbeat. Delivery is at most once, in order
 * within a channel, and may stop at any moment: whoever needs an answer asks again.
 *
 * Whoever has the cluster's key is believed to be the node that it says it is: the key keeps strangers out, it does not tell members
 * from one another.
 */
import { TuttiError } from '../core/errors.js';
import type { Incarnation, NodeId } from '../core/ids.js';

/** `control`: consensus, which must not wait. `bulk`: chunks of files. */
export type Channel = 'control' | 'bulk';

/** Both channels, in the order in which things are done for each. */
export const CHANNELS = ['control', 'bulk'] as const satisfies readonly Channel[];

/** Largest message of a channel in bytes: a control message must not hold up the next, a bulk one carries a chunk of a file. */
export const MESSAGE_BYTES_MAX: Readonly<Record<Channel, number>> = { control: 1 << 20, bulk: (4 << 20) + 1024 };

/** How much may wait to be sent to a peer on a channel before `send` says no, bytes: some messages of the largest size. */
export const QUEUE_BYTES_MAX: Readonly<Record<Channel, number>> = {
  control: 4 * MESSAGE_BYTES_MAX.control,
  bulk: 2 * MESSAGE_BYTES_MAX.bulk,
};

/** Largest card in a hello, bytes. */
export const CARD_BYTES_MAX = 8 << 10;

/** What a peer says of itself when a connection is made. */
export interface PeerHello {
  /** Of the card that the peer runs on. */
  readonly incarnation: Incarnation;
  /** Whatever the user of the peer's link has to say; at most {@link CARD_BYTES_MAX} bytes, opaque to the link. */
  readonly card: Uint8Array;
}

/**
 * Why a peer lets this node not in. `not-a-member`: it was told of no such peer. `other-cluster`: the same key, another cluster.
 * `other-version`: it speaks another version of the peers' protocol. `wrong-key`: another cluster key.
 */
export type RefusalReason = 'not-a-member' | 'other-cluster' | 'other-version' | 'wrong-key';

/** Largest request and answer of a {@link Knocker}, bytes. */
export const KNOCK_BYTES_MAX = 64 << 10;
/** How many may knock at a node at once; more are refused with BUSY. */
export const KNOCKS_MAX = 8;
/** How long a knock may take, request to answer, milliseconds. */
export const KNOCK_MS_MAX = 10_000;

/** Called one at a time, and never from within a call of the link. */
export interface PeerLinkHandlers {
  /** `from` is proven to hold the key. The bytes may be kept. Only between `up` and `down` of that peer. */
  message(from: NodeId, channel: Channel, bytes: Uint8Array): void;
  /** Both connections to a peer stand. */
  up(peer: NodeId, hello: PeerHello): void;
  /** At least one was lost; `up` may follow. */
  down(peer: NodeId): void;
  /** The peer that this node connected to does not let it in. It is tried again, and this is told again, until the peer does. `detail`: a sentence. */
  refused(peer: NodeId, reason: RefusalReason, detail: string): void;
  /** The peer came in and says that it is found at another address ("host:port") than the one named; it is looked for there from now on. */
  moved(peer: NodeId, address: string): void;
  /**
   * Somebody who holds the key, and need not be a member, asks something: to be let in. A rejection with a TuttiError reaches the one who
   * asked with its code and detail. Both ways at most {@link KNOCK_BYTES_MAX} bytes.
   */
  knock(request: Uint8Array): Promise<Uint8Array>;
}

/** The connections of this node with all other members. */
export interface PeerLink {
  /** Listens and connects. Handlers are called from now until `stop` is called. To be called once. @throws TuttiError PORT_IN_USE */
  start(handlers: PeerLinkHandlers): Promise<void>;
  /**
   * Whom to hold connections with: the addresses ("host:port") of all other members. Both ends must name one another. A peer that is
   * not named any more is cut off, and `down` is called if it was up. A new address is tried at once where there is no connection; one
   * that stands is kept. May be called before `start`.
   */
  setPeers(peers: ReadonlyMap<NodeId, string>): void;
  /**
   * Hands a message over, and with it the bytes, which must not be changed any more; true promises nothing. False where the peer is not
   * up or its queue is full ({@link QUEUE_BYTES_MAX}), and the message is dropped.
   * @throws TuttiError BAD_REQUEST above {@link MESSAGE_BYTES_MAX}
   */
  send(to: NodeId, channel: Channel, bytes: Uint8Array): boolean;
  /** Bytes for a peer that wait here for the network to take them, give or take some for frames; 0 where it is not up. */
  queuedBytes(to: NodeId, channel: Channel): number;
  /** Idempotent, fine before `start`: closes everything, and no handler is called afterwards. */
  stop(): Promise<void>;
}

/** How to knock. */
export interface KnockOptions {
  /** The cluster's key: 32 bytes. */
  readonly key: Uint8Array;
  /** Gives up when it aborts, with its reason. */
  readonly signal?: AbortSignal;
}

/** Asks a node of a cluster something from outside: to be let in. */
export interface Knocker {
  /**
   * Sends `request` (at most {@link KNOCK_BYTES_MAX} bytes) to the node at `address` ("host:port"), and gives its answer.
   * @throws TuttiError PEER_UNREACHABLE, KEY_REFUSED, PEER_TOO_OLD or NODE_TOO_OLD where the versions differ, BAD_ANSWER where it is no
   * node of Tutti, BUSY, BAD_REQUEST where the request is too long or the address is none, and whatever the node's `knock` handler says
   */
  knock(address: string, request: Uint8Array, options: KnockOptions): Promise<Uint8Array>;
}

/** Every PeerLink checks what it is to send with this. @throws TuttiError BAD_REQUEST above {@link MESSAGE_BYTES_MAX} */
export function checkMessage(channel: Channel, bytes: Uint8Array): void {
  const limit = MESSAGE_BYTES_MAX[channel];
  if (bytes.length <= limit) return;
  throw new TuttiError('BAD_REQUEST', `A message on "${channel}" holds at most ${limit} bytes, not ${bytes.length}.`);
}

/** Every Knocker and knock handler's answer is checked with this. @throws TuttiError BAD_REQUEST above {@link KNOCK_BYTES_MAX} */
export function checkKnock(bytes: Uint8Array): void {
  if (bytes.length <= KNOCK_BYTES_MAX) return;
  throw new TuttiError(
    'BAD_REQUEST',
    `A knock and its answer hold at most ${KNOCK_BYTES_MAX} bytes, not ${bytes.length}.`,
  );
}
