/** What a link has closed, and why: for metrics, and to see an attack. */

/**
 * Why a connection ended. `handshake`: no TLS, or not with our key. `timeout`: too slow to greet. `crowded`: too many strangers at once,
 * and it was the oldest. `bad-frame`: bytes that are no frame, or one that may not come. `other-version`, `other-cluster`,
 * `not-a-member`: refused for it. `duplicate`: the pair has a connection already. `other-node`: somebody else was sought at this
 * address, or found at the peer’s. `silent`: nothing came for too long. `broken`: the other end or the network ended it. `busy`: too many knocked.
 */
export type CloseReason =
  | 'handshake'
  | 'timeout'
  | 'crowded'
  | 'bad-frame'
  | 'other-version'
  | 'other-cluster'
  | 'not-a-member'
  | 'duplicate'
  | 'other-node'
  | 'silent'
  | 'broken'
  | 'busy';

/** Connections that ended, by reason, since the link was made. Those that it ended on its own account are not counted. */
export type CloseCounters = Record<CloseReason, number>;

/** None yet. */
export const noCounters = (): CloseCounters => ({
  handshake: 0,
  timeout: 0,
  crowded: 0,
  'bad-frame': 0,
  'other-version': 0,
  'other-cluster': 0,
  'not-a-member': 0,
  duplicate: 0,
  'other-node': 0,
  silent: 0,
  broken: 0,
  busy: 0,
});
