/**
 * Acceptor: promises, and accepts.
 *
 * One promise covers all slots: to a prepare of ballot b an acceptor answers that it will accept nothing below b, in any slot, and says
 * what it has accepted. (A promise per slot would let an old leader go on in the slots that the new one did not ask about.) It answers
 * with everything accepted, chosen or not: an entry that it alone remembers may be chosen, because the others of its quorum are away.
 *
 * Under one ballot an acceptor accepts slots without a gap, from the first slot of the leader's term on. So "accepted up to s" says it
 * all in one number, and whatever is chosen under a ballot has everything below it chosen too: a stop-sign cannot be overtaken by an
 * entry above it that is chosen under the same ballot.
 *
 * Further reading: L. Lamport, "Paxos Made Simple", 2001, section 2.2 (P2c); H. Ng et al., "Omni-Paxos", 2023 (Sequence Paxos).
 */
import { assert } from '../core/assert.js';
import { type NodeId, type Slot, slot as slotOf } from '../core/ids.js';
import { type Ballot, compareBallots, higherBallot, sameBallot } from './ballot.js';
import { reachOf } from './credible.js';
import { type AcceptedEntry, type Entry, entryBytes, sameEntry, type UnknownSlot } from './entry.js';
import { noteChosen, requestLearn } from './learner.js';
import { holdsLease } from './lease.js';
import { PART_BYTES_MAX, PART_ENTRIES_MAX } from './limits.js';
import type { Accept, Prepare } from './message.js';
import { cellAt, isOfOlder, lastSlot, setCell } from './slot-log.js';
import { becomeFollower, canVote, hasEntered, type PaxosState, persist, type Step, votes } from './state.js';

/** Answers a prepare, or keeps silent where a lease, a restart or its own standing forbids to answer. */
export function onPrepare(step: Step, from: NodeId, { ballot, from: first }: Prepare): void {
  const { state, effects } = step;
  if (ballot.node !== from || !isCurrent(step, from, ballot)) return;
  if (!votes(state) || !canVote(state, from)) return;
  // Who does not hold everything of the old configuration cannot say what was accepted in the new one's first slots.
  if (!hasEntered(state)) return;
  const order = compareBallots(ballot, state.promised);
  if (order < 0) {
    effects.sendNow.push({ to: from, message: { type: 'refusal', ballot, promised: state.promised } });
    return;
  }
  if (order > 0) {
    if (mayNotPromise(state, ballot)) return;
    becomeFollower(step);
    state.promised = ballot;
    state.following = null;
    state.followingStart = null;
    // A grant to this very ballot stays: its heartbeat may have come before its prepare, and the lease runs.
    if (state.grant !== null && compareBallots(state.grant.ballot, ballot) < 0) state.grant = null;
    // The other one gets the time of an election before this node tries for itself.
    state.restUntilMs = state.nowMs + state.configuration.timing.electionMs;
    state.campaignAtMs = null;
    effects.statusChanged = true;
    persist(step, { promised: ballot });
  }
  // The promise must not travel before all that it says is on the disk: so it waits for the last write that was asked for.
  effects.sendAfter.push({ to: from, token: state.lastToken, message: promisePart(state, ballot, first) });
}

/**
 * A promise breaks the lease of whoever leads: not while one runs that this node granted, nor while it may have granted one before its
 * restart, nor while it leads by one itself. The holder of the lease may raise its own ballot.
 */
function mayNotPromise(state: PaxosState, ballot: Ballot): boolean {
  if (state.nowMs < state.quietUntilMs || holdsLease(state, state.nowMs)) return true;
  const { grant } = state;
  return grant !== null && state.nowMs < grant.untilMs && grant.ballot.node !== ballot.node;
}

/** Accepts entries under a leader's ballot, in order, each once. */
export function onAccept(step: Step, from: NodeId, message: Accept): void {
  const { state, effects } = step;
  const { ballot, start, entries } = message;
  if (ballot.node !== from || !isCurrent(step, from, ballot)) return;
  // The first slots of the term would be a gap that has to be held: what is chosen below is learned first.
  if (!hasEntered(state) || start > reachOf(state)) {
    requestLearn(step, from);
    return;
  }
  if (compareBallots(ballot, state.promised) < 0) {
    effects.sendNow.push({ to: from, message: { type: 'refusal', ballot, promised: state.promised } });
    return;
  }
  // What a leader that is over sent long ago: nothing forbids to accept it, but it would turn this node away from the one that leads.
  if (state.following !== null && compareBallots(ballot, state.following) < 0) return;
  follow(step, ballot, start);
  if (message.from > state.matchedUpTo + 1) {
    const upTo = state.matchedUpTo;
    if (state.gapToldAt !== upTo) effects.sendNow.push({ to: from, message: { type: 'gap', ballot, upTo } });
    state.gapToldAt = upTo;
  } else if (entries.length > 0) {
    const token = accept(step, ballot, message.from, entries);
    effects.sendAfter.push({
      to: from,
      token: token ?? state.lastToken,
      message: { type: 'accepted', ballot, upTo: state.matchedUpTo, batch: 0 },
    });
  }
  noteChosen(step, { ballot, start, upTo: message.chosenUpTo });
}

