/** Bounds of the core. Each keeps one message, or one node's memory, from growing with the length of an outage. */

/** Slots that a leader has under way at once, proposed and not yet chosen: more than a busy house asks for in a second. */
export const WINDOW_SLOTS = 1_024;
/** Entries of one accept, promise part or learned message, by their size in bytes: a fraction of what a frame takes. */
export const PART_BYTES_MAX = 256 * 1024;
/** And by their number. */
export const PART_ENTRIES_MAX = 1_024;
/**
 * A message that names a round so far above the one that was promised here is not believed: at one election a second that takes a century,
 * and one broken node cannot use the numbers up at a stroke.
 */
export const ROUNDS_LEAP_MAX = 2 ** 32;
/** Nor does a node take entries for slots so far above all that it holds: who is that far behind catches up first. Half a megabyte of slots. */
export const REACH_SLOTS = 65_536;
/** Reads that a node has passed to its leader and got no answer to: answers get lost, and the oldest are forgotten. */
export const FORWARDED_READS_MAX = 1_024;
/** A leader, or a candidate, whose own disk has had a write outstanding for this long is of no use. Milliseconds. */
export const DISK_STALL_MS = 1_500;
/** What clocks of two nodes may gain or lose on one another: leases are shortened, and grants lengthened, by it. */
export const CLOCK_RATE_TOLERANCE = 0.01;
