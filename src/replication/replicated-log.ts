/**
 * ReplicatedLog: an ordered log of opaque commands that all members agree on, with the clock that stamps them.
 *
 * This is all that the rest of the program knows of consensus. The log does not look into a payload, and what reads payloads does not
 * know how many nodes agreed on them: music can be tested without consensus, consensus without music, and another engine can take the
 * place of ours. Engine: replica.ts (Multi-Paxos over a durable log).
 *
 * Rules that every engine keeps: entries are applied in the order of their slots, one at a time, each once per process; stamps rise
 * strictly; `propose` resolves only after its entry was applied here, so that the one who asked reads its own write.
 */

import type { ClockState } from '../clock/cluster-clock.js';
import type { ClockLine } from '../core/clock-line.js';
import type { Incarnation, NodeId, Slot } from '../core/ids.js';
import type { ClusterTime, LocalTime } from '../core/units.js';

/** One whose vote counted in a slot, and by which card. */
export interface SlotVoter {
  readonly node: NodeId;
  readonly incarnation: Incarnation;
}

/** One agreed entry. */
export interface LogEntry {
  readonly slot: Slot;
  /** Cluster time at which the leader took it, nanoseconds; strictly above the entry before. */
  readonly stampNs: bigint;
  /** What the leader added for a change of sound to reach every card in time, nanoseconds. */
  readonly leadNs: bigint;
  /**
   * Who votes in the configuration of this slot, by node id: the same at every node that applies the entry, whenever it does; one array for
   * all entries of a configuration. Empty in a house's first configuration, which stands nowhere in the log: a node that came in later, and
   * reads the log from its beginning, could not say who voted then.
   */
  readonly voters: readonly SlotVoter[];
  /** As it was proposed. */
  readonly payload: Uint8Array;
}

/** A leader's term begins; what its first entry has to say. */
export interface TermStart {
  /** Moves on where cluster time leapt. */
  readonly epoch: number;
  /** Up to here cluster time may run before more is reserved, nanoseconds. */
  readonly reserveUntilNs: bigint;
  /** Slots that it brought back from the term before. */
  readonly reproposed: readonly Slot[];
}

/** What a log asks of whoever uses it. Called by the log, one at a time, never from within `propose`'s caller. */
export interface LogHandlers {
  /** Applies an entry. It must not throw: an entry that is refused is applied all the same, and the refusal is its outcome. */
  apply(entry: LogEntry): void;
  /** A slot that holds no command: a filler (`members` undefined), or a change of members, who are these from here on. In order with `apply`. */
  pass(slot: Slot, members: readonly NodeId[] | undefined): void;
  /** This node leads from here on: gives the payload of the term's first entry. */
  termStart(term: TermStart): Uint8Array;
  /** The state as of the last slot that was applied or passed, for a node that comes later, or this one after a restart. */
  snapshot(): Uint8Array;
  /** Takes the place of the state: `bytes` are some node's `snapshot()` as of `slot`. @throws TuttiError BAD_SNAPSHOT */
  restore(bytes: Uint8Array, slot: Slot): void;
  /** Cluster time may run up to here before more is reserved, as of what was applied; 0 before the first term. Nanoseconds. */
  reserveUntilNs(): bigint;
  /** Counts the leaps of cluster time, as of what was applied; 0 before the first term. */
  epoch(): number;
  /** What a node calls itself, as of what was applied; null where it has not said so. */
  nameOf(node: NodeId): string | null;
  /** Leadership, quorum or membership changed: read `status()`. */
  statusChanged(): void;
  /** A peer told this by {@link ReplicatedLog.tell}. Nothing of it is agreed, and what is in it is for the one who reads it to check. */
  told(from: NodeId, bytes: Uint8Array): void;
}

/** Who somebody is that takes part. */
export interface MemberIdentity {
  readonly node: NodeId;
  /** Of its card. */
  readonly incarnation: Incarnation;
  /** host:port for peers. */
  readonly address: string;
  /** A person's name for it. */
  readonly name: string;
}

/** A member of the cluster, as this node has heard of it. */
export interface LogMember extends MemberIdentity {
  readonly voter: boolean;
  readonly online: boolean;
  /** Cluster time of its last word; of this node itself, now. */
  readonly lastHeardAt: ClusterTime;
  /** Its card is the one that the others know; one that is not neither votes nor is counted, until it is replaced. */
  readonly trusted: boolean;
}

