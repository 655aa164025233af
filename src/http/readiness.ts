/** Whether a node is of use: what /healthz and /readyz say. */
import type { ErrorCode } from '../core/errors.js';
import type { House } from '../node/house.js';

/** Why no change can be agreed here now; null where it can. */
export function whyNotReady({ node, trouble }: House): ErrorCode | null {
  if (node === null) return trouble ?? 'NOT_A_MEMBER';
  const { role, quorum } = node.logStatus();
  if (role === 'removed') return 'NODE_REMOVED';
  return quorum ? null : 'NO_QUORUM';
}

/** True where changes can be agreed. */
export const isReady = (house: House): boolean => whyNotReady(house) === null;
