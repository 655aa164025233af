/** Playbacks for tests, made and changed without a library. */
import { nodeId, trackId } from '../../src/core/ids.js';
import { type ClusterTime, clusterTime, NS_PER_MS } from '../../src/core/units.js';
import type { Asked } from '../../src/playback/change.js';
import { EMPTY_PLAYBACK, type Playback, type Segment, type TrackLength } from '../../src/playback/model.js';
import { addItems } from '../../src/playback/queue.js';
import { durationNs, segments } from '../../src/playback/timeline.js';

/** A track of `frames` frames; its id is made of both numbers. */
export const song = (frames: number, sampleRate = 48_000): TrackLength => ({
  id: trackId(`${frames}@${sampleRate}`),
  frames,
  sampleRate,
});

/** A track of `s` seconds at 48 kHz. */
export const seconds = (s: number): TrackLength => song(s * 48_000);

export const ms = (value: number): ClusterTime => clusterTime(BigInt(Math.round(value * 1e6)));

/** Asked at `stampMs`, with a lead of 100 ms unless told. */
export const asked = (stampMs: number, leadMs = 100): Asked => ({
  stamp: ms(stampMs),
  leadNs: BigInt(Math.round(leadMs)) * NS_PER_MS,
  by: { node: nodeId('a'.repeat(32)), via: 'web' },
});

/** A stopped playback with these tracks queued as items i1, i2, ... */
export const queued = (...tracks: TrackLength[]): Playback =>
  addItems(EMPTY_PLAYBACK, asked(0), tracks, 'end').playback;

/** Ids of the queue as text: "i1 i2". */
export const ids = (playback: Playback): string => playback.queue.map((item) => item.id).join(' ');
export const historyIds = (playback: Playback): string => playback.history.map((item) => item.id).join(' ');

/** The segments from `from` as text, in ms: "i1:0-10000 i2:10000-12000/"; a slash says that it is cut. */
export const sound = (playback: Playback, fromMs = 0, limit = 10): string =>
  segments(playback, ms(fromMs), limit).map(line).join(' ');

const line = ({ itemId, startAt, endAt, complete }: Segment): string =>
  `${itemId}:${Number(startAt) / 1e6}-${Number(endAt) / 1e6}${complete ? '' : '/'}`;

/** What sounds at one instant: the item and the nanoseconds into it since its first frame; null for silence. */
export function heardAt(playback: Playback, instant: ClusterTime): { item: string; into: bigint } | null {
  const [segment] = segments(playback, instant, 1);
  if (segment === undefined || segment.startAt > instant) return null;
  const { itemId, startAt, startFrame, sampleRate } = segment;
  return { item: itemId, into: instant - startAt + durationNs(startFrame, sampleRate) };
}
