/**
 * TrackFiles: the files on this node's disk, brought in line with the agreed library.
 *
 * What exists is agreed in the log; what lies here is this disk's own matter, and either can be without the other: a track that another
 * node took in has no file here yet, and a file whose entry was never agreed has no track. When a file may be
 * removed is for tracks.ts to say.
 *
 * Work on the files of one track is done one piece after the other; see {@link TrackFiles.inTurn}.
 */
import { TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import type { ReadonlyLibrary } from '../library/library.js';
import type { Chunks, Track } from '../library/track.js';
import type { Log } from '../ports/log.js';
import type { TrackClient } from '../tracks/track-client.js';
import { FREE_BYTES_MIN, type StoredTracks } from '../tracks/track-store.js';

/** How many ids of files without a track are written into a log line. */
const ORPHANS_SHOWN_MAX = 5;

type Described = Pick<Track, 'title' | 'chunks'>;

const isCutAlike = (agreed: Chunks, here: Chunks | undefined): boolean =>
  agreed.bytes === here?.bytes && agreed.root === here.root;

/** What the files are kept with. */
export interface TrackFilesComponents {
  readonly files: TrackClient;
  readonly log: Log;
  /** As it is agreed now. */
  readonly library: () => ReadonlyLibrary;
  /** What this node holds has changed, or its room. */
  readonly changed: () => void;
}

/** Files of this node. `open` first; nothing runs by itself. */
export class TrackFiles {
  readonly #parts: TrackFilesComponents;
  /** Tracks whose files are in their place here, as the description beside each has them. */
  readonly #held = new Map<TrackId, Described>();
  /** The last of what is being done to a track's files. */
  readonly #turns = new Map<TrackId, Promise<void>>();
  #space = { freeBytes: 0, totalBytes: 0 };
  /** Of `#held`. */
  #changes = 0;
  /** What was missing when it was last asked for, and of what that was so: it is asked for often, and changes rarely. */
  #missing: {
    readonly library: ReadonlyLibrary;
    readonly rev: number;
    readonly changes: number;
    readonly tracks: readonly Track[];
  } | null = null;

  constructor(components: TrackFilesComponents) {
    this.#parts = components;
  }

  /**
   * Finds what lies on the disk, and clears away what uploads that were cut off have left. Gives the tracks of which some has arrived, and
   * those whose files cannot be said to be held. @throws TuttiError DISK_FULL, DISK_FAILED
   */
  async open(): Promise<Pick<StoredTracks, 'arriving' | 'leftOut'>> {
    const { files, log } = this.#parts;
    const { tracks, arriving, leftOut, problems, removedTemporaries } = await files.open();
    for (const problem of problems) log.warn('A track file was left out.', { problem });
    if (removedTemporaries > 0) {
      log.info('Removed what uploads that were cut off had left.', { files: removedTemporaries });
    }
    for (const track of tracks) this.took(track);
    return { arriving, leftOut };
  }

  /** Gives up what is on its way in. */
  close(): Promise<void> {
    return this.#parts.files.close();
  }

  /** True where the file of this track is here. */
  holds(track: TrackId): boolean {
    return this.#held.has(track);
  }

  /** All that are here. */
  ids(): readonly TrackId[] {
    return [...this.#held.keys()];
  }

  /** Tracks of the library whose files are not here, in the library's order; not those that nobody has. */
  missing(): readonly Track[] {
    const library = this.#parts.library();
    const { rev } = library;
    const known = this.#missing;
    if (known?.library === library && known.rev === rev && known.changes === this.#changes) return known.tracks;
    const tracks = library.list().filter(({ id, lost }) => lost !== true && !this.#held.has(id));
    this.#missing = { library, rev, changes: this.#changes, tracks };
    return tracks;
  }

  /** Says in the log which files no track is agreed for: they take room. */
  reportOrphans(): void {
    const library = this.#parts.library();
    const orphans = [...this.#held.keys()].filter((id) => library.get(id) === undefined);
    if (orphans.length === 0) return;
    this.#parts.log.warn('There are files here that no agreed track has: they are kept for a day, and play nowhere.', {
      files: orphans.length,
      first: orphans.slice(0, ORPHANS_SHOWN_MAX),
    });
  }

  /** Room on the disk, as of the last `look`. */
  space(): { readonly freeBytes: number; readonly totalBytes: number; readonly refusing: boolean } {
    const { freeBytes, totalBytes } = this.#space;
    // Before the first look nothing is known of it.
    return { freeBytes, totalBytes, refusing: totalBytes > 0 && freeBytes <= FREE_BYTES_MIN };
  }

  /** Looks at the disk: how much room there is, and whether what failed the last time works by now. */
  async look(): Promise<void> {
    for (const id of this.#held.keys()) if (!this.#turns.has(id)) this.follow(id);
    const was = this.space().refusing;
    this.#space = await this.#parts.files.space();
    if (this.space().refusing !== was) this.#parts.changed();
  }

  /** A file has found its place here. */
  took({ id, title, chunks }: Pick<Track, 'id' | 'title' | 'chunks'>): void {
    this.#held.set(id, { title, chunks });
    this.#changes++;
  }

  /** It is not in its place any more, or its bytes are not what they were. */
  lost(id: TrackId): void {
    this.#held.delete(id);
    this.#changes++;
  }

  /**
   * Removes a file, in its turn, unless `stays` by then. Resolves with whether it is gone. After an error some of it may be gone, and it is not
   * held any more. @throws TuttiError DISK_FAILED
   */
  async remove(id: TrackId, stays: () => boolean): Promise<boolean> {
    return await this.inTurn(id, async () => {
      if (stays()) return false;
      this.lost(id);
      await this.#parts.files.remove(id);
      return true;
    });
  }

  /** Brings the files of a track to what is agreed by now, in their turn. What fails is done at a later look. */
  follow(id: TrackId): void {
    if (this.#isBehind(id)) this.#inBackground(id, () => this.#settle(id));
  }

  /**
   * One after the other for each track: an upload of bytes that are being removed must not have its files taken away under it. What is
   * agreed may have changed by the time that `work` begins.
   */
  async inTurn<T>(id: TrackId, work: () => Promise<T>): Promise<T> {
    const result = (this.#turns.get(id) ?? Promise.resolve()).then(work);
    const over = result.then(
      () => {},
      () => {},
    );
    this.#turns.set(id, over);
    try {
      return await result;
    } finally {
      if (this.#turns.get(id) === over) this.#turns.delete(id);
    }
  }

  #inBackground(id: TrackId, work: () => Promise<void>): void {
    this.inTurn(id, work).catch((error: unknown) => {
      if (!(error instanceof TuttiError)) throw error;
      this.#parts.log.warn('The files of a track could not follow what was agreed.', {
        code: error.code,
        detail: error.detail,
      });
    });
  }

  #isBehind(id: TrackId): boolean {
    const held = this.#held.get(id);
    const track = this.#parts.library().get(id);
    if (held === undefined || track === undefined) return false;
    return track.title !== held.title || (track.chunks !== undefined && !isCutAlike(track.chunks, held.chunks));
  }

  async #settle(id: TrackId): Promise<void> {
    const track = this.#parts.library().get(id);
    if (track === undefined || !this.#isBehind(id)) return;
    await this.#parts.files.describe(track);
    if (this.#held.has(id)) this.#held.set(id, track);
    this.#parts.changed();
  }
}
