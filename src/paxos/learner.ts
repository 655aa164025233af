/**
 * Learner: finds out what is chosen, and hands it on in order.
 *
 * A leader says "chosen up to c". A follower may believe that of a slot only if it accepted the slot *under that leader's ballot*: what
 * it accepted under an older one may be another value, which was never chosen. All other slots it asks for (`learn`), from anybody
 * who knows them, for a chosen value is final. What it gets it keeps on its disk, with the mark that it is chosen.
 *
 * What is known to be chosen is always a prefix of the log: `chosenUpTo`. A slot that is missing, or damaged, holds up all that is above
 * it; "all before me is chosen" is thus never concluded from slots that happen to be known.
 */
import { assert } from '../core/assert.js';
import { type NodeId, type Slot, slot as slotOf } from '../core/ids.js';
import { type Ballot, compareBallots, sameBallot } from './ballot.js';
import type { Configuration } from './configuration.js';
import { type AcceptedEntry, type Entry, entryBytes, sameEntry } from './entry.js';
import { PART_BYTES_MAX, PART_ENTRIES_MAX } from './limits.js';
import { enterConfiguration } from './membership.js';
import type { Behind, Chosen, Learn, Learned } from './message.js';
import { cellAt, dropUpTo, emptyLog, setCell } from './slot-log.js';
import { becomeFollower, persist, type Step, stampOf, takeConfiguration } from './state.js';

/** A leader says that every slot up to `upTo` is chosen; its term began in slot `start`. Counts where this node follows that very ballot. */
export function noteChosen(step: Step, { ballot, start, upTo }: Pick<Chosen, 'ballot' | 'start' | 'upTo'>): void {
  const { state } = step;
  if (state.following === null || !sameBallot(state.following, ballot) || state.followingStart !== start) return;
  if (state.chosenUpTo >= start - 1) advanceChosen(step, slotOf(Math.min(upTo, state.matchedUpTo)));
  // Below the term's start the leader will send nothing by itself.
  if (state.chosenUpTo < Math.min(start - 1, upTo)) requestLearn(step, ballot.node);
}

/** Every slot up to `to` is chosen, with the value that this node holds: goes on as far as it holds one. */
export function advanceChosen(step: Step, to: Slot): void {
  const { state, effects } = step;
  while (state.chosenUpTo < to) {
    const slot = slotOf(state.chosenUpTo + 1);
    const cell = cellAt(state.log, slot);
    if (cell?.kind !== 'accepted') return;
    const { entry } = cell;
    const stampNs = stampOf(entry);
    assert(stampNs === 0n || stampNs > state.lastStampNs, `the stamp in slot ${slot} is above all before`);
    state.chosenUpTo = slot;
    if (stampNs > 0n) state.lastStampNs = stampNs;
    if (state.matchedUpTo < slot) state.matchedUpTo = slot;
    effects.apply.push({ slot, entry });
    // One that joined knows the configuration it joined with, and meets older stop-signs on its way there.
    if (entry.type === 'stop-sign' && entry.next.id > state.configuration.id) {
      enterConfiguration(step, slot, entry.next);
      return;
    }
  }
}

/** Asks `peer` for what is chosen above what is known here, unless the same was asked of it a moment ago. */
export function requestLearn({ state, effects }: Step, peer: NodeId): void {
  const from = slotOf(state.chosenUpTo + 1);
  // An answer that brought nothing does not end the patience: one who promised and has lost since what it knew would be asked, and answer,
  // as fast as the network goes.
  const { learning } = state;
  const patienceMs = 2 * state.configuration.timing.heartbeatMs;
  if (
    learning !== null &&
    learning.peer === peer &&
    learning.from === from &&
    state.nowMs - learning.sentAtMs < patienceMs
  )
    return;
  state.learning = { peer, from, sentAtMs: state.nowMs };
  effects.sendNow.push({ to: peer, message: { type: 'learn', from } });
}

