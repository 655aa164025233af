/**
 * Elector: when to ask for the lead, and when to give it up.
 *
 * The usual rule, "campaign when the leader was not heard for a while", fails where the network is cut in part: a node that hears a
 * quorum but not the leader keeps deposing one that works, or the only node that hears a quorum never gets to lead. Here every voter
 * exchanges heartbeats with every other and says whether it is *happy*: a leader while it hears a quorum, anybody else while it hears
 * its leader and that one is happy. A node asks for the lead only when it hears a quorum (answers to its own heartbeats, so both ways),
 * it is unhappy, and so is everybody whom it hears. Three cuts that this heals, five nodes, L leading:
 *
 * - quorum loss: L hears only B; B hears all. L and so all are unhappy; B hears a quorum and takes over.
 * - constrained: L is cut off whole, and only B still hears a quorum; the others, who hear only B, do not try and B does, though its
 *   log may be behind: a candidate learns what it lacks.
 * - chain, A - B - C: A leads, C hears only B. B is happy, so C waits: it loses nothing by that but A's direct word.
 *
 * A leader that works is never deposed: those who hear it are happy, and their lease grant keeps them from promising anybody else. So a
 * node that comes back with a round far ahead waits; the leader sees its promise in the heartbeats, and raises its own ballot above it.
 *
 * Who goes first is settled by rank, so that a failed leader costs one election and not a duel: those who hold most go first, then by
 * id; chance only separates those who do not see one another.
 *
 * Further reading: H. Ng et al., "Omni-Paxos", EuroSys 2023, section 5 (Ballot Leader Election).
 */
import type { NodeId } from '../core/ids.js';
import { follow } from './acceptor.js';
import { type Ballot, compareBallots, sameBallot } from './ballot.js';
import { askAgain, campaign, giveUp } from './campaign.js';
import { sendHeartbeat, standingOf } from './heartbeat.js';
import { isDiskStalled, onLeaderReply, stepDown } from './leader.js';
import { noteChosen, requestLearn } from './learner.js';
import { grantLease } from './lease.js';
import type { Heartbeat, HeartbeatReply, Standing } from './message.js';
import { lastSlot } from './slot-log.js';
import { acceptQuorumOf, canVote, draw, hasEntered, type PaxosState, type Step, votes } from './state.js';

/** A peer's heartbeat: answered at once, and believed if it is the leader's. */
export function onHeartbeat(step: Step, from: NodeId, message: Heartbeat): void {
  const { state, effects } = step;
  const { standing } = message;
  hear(step, from, standing);
  const leaders = leaderOf(from, standing);
  let granted: Ballot | null = null;
  if (leaders !== null && mayFollow(state, leaders)) {
    follow(step, leaders, null);
    state.leaderHeardAtMs = state.nowMs;
    state.leaderHappy = standing.happy;
    granted = grantLease(state, leaders, message.leaseMs);
    if (state.followingStart !== null) {
      noteChosen(step, { ballot: leaders, start: state.followingStart, upTo: standing.chosenUpTo });
    }
    catchUp(step, from, standing);
  }
  effects.sendNow.push({
    to: from,
    message: {
      type: 'heartbeat-reply',
      standing: standingOf(state),
      round: message.round,
      sentAtMs: message.sentAtMs,
      granted,
      matchedUpTo: state.matchedUpTo,
      clock: null,
    },
  });
}

/** A voter's ballot of this configuration, not below what was promised, nor below the one that is followed: that would be an old heartbeat. */
const mayFollow = (state: PaxosState, ballot: Ballot): boolean =>
  ballot.configId === state.configuration.id &&
  canVote(state, ballot.node) &&
  compareBallots(ballot, state.promised) >= 0 &&
  (state.following === null || compareBallots(ballot, state.following) >= 0);

/** The ballot under which `from` leads, as it says; null where it does not, or claims another's. */
const leaderOf = (from: NodeId, { leading, following }: Standing): Ballot | null =>
  leading && following !== null && following.node === from ? following : null;

