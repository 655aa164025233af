/** What a replica is made of, and how it behaves. */
import type { BootId, ClusterId, Incarnation, NodeId } from '../core/ids.js';
import type { Log } from '../ports/log.js';
import type { PeerClocks } from '../ports/peer-clocks.js';
import type { PeerLink } from '../ports/peer-link.js';
import type { Time } from '../ports/time.js';
import type { GateQuestion } from './gate.js';
import type { LogStore, StoreRecovered } from './log-store.js';

/** What a node says of itself when it connects; from its store, so the link is made once that is open. */
export interface LinkIdentity {
  readonly cluster: ClusterId;
  readonly node: NodeId;
  readonly incarnation: Incarnation;
  /** What peers compare with what they know of this node's card: read anew at each connection. At most 8 KiB. */
  readonly card: () => Uint8Array;
}

/** What a replica works with. */
export interface ReplicaComponents {
  readonly time: Time;
  readonly log: Log;
  /** Formatted (inspect says so), and not open unless `recovered` is given. */
  readonly store: LogStore;
  /** Makes the link to the peers; the replica starts and stops it. */
  readonly link: (identity: LinkIdentity) => PeerLink;
  /**
   * Measures the clocks of the peers; the replica starts and stops it. Where there is none, cluster time is known as well as heartbeats tell
   * it: to milliseconds.
   */
  readonly peerClocks?: PeerClocks;
}

/** How a replica behaves. */
export interface ReplicaInit {
  /** Random for each start of the process. */
  readonly boot: BootId;
  /**
   * What opening the store for this boot gave, where whoever made the replica has opened it, to know the node's ids: then it was told
   * whom to call when the disk fails. Left out, the replica opens it.
   */
  readonly recovered?: StoreRecovered;
  /** For the jitter of elections: any number, another one on each node. */
  readonly seed: number;
  /** What is added to a change of sound for every card to obey in time, milliseconds, 0 to 10,000. Asked on the leader. */
  readonly leadMs: () => number;
  /** The disk failed, or an invariant broke: the process must end. Called once; no handler is called any more. */
  readonly failed: (error: Error) => void;
  /** Who votes: `auto` as voters.ts says (the default), `hand` as a person says. */
  readonly voters?: 'auto' | 'hand';
  /**
   * May the house change to these members? Asked on the leader, twice, before voters come or go or a member is taken out: see gate.ts. Yes
   * by default.
   */
  readonly gate?: GateQuestion;
  /** Every how many slots states are compared; the same on all nodes. 4,096 by default. */
  readonly hashEverySlots?: number;
  /** Puts off what is collected over a turn of the event loop; a microtask by default, a timer under simulated time. */
  readonly defer?: (callback: () => void) => void;
}
