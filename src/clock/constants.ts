/**
 * What the clock over UDP is tuned by, each with its reason.
 *
 * Two kinds of numbers meet here. Some are facts of the world: how far crystals differ, how fast they wander. The others say how sure we
 * want to be. Where a source gives a fact it stands beside it; the rest was measured on this program and says so.
 */

// How it is measured.

/**
 * Exchanges in a burst. The quickest of eight is within a few microseconds of the quickest possible on a wired network; on a busy one
 * the excess of the least of n falls with the root of n, so more would cost more than they give.
 */
export const SAMPLES_PER_BURST = 8;
/**
 * Probes of a burst: an answer says when the answer *before* it left (interleaved mode, RFC 9769, section 2), so the last one only serves the
 * one before.
 */
export const PROBES_PER_BURST = SAMPLES_PER_BURST + 1;
/** Between the probes of a burst, milliseconds, evenly spread: so that eight probes do not all meet one hiccup. */
export const PROBE_GAP_MS = { least: 2, most: 6 };
/** After its last probe a burst waits so long for answers: longer is no round trip to learn from. Milliseconds. */
export const ANSWER_WAIT_MS = 250;
/**
 * From one burst to the next, milliseconds, evenly spread, so that the nodes of a house do not fall into step. At these intervals stamps are
 * the larger part of what is not known, wander of the crystals the smaller.
 */
export const BURST_GAP_MS = { least: 2_000, most: 5_000 };
/** The gaps before the first bursts of a peer whose clock is not known: three within 300 ms, and soon more for the drift. Milliseconds. */
export const COLD_GAPS_MS: readonly number[] = [0, 60, 60, 500, 1_000];

// What crystals do.

/**
 * How much faster or slower one node's crystal may run than another's, one sigma, parts per million. Crystals of single-board computers are
 * within 20 to 50 ppm of their mark; RFC 5905 (section 7.4, PHI) counts with 15.
 */
export const DRIFT_SIGMA_PPM = 30;
/**
 * Random walk of the relative frequency, parts per million in a root of a second: 0.08 after a minute, 0.25 after ten. Rooms warm up and
 * cards begin to play: some 0.1 ppm per degree. The model is C. Zucca and P. Tavella, "The Clock Model and Its Relationship with the
 * Allan and Related Variances", IEEE Trans. UFFC 52 (2005).
 */
export const WANDER_PPM_PER_ROOT_S = 0.01;
/**
 * What a crystal may do beyond that while nobody is heard, parts per million: a window that is opened, a processor that clocks down. Part of
 * the bound's growth, never of the filter.
 */
export const HOLDOVER_PPM = 2;

// What stamps and networks do.

/** What a burst says of the other direction counts by this much against what the ones before said: some fifteen seconds are averaged. */
export const REVERSE_WEIGHT = 1 / 4;
/**
 * A sample that took longer than the least round trip by e is wrong by -e/2 to e/2, evenly spread where both ways are alike: sigma
 * is e over the root of 12.
 */
export const EXCESS_SIGMA = 1 / Math.sqrt(12);
/**
 * The least round trip of n samples is itself longer than the shortest possible. Where both ways dawdle alike, evenly or as queues do, the least
 * of n is above the shortest by 0.9 to 2.3 times what the middle one is above the least, over the root of n (n from 8 to 128).
 */
export const FLOOR_EXCESS = 1.8;
/** Bursts over which the least round trip is sought: a minute. A path that got longer is believed to be longer after that. */
export const FLOOR_BURSTS = 16;
/** A round trip longer than this is none, nanoseconds. */
export const ROUND_TRIP_NS_MAX = 1e9;

// How sure we want to be.

/** Sigmas in the bound: 99.95 % of a normal distribution. */
export const BOUND_SIGMAS = 3.5;
/** The drift is used once it exceeds so many sigmas of its own: before that it would add more error than it takes away. */
export const DRIFT_SIGMAS = 2;
/** A measurement further from the prediction than so many sigmas, and than its round trip explains, is not believed at once. */
export const GATE_SIGMAS = 4;
/**
 * A clock that is further from its line than the bound, half the round trip and this is another clock: it began anew, or one of the two
 * machines was suspended (CLOCK_MONOTONIC_RAW stands still then). Below it, the crystal did what the model does not know. Nanoseconds.
 */
export const LEAP_NS = 1e6;
