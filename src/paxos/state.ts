/**
 * The state of one node's consensus, as plain data, and its beginnings.
 *
 * Problem: several nodes must agree on one sequence of commands while any of them, and the network between them, fails in any way short
 * of lying. Approach: Multi-Paxos. Every voter is an *acceptor* (acceptor.ts), which promises and accepts; one of them at a time is the
 * *leader* (campaign.ts, leader.ts), which proposes; everyone is a *learner* (learner.ts), which finds out what was chosen, and applies
 * it. Who leads is settled by who hears whom (elector.ts). Who takes part is itself agreed upon in the log (membership.ts).
 *
 * All of it is one state machine, `step(state, event) -> effects` (step.ts): no clock, no disk, no network, no randomness but from a seed.
 * The functions of the other files change the state and add to the effects of the step that is under way; nothing is ever awaited.
 *
 * Further reading: L. Lamport, "Paxos Made Simple", 2001; R. van Renesse and D. Altinbuken, "Paxos Made Moderately Complex", ACM
 * Computing Surveys 2015; H. Ng, S. Haridi, P. Carbone, "Omni-Paxos: Breaking the Barriers of Partial Connectivity", EuroSys 2023.
 */
import { assert } from '../core/assert.js';
import { type NodeId, type Slot, slot as slotOf } from '../core/ids.js';
import { Prng } from '../core/prng.js';
import { type Ballot, higherBallot } from './ballot.js';
import { acceptQuorum, type Configuration, isVoter, prepareQuorum, votersOf } from './configuration.js';
import type { Effects, Persist, Recovered, Token } from './effects.js';
import type { Entry } from './entry.js';
import { CLOCK_RATE_TOLERANCE } from './limits.js';
import type { SlotAnswer } from './merge.js';
import type { Standing } from './message.js';
import { cellAt, emptyLog, type SlotLog, setCell } from './slot-log.js';

/** What is known of another node. */
export interface Peer {
  /** When it was last heard, local milliseconds; null before the first time. */
  heardAtMs: number | null;
  /** When the latest of our heartbeats that it answered left: it hears us, and we hear it. */
  ackedAtMs: number | null;
  /** What it last said of itself; null before the first time. */
  standing: Standing | null;
}

/** What one acceptor has answered to a prepare so far. */
export interface PromiseParts {
  readonly answers: Map<Slot, SlotAnswer>;
  chosenUpTo: Slot;
  timeNs: bigint | null;
  /** Where the next part begins; null once all parts are here. */
  next: Slot | null;
}

/** Asks for promises. */
export interface CandidateRole {
  readonly type: 'candidate';
  readonly ballot: Ballot;
  readonly sinceMs: number;
  /** Its own promise is durable. */
  own: boolean;
  readonly promises: Map<NodeId, PromiseParts>;
}

/** How far one member has come under this leader. */
export interface Progress {
  /** It said that it accepted, durably, up to here. */
  matched: Slot;
  /** Sent up to here. */
  sent: Slot;
  /** Where it stood at its last heartbeat reply, as it said, and as was counted: the same twice, and something got lost. */
  reported: Slot | null;
  counted: Slot;
}

/** Proposes. */
export interface LeaderRole {
  readonly type: 'leader';
  readonly ballot: Ballot;
  readonly sinceMs: number;
  /** The first slot of its term: everything below was known to be chosen when the term began. */
  readonly start: Slot;
  /** The next slot that is free. */
  next: Slot;
  /** Where `leader.begin` stands; null before it is proposed. */
  begin: Slot | null;
  serving: boolean;
  /** Where a stop-sign stands: nothing is proposed above it. */
  sealedAt: Slot | null;
  /** The highest slot of its own log that is durable under this ballot. */
  ownMatched: Slot;
  readonly progress: Map<NodeId, Progress>;
  /** For each voter that granted the lease to this ballot, when the heartbeat left that it answered. */
  readonly grants: Map<NodeId, number>;
  /** Reads that wait for a quorum to confirm the term: by the round of heartbeats that has to be answered. */
  reads: { readonly id: number; readonly from: NodeId | null; readonly round: number; readonly index: Slot }[];
  /** The latest round that each voter answered while its promise was to this ballot. */
  readonly confirmed: Map<NodeId, number>;
}

/** What a node does beyond accepting and learning. */
export type Role = { readonly type: 'follower' } | CandidateRole | LeaderRole;

/** A write that is not durable yet. */
export interface Outstanding {
  readonly token: Token;
  readonly sinceMs: number;
  /** Completes the candidate's own promise. */
  readonly campaign: boolean;
  /** A leader's own acceptances up to here; null where it has none. */
  readonly matched: Slot | null;
}

