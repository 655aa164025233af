/** The line that `systemctl status` shows: what a person wants to know who stands before a machine without a screen. */
import type { House } from '../node/house.js';
import type { Node } from '../node/node.js';

/** One line of `house`, which serves `url`: `leader, 3/3 nodes, playing`, and the codes of what needs attention behind it. */
export function serviceStatus(house: Pick<House, 'node' | 'trouble' | 'troubles'>, url: string): string {
  const { node, trouble } = house;
  if (node !== null) return statusOfNode(node);
  const codes = house.troubles().join(', ');
  if (trouble !== null) return `takes no part: ${codes}; see tutti status, or ${url}`;
  return `waits for tutti init or tutti join${codes && `, ${codes}`}, at ${url}`;
}

function statusOfNode(node: Pick<Node, 'logStatus' | 'cluster' | 'now' | 'alerts'>): string {
  const { role, quorum, members } = node.logStatus();
  const { status } = node.cluster.playbackAt(node.now()).transport;
  const online = members.filter((member) => member.online).length;
  const codes = new Set(node.alerts().map(({ code }) => code));
  if (!quorum) codes.add('NO_QUORUM');
  return [role, `${online}/${members.length} nodes`, status, ...codes].join(', ');
}
