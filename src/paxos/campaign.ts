/**
 * Campaign: phase 1, from the first prepare to the first proposal.
 *
 * A candidate takes a ballot above all that it has heard of, makes its *own* promise durable before it asks anybody (or it could ask
 * for the same ballot again after a crash, and propose something else under it), and collects what the others have accepted. Promises
 * come in parts where there is much. Some of the log may be known elsewhere to be chosen: that is learned, not merged, so a slot that
 * somebody has compacted away is never mistaken for an empty one. All that is above is merged slot by slot (merge.ts); a slot of
 * which too little is known holds everything up until more voters answer. Only then does the term begin (leader.ts).
 */
import { type NodeId, type Slot, slot as slotOf } from '../core/ids.js';
import { type Ballot, ROUND_MAX, sameBallot } from './ballot.js';
import { type Entry, NOOP } from './entry.js';
import { beginTerm } from './leader.js';
import { requestLearn } from './learner.js';
import { decideSlot, type SlotAnswer } from './merge.js';
import type { PromiseMessage, Refusal } from './message.js';
import { type Cell, cellAt, isOfOlder, lastSlot } from './slot-log.js';
import {
  becomeFollower,
  canVote,
  draw,
  type PaxosState,
  persist,
  prepareQuorumOf,
  type Step,
  stampOf,
} from './state.js';

/**
 * Asks for the lead, with a ballot above every one that this node has heard of. Also a leader may, to reach one that promised more. Where no
 * ballot is left, nothing happens until another configuration begins.
 */
export function campaign(step: Step): void {
  const { state, effects } = step;
  state.leadsOn = false;
  state.campaignAtMs = null;
  const ballot = nextBallot(state);
  if (ballot === null) return;
  becomeFollower(step);
  state.promised = ballot;
  state.following = null;
  state.followingStart = null;
  state.role = { type: 'candidate', ballot, sinceMs: state.nowMs, own: false, promises: new Map() };
  effects.statusChanged = true;
  const token = persist(step, { promised: ballot }, { campaign: true });
  const from = slotOf(state.chosenUpTo + 1);
  for (const to of state.voters) {
    if (to !== state.self) effects.sendAfter.push({ to, token, message: { type: 'prepare', ballot, from } });
  }
}

/** Null where a node that does not work as it should has used the rounds up. */
function nextBallot(state: PaxosState): Ballot | null {
  const { id } = state.configuration;
  let round = state.promised.configId === id ? state.promised.round : 0;
  for (const { standing } of state.peers.values()) {
    if (standing?.promised.configId === id) round = Math.max(round, standing.promised.round);
  }
  return round < ROUND_MAX ? { configId: id, round: round + 1, node: state.self } : null;
}

/** A promise, or a part of one. Counts once for each voter, and only for the ballot that is asked for. */
export function onPromise(step: Step, from: NodeId, message: PromiseMessage): void {
  const { state, effects } = step;
  const { role } = state;
  if (role.type !== 'candidate' || !sameBallot(role.ballot, message.ballot) || !canVote(state, from)) return;
  const parts = role.promises.get(from) ?? {
    answers: new Map<Slot, SlotAnswer>(),
    chosenUpTo: slotOf(0),
    timeNs: null,
    next: message.from,
  };
  // Only the part that was asked for last: another one comes late, or twice.
  if (parts.next !== message.from) return;
  role.promises.set(from, parts);
  for (const { slot, ballot, entry } of message.accepted) parts.answers.set(slot, { kind: 'accepted', ballot, entry });
  for (const { slot, ballot } of message.unknown) parts.answers.set(slot, { kind: 'unknown', ballot });
  parts.chosenUpTo = slotOf(Math.max(parts.chosenUpTo, message.chosenUpTo));
  parts.timeNs = message.timeNs;
  parts.next = message.more ? message.next : null;
  if (message.more) {
    const prepare = { type: 'prepare', ballot: role.ballot, from: message.next } as const;
    effects.sendAfter.push({ to: from, token: 0, message: prepare });
  }
}

