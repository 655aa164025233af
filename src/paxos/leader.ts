/**
 * Leader: proposes, counts, and tells what is chosen.
 *
 * After its phase 1 a leader owns all slots from `start` on. It proposes again what the merge found there, then its own `leader.begin`,
 * and serves once that is chosen: then everything that any leader before it was able to answer is chosen too, and known here. From
 * then on a command costs one round trip: an accept to everybody, the leader's own write running at the same time, and the slot is chosen
 * when a quorum has it on their disks. Many slots are under way at once, up to a window.
 *
 * Members accept without a gap, so "accepted up to s" from a quorum chooses everything up to s. A member that lost something (its
 * connection broke) says where its gap begins, or shows it by where it stands in two heartbeats running, and is sent the rest again.
 *
 * Further reading: R. van Renesse and D. Altinbuken, "Paxos Made Moderately Complex", 2015, section 3.
 */
import { assert } from '../core/assert.js';
import { type NodeId, type Slot, slot as slotOf } from '../core/ids.js';
import { accept } from './acceptor.js';
import { type Ballot, compareBallots, sameBallot } from './ballot.js';
import { type MemberRecord, sortedMembers, votersOf } from './configuration.js';
import type { Proposal } from './effects.js';
import { type CommandEntry, type Entry, entryBytes, NOOP, type Session } from './entry.js';
import { sendHeartbeat } from './heartbeat.js';
import { advanceChosen } from './learner.js';
import { noteGrant } from './lease.js';
import { DISK_STALL_MS, PART_BYTES_MAX, PART_ENTRIES_MAX, WINDOW_SLOTS } from './limits.js';
import type { Accepted, Gap, HeartbeatReply, Standing } from './message.js';
import { cellAt } from './slot-log.js';
import {
  acceptQuorumOf,
  becomeFollower,
  canVote,
  type LeaderRole,
  type PaxosState,
  type Step,
  stampOf,
} from './state.js';

/**
 * Begins a term: phase 1 of `ballot` is done, and the slots from the first that is not known to be chosen must hold `entries` (of which
 * a stop-sign is the last, if there is one).
 */
export function beginTerm(step: Step, ballot: Ballot, entries: readonly Entry[], timeNs: bigint | null): void {
  const { state, effects } = step;
  const start = slotOf(state.chosenUpTo + 1);
  const sealed = entries.at(-1)?.type === 'stop-sign';
  const role: LeaderRole = {
    type: 'leader',
    ballot,
    sinceMs: state.nowMs,
    start,
    next: start,
    begin: null,
    serving: false,
    sealedAt: sealed ? slotOf(start + entries.length - 1) : null,
    ownMatched: slotOf(start - 1),
    progress: new Map(),
    grants: new Map(),
    reads: [],
    confirmed: new Map(),
  };
  for (const peer of state.peers.keys()) {
    role.progress.set(peer, { matched: slotOf(0), sent: slotOf(start - 1), reported: null, counted: slotOf(0) });
  }
  state.role = role;
  state.following = ballot;
  state.followingStart = start;
  state.matchedUpTo = slotOf(start - 1);
  state.leadsOn = false;
  state.happy = true;
  // Tells everybody, learners too, and asks for the lease.
  sendHeartbeat(step, state.peers.keys());
  effects.statusChanged = true;
  append(step, role, entries);
  // Above a stop-sign nothing is proposed, a first command neither: the next configuration has its own leader.
  if (sealed) return;
  const reproposed = entries.flatMap((entry, index) => (entry.type === 'command' ? [slotOf(start + index)] : []));
  effects.termWon = { ballot, reproposed, timeNs };
}

/** The first command of the term, for which `termWon` asked. */
export function onBegin(step: Step, ballot: Ballot, proposal: Proposal): void {
  const { role } = step.state;
  if (role.type !== 'leader' || !sameBallot(role.ballot, ballot) || role.begin !== null) return;
  role.begin = role.next;
  append(step, role, stamped(step.state, role, [proposal]));
}

/** Proposes commands, or says why not. */
export function onPropose(step: Step, proposals: readonly Proposal[]): void {
  const { state, effects } = step;
  const { role } = state;
  const room = role.type === 'leader' ? WINDOW_SLOTS - (role.next - 1 - state.chosenUpTo) : 0;
  const why =
    role.type !== 'leader' || !role.serving
      ? ('not-leading' as const)
      : role.sealedAt !== null
        ? ('sealed' as const)
        : ('busy' as const);
  const taken =
    role.type === 'leader' && role.serving && role.sealedAt === null ? proposals.slice(0, Math.max(0, room)) : [];
  for (const { session } of proposals.slice(taken.length)) effects.declined.push({ session, why });
  if (role.type === 'leader' && taken.length > 0) append(step, role, stamped(state, role, taken));
}