/** Who agrees at present, as far as this node knows. */
export interface LogStatus {
  readonly leader: NodeId | null;
  /** Cluster time at which the leader's term began. */
  readonly leaderSince: ClusterTime | null;
  /** `removed`: the others went on without this node, for good. */
  readonly role: 'leader' | 'follower' | 'learner' | 'removed';
  /** Changes can be agreed. */
  readonly quorum: boolean;
  /** Votes that make a majority. */
  readonly needed: number;
  readonly members: readonly LogMember[];
  /** Of the leader's ballot: both only ever rise, the round within one configuration. Null where nobody leads. */
  readonly ballot: { readonly configId: number; readonly round: number } | null;
  /** Every slot up to here was applied here. */
  readonly appliedSlot: Slot;
  /** The latest slot that this node or any other is known to know as chosen. */
  readonly chosenSlot: Slot;
  /** Something is wrong with what this node's card holds: said in an alert. Null where all is well. */
  readonly trouble: 'LOG_DAMAGED' | 'CARD_DAMAGED' | 'CARD_NOT_TRUSTED' | 'STATE_DIFFERS' | 'DISK_FULL' | null;
}

/** A change of who takes part. One at a time. */
export type MemberChange =
  /** Lets a node in, as a learner; it may vote later, as the policy sees fit. Where it is in already, nothing changes. */
  | { readonly type: 'add'; readonly member: MemberIdentity }
  /** Lets a node in as a learner, which takes the place and the role of another once it has caught up; that one leaves then. */
  | { readonly type: 'replace'; readonly old: NodeId; readonly member: MemberIdentity }
  | { readonly type: 'remove'; readonly node: NodeId; readonly acceptLoss: boolean }
  /** Roles set by hand. */
  | { readonly type: 'voters'; readonly voters: readonly NodeId[] };

/** The log at one node. Started once; before `start` and after `stop` proposals are refused with NO_QUORUM. */
export interface ReplicatedLog {
  /**
   * Takes part from now on. Resolves when all that this node's disk knows to be agreed was restored and applied; a node that is alone
   * leads by then.
   */
  start(handlers: LogHandlers): Promise<void>;
  /**
   * Asks for `payload` to become an entry, at any node; resolves when it was applied here.
   * @throws TuttiError NO_QUORUM where nothing was sent, OUTCOME_UNKNOWN where the entry may yet come, BUSY, BAD_REQUEST above 256 KiB,
   * CARD_NOT_TRUSTED, DISK_FULL where this node leads and its log takes nothing
   */
  propose(payload: Uint8Array): Promise<Slot>;
  /**
   * Resolves with a slot once it was applied here, and everything that was answered anywhere before this call is in a slot up to it: a
   * read of the state is then a strong one. Writes nothing. @throws TuttiError NO_QUORUM
   */
  readBarrier(): Promise<Slot>;
  /**
   * Changes who takes part, at any node; resolves once a quorum of the new members has it.
   * @throws TuttiError NO_QUORUM, OUTCOME_UNKNOWN, NODE_NOT_FOUND, BUSY where another change is under way
   */
  changeMembers(change: MemberChange): Promise<Slot>;
  /** Cluster time now. */
  now(): ClusterTime;
  /**
   * Cluster time as a line over local time, for the player's own thread; moves on, so ask again every second or so. Null before this
   * process has heard of cluster time at all, where `now` stands still at the last stamp that it knows.
   */
  clockLine(): ClockLine | null;
  /** How well this node knows cluster time at present. */
  clock(): ClockState;
  /**
   * Tells the peers that are up something that needs no agreement; it may be lost, and writes nothing anywhere. At most 16 KiB.
   */
  tell(bytes: Uint8Array): void;
  status(): LogStatus;
  /** True only while this node alone may say that it leads: for lamps. Read from the clock at each call. */
  holdsLease(): boolean;
  /** Until when that is so if no other node says anything more; null where it is not so now. */
  leaseUntil(): LocalTime | null;
  /** Idempotent: takes no part any more, and calls no handler. */
  stop(): Promise<void>;
}
