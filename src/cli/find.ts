/**
 * Finds the track or queue item that a person means: by its id, by the beginning of the id, or by its title.
 *
 * Titles are compared without a trailing ".wav" and without regard to case. Where several fit, nothing is guessed: the error names
 * them, with what tells them apart.
 */
import { nearest } from '../config/suggest.js';
import { TuttiError } from '../core/errors.js';
import type { QueueItem, Track } from '../http/schema.js';
import { shownTitle } from './text.js';

/** Digits of an id that `tutti ls` shows: 32 bits tell apart the tracks of any house. */
export const ID_DIGITS_SHOWN = 8;
/** How many candidates an error names. */
const CANDIDATES_MAX = 10;

const ID_PREFIX = new RegExp(`^[0-9a-f]{${ID_DIGITS_SHOWN},64}$`, 'i');

/** @throws TuttiError TRACK_NOT_FOUND, or BAD_USAGE where several tracks fit */
export function findTrack(tracks: readonly Track[], typed: string): Track {
  const isMeantById = ID_PREFIX.test(typed);
  const fitting = tracks.filter(
    (track) => sameTitle(track.title, typed) || (isMeantById && track.id.startsWith(typed.toLowerCase())),
  );
  const track = only(fitting, (candidate) => candidate.title === typed);
  if (track !== undefined) return track;
  if (fitting.length > 1) {
    throw ambiguous(
      'tracks',
      typed,
      fitting,
      ({ id, title }) => `${id.slice(0, ID_DIGITS_SHOWN)} "${shownTitle(title)}"`,
    );
  }
  const near = nearest(
    plainTitle(typed),
    tracks.map((candidate) => plainTitle(candidate.title)),
  );
  const hint =
    near === undefined ? '' : ` Did you mean "${shownTitle(tracks.find((t) => sameTitle(t.title, near))!.title)}"?`;
  throw new TuttiError('TRACK_NOT_FOUND', `No track has the id or title "${typed}".${hint}`);
}

/** @throws TuttiError ITEM_NOT_FOUND, or BAD_USAGE where several items fit */
export function findItem(items: readonly QueueItem[], typed: string): QueueItem {
  const byId = items.find((item) => item.itemId === typed);
  if (byId !== undefined) return byId;
  const fitting = items.filter((item) => sameTitle(item.title, typed));
  const item = only(fitting, () => false);
  if (item !== undefined) return item;
  if (fitting.length > 1) {
    throw ambiguous('items of the queue', typed, fitting, ({ itemId, title }) => `${itemId} "${shownTitle(title)}"`);
  }
  throw new TuttiError('ITEM_NOT_FOUND', `The queue has no item with the id or title "${typed}".`);
}

/** The one that fits, or the one of several that fits exactly. */
function only<T>(fitting: readonly T[], exactly: (candidate: T) => boolean): T | undefined {
  if (fitting.length === 1) return fitting[0];
  const exact = fitting.filter(exactly);
  return exact.length === 1 ? exact[0] : undefined;
}

function ambiguous<T>(what: string, typed: string, fitting: readonly T[], name: (candidate: T) => string): TuttiError {
  const candidates = fitting.map(name);
  const more = candidates.length > CANDIDATES_MAX ? `, and ${candidates.length - CANDIDATES_MAX} more` : '';
  return new TuttiError(
    'BAD_USAGE',
    `"${typed}" fits ${fitting.length} ${what}: ${candidates.slice(0, CANDIDATES_MAX).join(', ')}${more}; right is one of these ids.`,
    { candidates },
  );
}

const sameTitle = (a: string, b: string): boolean => plainTitle(a) === plainTitle(b);

/** What of a title counts: accents composed (NFC), so that a Mac's file names match; case and ".wav" gone. */
function plainTitle(title: string): string {
  return title
    .normalize('NFC')
    .toLowerCase()
    .replace(/\.wav$/, '')
    .trim();
}
