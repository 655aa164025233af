/** Everything that is bounded or timed where nodes exchange track files. What bounds a single message is in messages.ts. */

// How much is on its way.

/** Chunks that are on their way from one peer: enough to keep its disk and the network busy at once, and peers are many. */
export const WINDOW_MAX = 4;
/** Bytes that are on their way to this node or wait for its card, from all peers: what the exchange may take of a Pi's memory. */
export const IN_FLIGHT_BYTES_MAX = 16 << 20;
/** Chunks that one peer may have asked for and not been given; more are not heard. Twice a window, since a peer may ask again what is late. */
export const ASKS_WAITING_MAX = 2 * WINDOW_MAX;
/** Chunks that are given to the network at once for one peer: the next is ready when one has left, and what is due waits for one at most. */
export const CHUNKS_QUEUED_MAX = 2;
/** Bytes that are given to the network at once for all peers, and at least one chunk. */
export const QUEUED_BYTES_MAX = 16 << 20;

/** At most so often others are told which chunks of a file have come, milliseconds: the oftener, the less is asked for twice. */
export const ARRIVING_MS = 100;
/** And again after so long although nothing has, milliseconds: a word may have got lost. */
export const ARRIVING_AGAIN_MS = 5_000;

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

// What is told.

/** So often each node says at which revision of its holdings it is, milliseconds: so long a lost message may go unnoticed. */
export const STANDING_MS = 5_000;
/** What comes of files, here and elsewhere, is shown at most so often, milliseconds: enough to see it move. */
export const PROGRESS_MS = 200;
/** A peer is asked for all its holdings at most so often, milliseconds. */
export const HOLDINGS_ASK_MS = 1_000;
/** An offer is repeated so often to those who have not got the file, milliseconds. */
export const OFFER_AGAIN_MS = 5_000;
/** An offer of which nothing was heard for so long is over, milliseconds. */
export const OFFER_LAPSE_MS = 600_000;
/** Offers of one peer that are listened to at once: as many as it may take in. */
export const OFFERS_MAX = 16;
/** Files of which a peer may say at once what has come; of more the oldest is forgotten. */
export const ARRIVING_MAX = 64;

// Files.

/** Files that are fetched at once: while one is read back, the next ones keep the network busy. */
export const FILES_AT_ONCE = 3;
/** For what chunks are checked by a peer is waited so long, milliseconds. */
export const OUTLINE_MS = 5_000;
/** A peer that has no outline of a file, or none in time, is not asked for it again for so long, milliseconds. */
export const OUTLINE_AGAIN_MS = 5_000;
/** A peer whose outline of a file was wrong, milliseconds. */
export const OUTLINE_WRONG_MS = 60_000;
/** A file that could not be written, or turned out wrong, is left alone for so long, milliseconds. */
export const FILE_AGAIN_MS = 30_000;
/** And all others for so long, milliseconds: where one does not fit, a smaller one may, but not a hundred a second are to be tried. */
export const FILES_PAUSE_MS = 2_000;
/**
 * So long before a file is removed the others hear that it is not held any more, and at most so often are files removed, milliseconds: what is
 * removed by mistake may come again, and what is removed one by one goes together. (While a node knows the second command set only, this has to
 * be longer than a proposal is under way that counts on what was heard before.)
 */
export const RELEASE_MS = 10_000;
/** What has come of a file that nobody wants any more is kept for so long, milliseconds: it may be wanted again, by another word for it. */
export const LINGER_MS = 600_000;
/** A chunk is looked at because a peer says that it was given a wrong one, at most so often, milliseconds. */
export const SUSPECT_MS = 5_000;

// Looking again.

/** While something is under way everything is looked at so often, milliseconds. */
export const LOOK_MS = 250;
/** But no sooner than this: what falls due is a fraction of a nanosecond away at times. */
export const WAKE_MS_MIN = 1;
/** While chunks wait for the network, milliseconds: it does not say when it has room, and has it after some. */
export const ROOM_LOOK_MS = 5;
