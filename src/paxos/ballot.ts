/**
 * Ballots: which of two leaders' proposals counts.
 *
 * A ballot is (configuration, round, node), ordered by its parts in that order. The node's id is the last part, so no two nodes ever own
 * the same ballot; a node never owns the same one twice, because it makes its own promise durable before it asks others (campaign.ts).
 * The configuration comes first, so that every ballot of a new configuration is above every ballot of the old one: what was promised
 * there needs no second thought here.
 *
 * Further reading: L. Lamport, "Paxos Made Simple", 2001, section 2.2; H. Ng et al., "Omni-Paxos", EuroSys 2023.
 */
import { type NodeId, nodeId } from '../core/ids.js';

/** A proposal number. Rounds run from 1 to {@link ROUND_MAX}; round 0 is nobody's. */
export interface Ballot {
  readonly configId: number;
  readonly round: number;
  readonly node: NodeId;
}

/** What an acceptor that never promised has promised: below every ballot of a node. */
export const NO_BALLOT: Ballot = { configId: 0, round: 0, node: nodeId('') };

/**
 * No round above this is believed: a message that names one is refused, so that one broken node cannot use the numbers up. At one
 * election a second it lasts for millions of years.
 */
export const ROUND_MAX = 2 ** 48;

/** Below zero where `a` is the lower ballot, above zero where it is the higher, zero where both are the same. */
export function compareBallots(a: Ballot, b: Ballot): number {
  if (a.configId !== b.configId) return a.configId - b.configId;
  if (a.round !== b.round) return a.round - b.round;
  return a.node < b.node ? -1 : a.node > b.node ? 1 : 0;
}

/** True where both are the same ballot. */
export const sameBallot = (a: Ballot, b: Ballot): boolean =>
  a.round === b.round && a.configId === b.configId && a.node === b.node;

/** The higher of two. */
export const higherBallot = (a: Ballot, b: Ballot): Ballot => (compareBallots(a, b) >= 0 ? a : b);

/** For traces and log lines: `configuration.round.node`, the node's id cut to eight characters. */
export const ballotText = ({ configId, round, node }: Ballot): string =>
  round === 0 ? 'none' : `${configId}.${round}.${node.slice(0, 8)}`;