/** Everything that a node knows. Changed by `step` alone. */
export interface PaxosState {
  readonly self: NodeId;
  /** Feeds the jitter; moves on with every draw. */
  seed: number;
  nowMs: number;
  lastTickMs: number;

  configuration: Configuration;
  /** Of the configuration, by id. */
  voters: readonly NodeId[];
  /** All other members. */
  peers: Map<NodeId, Peer>;
  /** Members whose cards are not the ones that the others know. */
  readonly distrusted: Set<NodeId>;

  // Acceptor.
  promised: Ballot;
  log: SlotLog;
  /** Until here no promise and no grant: a lease that was granted before the restart may still run. Local milliseconds. */
  readonly quietUntilMs: number;
  /** The lease that this node granted; null where it ran out or was never given. */
  grant: { readonly ballot: Ballot; readonly untilMs: number } | null;

  // Follower.
  /** The leader that it follows. */
  following: Ballot | null;
  /** The first slot of that leader's term; null until it said so. */
  followingStart: Slot | null;
  /** Accepted without a gap up to here under `following`. */
  matchedUpTo: Slot;
  /** Where it last told that leader of a gap: one complaint brings all that is missing, and those that are under way would each bring it again. */
  gapToldAt: Slot | null;
  leaderHeardAtMs: number;
  leaderHappy: boolean;

  // Learner.
  chosenUpTo: Slot;
  /** The disk knew everything up to here to be chosen, though it may not hold all of it any more. */
  readonly recoveredUpTo: Slot;
  /** Highest stamp of what is chosen, nanoseconds. */
  lastStampNs: bigint;
  /** What was asked last, of whom, and when. */
  learning: { readonly peer: NodeId; readonly from: Slot; readonly sentAtMs: number } | null;
  /** The slot up to which the leader's last heartbeat found us behind; null where it did not. */
  behindAt: Slot | null;

  // Elector.
  role: Role;
  /** Content with its leader, as of the last tick. */
  happy: boolean;
  round: number;
  heartbeatAtMs: number;
  /** When it will campaign if nothing changes; null where it has no reason to. */
  campaignAtMs: number | null;
  /** It led the configuration that was just left: it is the one to lead the next. */
  leadsOn: boolean;
  /** Not before this: it has promised somebody else, or failed just now. */
  restUntilMs: number;

  // Reads that were passed to the leader.
  readonly forwardedReads: Set<number>;

  // Writes.
  lastToken: number;
  readonly outstanding: Outstanding[];
}

/** Who a node is, and what it found on its disk. */
export interface PaxosInit {
  readonly self: NodeId;
  /** Any whole number; nodes should have different ones. */
  readonly seed: number;
  readonly nowMs: number;
  readonly recovered: Recovered;
}

/** Adds what one file knows to the effects of the step under way. */
export interface Step {
  readonly state: PaxosState;
  readonly effects: Effects;
}

/** A node as it starts. It knows of no leader, and has applied nothing: what is chosen already comes out of its first step. */
export function createPaxos({ self, seed, nowMs, recovered }: PaxosInit): PaxosState {
  const { configuration, base } = recovered;
  assert(recovered.chosenUpTo >= base, 'what is in the snapshot is chosen');
  const log = emptyLog(base);
  let promised = recovered.promised;
  for (const { slot, ballot } of recovered.unknown) {
    if (slot <= base) continue;
    assert(cellAt(log, slot) === undefined, 'each slot is recovered once');
    setCell(log, slot, { kind: 'unknown', ballot });
    // The record is gone, but it was accepted: that promise binds as the value would.
    if (ballot !== null) promised = higherBallot(promised, ballot);
  }
  for (const { slot, ballot, entry } of recovered.accepted) {
    if (slot <= base) continue;
    assert(cellAt(log, slot) === undefined, 'each slot is recovered once');
    setCell(log, slot, { kind: 'accepted', ballot, entry });
    promised = higherBallot(promised, ballot);
  }
  const mayHaveCompany = recovered.accepted.some(
    ({ entry }) => entry.type === 'stop-sign' && entry.next.id > configuration.id,
  );
  const alone = votersOf(configuration).length === 1 && isVoter(configuration, self) && !mayHaveCompany;
  const state: PaxosState = {
    self,
    seed,
    nowMs,
    lastTickMs: nowMs,
    configuration,
    voters: [],
    peers: new Map(),
    distrusted: new Set(),
    promised,
    log,
    // Alone there is nobody else to whom the lease could have been granted.
    quietUntilMs: alone ? nowMs : nowMs + recovered.leaseMsMax * (1 + CLOCK_RATE_TOLERANCE),
    grant: null,
    following: null,
    followingStart: null,
    matchedUpTo: slotOf(0),
    gapToldAt: null,
    leaderHeardAtMs: nowMs,
    leaderHappy: false,
    chosenUpTo: base,
    recoveredUpTo: recovered.chosenUpTo,
    lastStampNs: recovered.baseStampNs,
    learning: null,
    behindAt: null,
    role: { type: 'follower' },
    happy: false,
    // Unlike that of the process before: an answer to one of its heartbeats must not pass for one to ours.
    round: seed >>> 0,
    heartbeatAtMs: nowMs,
    campaignAtMs: null,
    leadsOn: false,
    restUntilMs: nowMs,
    forwardedReads: new Set(),
    lastToken: 0,
    outstanding: [],
  };
  takeConfiguration(state, configuration);
  return state;
}

