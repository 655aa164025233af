/** The library as a list: what is looked for, in the order that was asked for. */
import type { NodeView, Track } from '../../http/schema.js';
import { folded } from './name-order.js';

/** By what the list is ordered. */
export const SORTS = ['title', 'album', 'added', 'length'] as const;
/** One of them. */
export type Sort = (typeof SORTS)[number];

/** Tracks that have every word of `text` in their title, artist or album. Case and accents do not matter. */
export function tracksWith(tracks: readonly Track[], text: string): readonly Track[] {
  const words = folded(text)
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return tracks;
  return tracks.filter(({ title, artist, album }) => {
    const all = folded(`${title} ${artist ?? ''} ${album ?? ''}`);
    return words.every((word) => all.includes(word));
  });
}

/** A reader's order of words: less than 0 where `a` comes first. */
export type Collate = (a: string, b: string) => number;

/** In the order that was asked for; where that leaves it open, by title. */
export function sorted(tracks: readonly Track[], sort: Sort, collate: Collate): readonly Track[] {
  const byTitle = (a: Track, b: Track) => collate(a.title, b.title);
  // What has no album comes last.
  const albumOf = ({ album }: Track) => album ?? '\uffff';
  const orders: Readonly<Record<Sort, (a: Track, b: Track) => number>> = {
    title: byTitle,
    album: (a, b) => collate(albumOf(a), albumOf(b)) || (a.number ?? 0) - (b.number ?? 0) || byTitle(a, b),
    added: (a, b) => (a.addedAt < b.addedAt ? 1 : a.addedAt > b.addedAt ? -1 : byTitle(a, b)),
    length: (a, b) => a.durationMs - b.durationMs || byTitle(a, b),
  };
  return [...tracks].sort(orders[sort]);
}

/** Other than most files are: worth a word. */
export const isUnusual = ({ sampleRate, bits, channels }: Pick<Track, 'sampleRate' | 'bits' | 'channels'>): boolean =>
  (sampleRate !== 44_100 && sampleRate !== 48_000) || bits !== 16 || channels !== 2;

/** On how many cards each track is missing that is missing on some; `before`, the same object, where that is as it was. */
export function missingOn(
  nodes: readonly Pick<NodeView, 'disk'>[],
  before: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, number> {
  const missing = new Map<string, number>();
  for (const id of nodes.flatMap(({ disk }) => disk?.tracksMissing.first ?? []))
    missing.set(id, (missing.get(id) ?? 0) + 1);
  const isSame = missing.size === before.size && [...missing].every(([id, count]) => before.get(id) === count);
  return isSame ? before : missing;
}
