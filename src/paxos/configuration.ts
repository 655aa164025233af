/**
 * Configurations: who votes, who only learns, and what counts as enough.
 *
 * A configuration holds from one stop-sign to the next (membership.ts). Accept quorums are majorities, q = floor(n / 2) + 1. A phase 1
 * needs only n - q + 1 acceptors: that many meet every accept quorum, and with an even number of voters it is one fewer.
 *
 * Further reading: H. Howard, D. Malkhi, A. Spiegelman, "Flexible Paxos: Quorum Intersection Revisited", 2016.
 */
import type { Incarnation, NodeId, Slot } from '../core/ids.js';
import { majorityOf } from '../core/majority.js';

/** One node that takes part. */
export interface MemberRecord {
  readonly node: NodeId;
  /** Of the card that was let in: another card of the same name is a stranger. */
  readonly incarnation: Incarnation;
  /** host:port for peers, as of when it came in; the peers' transport learns newer ones. */
  readonly address: string;
  /** A person's name for it, as of when it came in. */
  readonly name: string;
  /** Votes; else it learns what was chosen, and counts for nothing. */
  readonly voter: boolean;
  /** The member whose place it takes once it holds what that one had to hold; absent where it is one more. */
  readonly replaces?: NodeId;
}

/** How patient all members are; agreed, because leases rest on it. */
export interface Timing {
  /** Between two heartbeats, milliseconds, 5 to 10,000. */
  readonly heartbeatMs: number;
  /** Silence after which a peer counts as gone, milliseconds; at least 3 heartbeats. */
  readonly electionMs: number;
  /** For how long followers that answered a heartbeat promise nobody else, milliseconds; below `electionMs`. */
  readonly leaseMs: number;
}

/** Heartbeats ten times a second; half a second of silence is an absence; the lease ends a little before. */
export const TIMING_DEFAULT: Timing = { heartbeatMs: 100, electionMs: 500, leaseMs: 450 };

/** An agreed set of members. */
export interface Configuration {
  /** From 1, one more at each change. */
  readonly id: number;
  /** Slot of the stop-sign that brought it, 0 for the first: it holds from the slot after. */
  readonly after: Slot;
  /** By node id, each once; at least one votes. */
  readonly members: readonly MemberRecord[];
  readonly timing: Timing;
}

/** Ids of those who vote, by id. */
export const votersOf = ({ members }: Configuration): NodeId[] =>
  members.filter(({ voter }) => voter).map(({ node }) => node);

/** True where `node` votes. */
export const isVoter = (configuration: Configuration, node: NodeId): boolean =>
  configuration.members.some((member) => member.node === node && member.voter);

/** True where `node` takes part, voting or not. */
export const isMember = (configuration: Configuration, node: NodeId): boolean =>
  configuration.members.some((member) => member.node === node);

/** Acceptors that make a value chosen, of `voters`: a majority. */
export const acceptQuorum = (voters: number): number => majorityOf(voters);

/** Acceptors that a phase 1 must hear of `voters`: one of them is in every accept quorum. */
export const prepareQuorum = (voters: number): number => voters - acceptQuorum(voters) + 1;

/** The same members in the one order that all nodes use. */
export const sortedMembers = (members: readonly MemberRecord[]): MemberRecord[] =>
  [...members].sort((a, b) => (a.node < b.node ? -1 : a.node > b.node ? 1 : 0));