/** A follower that two heartbeats running find behind, and at the same slot, asks for what it lacks: nobody else will send it. */
function catchUp(step: Step, leader: NodeId, { chosenUpTo }: Standing): void {
  const { state } = step;
  const isStuck = state.behindAt === state.chosenUpTo;
  state.behindAt = chosenUpTo > state.chosenUpTo ? state.chosenUpTo : null;
  if (isStuck && state.behindAt !== null) requestLearn(step, leader);
}

/** The answer to a heartbeat of this node: the sender hears it, and how it stands. */
export function onHeartbeatReply(step: Step, from: NodeId, message: HeartbeatReply): void {
  const { state } = step;
  hear(step, from, message.standing);
  const peer = state.peers.get(from);
  if (peer === undefined) return;
  const { role } = state;
  peer.ackedAtMs = Math.max(peer.ackedAtMs ?? Number.NEGATIVE_INFINITY, Math.min(message.sentAtMs, state.nowMs));
  if (role.type === 'leader') onLeaderReply(step, role, from, message);
}

function hear(step: Step, from: NodeId, standing: Standing): void {
  const { state } = step;
  // Of a later configuration, or of what is chosen, only who knows more can tell. Who has no leader, because it cannot hear it, or is to
  // become one, asks whoever it is.
  const knowsMore = standing.chosenUpTo > state.chosenUpTo;
  if (knowsMore && (standing.configId > state.configuration.id || !state.happy)) requestLearn(step, from);
  const peer = state.peers.get(from);
  if (peer === undefined) return;
  peer.heardAtMs = state.nowMs;
  peer.standing = standing;
}

/** Time has passed: heartbeats, and whatever follows from silence. */
export function onTick(step: Step): void {
  const { state } = step;
  const { timing } = state.configuration;
  const lateMs = state.nowMs - state.lastTickMs;
  const isLate = lateMs > timing.electionMs / 2;
  state.lastTickMs = state.nowMs;
  if (isLate) excuseSilence(state, lateMs);
  watchLeader(step);
  if (state.nowMs >= state.heartbeatAtMs) {
    beat(step);
    askAgain(step);
  }
  const { role } = state;
  if (role.type === 'candidate' && state.nowMs - role.sinceMs > timing.electionMs) giveUp(step);
  if (role.type === 'leader' && outranked(state, role.ballot) && state.nowMs - role.sinceMs > timing.electionMs)
    campaign(step);
}

/**
 * This node itself stood still (a stopped process, a busy machine): that it heard nobody says nothing about anybody. Who led meanwhile, and
 * whether its own lease runs, it has to hear anew. Only the time that it stood still is forgiven: one that is late again and again, and
 * forgot each time how long the others have been silent, would never find out that they are gone.
 */
function excuseSilence(state: PaxosState, lateMs: number): void {
  const later = (atMs: number): number => Math.min(state.nowMs, atMs + lateMs);
  for (const peer of state.peers.values()) {
    if (peer.ackedAtMs !== null) peer.ackedAtMs = later(peer.ackedAtMs);
    if (peer.heardAtMs !== null) peer.heardAtMs = later(peer.heardAtMs);
  }
  state.leaderHeardAtMs = later(state.leaderHeardAtMs);
  state.campaignAtMs = null;
  state.restUntilMs = Math.max(state.restUntilMs, state.nowMs + state.configuration.timing.heartbeatMs);
  if (state.role.type === 'leader') state.role.grants.clear();
}

/**
 * A voter speaks with all voters, so that each knows whom it hears; learners hear from their leader. Anybody else who hears of no leader
 * speaks to those voters that have not shown themselves in its configuration: it may be the only one who knows of it. (A leader removes
 * itself and all others but one, which has not heard so, and ends: the rest are no voters any more, the one waits for a leader for ever.)
 */
function beat(step: Step): void {
  const { state } = step;
  const { heartbeatMs } = state.configuration.timing;
  state.heartbeatAtMs = Math.max(state.heartbeatAtMs + heartbeatMs, state.nowMs + heartbeatMs / 2);
  if (state.role.type === 'leader') sendHeartbeat(step, state.peers.keys());
  else if (state.voters.includes(state.self)) sendHeartbeat(step, state.voters);
  else if (!state.happy)
    sendHeartbeat(
      step,
      state.voters.filter((node) => !hasShownItself(state, node)),
    );
}

const hasShownItself = (state: PaxosState, node: NodeId): boolean =>
  (state.peers.get(node)?.standing?.configId ?? 0) >= state.configuration.id;

