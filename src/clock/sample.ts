/**
 * One exchange of two datagrams, and what it says of the other clock.
 *
 * Four timestamps, as in NTP (RFC 5905, section 8): sent here, received there, sent there, received here. If both ways took equally long,
 * the middle of the peer's two stamps and the middle of ours are one instant. If they did not, that is wrong by half of their
 * difference: by half the round trip at most, whatever the network does.
 */
import { type LocalTime, localTime } from '../core/units.js';
import { ROUND_TRIP_NS_MAX } from './constants.js';

/** When the two datagrams left and came, each by the clock of the machine where that was. */
export interface FourStamps {
  /** The probe left here. */
  readonly sentAt: LocalTime;
  /** It came there. */
  readonly peerReceivedAt: LocalTime;
  /** The answer left there. */
  readonly peerSentAt: LocalTime;
  /** It came here. */
  readonly receivedAt: LocalTime;
}

/** The peer's clock read `peerAt` when this node's read `localAt`, give or take half of `roundTripNs`. */
export interface Sample {
  readonly localAt: LocalTime;
  readonly peerAt: LocalTime;
  /** Time on the network, without what the peer took to answer. Nanoseconds, 0 or more. */
  readonly roundTripNs: number;
}

/** The sample of an exchange; null where the stamps cannot be true: an answer that left before its probe came, or a path quicker than none. */
export function sampleOf({ sentAt, peerReceivedAt, peerSentAt, receivedAt }: FourStamps): Sample | null {
  const here = receivedAt - sentAt;
  const there = peerSentAt - peerReceivedAt;
  if (here < 0n || there < 0n || there > here) return null;
  const roundTripNs = Number(here - there);
  if (roundTripNs > ROUND_TRIP_NS_MAX) return null;
  return { localAt: localTime(sentAt + here / 2n), peerAt: localTime(peerReceivedAt + there / 2n), roundTripNs };
}

/** The quickest of a burst: what delays a datagram only ever adds to it. Null for an empty one. */
export function quickestOf(samples: readonly Sample[]): Sample | null {
  let best: Sample | null = null;
  for (const sample of samples) if (best === null || sample.roundTripNs < best.roundTripNs) best = sample;
  return best;
}