/**
 * Proposes a change of members: a stop-sign, in the first slot above everything that was proposed, and nothing above it any more. Only
 * a leader that serves may: then everything that was accepted anywhere and may be chosen is below.
 */
export function onReconfigure(step: Step, session: Session | null, members: readonly MemberRecord[]): void {
  const { state, effects } = step;
  const { role, configuration } = state;
  if (role.type !== 'leader' || !role.serving) {
    effects.changeDeclined.push({ session, why: 'not-leading' });
  } else if (role.sealedAt !== null) {
    effects.changeDeclined.push({ session, why: 'under-way' });
  } else if (role.next - 1 - state.chosenUpTo >= WINDOW_SLOTS) {
    effects.changeDeclined.push({ session, why: 'busy' });
  } else {
    const next = {
      id: configuration.id + 1,
      after: role.next,
      members: sortedMembers(members),
      timing: configuration.timing,
    };
    assert(votersOf(next).length > 0, 'somebody votes in the next configuration');
    role.sealedAt = role.next;
    append(step, role, [{ type: 'stop-sign', next, session }]);
  }
}

/** A member has accepted up to a slot, durably. */
export function onAccepted(step: Step, from: NodeId, { ballot, upTo }: Accepted): void {
  const { state } = step;
  const { role } = state;
  if (role.type !== 'leader' || !sameBallot(role.ballot, ballot)) return;
  const progress = role.progress.get(from);
  if (progress === undefined || upTo >= role.next) return;
  if (upTo > progress.matched) progress.matched = upTo;
  if (upTo > progress.sent) progress.sent = upTo;
  sendOn(step, role, from);
}

/** A member lacks what came before an accept: it gets everything from there on again. */
export function onGap(step: Step, from: NodeId, { ballot, upTo }: Gap): void {
  const { role } = step.state;
  if (role.type !== 'leader' || !sameBallot(role.ballot, ballot)) return;
  const progress = role.progress.get(from);
  if (progress === undefined || upTo >= progress.sent) return;
  progress.sent = slotOf(Math.max(upTo, role.start - 1));
  sendOn(step, role, from);
}

/** A member answered a heartbeat of this leader: it may have granted the lease, confirmed the term, or shown that it lost something. */
export function onLeaderReply(step: Step, role: LeaderRole, from: NodeId, reply: HeartbeatReply): void {
  const { state } = step;
  const { promised, following } = reply.standing;
  noteGrant(state, role, from, reply);
  // Nobody can have completed a phase 1 above this ballot while a quorum's promises are still to it.
  // (A round that is yet to come was counted by this node's process before a restart.)
  if (sameBallot(promised, role.ballot) && reply.round <= state.round)
    role.confirmed.set(from, Math.max(role.confirmed.get(from) ?? 0, reply.round));
  writeOver(step, role, reply.standing);
  const progress = role.progress.get(from);
  if (progress === undefined) return;
  const follows = following !== null && sameBallot(following, role.ballot);
  const at = slotOf(Math.max(follows ? reply.matchedUpTo : 0, role.start - 1));
  const isStuck = progress.reported === at && progress.counted === progress.matched;
  progress.reported = at;
  progress.counted = progress.matched;
  if (at >= role.next) return;
  // It holds more than it was sent: a snapshot brought it on.
  if (at > progress.sent) progress.sent = at;
  // What was sent did not arrive; or all of it did, and the answer was lost: then its last slot is enough to have it again.
  else if (isStuck && at < progress.sent) progress.sent = at;
  else if (isStuck && progress.matched < progress.sent && progress.sent >= role.start) progress.sent = slotOf(at - 1);
  sendOn(step, role, from);
}

/**
 * A member whose log reaches beyond all that this leader has proposed holds leftovers there of terms that are over, or has lost something and
 * does not know what: up to a whole batch of slots, where a card lost the last one with its identifier. None of it was chosen, or phase 1 would
 * have found it; but until something else stands in those slots that member has no answer for them, and whoever would lead next with its help
 * waits, for days in a quiet house. So no-ops are put there.
 */
