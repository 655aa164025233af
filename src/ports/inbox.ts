/** Inbox: a folder into which people copy music. Real: io/inbox (with the tracks). Fake: in memory. */

/** A file that has come to rest, complete as far as its name, size and times tell. */
export interface InboxFile {
  /** Its name in the folder: a label, never a path. */
  readonly name: string;
  readonly bytes: number;
  /** Reads up to `into.length` bytes from `offset`. @throws TuttiError NOT_FOUND, DISK_FAILED */
  read(into: Uint8Array, offset: number): number;
}

export interface Inbox {
  /** Calls `arrived` for each file that is at rest, those that were there already first. */
  start(arrived: (file: InboxFile) => void): Promise<void>;
  /** The music is safe elsewhere: removes the file, unless it changed since. False where it did. */
  accept(file: InboxFile): boolean;
  /** Moves the file to `rejected/`, with a text beside it that says why. */
  reject(file: InboxFile, reason: string): void;
  /** Idempotent. */
  stop(): Promise<void>;
}
