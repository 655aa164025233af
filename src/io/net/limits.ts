/** Everything that is bounded on the way between nodes, in one place. Sizes of messages are in ports/peer-link.ts. */

/** How often deadlines are looked at, milliseconds: they are whole numbers of this, so no clock is read for a message. */
export const SWEEP_MS = 1_000;
/** Sweeps without a frame sent after which a ping is sent: 3 s, so that three may be lost before the peer gives up. */
export const PING_SWEEPS = 3;
/** Sweeps without a byte received after which a connection is dead: 10 s, longer than Wi-Fi takes to roam. */
export const SILENT_SWEEPS = 10;
/** Sweeps from the first packet to a finished greeting: 5 s, a hundred times what a busy Raspberry Pi takes. */
export const GREETING_SWEEPS = 5;
/** Sweeps that a pair of connections must stand for its next loss to be mended at once: 5 s. */
export const HELD_SWEEPS = 5;

/** Before the second attempt to connect, milliseconds; doubles with each further one. */
export const BACKOFF_MS_MIN = 50;
/** At most between two attempts, milliseconds: a house is not kept waiting for a node that is back, and an attempt costs some packets. */
export const BACKOFF_MS_MAX = 2_000;

/** Connections that came in and have not said a full hello: more than a house has nodes; one more drops the oldest. */
export const WAITING_MAX = 64;

/** Bytes of a bulk channel that are encrypted in one turn of the event loop: 0.3 ms on a Raspberry Pi 4, and a heartbeat gets between. */
export const BULK_PIECE_BYTES = 64 << 10;

/** Longest advertised address in a hello, bytes: a DNS name is at most 253 (RFC 1035, section 2.3.4), a port and a colon 6. */
export const ADDRESS_BYTES_MAX = 255;
/** Longest sentence in a refusal, bytes. */
export const DETAIL_BYTES_MAX = 1_024;
