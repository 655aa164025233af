/**
 * Due chunks: which pieces of which files this node will play next. What is still arriving is fetched in this order, so that it sounds before
 * it is whole. Pure.
 */
import type { TrackId } from '../core/ids.js';
import { addTime, type ClusterTime, laterOf, NS_PER_S } from '../core/units.js';
import { chunkAt } from '../library/chunks.js';
import type { ReadonlyLibrary } from '../library/library.js';
import { BYTES_PER_SAMPLE } from '../library/sample-bytes.js';
import type { AudioFormat } from '../library/track.js';
import type { Playback, Segment } from '../playback/model.js';
import { foldTo, framesIn, positionAt, segments } from '../playback/timeline.js';

/** Chunks that are named at most: of CD audio in the smallest chunks a minute and a half. */
export const DUE_CHUNKS_MAX = 64;
/** Items that are looked at: as far as a player's program reaches. */
const DUE_ITEMS_MAX = 64;
/** What would be heard if somebody pressed play is due so much later: whatever plays elsewhere is more urgent. Nanoseconds. */
const IF_PLAYED_NS = 60n * NS_PER_S;

/** A chunk of a track's file. */
export interface DueChunk {
  readonly trackId: TrackId;
  readonly chunk: number;
  /** When the first of it is heard, or was. */
  readonly at: ClusterTime;
}

/** Frames of a track from `from` (heard at `at`) up to `to` (excluded), which may lie beyond its end. */
interface Stretch {
  readonly trackId: TrackId;
  readonly at: ClusterTime;
  readonly from: number;
  readonly to: number;
}

/** What was agreed. */
export interface AgreedTracks {
  readonly playback: Playback;
  readonly library: ReadonlyLibrary;
}

/**
 * The chunks that hold what plays from `now` on, in the order in which it plays, each once. Where nothing plays: of what would, if somebody
 * pressed play. At most {@link DUE_CHUNKS_MAX}; none of tracks that were agreed without chunks.
 * @param lacks true for a track whose file is not whole here: only those are named
 */
export function dueChunks(agreed: AgreedTracks, now: ClusterTime, lacks: (id: TrackId) => boolean): DueChunk[] {
  const due = new Map<string, DueChunk>();
  for (const { trackId, at, from, to } of upcoming(agreed.playback, now)) {
    const track = lacks(trackId) ? agreed.library.get(trackId) : undefined;
    const end = Math.min(to, track?.frames ?? 0);
    if (track?.chunks === undefined || from >= end) continue;
    const { format, chunks } = track;
    const [first, last] = [offsetOf(format, from), offsetOf(format, end) - 1].map((offset) =>
      chunkAt({ chunkBytes: chunks.bytes }, offset),
    ) as [number, number];
    for (let chunk = first; chunk <= last; chunk++) {
      if (due.size === DUE_CHUNKS_MAX) return [...due.values()];
      const name = `${chunk} ${trackId}`;
      if (due.has(name)) continue;
      const ahead = Math.max(0, Math.floor((chunk * chunks.bytes - offsetOf(format, from)) / bytesOfFrame(format)));
      due.set(name, { trackId, chunk, at: addTime(at, nanosIn(ahead, format.sampleRate)) });
    }
  }
  return [...due.values()];
}

/** What sounds from `now` on; after that, unless it goes on for ever, what is paused or queued. */
function upcoming(playback: Playback, now: ClusterTime): Stretch[] {
  const sounding = segments(playback, now, DUE_ITEMS_MAX).map((segment) => stretchOf(segment, now));
  const { transport, queue } = foldTo(playback, now);
  if (transport.status === 'playing') return sounding;
  const [current, ...next] = queue.slice(0, DUE_ITEMS_MAX);
  if (current === undefined) return sounding;
  const from = positionAt(playback, now)?.frame ?? 0;
  const later = addTime(now, IF_PLAYED_NS);
  return [...sounding, whole(current.trackId, from, later), ...next.map(({ trackId }) => whole(trackId, 0, later))];
}

const whole = (trackId: TrackId, from: number, at: ClusterTime): Stretch => ({
  trackId,
  at,
  from,
  to: Number.POSITIVE_INFINITY,
});

function stretchOf(segment: Segment, now: ClusterTime): Stretch {
  const { trackId, startAt, endAt, startFrame, sampleRate, complete } = segment;
  const frameAt = (at: ClusterTime) => startFrame + framesIn(at - startAt, sampleRate);
  const at = laterOf(now, startAt);
  const from = frameAt(at);
  return complete ? whole(trackId, from, at) : { trackId, at, from, to: frameAt(endAt) + 1 };
}

/** Where frame `frame` begins in the file. */
const offsetOf = (format: AudioFormat, frame: number): number => format.dataOffset + frame * bytesOfFrame(format);

const bytesOfFrame = ({ sample, channels }: AudioFormat): number => BYTES_PER_SAMPLE[sample] * channels;

/** Nanoseconds that so many frames take. */
const nanosIn = (frames: number, sampleRate: number): bigint => (BigInt(frames) * NS_PER_S) / BigInt(sampleRate);
