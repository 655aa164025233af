/** The library as it is told: whole once, then as differences, each of which names the revision that it starts from. */
import type { Track, TrackList, TracksEvent } from '../../http/schema.js';

/** All tracks of a revision. Immutable. */
export interface TrackTable {
  /** -1: nothing is known yet. */
  readonly rev: number;
  readonly byId: ReadonlyMap<string, Track>;
}

/** Before anything is known. */
export const NO_TRACKS: TrackTable = { rev: -1, byId: new Map() };

/** The whole library. */
export const tableOf = ({ tracksRev, tracks }: TrackList): TrackTable => ({
  rev: tracksRev,
  byId: new Map(tracks.map((track) => [track.id, track])),
});

/** The next revision; null where the event does not start from this one, and all has to be asked for anew. */
export function withChanges(
  table: TrackTable,
  { rev, since, added, changed, removed }: TracksEvent,
): TrackTable | null {
  // Between two revisions others come to hold a track: such an event leads to where it starts from.
  if (table.rev > rev || (table.rev === rev && since !== rev)) return table;
  if (table.rev !== since) return null;
  const byId = new Map(table.byId);
  for (const id of removed) byId.delete(id);
  for (const track of [...added, ...changed]) byId.set(track.id, track);
  return { rev, byId };
}
