/**
 * Credible: what a node that works as it should can have said.
 *
 * Whoever has the key of the house is believed; but one broken node must neither use up the numbers of ballots for all others nor make them
 * hold a log of slots that are not there. So a message that leaps is as good as lost: the sender cannot be helped, and the rest go on.
 */
import type { Slot } from '../core/ids.js';
import type { Ballot } from './ballot.js';
import { REACH_SLOTS, ROUNDS_LEAP_MAX } from './limits.js';
import type { Message } from './message.js';
import { lastSlot } from './slot-log.js';
import type { PaxosState } from './state.js';

/** False for a message with a ballot, or a slot that it would have this node hold, far above all that is known here. */
export function isCredible(state: PaxosState, message: Message): boolean {
  const isNear = (ballot: Ballot | null): boolean =>
    ballot === null || ballot.round <= roundMax(state, ballot.configId);
  switch (message.type) {
    case 'heartbeat':
      return isNear(message.standing.promised) && isNear(message.standing.following);
    case 'heartbeat-reply':
      return isNear(message.standing.promised) && isNear(message.standing.following) && isNear(message.granted);
    case 'refusal':
      return isNear(message.ballot) && isNear(message.promised);
    case 'promise': {
      const answers = [...message.accepted, ...message.unknown];
      const reach = Math.max(message.chosenUpTo, reachOf(state));
      return isNear(message.ballot) && answers.every(({ slot, ballot }) => isNear(ballot) && slot <= reach);
    }
    case 'learned':
      return message.entries.every(({ ballot }) => isNear(ballot));
    case 'prepare':
    case 'accept':
    case 'accepted':
    case 'gap':
    case 'chosen':
      return isNear(message.ballot);
    case 'learn':
    case 'behind':
    case 'read':
    case 'read-reply':
      return true;
  }
}

/** The highest slot that this node would take an entry for before it has caught up. */
export const reachOf = ({ log, chosenUpTo }: PaxosState): Slot =>
  (Math.max(lastSlot(log), chosenUpTo) + REACH_SLOTS) as Slot;

/** Rounds begin anew with each configuration. */
const roundMax = ({ promised }: PaxosState, configId: number): number =>
  (promised.configId === configId ? promised.round : 0) + ROUNDS_LEAP_MAX;