function writeOver(step: Step, role: LeaderRole, { configId, acceptedUpTo }: Standing): void {
  const { state } = step;
  if (!role.serving || role.sealedAt !== null || configId !== state.configuration.id) return;
  const last = slotOf(role.next - 1);
  const room = Math.max(0, WINDOW_SLOTS - (last - state.chosenUpTo));
  // A window of leftovers and a batch that is lost: who says that it holds more than that is not to be believed.
  if (acceptedUpTo > last && acceptedUpTo <= last + 2 * WINDOW_SLOTS)
    append(step, role, Array(Math.min(acceptedUpTo - last, room)).fill(NOOP));
}

/** What a quorum has accepted is chosen: applies it, tells everybody. Part of every step's end. */
export function countAccepted(step: Step): void {
  const { state, effects } = step;
  const { role } = state;
  // (Mostly there is nothing under way: then there is nothing to count.)
  if (role.type !== 'leader' || role.next <= state.chosenUpTo + 1) return;
  const matched: Slot[] = canVote(state, state.self) ? [role.ownMatched] : [];
  for (const [node, progress] of role.progress) if (canVote(state, node)) matched.push(progress.matched);
  matched.sort((a, b) => b - a);
  const upTo = matched[acceptQuorumOf(state) - 1];
  if (upTo === undefined || upTo <= state.chosenUpTo) return;
  // Before the step below ends the term, where a stop-sign is among them.
  const { ballot, start } = role;
  const told = [...state.peers.keys()];
  advanceChosen(step, upTo);
  for (const to of told) {
    effects.sendNow.push({ to, message: { type: 'chosen', ballot, start, upTo: state.chosenUpTo } });
  }
  if (!role.serving && role.begin !== null && state.chosenUpTo >= role.begin && state.role === role) {
    role.serving = true;
    effects.statusChanged = true;
  }
}

/** True where the oldest write of this node has been on its way for too long: heartbeats prove nothing about a disk. */
export const isDiskStalled = (state: PaxosState): boolean => {
  const oldest = state.outstanding[0];
  return oldest !== undefined && state.nowMs - oldest.sinceMs >= DISK_STALL_MS;
};

/** Leads no more, of its own accord: it says so at once, so that nobody waits for it. */
export function stepDown(step: Step): void {
  becomeFollower(step);
  step.state.heartbeatAtMs = step.state.nowMs;
}

/** Proposes entries in the next slots: to its own disk and to everybody else at the same time. */
function append(step: Step, role: LeaderRole, entries: readonly Entry[]): void {
  if (entries.length === 0) return;
  const first = role.next;
  role.next = slotOf(first + entries.length);
  assert(compareBallots(step.state.promised, role.ballot) <= 0, 'a leader has promised nobody else');
  accept(step, role.ballot, first, entries);
  for (const peer of role.progress.keys()) sendOn(step, role, peer);
}

/** Sends a member what it was not sent yet, as far as the window goes. */
function sendOn({ state, effects }: Step, role: LeaderRole, to: NodeId): void {
  const progress = role.progress.get(to);
  assert(progress !== undefined, 'progress is kept for every other member');
  if (progress.sent < state.log.base) return;
  const end = Math.min(role.next - 1, Math.max(progress.matched, role.start - 1) + 2 * WINDOW_SLOTS);
  while (progress.sent < end) {
    const from = slotOf(progress.sent + 1);
    const entries: Entry[] = [];
    let bytes = 0;
    for (
      let slot = from;
      slot <= end && entries.length < PART_ENTRIES_MAX && bytes < PART_BYTES_MAX;
      slot = slotOf(slot + 1)
    ) {
      const cell = cellAt(state.log, slot);
      assert(cell?.kind === 'accepted', 'a leader holds what it proposed');
      entries.push(cell.entry);
      bytes += entryBytes(cell.entry);
    }
    progress.sent = slotOf(from + entries.length - 1);
    const { ballot, start } = role;
    effects.sendNow.push({
      to,
      message: { type: 'accept', ballot, start, from, entries, chosenUpTo: state.chosenUpTo },
    });
  }
}

/** Proposals as entries: every stamp is above all that are below it in the log, whatever the clock says. */
function stamped(state: PaxosState, role: LeaderRole, proposals: readonly Proposal[]): CommandEntry[] {
  let last = state.lastStampNs;
  for (let slot = role.next - 1; slot > state.chosenUpTo; slot--) {
    const cell = cellAt(state.log, slotOf(slot));
    const stampNs = cell?.kind === 'accepted' ? stampOf(cell.entry) : 0n;
    if (stampNs === 0n) continue;
    last = stampNs;
    break;
  }
  return proposals.map(({ session, stampNs, leadNs, payload }) => {
    last = stampNs > last ? stampNs : last + 1n;
    return { type: 'command', session, stampNs: last, leadNs, payload };
  });
}
