/**
 * ReplicatedLog: an ordered log of opaque commands that all members agree on, with the clock that stamps them.
 *
 * This is all that the rest of the program knows of consensus. The log does not look into a payload, and what reads payloads does not
 * know how many nodes agreed on them: music can be tested without consensus, consensus without music, and another engine can take the
 * place of ours. Engines: memory-log.ts (one node, nothing durable).
 *
 * Rules that every engine keeps: entries are applied in the order of their slots, one at a time, each once per process; stamps rise
 * strictly; `propose` resolves only after its entry was applied here, so that the one who asked reads its own write.
 */

import type { ClockLine } from '../core/clock-line.js';
import type { NodeId, Slot } from '../core/ids.js';
import type { ClusterTime } from '../core/units.js';

/** One agreed entry. */
export interface LogEntry {
  readonly slot: Slot;
  /** Cluster time at which the leader took it, nanoseconds; strictly above the entry before. */
  readonly stampNs: bigint;
  /** What the leader added for a change of sound to reach every card in time, nanoseconds. */
  readonly leadNs: bigint;
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
  /** This node leads from here on: gives the payload of the term's first entry. */
  termStart(term: TermStart): Uint8Array;
  /** Leadership, quorum or membership changed: read `status()`. */
  statusChanged(): void;
}

/** A member of the cluster, as this node has heard of it. */
export interface LogMember {
  readonly id: NodeId;
  readonly voter: boolean;
  readonly online: boolean;
  /** Cluster time of its last word. */
  readonly lastHeardAt: ClusterTime;
}

/** Who agrees at present, as far as this node knows. */
export interface LogStatus {
  readonly leader: NodeId | null;
  /** Cluster time at which the leader's term began. */
  readonly leaderSince: ClusterTime | null;
  readonly role: 'leader' | 'follower' | 'learner';
  /** Changes can be agreed. */
  readonly quorum: boolean;
  /** Votes that make a majority. */
  readonly needed: number;
  readonly members: readonly LogMember[];
}

/** The log at one node. Started once; before `start` and after `stop` proposals are refused with NO_QUORUM. */
export interface ReplicatedLog {
  /** Takes part from now on. Resolves when entries that were agreed before have been applied. */
  start(handlers: LogHandlers): Promise<void>;
  /**
   * Asks for `payload` to become an entry, at any node; resolves when it was applied here.
   * @throws TuttiError NO_QUORUM where nothing was sent, OUTCOME_UNKNOWN where the entry may yet come
   */
  propose(payload: Uint8Array): Promise<Slot>;
  /** Cluster time now. */
  now(): ClusterTime;
  /** Cluster time as a line over local time, for the player's own thread. */
  clockLine(): ClockLine;
  status(): LogStatus;
  /** Idempotent: takes no part any more, and calls no handler. */
  stop(): Promise<void>;
}
