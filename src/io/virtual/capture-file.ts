/**
 * The file that a capture grows in. A disk that is full, or a file that was taken away, ends the capture for good, and not the music: what
 * came later would follow on what it did not follow on. Writes go to the page cache and are not synced: captures are for demonstrations and tests.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { TuttiError } from '../../core/errors.js';
import type { Log } from '../../ports/log.js';

/** What the file is, for an error and for the log. */
export interface CaptureFileInit {
  readonly path: string;
  /** Begins the sentence of why it cannot be opened. */
  readonly cannot: string;
  /** The sentence that is logged once, should it break off. */
  readonly breaksOff: string;
}

/** Open between `open` and `close`, unless it has broken off. */
export class CaptureFile {
  readonly #log: Log;
  readonly #init: CaptureFileInit;
  #descriptor: number | undefined;
  #hasFailed = false;

  constructor(components: { readonly log: Log }, init: CaptureFileInit) {
    this.#log = components.log;
    this.#init = init;
  }

  get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  /**
   * Nothing where it is open, or has broken off. @param flags of open(2), as node:fs writes them; @param begin writes what it begins with
   * @throws TuttiError OUTPUT_UNAVAILABLE where the file cannot be written
   */
  open(flags: 'w' | 'a' | 'r+', begin: () => void = () => {}): void {
    if (this.isOpen || this.#hasFailed) return;
    const { path, cannot } = this.#init;
    try {
      this.#descriptor = openSync(path, flags);
      begin();
    } catch (error) {
      this.close();
      const detail = `${cannot}: ${error instanceof Error ? error.message : String(error)}.`;
      throw new TuttiError('OUTPUT_UNAVAILABLE', detail, { path }, error);
    }
  }

  /** Does something with the file, if it is open; it breaks off where that fails. Never throws. */
  attempt(work: () => void): void {
    if (!this.isOpen) return;
    try {
      work();
    } catch (error) {
      this.#hasFailed = true;
      this.close();
      this.#log.error(this.#init.breaksOff, { path: this.#init.path, error });
    }
  }

  /** Writes the first `count` bytes at `position`, or (null) where the file ends: a call may take fewer than it was given. */
  write(bytes: Uint8Array, count: number, position: number | null): void {
    for (let done = 0; done < count; ) {
      done += writeSync(this.#descriptor!, bytes, done, count - done, position === null ? null : position + done);
    }
  }

  /** Idempotent. Never throws. */
  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    try {
      if (descriptor !== undefined) closeSync(descriptor);
    } catch {
      // What could be written has been; there is nothing left to do with this file.
    }
  }
}
