/**
 * Messages between nodes.
 *
 * Two kinds by what must have happened before they leave. What states what an acceptor *holds* (`DurableMessage`) may travel only once
 * that is on its disk; effects.ts has no way to send one sooner. All else (`VolatileMessage`) leaves at once: losing it, or the node that
 * sent it, undoes nothing.
 *
 * Any message may be lost, doubled, late or reordered, and each is answered for what it says and not for when it comes.
 */
import type { ClockClaim } from '../core/clock-line.js';
import type { NodeId, Slot } from '../core/ids.js';
import type { Ballot } from './ballot.js';
import type { AcceptedEntry, Entry, UnknownSlot } from './entry.js';

/** How a node stands, told with every heartbeat and its answer: what the election goes by. */
export interface Standing {
  /** The configuration in which the sender is: one that is behind learns from one that is ahead. */
  readonly configId: number;
  /** The highest ballot that the sender has promised. */
  readonly promised: Ballot;
  /** The ballot of the leader that it follows, its own while it leads; null where it has none. */
  readonly following: Ballot | null;
  /** It leads, under `following`. */
  readonly leading: boolean;
  /** Content with its leader: hears it, and that one is content; a leader is content while it hears a quorum. */
  readonly happy: boolean;
  /** Every slot up to here is known to be chosen, and held. */
  readonly chosenUpTo: Slot;
  /** The highest slot in which it accepted anything. */
  readonly acceptedUpTo: Slot;
}

/** Between voters both ways, and from the leader to learners. Answered at once. */
export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly standing: Standing;
  /** Counts the sender's rounds of heartbeats. */
  readonly round: number;
  /** The sender's local time when it left, milliseconds: comes back in the answer, and means nothing to anybody else. */
  readonly sentAtMs: number;
  /** How long who answers grants the lease to a leader, milliseconds. */
  readonly leaseMs: number;
  /**
   * A leader's cluster time over its own local clock, as of the moment at which this leaves: put in by the driver then. Null where it has
   * none, or does not lead.
   */
  readonly clock: ClockClaim | null;
}

/** Answers a heartbeat. To a leader whom the sender follows it grants the lease. */
export interface HeartbeatReply {
  readonly type: 'heartbeat-reply';
  readonly standing: Standing;
  readonly round: number;
  readonly sentAtMs: number;
  /** The ballot to which the lease is granted; null where none is. */
  readonly granted: Ballot | null;
  /** Accepted without a gap up to here under `following`, perhaps not yet on the disk: where to send on from, and nothing to count. */
  readonly matchedUpTo: Slot;
  /** As in a heartbeat, and of whoever answers: what most say is believed. */
  readonly clock: ClockClaim | null;
}

/** Phase 1a: asks for a promise, and for what was accepted from slot `from` on. */
export interface Prepare {
  readonly type: 'prepare';
  readonly ballot: Ballot;
  readonly from: Slot;
}

/**
 * Phase 1b: will accept nothing below `ballot` any more; this is what it accepted from slot `from` on, above what it knows to be chosen,
 * in this configuration. Where `more`, that is not all: the next part begins at `next`, and is asked for by another prepare.
 */
export interface PromiseMessage {
  readonly type: 'promise';
  readonly ballot: Ballot;
  readonly from: Slot;
  readonly accepted: readonly AcceptedEntry[];
  readonly unknown: readonly UnknownSlot[];
  readonly chosenUpTo: Slot;
  readonly more: boolean;
  readonly next: Slot;
  /** The sender's live estimate of cluster time, nanoseconds, put in by the driver as it leaves; null where it has none. */
  readonly timeNs: bigint | null;
}

/** The sender has promised a higher ballot, or is in a later configuration, than a prepare or accept asked for. */
export interface Refusal {
  readonly type: 'refusal';
  /** What was refused. */
  readonly ballot: Ballot;
  readonly promised: Ballot;
}

/** Phase 2a: entries for the slots from `from` on, one after another. The first slot of this leader's term is `start`. */
export interface Accept {
  readonly type: 'accept';
  readonly ballot: Ballot;
  readonly start: Slot;
  readonly from: Slot;
  readonly entries: readonly Entry[];
  /** Every slot up to here is chosen. */
  readonly chosenUpTo: Slot;
}

/** Phase 2b: every slot from the term's start up to `upTo` is accepted under `ballot`, and on the sender's disk. */
export interface Accepted {
  readonly type: 'accepted';
  readonly ballot: Ballot;
  readonly upTo: Slot;
  /** Sequence of the last batch on the sender's disk, put in by the driver as it leaves: tells a card that went back in time. */
  readonly batch: number;
}

/** An accept began above what the sender holds under its ballot: it must begin again after `upTo`. */
export interface Gap {
  readonly type: 'gap';
  readonly ballot: Ballot;
  readonly upTo: Slot;
}

/** From the leader: every slot up to `upTo` is chosen; those from `start` on with what was accepted under `ballot`. */
export interface Chosen {
  readonly type: 'chosen';
  readonly ballot: Ballot;
  readonly start: Slot;
  readonly upTo: Slot;
}

/** Asks anybody for chosen entries from slot `from` on. */
export interface Learn {
  readonly type: 'learn';
  readonly from: Slot;
}

/** Chosen entries from `from` on, one after another, with the ballots under which the sender holds them. */
export interface Learned {
  readonly type: 'learned';
  readonly from: Slot;
  readonly entries: readonly { readonly ballot: Ballot; readonly entry: Entry }[];
  /** What the sender knows to be chosen: where that is further, ask again. */
  readonly chosenUpTo: Slot;
}

/** The slots that were asked for are in the sender's snapshot, which holds everything up to `base`, and no longer in its log. */
export interface Behind {
  readonly type: 'behind';
  readonly base: Slot;
}

/** Asks the leader up to which slot one must have applied to read what is agreed now. */
export interface ReadRequest {
  readonly type: 'read';
  readonly id: number;
}

/** Answers a read: slot null where the sender does not lead. */
export interface ReadReply {
  readonly type: 'read-reply';
  readonly id: number;
  readonly slot: Slot | null;
}

/** What an acceptor states of its disk, and a candidate's prepare, whose own promise must not be forgotten by a crash. */
export type DurableMessage = Prepare | PromiseMessage | Accepted;

/** Everything else. */
export type VolatileMessage =
  | Heartbeat
  | HeartbeatReply
  | Refusal
  | Accept
  | Gap
  | Chosen
  | Learn
  | Learned
  | Behind
  | ReadRequest
  | ReadReply;

/** Anything that a node says to another. */
export type Message = DurableMessage | VolatileMessage;

/** A message with its receiver. */
export interface Outgoing<M extends Message> {
  readonly to: NodeId;
  readonly message: M;
}
