/** Everything that is bounded or timed where nodes exchange track files. What bounds a single message is in messages.ts. */

// How much is on its way.

/** Chunks that are on their way from one peer: enough to keep its disk and the network busy at once, and peers are many. */
export const WINDOW_MAX = 4;
/** Bytes that are on their way to this node or wait for its card, from all peers: what the exchange may take of a Pi's memory. */
export const IN_FLIGHT_BYTES_MAX = 16 << 20;
/** At most so often others are told which chunks of a file have come, milliseconds: the oftener, the less is asked for twice. */
export const ARRIVING_MS = 100;
// How long is waited.

/** A chunk is not late before this, milliseconds: a card may stall for a second. */
export const PATIENCE_MS_MIN = 2_000;
/** And not before so many times what it should take. */
export const PATIENCE_FACTOR = 4;
/** What a peer is thought to give before it has given anything, bytes a second: poor Wi-Fi. */
export const RATE_AT_FIRST = 512 << 10;
/** A peer that let a chunk be late is not asked for this long, milliseconds; twice as long each further time. */
export const ASIDE_MS_MIN = 2_000;
/** But at most this. */
export const ASIDE_MS_MAX = 30_000;

/** So long a chunk that is on its way to another node is left to it, milliseconds from when that node said so. */
export const SPARED_MS = 2_000;

// When a transfer is in the way of what must not wait.

/** A round trip on the control channel of so many times the least means that the transfer is in the way. */
export const ROUND_TRIP_FACTOR = 3;
/** But none below this does, milliseconds: a hundredth of the shortest election is in nobody's way, and a least of 0.2 ms is chance. */
export const ROUND_TRIP_MS_CALM = 5;
/** A window shrinks at most so often, milliseconds: what was asked for before is still on its way. */
export const SHRINK_MS = 250;

// What is soon to be heard.

/** A chunk that is heard within this, milliseconds, may be asked of a second peer ... */
export const DUE_NEAR_MS = 3_000;
/** ... when the first has kept it waiting for this, milliseconds. */
export const DUE_PATIENCE_MS = 300;
/** Chunks that may be due at once: a minute of the richest format in the smallest chunks. */
export const DUE_MAX = 1_024;

/** Bad chunks of one file after which a peer is not asked for any more of it. */
export const BAD_CHUNKS_MAX = 3;
/** A peer is not asked again for what it had not got, or gave wrong, for so long after the last such answer, milliseconds. */
export const REFUSED_MS = 60_000;