/** Gives what is known to be chosen. What is in the snapshot only is not "nothing": the asker is told that it is behind. */
export function onLearn({ state, effects }: Step, from: NodeId, { from: first }: Learn): void {
  const { log, chosenUpTo } = state;
  if (first <= log.base) {
    effects.sendNow.push({ to: from, message: { type: 'behind', base: log.base } });
    return;
  }
  const entries: { ballot: Ballot; entry: Entry }[] = [];
  let bytes = 0;
  for (let slot = first; slot <= chosenUpTo; slot = slotOf(slot + 1)) {
    if (bytes >= PART_BYTES_MAX || entries.length >= PART_ENTRIES_MAX) break;
    const cell = cellAt(log, slot);
    assert(cell?.kind === 'accepted', 'what is known to be chosen is held');
    entries.push({ ballot: cell.ballot, entry: cell.entry });
    bytes += entryBytes(cell.entry);
  }
  effects.sendNow.push({ to: from, message: { type: 'learned', from: first, entries, chosenUpTo } });
}

/** Takes chosen entries in. */
export function onLearned(step: Step, from: NodeId, message: Learned): void {
  const { state } = step;
  const records: (AcceptedEntry & { chosen: boolean })[] = [];
  const promisedBefore = state.promised;
  let slot = message.from;
  for (const { ballot, entry } of message.entries) {
    if (slot > state.log.base && slot <= state.chosenUpTo) {
      const cell = cellAt(state.log, slot);
      assert(cell?.kind === 'accepted' && sameEntry(cell.entry, entry), `slot ${slot} was chosen once`);
    } else if (slot === state.chosenUpTo + 1) {
      const cell = cellAt(state.log, slot);
      const holds = cell?.kind === 'accepted' && compareBallots(cell.ballot, ballot) >= 0;
      if (holds) {
        // Whatever is accepted at or above the ballot under which it was chosen is the chosen value.
        assert(sameEntry(cell.entry, entry), `slot ${slot} holds what was chosen`);
      } else {
        setCell(state.log, slot, { kind: 'accepted', ballot, entry });
        records.push({ slot, ballot, entry, chosen: true });
        heed(step, ballot);
      }
      // The records go first: a configuration may begin with this slot, and its first promise must come after them on the disk.
      if (entry.type === 'stop-sign' && records.length > 0) persist(step, { records: records.splice(0) });
      advanceChosen(step, slot);
    }
    slot = slotOf(slot + 1);
  }
  const promised = sameBallot(state.promised, promisedBefore) ? null : state.promised;
  if (records.length > 0) persist(step, { records, promised });
  if (message.chosenUpTo > state.chosenUpTo && message.entries.length > 0) requestLearn(step, from);
}

/**
 * What is held under a ballot counts as accepted, and so it is promised too: a leader of a lower one, whom the others have left, may
 * still propose another value for the slot.
 */
function heed(step: Step, ballot: Ballot): void {
  const { state } = step;
  if (compareBallots(ballot, state.promised) <= 0) return;
  if (state.role.type !== 'follower') becomeFollower(step);
  if (state.following !== null && compareBallots(state.following, ballot) < 0) {
    state.following = null;
    state.followingStart = null;
  }
  state.promised = ballot;
}

/** What was asked for is in the sender's snapshot. */
export function onBehind({ state, effects }: Step, from: NodeId, { base }: Behind): void {
  if (base > state.chosenUpTo) effects.snapshotNeeded = { from, base };
}

/**
 * A snapshot on this node's disk holds everything up to `base`. It may be a peer's, in the place of one that could not be read: then
 * its highest stamp is news here, and whatever this node proposes has to be above that.
 */
export function onCompacted({ state }: Step, base: Slot, lastStampNs: bigint): void {
  assert(base <= state.chosenUpTo, 'a snapshot holds what was applied');
  if (lastStampNs > state.lastStampNs) state.lastStampNs = lastStampNs;
  dropUpTo(state.log, base);
}

/** A peer's snapshot has taken the place of everything up to `base`. */
export function onInstalled(step: Step, base: Slot, configuration: Configuration, lastStampNs: bigint): void {
  const { state, effects } = step;
  if (base <= state.chosenUpTo) return;
  // A term is counted in slots of which the log has some no more.
  becomeFollower(step);
  if (configuration.id > state.configuration.id) {
    // What was accepted here in older configurations is below the snapshot, or was never chosen.
    state.log = emptyLog(base);
    takeConfiguration(state, configuration);
    state.following = null;
    state.followingStart = null;
    state.grant = null;
  }
  dropUpTo(state.log, base);
  state.log.base = base;
  state.chosenUpTo = base;
  state.lastStampNs = lastStampNs;
  state.learning = null;
  if (state.matchedUpTo < base) state.matchedUpTo = base;
  effects.statusChanged = true;
}
