/** Heartbeats, as they leave: what a node says of itself to those whom it wants to hear from. */
import type { NodeId } from '../core/ids.js';
import type { Heartbeat, Standing } from './message.js';
import { lastSlot } from './slot-log.js';
import type { PaxosState, Step } from './state.js';

/** How this node stands, for heartbeats and their answers. */
export function standingOf(state: PaxosState): Standing {
  return {
    configId: state.configuration.id,
    promised: state.promised,
    following: state.following,
    leading: state.role.type === 'leader',
    happy: state.happy,
    chosenUpTo: state.chosenUpTo,
    acceptedUpTo: lastSlot(state.log),
  };
}

/** Sends one round of heartbeats to those of `nodes` that are not this one. */
export function sendHeartbeat({ state, effects }: Step, nodes: Iterable<NodeId>): void {
  state.round++;
  const { leaseMs } = state.configuration.timing;
  const message: Heartbeat = {
    type: 'heartbeat',
    standing: standingOf(state),
    round: state.round,
    sentAtMs: state.nowMs,
    leaseMs,
    clock: null,
  };
  for (const to of nodes) if (to !== state.self) effects.sendNow.push({ to, message });
}
