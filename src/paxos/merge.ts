/**
 * Phase 1's merge: what a new leader must propose in one slot, given what acceptors answered.
 *
 * The rule of Paxos is short: among the answers of a quorum that meets every accept quorum, the value with the highest ballot; and if
 * there is none, whatever one likes. Damaged disks make it longer, for an acceptor whose record of the slot is unreadable can no longer
 * say what it accepted, and saying "nothing" would be a lie. Example, three nodes: A and C accepted v2 under ballot 7, so v2 is chosen;
 * B accepted v1 under ballot 3. A's record of the slot is damaged, C is away. A new leader that takes A's answer for "nothing" finds v1
 * to be the highest, and replaces what was chosen. So:
 *
 * 1. Where definite answers (empty, or a value with its ballot) are a quorum by themselves, the others are not needed.
 * 2. Otherwise an unknown answer whose identifier survived counts as "accepted under ballot b, value missing": it helps towards the
 *    quorum, but then only a value with a ballot of at least b may be proposed. (In the example: A says 7, B offers v1 at 3. Wait for C.)
 * 3. An unknown answer without a ballot is no answer.
 *
 * Further reading: L. Lamport, "Paxos Made Simple", 2001; R. Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage",
 * FAST 2018.
 */
import { assert } from '../core/assert.js';
import { type Ballot, compareBallots, sameBallot } from './ballot.js';
import { type Entry, sameEntry } from './entry.js';

/** What one acceptor says of one slot. Each acceptor answers once. */
export type SlotAnswer =
  | { readonly kind: 'empty' }
  | { readonly kind: 'accepted'; readonly ballot: Ballot; readonly entry: Entry }
  | { readonly kind: 'unknown'; readonly ballot: Ballot | null };

/** What follows: this entry must be proposed, or nothing can have been chosen, or too little is known. */
export type SlotDecision =
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'free' }
  | { readonly kind: 'wait' };

const FREE: SlotDecision = { kind: 'free' };
const WAIT: SlotDecision = { kind: 'wait' };

/** Decides one slot. `quorum` is the number of acceptors that meets every accept quorum, at least 1. */
export function decideSlot(answers: readonly SlotAnswer[], quorum: number): SlotDecision {
  let definite = 0;
  let counted = 0;
  let best: { readonly ballot: Ballot; readonly entry: Entry } | null = null;
  let missing: Ballot | null = null;
  for (const answer of answers) {
    if (answer.kind !== 'unknown') {
      definite++;
      counted++;
    } else if (answer.ballot !== null) {
      counted++;
      if (missing === null || compareBallots(answer.ballot, missing) > 0) missing = answer.ballot;
    }
    if (answer.kind !== 'accepted') continue;
    if (best !== null && sameBallot(best.ballot, answer.ballot)) {
      assert(sameEntry(best.entry, answer.entry), 'one ballot proposes one value in a slot');
    }
    if (best === null || compareBallots(answer.ballot, best.ballot) > 0) best = answer;
  }
  if (definite >= quorum) return best === null ? FREE : { kind: 'entry', entry: best.entry };
  if (counted < quorum || best === null || missing === null) return WAIT;
  return compareBallots(best.ballot, missing) >= 0 ? { kind: 'entry', entry: best.entry } : WAIT;
}
