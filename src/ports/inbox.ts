/**
 * Inbox: a folder into which people copy music. Real: io/inbox (with the tracks). Fake: fake-inbox.ts.
 *
 * The files belong to whoever copied them until they are accepted: they may change or vanish at any moment.
 */

/** A file that has come to rest, as far as its size and times tell. Whether it is whole, its bytes say. */
export interface InboxFile {
  /** Its name in the folder: a label, never a path. Bytes that are no UTF-8 are replaced. */
  readonly name: string;
  readonly bytes: number;
  /**
   * Reads up to `into.length` bytes from `offset`; fewer only at the end.
   * @throws TuttiError NOT_FOUND where it is gone or has changed since; FILE_NOT_READABLE, DISK_FAILED
   */
  read(into: Uint8Array, offset: number): number;
}

/** The folder into which music is copied. */
export interface Inbox {
  /**
   * Calls `arrived` for each file that is at rest, those that were there already first, and again for one that changed since.
   * Directories, links and names that begin with a dot are left alone.
   */
  start(arrived: (file: InboxFile) => void): Promise<void>;
  /** The music is safe elsewhere: removes the file, unless it changed since. False where it did. */
  accept(file: InboxFile): boolean;
  /** Moves the file to `rejected/`, with a text beside it that says why. Nothing where it is gone. */
  reject(file: InboxFile, reason: string): void;
  /** Idempotent, fine before `start`; `arrived` is not called afterwards. */
  stop(): Promise<void>;
}
