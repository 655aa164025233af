/**
 * Who should vote: one, three or five of the members, the steadiest.
 *
 * An even number of voters only makes things worse: of two, both are needed, where of one, one is; four bear the loss of no more than
 * three do. So learners are promoted as many at a time as make the count odd, and the step through two or four happens only where a
 * removal leaves no other way. A voter that is offline keeps its vote: to take it away because it was away would let a cut in the network
 * shrink the house to its smaller half. Only a person takes a vote from somebody who cannot be asked.
 */
import type { NodeId } from '../core/ids.js';

/** Most voters that the policy makes: more would wait for more disks, and bear losses that no house has. */
const VOTERS_MAX = 5;
/** A learner that has been here for so long is no passing guest. Milliseconds. */
const STEADY_MS = 3_000;
/** With an even number of voters and nobody to promote, one is asked to learn only after this long. Milliseconds. */
const DEMOTE_AFTER_MS = 30_000;

/** How the leader sees a member. */
export interface Candidate {
  readonly node: NodeId;
  readonly voter: boolean;
  /** For how long it has been online, milliseconds; null while it is not. */
  readonly onlineMs: number | null;
  /** It holds all but the latest of what is chosen. */
  readonly caughtUp: boolean;
  /** Its card is the one that is known. */
  readonly trusted: boolean;
  /** It is the leader itself. */
  readonly leader: boolean;
}

/** Fit to vote: here for a while, caught up, and with the card that is known. */
export const isFit = ({ onlineMs, caughtUp, trusted }: Candidate): boolean =>
  onlineMs !== null && onlineMs >= STEADY_MS && caughtUp && trusted;

/** Who should vote from now on; null where it is best as it is. */
export function betterVoters(members: readonly Candidate[]): NodeId[] | null {
  const voters = members.filter(({ voter }) => voter);
  const ready = members.filter((member) => !member.voter && isFit(member)).sort(steadiestFirst);
  const possible = Math.min(VOTERS_MAX, voters.length + ready.length);
  const wanted = possible % 2 === 1 ? possible : possible - 1;
  if (wanted > voters.length) {
    return [...voters, ...ready.slice(0, wanted - voters.length)].map(({ node }) => node);
  }
  const isEven = voters.length % 2 === 0;
  const isPromised = members.some(({ voter, onlineMs }) => !voter && onlineMs !== null);
  const isCalm = voters.every(({ onlineMs, trusted }) => onlineMs !== null && onlineMs >= DEMOTE_AFTER_MS && trusted);
  if (!isEven || isPromised || !isCalm) return null;
  const least = voters
    .filter(({ leader }) => !leader)
    .sort(steadiestFirst)
    .at(-1);
  return voters.filter((voter) => voter !== least).map(({ node }) => node);
}

const steadiestFirst = (a: Candidate, b: Candidate): number =>
  (b.onlineMs ?? 0) - (a.onlineMs ?? 0) || (a.node < b.node ? -1 : 1);
