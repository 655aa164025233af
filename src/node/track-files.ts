/**
 * TrackFiles: the files on this node's disk, brought in line with the agreed library.
 *
 * What exists is agreed in the log; what lies here is this disk's own matter, and either can be without the other: a track that another
 * node took in has no file here yet, and a file whose entry was never agreed has no track. A file is removed only after its track's
 * removal was agreed. One that no entry speaks of stays: its uploader may come again, or its entry may yet be applied.
 *
 * Work on the files of one track is done one piece after the other; see {@link TrackFiles.inTurn}.
 */
import { TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import type { ReadonlyLibrary } from '../library/library.js';
import type { Track } from '../library/track.js';
import type { Log } from '../ports/log.js';
import type { TrackClient } from '../tracks/track-client.js';
import { FREE_BYTES_MIN } from '../tracks/track-store.js';

/** How many ids of files without a track are written into a log line. */
const ORPHANS_SHOWN_MAX = 5;

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
  readonly #files: TrackClient;
  readonly #log: Log;
  readonly #library: () => ReadonlyLibrary;
  readonly #changed: () => void;
  /** Tracks whose files are in their place here, and the title that the description beside them has. */
  readonly #held = new Map<TrackId, string>();
  /** Those of them whose removal was agreed, and that are to go. */
  readonly #removed = new Set<TrackId>();
  /** The last of what is being done to a track's files. */
  readonly #turns = new Map<TrackId, Promise<void>>();
  #space = { freeBytes: 0, totalBytes: 0 };

  constructor(components: TrackFilesComponents) {
    this.#files = components.files;
    this.#log = components.log;
    this.#library = components.library;
    this.#changed = components.changed;
  }

  /** Finds what lies on the disk, and clears away what uploads that were cut off have left. @throws TuttiError DISK_FULL, DISK_FAILED */
  async open(): Promise<void> {
    const { tracks, problems, removedTemporaries } = await this.#files.open();
    for (const problem of problems) this.#log.warn('A track file was left out.', { problem });
    if (removedTemporaries > 0) {
      this.#log.info('Removed what uploads that were cut off had left.', { files: removedTemporaries });
    }
    for (const { id, title } of tracks) this.#held.set(id, title);
  }

  /** Gives up what is on its way in. */
  close(): Promise<void> {
    return this.#files.close();
  }

  /** True where the file of this track is here. */
  holds(track: TrackId): boolean {
    return this.#held.has(track);
  }

  /** Tracks of the library whose files are not here, in the library's order. */
  missing(): readonly Track[] {
    return this.#library()
      .list()
      .filter(({ id }) => !this.#held.has(id));
  }

  /** Says in the log which files no track is agreed for: they are kept, and take room. */
  reportOrphans(): void {
    const library = this.#library();
    const orphans = [...this.#held.keys()].filter((id) => library.get(id) === undefined);
    if (orphans.length === 0) return;
    this.#log.warn('There are files here that no agreed track has: they are kept, and play nowhere.', {
      files: orphans.length,
      first: orphans.slice(0, ORPHANS_SHOWN_MAX),
    });
  }

  /** Room on the disk, as of the last `look`. */
  space(): { readonly freeBytes: number; readonly totalBytes: number; readonly refusing: boolean } {
    return { ...this.#space, refusing: this.#space.freeBytes <= FREE_BYTES_MIN };
  }

  /** Looks at the disk: how much room there is, and whether what failed the last time works by now. */
  async look(): Promise<void> {
    for (const id of this.#held.keys()) if (!this.#turns.has(id)) this.follow(id);
    const was = this.space().refusing;
    this.#space = await this.#files.space();
    if (this.space().refusing !== was) this.#changed();
  }

  /** A file has found its place here. */
  took({ id, title }: Track): void {
    this.#held.set(id, title);
    this.#removed.delete(id);
  }

  /** It is not there any more. */
  dropped(id: TrackId): void {
    this.#held.delete(id);
    this.#removed.delete(id);
  }

  /** A track was added, renamed or removed by agreement: its files follow, where they are here. */
  agreed(id: TrackId): void {
    if (this.#library().get(id) !== undefined) this.#removed.delete(id);
    else if (this.#held.has(id)) this.#removed.add(id);
    this.follow(id);
  }

  /** The whole library was replaced: what is gone from it was removed by agreement. */
  replaced(before: ReadonlyLibrary): void {
    for (const { id } of before.list()) if (this.#library().get(id) === undefined) this.agreed(id);
    for (const id of this.#held.keys()) this.follow(id);
  }

  /** Brings the files of a track to what is agreed by now, in their turn. What fails is done at a later look. */
  follow(id: TrackId): void {
    if (!this.#isBehind(id)) return;
    this.inTurn(id, () => this.#settle(id)).catch((error: unknown) => {
      if (!(error instanceof TuttiError)) throw error;
      this.#log.warn('The files of a track could not follow what was agreed.', {
        code: error.code,
        detail: error.detail,
      });
    });
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

  #isBehind(id: TrackId): boolean {
    const describedAs = this.#held.get(id);
    const track = this.#library().get(id);
    if (describedAs === undefined) return false;
    return track === undefined ? this.#removed.has(id) : track.title !== describedAs;
  }

  async #settle(id: TrackId): Promise<void> {
    if (!this.#isBehind(id)) return;
    const track = this.#library().get(id);
    if (track === undefined) {
      await this.#files.remove(id);
      this.dropped(id);
    } else {
      await this.#files.describe(track);
      this.#held.set(id, track.title);
    }
    this.#changed();
  }
}
