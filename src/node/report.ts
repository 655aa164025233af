/**
 * Report: what a node tells the others of itself once a second, so that whoever asks any of them sees all.
 *
 * It is no entry of the log: an idle house writes nothing. A report stands for itself, and the newest counts. Fields may be added: what is
 * not known here is passed over, and what is not as it should be is no report.
 */
import { type Static, Type } from 'typebox';
import { pack, unpack } from '../cluster/messagepack.js';
import { TuttiError } from '../core/errors.js';
import { matches } from '../core/matches.js';

const Figure = Type.Union([Type.Number(), Type.Null()]);
const Count = Type.Integer({ minimum: 0 });
const Word = Type.String({ maxLength: 255 });

/** How many missing tracks a node names. */
export const MISSING_SHOWN_MAX = 20;

/** One node at one moment. */
export const Report = Type.Object({
  /** Cluster time at which all of this was so, nanoseconds. */
  atNs: Type.BigInt({ minimum: 0n, maximum: 2n ** 63n - 1n }),
  /** See {@link ClockStatus}. */
  clock: Type.Object({
    locked: Type.Boolean(),
    holdover: Type.Boolean(),
    loose: Type.Boolean(),
    outvoted: Type.Boolean(),
    offsetUs: Figure,
    errorUs: Figure,
    driftPpm: Figure,
    ageMs: Figure,
  }),
  /** See PlayerStatus (player/loop.ts). */
  output: Type.Object({
    driver: Type.Union([Type.Literal('alsa'), Type.Literal('speaker'), Type.Literal('virtual'), Type.Literal('none')]),
    device: Word,
    state: Type.Union([Type.Literal('playing'), Type.Literal('idle'), Type.Literal('closed'), Type.Literal('silent')]),
    reason: Type.Union([Word, Type.Null()]),
    errorUs: Type.Number(),
    ppm: Type.Number(),
    underruns: Count,
    snaps: Count,
    late: Count,
    volumeLimit: Type.Integer({ minimum: 0, maximum: 100 }),
  }),
  /** See {@link DiskStatus}. Older nodes do not tell. */
  disk: Type.Optional(
    Type.Object({
      freeBytes: Count,
      totalBytes: Count,
      refusing: Type.Boolean(),
      tracksHeld: Count,
      tracksMissing: Type.Object({
        count: Count,
        first: Type.Array(Type.String({ maxLength: 64 }), { maxItems: MISSING_SHOWN_MAX }),
      }),
    }),
  ),
  /** What a change of sound needs to be obeyed there, from its stamp on, milliseconds: whoever leads allows for it. */
  needMs: Type.Number({ minimum: 0, maximum: 10_000 }),
});
export type Report = Static<typeof Report>;

/** Room on a node's disk, and what it lacks. Bytes, and ids of tracks. */
export type DiskStatus = NonNullable<Report['disk']>;

/** The bytes of a report. */
export const encodeReport = (report: Report): Uint8Array => pack(report);

/** A report, as a peer sent it; null where that is none. */
export function decodeReport(bytes: Uint8Array): Report | null {
  try {
    const value = unpack(bytes);
    return matches(Report, value) ? value : null;
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error;
    return null;
  }
}

/**
 * How far what leaves a node's card is from what is due by the reference's clock, microseconds, positive where it is early: the card's distance
 * from the node's own reading of cluster time, and that reading's from where it should be. Null where nothing sounds, or it is not known.
 */
export const playoutErrorUs = ({ clock, output }: Report): number | null =>
  output.state === 'playing' && clock.offsetUs !== null ? output.errorUs + clock.offsetUs : null;
