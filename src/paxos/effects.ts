/**
 * Events that the core takes, and effects that it asks for: the whole of its traffic with the world.
 *
 * The order of a step's effects is the contract with the driver: hand `persist` to the disk, send `sendNow`, apply `apply` in order; and
 * once a persist is durable, send what was tied to its token, and tell the core. Persists become durable in the order in which they were
 * asked for. There is no other order in which this is safe, and the types leave no other: a {@link DurableMessage} has no way out but
 * `sendAfter`.
 */
import type { NodeId, Slot } from '../core/ids.js';
import type { Ballot } from './ballot.js';
import type { Configuration, MemberRecord } from './configuration.js';
import type { AcceptedEntry, CommandEntry, Entry, Session, UnknownSlot } from './entry.js';
import type { DurableMessage, Message, Outgoing, VolatileMessage } from './message.js';

/** Names one persist. The ballot tells a completion that comes after its time. */
export interface Token {
  readonly ballot: Ballot;
  /** Counts the persists of this process from 1. */
  readonly number: number;
}

/** What has to be on the disk before anything is said of it. */
export interface Persist {
  readonly token: Token;
  /** To the superblock; null where the promise stays as it is. */
  readonly promised: Ballot | null;
  /** To the log, in this order; a slot that is there already is replaced. `chosen` marks what is known to be chosen. */
  readonly records: readonly (AcceptedEntry & { readonly chosen: boolean })[];
  /** Known to be chosen so far: noted beside the records, at no write of its own. */
  readonly chosenUpTo: Slot;
  /** Superblock too: the configuration in which the node is from now on; null where it stays. */
  readonly configuration: Configuration | null;
}

/** An entry that is chosen, in the order of slots, each once. */
export interface Applied {
  readonly slot: Slot;
  readonly entry: Entry;
}

/** This node won an election: the driver answers with the event `begin`, which holds the first command of the term. */
export interface TermWon {
  readonly ballot: Ballot;
  /** Slots that are proposed anew, and that hold a command. */
  readonly reproposed: readonly Slot[];
  /** The highest estimate of cluster time among the promises, nanoseconds; null where nobody has one. */
  readonly timeNs: bigint | null;
}

/** What a proposal came to that does not enter the log. It may be made again. */
export interface Declined {
  readonly session: Session;
  /** `not-leading`: ask the leader; `busy`: the window is full; `sealed`: a change of members is under way. */
  readonly why: 'not-leading' | 'busy' | 'sealed';
}

/** What a change of members came to that is not proposed. */
export interface ChangeDeclined {
  readonly session: Session | null;
  readonly why: 'not-leading' | 'under-way' | 'busy';
}

/** All that one step asks for. Arrays are empty and the rest null where there is nothing. */
export interface Effects {
  readonly persist: Persist[];
  readonly sendNow: Outgoing<VolatileMessage>[];
  /** Leaves when the persist `token` (a number, see {@link Token}) is durable, at once where it is already; 0 always is. */
  readonly sendAfter: (Outgoing<DurableMessage> & { readonly token: number })[];
  readonly apply: Applied[];
  readonly declined: Declined[];
  readonly changeDeclined: ChangeDeclined[];
  termWon: TermWon | null;
  /** Reads that may be answered once `slot` is applied; null where this node cannot say (does not lead, lost its term). */
  readonly reads: { readonly id: number; readonly slot: Slot | null }[];
  /** Everything up to `base` can only be had as a snapshot, of which `from` knows. */
  snapshotNeeded: { readonly from: NodeId; readonly base: Slot } | null;
  /** Something that status() shows has changed. */
  statusChanged: boolean;
}

/** What a driver proposes: the core adds a stamp that rises. */
export type Proposal = Omit<CommandEntry, 'type'>;

/** What happens to a node. */
export type PaxosEvent =
  | { readonly type: 'tick' }
  | { readonly type: 'message'; readonly from: NodeId; readonly message: Message }
  /** Several at once become one batch. Declined by a node that does not lead. */
  | { readonly type: 'propose'; readonly proposals: readonly Proposal[] }
  | { readonly type: 'begin'; readonly ballot: Ballot; readonly proposal: Proposal }
  | {
      readonly type: 'reconfigure';
      readonly session: Session | null;
      /** Who takes part from then on; the timing stays. */
      readonly members: readonly MemberRecord[];
    }
  | { readonly type: 'persisted'; readonly token: Token }
  | { readonly type: 'read'; readonly id: number }
  /** The connection with a peer came up or was lost: a hint, never a proof. */
  | { readonly type: 'link'; readonly peer: NodeId; readonly up: boolean }
  /** A snapshot, whose highest stamp is `lastStampNs`, holds everything up to `base` durably: the log below is not needed any more. */
  | { readonly type: 'compacted'; readonly base: Slot; readonly lastStampNs: bigint }
  /** A snapshot from a peer was installed durably; what it holds is chosen up to `base`. */
  | {
      readonly type: 'installed';
      readonly base: Slot;
      readonly configuration: Configuration;
      readonly lastStampNs: bigint;
    }
  /** Whether a member's card is the one that the others know: a restored or cloned one neither votes nor is counted. */
  | { readonly type: 'trust'; readonly node: NodeId; readonly trusted: boolean };

/** What a node finds on its disk when it starts. */
export interface Recovered {
  readonly promised: Ballot;
  /** In which it is, as far as superblock and snapshot say; entries may say more. */
  readonly configuration: Configuration;
  /** The log begins after this slot; everything up to here is in the snapshot. */
  readonly base: Slot;
  /** Highest stamp in the snapshot, nanoseconds. */
  readonly baseStampNs: bigint;
  readonly accepted: readonly AcceptedEntry[];
  readonly unknown: readonly UnknownSlot[];
  readonly chosenUpTo: Slot;
  /** The longest lease that this node may have granted before it went down, milliseconds. */
  readonly leaseMsMax: number;
}

/** Who leads, as far as a node knows: what people are shown. */
export interface PaxosStatus {
  readonly role: 'leader' | 'candidate' | 'follower' | 'learner' | 'removed';
  /** Of the one that it follows, itself included. */
  readonly leader: Ballot | null;
  /** A leader's `leader.begin` is chosen: it serves. */
  readonly serving: boolean;
  /** A quorum of voters can be heard. */
  readonly quorum: boolean;
  readonly configuration: Configuration;
  readonly chosenUpTo: Slot;
  readonly acceptedUpTo: Slot;
  /** Lowest slot that is damaged here and cannot be repaired as things stand; null where there is none. */
  readonly damaged: Slot | null;
  /** Slot of the stop-sign that is under way; null where none is. */
  readonly sealedAt: Slot | null;
}
