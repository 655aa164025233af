/**
 * PeerClocks: what is known of the local clocks of other nodes. Real: timekeeping/clock-thread.ts, over UDP on a thread of its own.
 * Fake: fake-peer-clocks.ts, exact but for the error that a test gives it.
 */
import type { PeerLine } from '../clock/peer-line.js';
import type { NodeId } from '../core/ids.js';

/** Another node whose clock is wanted. */
export interface ClockPeer {
  readonly node: NodeId;
  /** host:port, where it has its clock socket: the same as its peer port. */
  readonly address: string;
}

/** Datagrams that came and had no effect, since the start. */
export interface ClockCounts {
  /** Cut short, or of another format or version. */
  readonly malformed: number;
  /** Not sealed with this cluster's key. */
  readonly strangers: number;
  /** Seen before, or an answer to nothing that was asked. */
  readonly replayed: number;
}

/** The clocks of other nodes, as this one reads them. */
export interface PeerClocks {
  /** Binds its socket; `changed` is called after each burst of a peer. @throws TuttiError PORT_IN_USE */
  start(changed: (node: NodeId) => void): Promise<void>;
  /** From now on exactly these are probed. */
  follow(peers: readonly ClockPeer[]): void;
  /** The latest line for a peer; null where there is none yet, or its clock was found to have begun anew (it rebooted). */
  lineOf(node: NodeId): PeerLine | null;
  /** Nanoseconds of the shortest round trip lately; null where there was none. */
  roundTripOf(node: NodeId): number | null;
  counts(): ClockCounts;
  /** Idempotent; `changed` is not called any more. */
  stop(): Promise<void>;
}