/** Works out whether this node is content, and does what follows. */
function watchLeader(step: Step): void {
  const { state, effects } = step;
  const wasHappy = state.happy;
  state.happy = isHappy(state);
  if (wasHappy !== state.happy) effects.statusChanged = true;
  if (state.role.type === 'leader') {
    if (!state.happy) stepDown(step);
    return;
  }
  // Those who would take over wait until nobody is content: they should not have to wait for the next beat to hear of it.
  if (wasHappy && !state.happy) beat(step);
  if (state.role.type === 'follower' && mayCampaign(state)) {
    state.campaignAtMs ??= state.nowMs + standBackMs(state);
    if (state.nowMs >= state.campaignAtMs) campaign(step);
  } else {
    state.campaignAtMs = null;
  }
}

function isHappy(state: PaxosState): boolean {
  if (state.role.type === 'leader') return hearsQuorum(state) && !isDiskStalled(state) && votes(state);
  const { following, leaderHappy, leaderHeardAtMs, configuration } = state;
  return following !== null && leaderHappy && state.nowMs - leaderHeardAtMs < configuration.timing.electionMs;
}

/** Voters that hear this node, and that it hears, within the time of an election. */
const heard = (state: PaxosState): NodeId[] =>
  state.voters.filter((node) => {
    const ackedAtMs = state.peers.get(node)?.ackedAtMs ?? null;
    return (
      ackedAtMs !== null && canVote(state, node) && state.nowMs - ackedAtMs < state.configuration.timing.electionMs
    );
  });

/** True where this node hears enough voters for a leader, itself included. */
export const hearsQuorum = (state: PaxosState): boolean =>
  heard(state).length + (votes(state) ? 1 : 0) >= acceptQuorumOf(state);

function mayCampaign(state: PaxosState): boolean {
  const { grant } = state;
  return (
    votes(state) &&
    hasEntered(state) &&
    !state.happy &&
    state.nowMs >= state.restUntilMs &&
    state.nowMs >= state.quietUntilMs &&
    !(grant !== null && state.nowMs < grant.untilMs && grant.ballot.node !== state.self) &&
    !isDiskStalled(state) &&
    hearsQuorum(state) &&
    heard(state).every((node) => isUnhappyPeer(state, node))
  );
}

/** A peer is content only with a leader of this configuration: one that is behind does not hold up the rest. */
function isUnhappyPeer(state: PaxosState, node: NodeId): boolean {
  const standing = state.peers.get(node)?.standing;
  return standing === null || standing === undefined || !standing.happy || standing.configId < state.configuration.id;
}

/** How long to let others go first: by rank among those who hear one another, and a little chance. */
function standBackMs(state: PaxosState): number {
  const { timing } = state.configuration;
  if (state.leadsOn || state.voters.length === 1) return 0;
  const own = lastSlot(state.log);
  const ahead = heard(state).filter((node) => {
    const held = state.peers.get(node)?.standing?.acceptedUpTo ?? 0;
    return held > own || (held === own && node < state.self);
  });
  return (ahead.length * timing.electionMs) / 10 + draw(state) * (timing.electionMs / 20);
}

/** Some voter has promised a higher ballot of this configuration than this leader's: it can follow only one above that. */
const outranked = (state: PaxosState, ballot: Ballot): boolean =>
  state.voters.some((node) => {
    const promised = state.peers.get(node)?.standing?.promised;
    return (
      promised !== undefined &&
      canVote(state, node) &&
      promised.configId === ballot.configId &&
      compareBallots(promised, ballot) > 0 &&
      !sameBallot(promised, ballot)
    );
  });

/** The connection with a peer came or went. One that went is silence from this moment on; one that came is greeted. */
export function onLink(step: Step, node: NodeId, up: boolean): void {
  const { state } = step;
  const peer = state.peers.get(node);
  if (peer === undefined) return;
  if (up) {
    sendHeartbeat(step, [node]);
  } else if (state.role.type !== 'leader') {
    // A leader waits: the connection may be back before anybody missed it, and its followers' grants still run.
    peer.ackedAtMs = null;
    if (state.following?.node === node) state.leaderHappy = false;
  }
}
