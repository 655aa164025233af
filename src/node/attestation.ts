/**
 * Attestation: when enough nodes hold a file for it to be proposed as a track.
 *
 * Enough is a majority of those who vote now, each by the card that votes and that is trusted, and two members where two are there: with one voter a track would
 * otherwise be agreed that lies on one card only. Who votes may change until the proposal is applied, and a holder may take its word back: then it
 * is refused with TRACK_NOT_HELD (library/holding.ts), and whoever proposed it waits here again.
 */
import { TuttiError } from '../core/errors.js';
import { majorityOf } from '../core/majority.js';
import type { Holder } from '../library/track.js';
import type { Time, Timer } from '../ports/time.js';
import type { LogMember, LogStatus } from '../replication/replicated-log.js';
import type { Offer } from '../tracks/offers.js';

/** Members that have to hold a file where so many are there. */
const COPIES_MIN = 2;
/** So long the house may be without a quorum before whoever waits is told, milliseconds: longer than an election. */
const NO_QUORUM_MS = 2_000;
/** So long nothing may come of an offer, milliseconds: other files may be fetched before it, from a card that is slow. */
const STANDSTILL_MS = 120_000;
/** How often it is looked whether anything moves. Milliseconds. */
const LOOK_MS = 250;

type Membership = Pick<LogStatus, 'members'>;

/** How many nodes, of the members of now, have to hold a file. */
export function copiesNeeded({ members }: Membership): number {
  const needed = majorityOf(members.filter(({ voter }) => voter).length);
  return Math.max(needed, Math.min(COPIES_MIN, members.filter(isThere).length));
}

/** True where these are enough, all of whose words count: see above. */
export function areEnough(holders: readonly Holder[], { members }: Membership): boolean {
  const voters = members.filter(({ voter }) => voter);
  const heldBy = (some: readonly LogMember[]) =>
    some.filter((member) => holders.some((holder) => isOf(holder, member))).length;
  return (
    heldBy(voters) >= majorityOf(voters.length) &&
    heldBy(members) >= Math.min(COPIES_MIN, members.filter(isThere).length)
  );
}

const isThere = ({ online, trusted }: LogMember): boolean => online && trusted;

const isOf = (holder: Holder, { node, incarnation }: LogMember): boolean =>
  node === holder.node && incarnation === holder.incarnation;

/** What waiting is done with. */
export interface AttestationComponents {
  readonly time: Time;
  /** Who takes part now. */
  readonly status: () => Pick<LogStatus, 'members' | 'quorum'>;
  /** How far others are with the file has been looked at. */
  readonly looked: (offer: Offer) => void;
}

/**
 * Resolves with enough holders of what is offered, those that count only.
 * @throws TuttiError NO_QUORUM where the house can agree on nothing; TRACK_NOT_HELD where nobody fetches the file, or the offer ends
 */
export async function attested(components: AttestationComponents, offer: Offer): Promise<readonly Holder[]> {
  const { time, status } = components;
  const giveUp = new AbortController();
  const nowMs = () => Number(time.now()) / 1e6;
  let quorumAtMs = nowMs();
  let movedAtMs = quorumAtMs;
  let chunks = -1;
  const look = () => {
    const { members, quorum } = status();
    if (quorum) quorumAtMs = nowMs();
    const found = offer.progress().reduce((sum, peer) => sum + peer.chunks, 0);
    if (found !== chunks) movedAtMs = nowMs();
    chunks = found;
    components.looked(offer);
    // Who votes, or who is there, may be what has changed.
    offer.look();
    if (nowMs() - quorumAtMs > NO_QUORUM_MS) {
      giveUp.abort(new TuttiError('NO_QUORUM', 'the file is kept here: sending it again is quick'));
    } else if (nowMs() - movedAtMs > STANDSTILL_MS) {
      const have = offer.progress().filter(({ isHeld }) => isHeld).length + 1;
      const detail = `${have} of the ${copiesNeeded({ members })} nodes that are needed have it, and no other fetches it`;
      giveUp.abort(new TuttiError('TRACK_NOT_HELD', detail, { trackId: offer.track.id }));
    }
  };
  // A card that is not the one that is known here may be an image of it: what it holds is not on the card that votes.
  const isGood = (holder: Holder) => status().members.some((member) => isOf(holder, member) && member.trusted);
  let good: readonly Holder[] = [];
  components.looked(offer);
  const timer: Timer = time.every('track.attested', LOOK_MS, look);
  try {
    await offer.until((some) => {
      good = some.filter(isGood);
      return areEnough(good, status());
    }, giveUp.signal);
    components.looked(offer);
    return good;
  } finally {
    timer.cancel();
  }
}
