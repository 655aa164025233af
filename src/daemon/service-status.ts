/** The line that `systemctl status` shows: what a person wants to know who stands before a machine without a screen. */
import type { House } from '../node/house.js';
import type { Node } from '../node/node.js';

/** One line of `house`, which serves `url`: `leader, 3/3 nodes, playing`, and the codes of what needs attention behind it. */
export function serviceStatus({ node, trouble }: Pick<House, 'node' | 'trouble'>, url: string): string {
  if (node !== null) return statusOfNode(node);
  return trouble === null
    ? `waits for tutti init or tutti join, at ${url}`
    : `takes no part: ${trouble}; see tutti status, or ${url}`;
}

function statusOfNode(node: Pick<Node, 'logStatus' | 'cluster' | 'now' | 'alerts'>): string {
  const { role, quorum, members } = node.logStatus();
  const { status } = node.cluster.playbackAt(node.now()).transport;
  const online = members.filter((member) => member.online).length;
  const codes = new Set(node.alerts().map(({ code }) => code));
  if (!quorum) codes.add('NO_QUORUM');
  return [role, `${online}/${members.length} nodes`, status, ...codes].join(', ');
}
