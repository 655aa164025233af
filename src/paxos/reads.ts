/**
 * Reads: up to which slot somebody must have applied to see everything that was agreed when he asked (ReadIndex).
 *
 * The leader notes how far the log is chosen, and then makes sure that it still leads: it needs a quorum's answers to heartbeats that
 * left after the question came, each from an acceptor whose promise is still to this leader's ballot. No disk, one round trip; many
 * reads share one round.
 *
 * A leader that has only just won does not know what is chosen before its own first command is: entries of the leader before may be
 * chosen, and answered, without it having heard so. Reads wait until it serves.
 *
 * Further reading: D. Ongaro, "Consensus: Bridging Theory and Practice", 2014, section 6.4.
 */
import type { NodeId } from '../core/ids.js';
import { sendHeartbeat } from './heartbeat.js';
import { FORWARDED_READS_MAX } from './limits.js';
import type { ReadReply } from './message.js';
import { acceptQuorumOf, canVote, type Step } from './state.js';

/** Somebody wants to read: this node itself (`from` null), or a peer that takes this node for the leader. */
export function onRead(step: Step, id: number, from: NodeId | null): void {
  const { state, effects } = step;
  const { role, following } = state;
  if (role.type === 'leader' && role.serving) {
    // Several questions of one turn share a round; what went out before they came proves nothing for them.
    role.reads.push({ id, from, round: state.round + 1, index: state.chosenUpTo });
  } else if (from !== null) {
    effects.sendNow.push({ to: from, message: { type: 'read-reply', id, slot: null } });
  } else if (following !== null && following.node !== state.self) {
    state.forwardedReads.add(id);
    if (state.forwardedReads.size > FORWARDED_READS_MAX) state.forwardedReads.delete(Math.min(...state.forwardedReads));
    effects.sendNow.push({ to: following.node, message: { type: 'read', id } });
  } else {
    effects.reads.push({ id, slot: null });
  }
}

/** The leader's answer to a read that was passed to it. */
export function onReadReply({ state, effects }: Step, { id, slot }: ReadReply): void {
  if (state.forwardedReads.delete(id)) effects.reads.push({ id, slot });
}

/** Answers what a quorum has confirmed, and asks for the rest. Part of every step's end. */
export function answerReads(step: Step): void {
  const { state, effects } = step;
  const { role } = state;
  if (role.type !== 'leader' || role.reads.length === 0) return;
  const rounds = [...role.confirmed].filter(([node]) => canVote(state, node)).map(([, round]) => round);
  if (canVote(state, state.self)) rounds.push(Number.POSITIVE_INFINITY);
  rounds.sort((a, b) => b - a);
  const confirmed = rounds[acceptQuorumOf(state) - 1] ?? 0;
  const waiting: typeof role.reads = [];
  for (const read of role.reads) {
    if (read.round > confirmed) waiting.push(read);
    else if (read.from === null) effects.reads.push({ id: read.id, slot: read.index });
    else effects.sendNow.push({ to: read.from, message: { type: 'read-reply', id: read.id, slot: read.index } });
  }
  role.reads = waiting;
  if (waiting.some(({ round }) => round > state.round)) sendHeartbeat(step, state.voters);
}
