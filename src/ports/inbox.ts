/**
 * Inbox: a folder into which people copy music. Real: io/inbox (with the tracks). Fake: fake-inbox.ts.
 *
 * The files belong to whoever copied them until they are accepted: they may change or vanish at any moment.
 */
import type { ErrorCode } from '../core/errors.js';

/** A file in the folder, as it was when it was told of. What is told later of the same key stands in place of it. */
export interface InboxFile {
  /** Which file of the folder it is: the bytes of its name. */
  readonly key: string;
  /** Its name in the folder: a label, never a path. Bytes that are no UTF-8 are replaced. */
  readonly name: string;
  readonly bytes: number;
  /**
   * True where it is not known to be at rest: it grows, or somebody has it open for writing. False: nobody writes to it, as far as can be
   * known. Whether it is whole, its bytes say.
   */
  readonly isUnderWay: boolean;
  /** For how long nothing about it had changed, by the wall clock of this machine; 0 where that says nonsense. Milliseconds. */
  readonly stillMs: number;
  /**
   * Reads up to `into.length` bytes from `offset`; fewer only at the end.
   * @throws TuttiError NOT_FOUND where it is gone, or has changed since and was at rest; FILE_NOT_READABLE, DISK_FAILED
   */
  read(into: Uint8Array, offset: number): number;
}

/** What may be wrong with the folder itself. */
export type InboxTrouble = Extract<ErrorCode, 'INBOX_UNUSABLE' | 'INBOX_NOT_A_FILE'>;

/** Who hears of the folder. */
export interface InboxListener {
  /** A file is there. Those that come to rest are told of then; those that do not, after a while and every now and then. */
  seen(file: InboxFile): void;
  /** What was told of under this key is not in the folder any more: somebody took it away, or it stayed at first and went now. */
  left(key: string): void;
  /** All that is wrong with the folder from now on; it is in order until this is called. */
  troubled(troubles: readonly InboxTrouble[]): void;
}

/** What became of a file that was to go. stays: the folder does not let go of it now; it goes once it can. */
export type InboxEnd = 'gone' | 'changed' | 'stays';

/** The folder into which music is copied. */
export interface Inbox {
  /**
   * Tells of each file, those that were there already first, and again when it changes. Names that begin with a dot are left alone; what is
   * no regular file, too, but it is INBOX_NOT_A_FILE.
   */
  start(listener: InboxListener): Promise<void>;
  /** The music of this file at rest is safe elsewhere: removes it, unless it changed since or somebody writes to it. */
  accept(file: InboxFile): InboxEnd;
  /** Moves the file to `rejected/`, with a text beside it that says why, unless it changed since. */
  reject(file: InboxFile, reason: string): InboxEnd;
  /** Idempotent, fine before `start`; nobody is told of anything afterwards. */
  stop(): Promise<void>;
}
