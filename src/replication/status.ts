/** Status: who agrees at present and what is wrong, as this node knows it: what people are shown. */
import { slot as slotOf } from '../core/ids.js';
import { acceptQuorum, votersOf } from '../paxos/configuration.js';
import { statusOf } from '../paxos/step.js';
import type { Parts } from './parts.js';
import type { LogMember, LogStatus } from './replicated-log.js';

/** Of a node that is starting or stopping. */
export const NOT_RUNNING: LogStatus = {
  leader: null,
  leaderSince: null,
  role: 'follower',
  quorum: false,
  needed: 1,
  members: [],
  ballot: null,
  appliedSlot: slotOf(0),
  chosenSlot: slotOf(0),
  trouble: null,
};

/** Of a node that runs. */
export function statusNow(
  parts: Pick<Parts, 'self' | 'peers' | 'cards' | 'leadership' | 'repair' | 'snapshots' | 'scrub'>,
): LogStatus {
  const { self, peers, leadership } = parts;
  const configuration = self.configuration();
  const { role, leader, quorum, chosenUpTo } = statusOf(self.state);
  return {
    leader: leader?.node ?? null,
    leaderSince: leader === null ? null : leadership.since,
    role: peers.isOut(configuration) ? 'removed' : role === 'candidate' ? 'follower' : role,
    quorum,
    needed: acceptQuorum(votersOf(configuration).length),
    members: configuration.members.map((member): LogMember => {
      const { node } = member;
      const isSelf = node === self.node;
      return {
        ...member,
        address: peers.addressOf(member),
        online: isSelf || peers.upSinceMs(node) !== null,
        lastHeardAt: isSelf ? self.clusterNow() : peers.lastHeardAt(node),
        trusted: !self.state.distrusted.has(node),
      };
    }),
    ballot: leader === null ? null : { configId: leader.configId, round: leader.round },
    appliedSlot: self.applied(),
    chosenSlot: slotOf(
      Math.max(chosenUpTo, ...[...self.state.peers.values()].map(({ standing }) => standing?.chosenUpTo ?? 0)),
    ),
    trouble: troubleOf(parts),
  };
}

function troubleOf({
  self,
  cards,
  repair,
  snapshots,
  scrub,
}: Pick<Parts, 'self' | 'cards' | 'repair' | 'snapshots' | 'scrub'>): LogStatus['trouble'] {
  if (cards.isDoubted) return 'CARD_NOT_TRUSTED';
  if (repair.trouble !== null) return repair.trouble;
  if (statusOf(self.state).damaged !== null) return 'LOG_DAMAGED';
  if (snapshots.isLogFull) return 'DISK_FULL';
  return scrub.hasFound ? 'CARD_DAMAGED' : null;
}
