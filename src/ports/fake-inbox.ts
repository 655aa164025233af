/** FakeInbox: a folder in memory. A file is at rest as soon as a test has put it there. */
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import type { Inbox, InboxFile } from './inbox.js';

/** The folder, with what people do to it. */
export class FakeInbox implements Inbox {
  /** What is in the folder. A new array of bytes is a changed file. */
  readonly #files = new Map<string, Uint8Array>();
  /** Why each file in `rejected/` is there. */
  readonly rejected = new Map<string, string>();
  /** Which bytes each file had when it arrived. */
  readonly #arrivedWith = new WeakMap<InboxFile, Uint8Array>();
  #arrived: ((file: InboxFile) => void) | undefined;

  start(arrived: (file: InboxFile) => void): Promise<void> {
    assert(this.#arrived === undefined, 'an inbox is started once until it is stopped');
    this.#arrived = arrived;
    for (const name of [...this.#files.keys()].sort()) this.#arrive(name);
    return Promise.resolve();
  }

  accept(file: InboxFile): boolean {
    return this.#isUnchanged(file) && this.#files.delete(file.name);
  }

  reject(file: InboxFile, reason: string): void {
    if (this.#files.delete(file.name)) this.rejected.set(file.name, reason);
  }

  stop(): Promise<void> {
    this.#arrived = undefined;
    return Promise.resolve();
  }

  /** Somebody copies a file in, or over one that is there. */
  put(name: string, bytes: Uint8Array): void {
    this.#files.set(name, Uint8Array.from(bytes));
    this.#arrive(name);
  }

  /** Somebody takes a file away. */
  take(name: string): void {
    this.#files.delete(name);
  }

  /** Names of the files in the folder, in code-unit order. */
  names(): readonly string[] {
    return [...this.#files.keys()].sort();
  }

  #arrive(name: string): void {
    const bytes = this.#files.get(name);
    if (bytes === undefined || name.startsWith('.')) return;
    const file: InboxFile = {
      name,
      bytes: bytes.length,
      read: (into, offset) => {
        const current = this.#files.get(name);
        if (current === undefined) throw new TuttiError('NOT_FOUND', `"${name}" is not in the inbox any more.`);
        const part = current.subarray(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
    };
    this.#arrivedWith.set(file, bytes);
    this.#arrived?.(file);
  }

  #isUnchanged(file: InboxFile): boolean {
    return this.#files.get(file.name) === this.#arrivedWith.get(file);
  }
}
