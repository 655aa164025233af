/** The nodes of the house, as this one knows them: who votes and who was heard, from the log; who they say they are, from what is agreed. */
import { TuttiError } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import type { ClusterTime } from '../core/units.js';
import type { LogStatus } from '../replication/replicated-log.js';
import type { AgreedState } from './agreement.js';

/** One node. */
export interface MemberView {
  readonly id: NodeId;
  readonly name: string;
  /** host:port for peers. */
  readonly address: string;
  /** Where it serves HTTP; empty until it has said so. */
  readonly httpUrl: string;
  /** Of its software; empty until it has said so. */
  readonly version: string;
  readonly voter: boolean;
  readonly online: boolean;
  readonly lastHeardAt: ClusterTime;
  readonly leader: boolean;
  /** Its card is the one that the others know. */
  readonly trusted: boolean;
}

/** All members of the log. What one has not said of itself yet is as it was let in. */
export const membersOf = ({ members, leader }: LogStatus, cluster: Pick<AgreedState, 'member'>): MemberView[] =>
  members.map(({ node, name, address, voter, online, lastHeardAt, trusted }) => {
    const description = cluster.member(node)?.description;
    return {
      id: node,
      name: description?.name ?? name,
      address: description?.address ?? address,
      httpUrl: description?.httpUrl ?? '',
      version: description?.version ?? '',
      voter,
      online,
      lastHeardAt,
      leader: leader === node,
      trusted,
    };
  });

/** The member with this id or name. @throws TuttiError NODE_NOT_FOUND, AMBIGUOUS_NAME */
export function findMember(members: readonly MemberView[], wanted: string): MemberView {
  const byId = members.find(({ id }) => id === wanted);
  const byName = members.filter(({ name }) => name === wanted);
  const found = byId ?? (byName.length === 1 ? byName[0] : undefined);
  if (found !== undefined) return found;
  const shown = JSON.stringify(wanted.slice(0, 100));
  if (byName.length === 0) {
    throw new TuttiError('NODE_NOT_FOUND', `the cluster has no node with the id or name ${shown}`);
  }
  const ids = byName.map(({ id }) => id).join(', ');
  throw new TuttiError(
    'AMBIGUOUS_NAME',
    `${byName.length} nodes are called ${shown}; right is one of their ids: ${ids}`,
  );
}
