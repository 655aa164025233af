/** What the cluster clock may do and how soon it worries: every constant with its reason. */
import { NS_PER_MS, NS_PER_S } from '../core/units.js';

/**
 * How much faster or slower than its target a reading may run, parts per million. Five times what crystals differ by, so that it always
 * catches up; a tone bent by it moves by less than a hundredth of a semitone.
 */
export const SLEW_PPM_MAX = 500;
/** In how long a reading comes up to a target that is near: some heartbeats, or it would swing; less than the time between two bursts. ns. */
export const SLEW_OVER_NS = Number(NS_PER_S);
/** No crystal differs from another by more, parts per million (they are made to 100): what says otherwise is held to it. */
export const RATE_PPM_MAX = 1_000;
/**
 * A reading this far behind does not catch up within the day by slewing: the machine slept while the others went on. It leaps, forwards.
 * Nanoseconds; far above what any network delays.
 */
export const LEAP_NS = Number(NS_PER_S);
/** A reading that came this near to its target has settled: from then on it has a say of its own. Nanoseconds. */
export const SETTLED_NS = 100_000;
/** Two measured lines are only called contradictory beyond their bounds and this: the bounds hold in 999 of 1,000 cases. Nanoseconds. */
export const DOUBT_NS = 50_000;
/** Without a heartbeat of the leader for so long a node goes on alone: elections are over in half of it. Nanoseconds. */
export const HEARD_NS = 3n * NS_PER_S;
/** Without a burst of the clock over UDP for so long: three in a row were lost. Nanoseconds. */
export const BURST_NS = 15n * NS_PER_S;
/** A claim counts for so long: some heartbeats. Nanoseconds. */
export const CLAIM_NS = 3n * NS_PER_S;
/** How fast a node that follows nobody loses touch, parts per million: what a crystal wanders as the room warms. */
export const ALONE_PPM = 5;
/**
 * What is measured over UDP is taken for true where it fits what the leader's heartbeats say: a message is never early, so cluster time is
 * at least what they say, and the quickest of the last ones took no longer than this. Nanoseconds.
 */
export const COARSE_EARLY_NS = 10n * NS_PER_MS;
/** See {@link COARSE_EARLY_NS}: the most by which it may be later than they say. Nanoseconds. */
export const COARSE_LATE_NS = NS_PER_S;
/** What heartbeats say may be ahead of the truth by as much as two crystals part while the oldest of them counts: 150 ppm for 6 s. ns. */
export const COARSE_SLACK_NS = NS_PER_MS;
/**
 * By how much what heartbeats said goes astray while none comes, parts per million: two crystals part by up to 200, and each is slewed by 500
 * where NTP makes up for a wrong time. What was measured last knows the rates, and is not to be held against that.
 */
export const COARSE_DRIFT_PPM = 1_200n;
/** A node that had been in step and can measure no more is not drawn to its leader's heartbeats as long as it is within this of them. ns. */
export const COARSE_WIDTH_NS = 20n * NS_PER_MS;
/** A node that knows its time no better than this does not tell it. Nanoseconds: what a machine that slept is behind at least. */
export const CLAIM_NS_MAX = 1e9;
