/**
 * The catalogue: which tracks there are, under which titles.
 *
 * Three commands change it. Each method checks first and changes afterwards, so that a refusal leaves no trace. Titles are made distinct
 * here, at apply, where the order of the log decides who came first.
 */
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import { cleanTitle, compareText, distinctTitle, titleKey, UNTITLED } from './title.js';
import type { Track } from './track.js';

/** The catalogue as everyone but its owner sees it. Tracks are immutable values. */
export interface ReadonlyLibrary {
  /** Moves by one with each change. */
  readonly rev: number;
  /** How many tracks there are. */
  readonly size: number;
  get(id: TrackId): Track | undefined;
  /** No node has a good copy of these bytes, as far as is agreed: there is no such track, or it is lost. */
  lacks(id: TrackId): boolean;
  /** The track with this title: in any ASCII case, with or without ".wav", `/` or `_`. */
  findByTitle(title: string): Track | undefined;
  /** All tracks by title (ASCII case folded, then code units), then id. The same array until `rev` moves. */
  list(): readonly Track[];
}

/** @throws TuttiError TRACK_NOT_FOUND unless `id` is in `library`. */
export function trackOf(library: ReadonlyLibrary, id: TrackId): Track {
  const track = library.get(id);
  if (track === undefined) {
    throw new TuttiError('TRACK_NOT_FOUND', `the library has no track ${id}`, { trackId: id });
  }
  return track;
}

/** The catalogue itself. The cluster's state owns it and alone changes it; everyone else gets a {@link ReadonlyLibrary}. */
export class Library implements ReadonlyLibrary {
  #rev = 0;
  readonly #tracks = new Map<TrackId, Track>();
  /** Title key to the one track that has it. */
  readonly #titles = new Map<string, TrackId>();
  #list: readonly Track[] | null = null;

  /** The catalogue that `list()` and `rev` of another one describe. Titles are taken as they are. */
  static of(tracks: readonly Track[], rev: number): Library {
    const library = new Library();
    for (const track of tracks) library.#set(track);
    library.#rev = rev;
    return library;
  }

  get rev(): number {
    return this.#rev;
  }

  get size(): number {
    return this.#tracks.size;
  }

  get(id: TrackId): Track | undefined {
    return this.#tracks.get(id);
  }

  findByTitle(title: string): Track | undefined {
    const id = this.#titles.get(titleKey(cleanTitle(title)));
    return id === undefined ? undefined : this.#tracks.get(id);
  }

  list(): readonly Track[] {
    this.#list ??= [...this.#tracks.values()]
      .map((track) => ({ track, key: titleKey(track.title) }))
      .sort(
        (a, b) =>
          compareText(a.key, b.key) || compareText(a.track.title, b.track.title) || compareText(a.track.id, b.track.id),
      )
      .map(({ track }) => track);
    return this.#list;
  }

  /** No node has a good copy of these bytes, as far as is agreed: there is no such track, or it is lost. */
  lacks(id: TrackId): boolean {
    const track = this.#tracks.get(id);
    return track === undefined || track.lost === true;
  }

  /**
   * Takes a track in, under its title made clean and distinct (its file name where the title holds nothing). All else, fields of a
   * newer version included, is kept as it came. A lost track whose bytes come again in chunks is whole again: it stays what it was in all
   * but where its file lies, for items of the queue are as long as it.
   * @returns the track as it is now in the library.
   * @throws TuttiError TRACK_EXISTS, naming the track that has these bytes.
   */
  add(track: Track): Track {
    const present = this.#tracks.get(track.id);
    if (present === undefined) return this.#put(this.#titled(track));
    const { lost = false, ...known } = present;
    const { chunks, holders } = track;
    if (!lost || chunks === undefined) {
      throw new TuttiError('TRACK_EXISTS', `the library has these bytes as "${known.title}"`, {
        trackId: known.id,
        title: known.title,
      });
    }
    return this.#put({ ...known, chunks, holders });
  }

  /** No node has these any more. Those that are lost already, or are no tracks, are left as they are. */
  lose(ids: readonly TrackId[]): void {
    for (const id of ids) {
      const track = this.#tracks.get(id);
      if (track !== undefined && track.lost !== true) this.#put({ ...track, lost: true });
    }
  }

  /** @throws TuttiError TRACK_NOT_FOUND */
  remove(id: TrackId): void {
    const track = trackOf(this, id);
    this.#tracks.delete(id);
    this.#titles.delete(titleKey(track.title));
    this.#changed();
  }

  /**
   * Gives a track another title. A title that another track has is made distinct rather than refused: so it is when a track is added,
   * a wish that was right when it was sent stays right when somebody else was quicker, and the answer names the title that came of it.
   * @returns the track as it is now.
   * @throws TuttiError TRACK_NOT_FOUND; BAD_NAME where nothing of the title is left that can be shown.
   */
  rename(id: TrackId, title: string): Track {
    const track = trackOf(this, id);
    const clean = cleanTitle(title);
    if (clean === '') {
      throw new TuttiError('BAD_NAME', 'this title holds nothing that can be shown: use letters or digits', {
        trackId: id,
      });
    }
    const distinct = distinctTitle(clean, (key) => this.#titles.has(key) && this.#titles.get(key) !== id);
    if (distinct === track.title) return track;
    this.#titles.delete(titleKey(track.title));
    return this.#put({ ...track, title: distinct });
  }

  /** @throws InvariantError where the two indexes disagree, or a title is not as the rules make it. */
  checkInvariants(): void {
    assert(this.#titles.size === this.#tracks.size, 'every track has one title key');
    for (const [id, track] of this.#tracks) {
      assert(track.id === id, 'a track is filed under its id');
      assert(track.title !== '' && cleanTitle(track.title) === track.title, 'a title is clean');
      assert(this.#titles.get(titleKey(track.title)) === id, 'a title leads to its track');
    }
  }

  /** A new track as the library has it. */
  #titled({ lost: _lost, ...track }: Track): Track {
    const title = cleanTitle(track.title) || cleanTitle(track.fileName) || UNTITLED;
    return { ...track, title: distinctTitle(title, (key) => this.#titles.has(key)) };
  }

  #put(track: Track): Track {
    this.#set(track);
    this.#changed();
    return track;
  }

  #set(track: Track): void {
    this.#tracks.set(track.id, track);
    this.#titles.set(titleKey(track.title), track.id);
  }

  #changed(): void {
    this.#rev++;
    this.#list = null;
  }
}