/** Makes `configuration` the one in which the node is. What is known of those who stay is kept. */
export function takeConfiguration(state: PaxosState, configuration: Configuration): void {
  state.configuration = configuration;
  state.voters = votersOf(configuration);
  const peers = new Map<NodeId, Peer>();
  for (const { node } of configuration.members) {
    if (node === state.self) continue;
    peers.set(node, state.peers.get(node) ?? { heardAtMs: null, ackedAtMs: null, standing: null });
  }
  state.peers = peers;
  for (const node of state.distrusted) if (!peers.has(node) && node !== state.self) state.distrusted.delete(node);
}

/** No effect yet. */
export const noEffects = (): Effects => ({
  persist: [],
  sendNow: [],
  sendAfter: [],
  apply: [],
  declined: [],
  changeDeclined: [],
  termWon: null,
  reads: [],
  snapshotNeeded: null,
  statusChanged: false,
});

/** This node's vote counts. */
export const votes = (state: PaxosState): boolean => canVote(state, state.self);

/** The vote of `node` counts: it is a voter of the configuration, and its card is the one that is known. */
export const canVote = (state: PaxosState, node: NodeId): boolean =>
  state.voters.includes(node) && !state.distrusted.has(node);

/** Acceptors that make a value chosen. Those who are not trusted still count as voters, only not as answers. */
export const acceptQuorumOf = (state: PaxosState): number => acceptQuorum(state.voters.length);

/** Promises that a candidate needs. */
export const prepareQuorumOf = (state: PaxosState): number => prepareQuorum(state.voters.length);

/** The log holds everything up to the stop-sign that began the configuration: before that a node takes no part in its votes. */
export const hasEntered = (state: PaxosState): boolean => state.chosenUpTo >= state.configuration.after;

/** A fraction from 0 to 1, from the seed. */
export function draw(state: PaxosState): number {
  state.seed = (state.seed + 1) >>> 0;
  return new Prng(state.seed).fraction();
}

/** Asks for a write, and gives its token. */
export function persist(
  { state, effects }: Step,
  what: Partial<Pick<Persist, 'promised' | 'records' | 'configuration'>>,
  completes: Partial<Pick<Outstanding, 'campaign' | 'matched'>> = {},
): number {
  const { role } = state;
  const ballot = role.type === 'follower' ? state.promised : role.ballot;
  const token: Token = { ballot, number: ++state.lastToken };
  effects.persist.push({
    token,
    promised: what.promised ?? null,
    records: what.records ?? [],
    configuration: what.configuration ?? null,
    chosenUpTo: state.chosenUpTo,
  });
  state.outstanding.push({
    token,
    sinceMs: state.nowMs,
    campaign: completes.campaign ?? false,
    matched: completes.matched ?? null,
  });
  return token.number;
}

/** The stamp of an entry, or 0 where it has none. */
export const stampOf = (entry: Entry): bigint => (entry.type === 'command' ? entry.stampNs : 0n);

/** Back to accepting and learning only. Reads that wait get no answer from this node any more. */
export function becomeFollower({ state, effects }: Step): void {
  const { role } = state;
  if (role.type === 'follower') return;
  state.role = { type: 'follower' };
  effects.statusChanged = true;
  if (role.type !== 'leader') return;
  state.following = null;
  state.followingStart = null;
  for (const { id, from } of role.reads) {
    if (from === null) effects.reads.push({ id, slot: null });
    else effects.sendNow.push({ to: from, message: { type: 'read-reply', id, slot: null } });
  }
}
