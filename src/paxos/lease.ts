/**
 * The lease: who may be *shown* as leader, by a lamp or a page. Nothing that is agreed rests on it.
 *
 * A follower that answers a leader's heartbeat promises nobody else for `leaseMs` from the moment it received it. The leader counts from
 * the moment at which that heartbeat *left*, which is earlier, whatever the network did; and both allow for clocks whose rates differ by
 * {@link CLOCK_RATE_TOLERANCE}. Counting from when the answer came back would be wrong: the answer may have been on its way for
 * longer than the lease, and its sender free to promise somebody else. Two holders would need two majorities, and so one node in
 * both, which grants to one at a time.
 *
 * Whether the lease holds is worked out from the clock whenever somebody asks. A process that was stopped in between (SIGSTOP) finds it
 * expired when it asks again; what it lit before it was stopped, it cannot put out.
 *
 * Further reading: C. Gray and D. Cheriton, "Leases: An Efficient Fault-Tolerant Mechanism for Distributed File Cache Consistency",
 * SOSP 1989.
 */
import type { NodeId } from '../core/ids.js';
import { type Ballot, compareBallots, sameBallot } from './ballot.js';
import { CLOCK_RATE_TOLERANCE } from './limits.js';
import type { HeartbeatReply } from './message.js';
import { acceptQuorumOf, canVote, type LeaderRole, type PaxosState, votes } from './state.js';

/** True while this node leads, and nobody else can. `nowMs`: local time at this very moment. */
export const holdsLease = (state: PaxosState, nowMs: number): boolean => leaseUntilMs(state, nowMs) !== null;

/** Until when this node leads and nobody else can, local time, if nobody grants again; null where that is not so now. */
export function leaseUntilMs(state: PaxosState, nowMs: number): number | null {
  const { role } = state;
  // One that came back does not know yet whether its configuration is still the last one: that it serves says so.
  if (role.type !== 'leader' || !role.serving || !votes(state)) return null;
  const endMs = leaseEndMs(state, role, nowMs);
  return nowMs < endMs ? endMs : null;
}

/** When the lease runs out if nobody grants again: a quorum's grants, the leader's own always fresh. */
function leaseEndMs(state: PaxosState, role: LeaderRole, nowMs: number): number {
  const { leaseMs } = state.configuration.timing;
  const sent = [...role.grants].filter(([node]) => canVote(state, node)).map(([, sentAtMs]) => sentAtMs);
  sent.push(nowMs);
  sent.sort((a, b) => b - a);
  const oldest = sent[acceptQuorumOf(state) - 1];
  return oldest === undefined ? Number.NEGATIVE_INFINITY : oldest + leaseMs * (1 - CLOCK_RATE_TOLERANCE);
}

/**
 * Grants the lease to the leader of `ballot`, where this node may, and gives the ballot that it granted to. `leaseMs` is what the
 * leader's heartbeat says.
 */
export function grantLease(state: PaxosState, ballot: Ballot, leaseMs: number): Ballot | null {
  if (!votes(state) || compareBallots(ballot, state.promised) < 0) return null;
  // Before the restart it may have granted a lease to somebody else that still runs.
  if (state.nowMs < state.quietUntilMs) return null;
  const { grant } = state;
  const isOthers = grant !== null && state.nowMs < grant.untilMs && grant.ballot.node !== ballot.node;
  if (isOthers) return null;
  const untilMs = state.nowMs + leaseMs * (1 + CLOCK_RATE_TOLERANCE);
  state.grant = { ballot, untilMs: Math.max(untilMs, grant?.untilMs ?? 0) };
  return ballot;
}

/** Counts a grant. It holds for the ballot that it names, and from when the heartbeat left that it answers. */
export function noteGrant(state: PaxosState, role: LeaderRole, from: NodeId, reply: HeartbeatReply): void {
  if (reply.granted === null || !sameBallot(reply.granted, role.ballot)) return;
  role.grants.set(
    from,
    Math.max(role.grants.get(from) ?? Number.NEGATIVE_INFINITY, Math.min(reply.sentAtMs, state.nowMs)),
  );
}
