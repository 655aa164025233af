/** FakeInbox: a folder in memory. A file is at rest as soon as a test has put it there, unless it says that somebody still writes to it. */
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import type { Inbox, InboxEnd, InboxFile, InboxListener, InboxTrouble } from './inbox.js';

/** A file as it is; each change makes a new one. */
interface FakeFile {
  readonly bytes: Uint8Array;
  readonly isUnderWay: boolean;
  readonly stillMs: number;
}

/** The folder, with what people do to it. */
export class FakeInbox implements Inbox {
  readonly #files = new Map<string, FakeFile>();
  /** Why each file in `rejected/` is there. */
  readonly rejected = new Map<string, string>();
  /** What was told of each file last, and of which state of it. */
  readonly #told = new Map<string, { readonly file: InboxFile; readonly was: FakeFile }>();
  /** What is to become of files that the folder does not let go of. */
  readonly #leaving = new Map<string, () => void>();
  readonly #folders = new Set<string>();
  #isReadOnly = false;
  #listener: InboxListener | undefined;

  start(listener: InboxListener): Promise<void> {
    assert(this.#listener === undefined, 'an inbox is started once until it is stopped');
    this.#listener = listener;
    for (const name of this.names()) this.#tell(name);
    this.#tellTroubles();
    return Promise.resolve();
  }

  accept(file: InboxFile): InboxEnd {
    return this.#end(file, () => this.#files.delete(file.name));
  }

  reject(file: InboxFile, reason: string): InboxEnd {
    return this.#end(file, () => {
      this.#files.delete(file.name);
      this.rejected.set(file.name, reason);
    });
  }

  stop(): Promise<void> {
    this.#listener = undefined;
    this.#told.clear();
    this.#leaving.clear();
    return Promise.resolve();
  }

  /** Somebody copies a file in, or over one that is there. `stillMs`: it has not been changed for so long. */
  put(name: string, bytes: Uint8Array, stillMs = 0): void {
    this.#set(name, { bytes: Uint8Array.from(bytes), isUnderWay: false, stillMs });
  }

  /** Somebody copies a file in, and has got so far. */
  write(name: string, bytes: Uint8Array): void {
    this.#set(name, { bytes: Uint8Array.from(bytes), isUnderWay: true, stillMs: 0 });
  }

  /** Somebody takes a file or a folder away. */
  take(name: string): void {
    this.#leaving.delete(name);
    if (this.#folders.delete(name)) this.#tellTroubles();
    if (this.#files.delete(name) && this.#told.delete(name)) this.#listener?.left(name);
  }

  /** Somebody copies a whole folder in. */
  putFolder(name: string): void {
    this.#folders.add(name);
    this.#tellTroubles();
  }

  /** Somebody gives the folder another mode: nothing can be taken out of it, or everything again. */
  protect(isReadOnly: boolean): void {
    this.#isReadOnly = isReadOnly;
    for (const [name, leave] of isReadOnly ? [] : [...this.#leaving]) {
      leave();
      this.#leaving.delete(name);
      this.#told.delete(name);
      this.#listener?.left(name);
    }
    this.#tellTroubles();
  }

  /** Names of the files in the folder, in code-unit order. */
  names(): readonly string[] {
    return [...this.#files.keys()].sort();
  }

  #set(name: string, file: FakeFile): void {
    this.#files.set(name, file);
    this.#leaving.delete(name);
    this.#tell(name);
  }

  #tell(name: string): void {
    const was = this.#files.get(name);
    if (was === undefined || name.startsWith('.') || this.#listener === undefined) return;
    const file: InboxFile = {
      ...{ key: name, name, bytes: was.bytes.length, isUnderWay: was.isUnderWay, stillMs: was.stillMs },
      read: (into, offset) => {
        const now = this.#files.get(name);
        if (now !== was && !(now?.isUnderWay && was.isUnderWay)) {
          throw new TuttiError('NOT_FOUND', `"${name}" is not in the inbox any more as it was.`);
        }
        const part = now.bytes.subarray(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
    };
    this.#told.set(name, { file, was });
    this.#listener.seen(file);
  }

  #tellTroubles(): void {
    const troubles: InboxTrouble[] = [];
    if (this.#leaving.size > 0) troubles.push('INBOX_UNUSABLE');
    if (this.#folders.size > 0) troubles.push('INBOX_NOT_A_FILE');
    this.#listener?.troubled(troubles);
  }

  #end(file: InboxFile, leave: () => void): InboxEnd {
    const told = this.#told.get(file.name);
    if (told?.file !== file || file.isUnderWay || this.#files.get(file.name) !== told.was) return 'changed';
    if (!this.#isReadOnly) {
      this.#told.delete(file.name);
      leave();
      return 'gone';
    }
    this.#leaving.set(file.name, leave);
    this.#tellTroubles();
    return 'stays';
  }
}
