/**
 * Membership: who takes part is agreed in the log itself, by a stop-sign.
 *
 * A stop-sign in slot s ends its configuration and carries the next, which holds from slot s + 1 on. Nothing above it is proposed in the
 * old one, and nobody promises in the new one before it holds everything up to s and knows s to be chosen (state.ts, `hasEntered`). So
 * no slot ever belongs to two configurations, any set of members can follow any other, and there is no rule for quorums of both.
 *
 * The scenario that the first rule prevents: the old leader proposes a stop-sign in s and a command in s + 1, each chosen by the old
 * members; the new members choose something else in s + 1. And the second: a member that lacks slot s - 1 promises in the new configuration;
 * if the old members go away now, as they may, what was chosen in s - 1 is gone with them.
 *
 * Stop-signs that are found by a new leader of the old configuration are proposed again in their slot, and what else it found above is
 * dropped: it was never chosen, for the one who proposed the stop-sign there had seen nothing above.
 *
 * Further reading: L. Lamport, D. Malkhi, L. Zhou, "Stoppable Paxos", 2008; H. Ng et al., "Omni-Paxos", 2023, section 6.
 */
import type { Slot } from '../core/ids.js';
import { type Configuration, isMember } from './configuration.js';
import { dropAbove } from './slot-log.js';
import { becomeFollower, persist, type Step, takeConfiguration, votes } from './state.js';

/**
 * The stop-sign in `slot` is chosen, and everything up to it is here: from now on the node is in `next`. A leader stops being one before
 * anybody else can hear of it, so its lease ends before another's can begin.
 */
export function enterConfiguration(step: Step, slot: Slot, next: Configuration): void {
  const { state, effects } = step;
  const hasLed = state.role.type === 'leader';
  becomeFollower(step);
  // Of the old configuration, and never chosen: see above.
  dropAbove(state.log, slot);
  takeConfiguration(state, next);
  state.following = null;
  state.followingStart = null;
  state.leaderHappy = false;
  // It was granted to a ballot of the old configuration, whose leader dropped it before it told.
  state.grant = null;
  state.leadsOn = hasLed && votes(state);
  state.campaignAtMs = null;
  // The one who led goes first; where it does not stay, nobody has to wait for it.
  state.restUntilMs = state.nowMs + (isMember(next, state.self) && !hasLed ? next.timing.heartbeatMs : 0);
  effects.statusChanged = true;
  persist(step, { configuration: next });
}