/** From here on the leader of `ballot` is this node's, if it was not: its term begins at slot `start`. `ballot` is not below the promise. */
export function follow(step: Step, ballot: Ballot, start: Slot | null): void {
  const { state, effects } = step;
  const { role } = state;
  if (role.type !== 'follower' && !sameBallot(role.ballot, ballot)) becomeFollower(step);
  if (state.following === null || !sameBallot(state.following, ballot)) {
    state.following = ballot;
    state.followingStart = null;
    state.gapToldAt = null;
    // What is chosen here needs no second acceptance: no other value can come. (Where this is not told, a leader that has its log from
    // the start of the term in a snapshot would have nothing to send.)
    state.matchedUpTo = state.chosenUpTo;
    state.leaderHeardAtMs = state.nowMs;
    state.leaderHappy = true;
    effects.statusChanged = true;
  }
  if (start === null || state.followingStart !== null) return;
  state.followingStart = start;
  state.matchedUpTo = slotOf(Math.max(start - 1, state.chosenUpTo));
}

/**
 * Puts entries for the slots from `first` on into the log, and asks for the write. Gives its token, or null where all of it was there.
 * `matched` is set for a leader, whose own acceptance it is.
 */
export function accept(step: Step, ballot: Ballot, first: Slot, entries: readonly Entry[]): number | null {
  const { state } = step;
  const records: (AcceptedEntry & { chosen: boolean })[] = [];
  let slot = first;
  for (const entry of entries) {
    const cell = slot > state.log.base ? cellAt(state.log, slot) : undefined;
    if (cell?.kind === 'accepted' && (slot <= state.chosenUpTo || sameBallot(cell.ballot, ballot))) {
      // Two values under one ballot, or against what is chosen: agreement is broken, and going on would hide it.
      assert(sameEntry(cell.entry, entry), `slot ${slot} cannot hold two values`);
    } else if (slot > state.log.base && slot > state.chosenUpTo) {
      setCell(state.log, slot, { kind: 'accepted', ballot, entry });
      records.push({ slot, ballot, entry, chosen: false });
    }
    slot = slotOf(slot + 1);
  }
  const last = slotOf(slot - 1);
  if (last > state.matchedUpTo) state.matchedUpTo = last;
  // Nothing new in it: all of it is chosen, or was accepted under this ballot. That promises nothing, for it puts nothing on the disk. (A
  // promise that was raised in memory alone here would be taken for a durable one by the prepare of this ballot, if that comes late.)
  if (records.length === 0) return null;
  // To accept is to promise. The records say so too; but they are the last batch, and one that is destroyed with its identifier would take
  // the promise along: a late accept of an older leader could then fill the slot, and stand for a definite answer.
  const isNew = compareBallots(ballot, state.promised) > 0;
  state.promised = higherBallot(state.promised, ballot);
  const isLeader = state.role.type === 'leader';
  return persist(step, isNew ? { records, promised: ballot } : { records }, isLeader ? { matched: last } : {});
}

/** True where a ballot is of this node's configuration. Of an older one: the sender is told. Of a newer one: this node has to learn. */
function isCurrent(step: Step, from: NodeId, ballot: Ballot): boolean {
  const { state, effects } = step;
  const { id } = state.configuration;
  if (ballot.configId > id) requestLearn(step, from);
  if (ballot.configId < id) {
    const promised = higherBallot(state.promised, { configId: id, round: 0, node: state.self });
    effects.sendNow.push({ to: from, message: { type: 'refusal', ballot, promised } });
  }
  return ballot.configId === id;
}

/** What was accepted from slot `first` on, above what is known to be chosen, as much as one message takes. */
function promisePart(state: PaxosState, ballot: Ballot, first: Slot) {
  const { log, chosenUpTo, configuration } = state;
  const accepted: AcceptedEntry[] = [];
  const unknown: UnknownSlot[] = [];
  const end = lastSlot(log);
  let bytes = 0;
  let slot = slotOf(Math.max(first, chosenUpTo + 1));
  for (; slot <= end; slot = slotOf(slot + 1)) {
    const cell = cellAt(log, slot);
    // What is left of an older configuration was never chosen in these slots, whole or damaged.
    if (cell === undefined || isOfOlder(cell, configuration.id)) continue;
    if (bytes >= PART_BYTES_MAX || accepted.length + unknown.length >= PART_ENTRIES_MAX) break;
    bytes += 32;
    if (cell.kind === 'unknown') {
      unknown.push({ slot, ballot: cell.ballot });
    } else {
      accepted.push({ slot, ballot: cell.ballot, entry: cell.entry });
      bytes += entryBytes(cell.entry);
    }
  }
  return {
    type: 'promise',
    ballot,
    from: first,
    accepted,
    unknown,
    chosenUpTo,
    more: slot <= end,
    next: slot,
    timeNs: null,
  } as const;
}
