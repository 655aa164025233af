/**
 * One step: takes an event, changes the state, and gives the effects. The only way in.
 *
 * Handlers only note what they were told; what follows from it (a campaign is won, slots are chosen, reads are confirmed) is worked out
 * once, at the end, from the state as a whole. So it does not matter in which order the pieces came.
 */
import { assert } from '../core/assert.js';
import type { NodeId } from '../core/ids.js';
import { onAccept, onPrepare } from './acceptor.js';
import { sameBallot } from './ballot.js';
import { campaign, concludeCampaign, onPromise, onRefusal } from './campaign.js';
import { isMember, isVoter } from './configuration.js';
import { isCredible } from './credible.js';
import type { Effects, PaxosEvent, PaxosStatus, Token } from './effects.js';
import { hearsQuorum, onHeartbeat, onHeartbeatReply, onLink, onTick } from './elector.js';
import { countAccepted, onAccepted, onBegin, onGap, onPropose, onReconfigure, stepDown } from './leader.js';
import { advanceChosen, noteChosen, onBehind, onCompacted, onInstalled, onLearn, onLearned } from './learner.js';
import type { Message } from './message.js';
import { answerReads, onRead, onReadReply } from './reads.js';
import { firstUnknown, lastSlot } from './slot-log.js';
import { noEffects, type PaxosState, type Step, votes } from './state.js';

/**
 * Takes one event. The effects must be carried out as effects.ts says. `nowMs` is local monotonic time in milliseconds, a float; it never goes
 * back within one process.
 */
export function step(state: PaxosState, event: PaxosEvent, nowMs: number): Effects {
  assert(nowMs >= state.nowMs, 'local time does not run backwards');
  state.nowMs = nowMs;
  const effects = noEffects();
  const under: Step = { state, effects };
  if (state.chosenUpTo < state.recoveredUpTo) advanceChosen(under, state.recoveredUpTo);
  handle(under, event);
  concludeCampaign(under);
  countAccepted(under);
  answerReads(under);
  // The one who led goes on at once, when the configuration has just changed.
  if (state.leadsOn && state.role.type === 'follower') campaign(under);
  return effects;
}

function handle(under: Step, event: PaxosEvent): void {
  const { state } = under;
  switch (event.type) {
    case 'tick':
      onTick(under);
      break;
    case 'message':
      onMessage(under, event.from, event.message);
      break;
    case 'propose':
      onPropose(under, event.proposals);
      break;
    case 'begin':
      onBegin(under, event.ballot, event.proposal);
      break;
    case 'reconfigure':
      onReconfigure(under, event.session, event.members);
      break;
    case 'persisted':
      onPersisted(under, event.token);
      break;
    case 'read':
      onRead(under, event.id, null);
      break;
    case 'link':
      onLink(under, event.peer, event.up);
      break;
    case 'compacted':
      onCompacted(under, event.base, event.lastStampNs);
      break;
    case 'installed':
      onInstalled(under, event.base, event.configuration, event.lastStampNs);
      break;
    case 'trust':
      if (event.trusted) state.distrusted.delete(event.node);
      else state.distrusted.add(event.node);
      if (state.role.type !== 'follower' && !votes(state)) stepDown(under);
      under.effects.statusChanged = true;
      return;
  }
}

/**
 * A message. Strangers are not listened to, but for what anybody may ask: what is chosen, so that one who was removed, or has not heard
 * that it was let in, finds out.
 */
function onMessage(under: Step, from: NodeId, message: Message): void {
  const { state } = under;
  if (from === state.self) return;
  if (!isMember(state.configuration, from) && !FROM_ANYBODY.has(message.type)) return;
  if (!isCredible(state, message)) return;
  switch (message.type) {
    case 'heartbeat':
      onHeartbeat(under, from, message);
      break;
    case 'heartbeat-reply':
      onHeartbeatReply(under, from, message);
      break;
    case 'prepare':
      onPrepare(under, from, message);
      break;
    case 'promise':
      onPromise(under, from, message);
      break;
    case 'refusal':
      onRefusal(under, from, message);
      break;
    case 'accept':
      onAccept(under, from, message);
      break;
    case 'accepted':
      onAccepted(under, from, message);
      break;
    case 'gap':
      onGap(under, from, message);
      break;
    case 'chosen':
      noteChosen(under, message);
      break;
    case 'learn':
      onLearn(under, from, message);
      break;
    case 'learned':
      onLearned(under, from, message);
      break;
    case 'behind':
      onBehind(under, from, message);
      break;
    case 'read':
      onRead(under, message.id, from);
      break;
    case 'read-reply':
      onReadReply(under, message);
      break;
  }
}

const FROM_ANYBODY: ReadonlySet<Message['type']> = new Set([
  'learn',
  'learned',
  'behind',
  'chosen',
  'refusal',
  'prepare',
  'heartbeat',
]);

/** A write is durable. They come in the order in which they were asked for; one of an older ballot completes nothing of this one. */
function onPersisted({ state }: Step, token: Token): void {
  const done = state.outstanding.shift();
  assert(done !== undefined && done.token.number === token.number, 'writes complete in their order');
  const { role } = state;
  if (role.type === 'follower' || !sameBallot(role.ballot, token.ballot)) return;
  if (role.type === 'candidate') role.own ||= done.campaign;
  else if (done.matched !== null && done.matched > role.ownMatched) role.ownMatched = done.matched;
}

/** What people are shown, as of `nowMs`. */
export function statusOf(state: PaxosState): PaxosStatus {
  const { role, configuration, self, following } = state;
  const leads = role.type === 'leader';
  return {
    role: leads
      ? 'leader'
      : !isMember(configuration, self)
        ? 'removed'
        : role.type === 'candidate'
          ? 'candidate'
          : isVoter(configuration, self)
            ? 'follower'
            : 'learner',
    leader: leads ? role.ballot : state.leaderHappy ? following : null,
    serving: leads && role.serving,
    quorum: leads ? role.serving && hearsQuorum(state) : state.happy,
    configuration,
    chosenUpTo: state.chosenUpTo,
    acceptedUpTo: lastSlot(state.log),
    damaged: firstUnknown(state.log, state.chosenUpTo),
    sealedAt: leads ? role.sealedAt : null,
  };
}

export { holdsLease, leaseUntilMs } from './lease.js';
export { createPaxos } from './state.js';
