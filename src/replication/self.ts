/**
 * Self: what the parts of a replica see of the node that they are parts of, and what they may do as that node.
 *
 * The parts know each other where they need to, in one direction, and none knows the replica: it puts them together, and gives each of
 * them this. So what a part can see and do is what stands here and in its components. All of it may be called after the node has
 * ended, and does nothing then.
 */
import type { NodeId, Slot } from '../core/ids.js';
import type { ClusterTime } from '../core/units.js';
import type { Configuration, MemberRecord } from '../paxos/configuration.js';
import type { PaxosEvent } from '../paxos/effects.js';
import type { Session } from '../paxos/entry.js';
import type { PaxosState } from '../paxos/state.js';
import { statusOf } from '../paxos/step.js';
import type { Log } from '../ports/log.js';
import type { Frame } from './frames.js';

/** One running node, as its parts see it. */
export interface Self {
  readonly node: NodeId;
  readonly log: Log;
  /** Of the core: to be read. It changes by {@link handle}. */
  readonly state: PaxosState;
  /** Everything up to here is applied here. */
  readonly applied: () => Slot;
  /** The latest that this node knows of. */
  readonly configuration: () => Configuration;
  /** Where a proposal was applied; null where it was not, or longer ago than is remembered. */
  readonly slotOf: (session: Session) => Slot | null;
  /** Local time as the core counts it, milliseconds. */
  readonly nowMs: () => number;
  /** Cluster time now. */
  readonly clusterNow: () => ClusterTime;
  /** Hands an event to the core, with all that follows. Not to be called while the core is at another. */
  readonly handle: (event: PaxosEvent) => void;
  /** To a peer, as a control message; false where it certainly does not arrive. */
  readonly send: (to: NodeId, frame: Frame) => boolean;
  /** `status()` gives something else now. */
  readonly statusChanged: () => void;
}

/** This node leads, and its first entry is chosen. */
export function serves({ state: { role } }: Pick<Self, 'state'>): boolean {
  return role.type === 'leader' && role.serving;
}

/** Who leads, as far as this node knows; null where it knows of nobody. */
export function leaderOf({ state }: Pick<Self, 'state'>): NodeId | null {
  return statusOf(state).leader?.node ?? null;
}

/** What is agreed about a member; undefined where it is none. */
export function memberOf(self: Pick<Self, 'configuration'>, node: NodeId): MemberRecord | undefined {
  return self.configuration().members.find((member) => member.node === node);
}