/** Asks those again who have not answered in full: a prepare may be lost, or have come while a lease forbade to answer. */
export function askAgain({ state, effects }: Step): void {
  const { role } = state;
  if (role.type !== 'candidate' || !role.own) return;
  const first = slotOf(state.chosenUpTo + 1);
  for (const to of state.voters) {
    if (to === state.self) continue;
    const parts = role.promises.get(to);
    if (parts?.next === null) continue;
    const from = parts?.next ?? first;
    effects.sendAfter.push({ to, token: 0, message: { type: 'prepare', ballot: role.ballot, from } });
  }
}

/** Somebody has promised more than this node asked for: it will ask for more still, later. */
export function onRefusal(step: Step, from: NodeId, { ballot, promised }: Refusal): void {
  const { state } = step;
  const { role, configuration } = state;
  if (promised.configId > configuration.id) {
    // No reason to give up: if the entry that began its configuration is damaged there, nobody can show it, and only the voters of
    // this one can bring it back, by another phase 1 without that node.
    requestLearn(step, from);
    return;
  }
  if (role.type !== 'candidate' || !sameBallot(role.ballot, ballot)) return;
  const standing = state.peers.get(from)?.standing;
  const peer = state.peers.get(from);
  if (peer !== undefined && standing !== null && standing !== undefined) peer.standing = { ...standing, promised };
  giveUp(step);
}

/** Ends a campaign that came to nothing, and rests for a random while, so that two that were after it at once do not meet again. */
export function giveUp(step: Step): void {
  const { state } = step;
  becomeFollower(step);
  state.restUntilMs = state.nowMs + draw(state) * state.configuration.timing.electionMs;
}

/** Begins the term if enough is known. Part of every step's end. */
export function concludeCampaign(step: Step): void {
  const { state } = step;
  const { role } = state;
  if (role.type !== 'candidate' || !role.own) return;
  const complete = [...role.promises].filter(([node, { next }]) => next === null && canVote(state, node));
  const quorum = prepareQuorumOf(state);
  if (complete.length + 1 < quorum) return;
  for (const [node, { chosenUpTo }] of complete) {
    if (chosenUpTo <= state.chosenUpTo) continue;
    requestLearn(step, node);
    return;
  }
  const entries = mergeAll(
    state,
    complete.map(([, { answers }]) => answers),
    quorum,
  );
  if (entries === null) return;
  let timeNs: bigint | null = null;
  for (const [, promise] of complete) {
    if (promise.timeNs !== null && (timeNs === null || promise.timeNs > timeNs)) timeNs = promise.timeNs;
  }
  beginTerm(step, role.ballot, entries, timeNs);
}

/**
 * What must be proposed again, from the first slot that is not known to be chosen to the highest that anybody speaks of, or to the first
 * stop-sign: what is above one was never chosen. Null where some slot is not decided.
 */
function mergeAll(
  state: PaxosState,
  answers: readonly ReadonlyMap<Slot, SlotAnswer>[],
  quorum: number,
): readonly Entry[] | null {
  let highest = lastSlot(state.log);
  for (const slots of answers) for (const slot of slots.keys()) if (slot > highest) highest = slot;
  const entries: Entry[] = [];
  let lastStampNs = state.lastStampNs;
  for (let slot = slotOf(state.chosenUpTo + 1); slot <= highest; slot = slotOf(slot + 1)) {
    const own = answerOf(cellAt(state.log, slot), state.configuration.id);
    const decision = decideSlot([own, ...answers.map((slots) => slots.get(slot) ?? EMPTY)], quorum);
    if (decision.kind === 'wait') return null;
    let entry = decision.kind === 'entry' ? decision.entry : NOOP;
    const stampNs = stampOf(entry);
    // Left over from a leader that knew less. Had it been chosen, so would be all that its leader had put below it, of which this one's
    // stamp is above every one: see acceptor.ts on accepting without a gap. So nothing is lost, and stamps go on rising.
    if (stampNs !== 0n && stampNs <= lastStampNs) entry = NOOP;
    else if (stampNs !== 0n) lastStampNs = stampNs;
    entries.push(entry);
    if (entry.type === 'stop-sign') break;
  }
  return entries;
}

const EMPTY: SlotAnswer = { kind: 'empty' };

/** What an acceptor says of its own slot. What it accepted in an older configuration is below this one's slots, or was never chosen. */
function answerOf(cell: Cell | undefined, configId: number): SlotAnswer {
  return cell === undefined || isOfOlder(cell, configId) ? EMPTY : cell;
}
