/**
 * NodeDisk: files below one directory, by Node's blocking calls.
 *
 * Blocking on purpose: libuv's threads are one pool per process, and a slow card would hold up everything else that waits for one. Whoever
 * uses a Disk has a thread for it.
 *
 * Only regular files are opened, and never through a link as the last name: a file that somebody planted must not lead out
 * of the root. Failures become codes of the catalogue, so that nobody has to know numbers of Linux.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../core/assert.js';
import { type ErrorCode, TuttiError } from '../../core/errors.js';
import { type Disk, type DiskEntry, type DiskFile, pathSegments } from '../../ports/disk.js';

/** A new file is for this user to write and its group to read. */
const FILE_MODE = 0o640;
/** Likewise. */
const DIRECTORY_MODE = 0o750;

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

const OPEN_FLAGS = {
  read: O_RDONLY,
  write: O_RDWR,
  create: O_RDWR | O_CREAT,
  exclusive: O_RDWR | O_CREAT | O_EXCL,
} as const;

/** What each failure of Linux (errno(3)) means here; any other is DISK_FAILED. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'NOT_FOUND',
  ENOTDIR: 'NOT_FOUND',
  EEXIST: 'FILE_EXISTS',
  ENAMETOOLONG: 'BAD_NAME',
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
};

/** The TuttiError for what a call of node:fs threw. Mistakes of ours (wrong arguments) are no such failures and stay as they are. */
export function diskError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return error;
  const code = CODES[String(error.code)] ?? 'DISK_FAILED';
  return new TuttiError(code, `${error.message}.`, { path }, error);
}

function attempt<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw diskError(error, path);
  }
}

const isNotFound = (error: unknown): boolean => error instanceof TuttiError && error.code === 'NOT_FOUND';

/** The files below one directory of this machine. */
export class NodeDisk implements Disk {
  readonly #root: string;

  /** @param init `root`: the directory that holds everything; it must be there */
  constructor(init: { readonly root: string }) {
    this.#root = init.root;
  }

  open(path: string, mode: keyof typeof OPEN_FLAGS): DiskFile {
    const place = this.#place(path);
    return attempt(path, () => {
      // O_NONBLOCK: opening a FIFO would wait for its other end. Regular files do not know it.
      const descriptor = openSync(place, OPEN_FLAGS[mode] | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
      if (!fstatSync(descriptor).isFile()) {
        closeSync(descriptor);
        throw new TuttiError('DISK_FAILED', `"${path}" is not a regular file.`, { path });
      }
      return new NodeDiskFile(descriptor, { path, isWritable: mode !== 'read' });
    });
  }

  list(path: string): readonly DiskEntry[] {
    const place = this.#place(path);
    return attempt(path, () => {
      const entries: DiskEntry[] = [];
      for (const name of readdirSync(place).sort()) {
        const stat = lstatSync(join(place, name), { throwIfNoEntry: false });
        // Undefined where it was removed since the directory was read.
        if (stat === undefined) continue;
        const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other';
        entries.push({ name, kind, size: kind === 'file' ? stat.size : 0 });
      }
      return entries;
    });
  }

  exists(path: string): boolean {
    const place = this.#place(path);
    try {
      const stat = attempt(path, () => lstatSync(place));
      return stat.isFile() || stat.isDirectory();
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  makeDirectory(path: string): void {
    const place = this.#place(path);
    try {
      mkdirSync(place, { recursive: true, mode: DIRECTORY_MODE });
    } catch (error) {
      const isInTheWay = error instanceof Error && 'code' in error && error.code === 'ENOTDIR';
      if (isInTheWay) throw new TuttiError('FILE_EXISTS', `${error.message}.`, { path }, error);
      throw diskError(error, path);
    }
  }

  rename(from: string, to: string): void {
    const [left, entered] = [this.#place(from), this.#place(to)];
    attempt(from, () => renameSync(left, entered));
  }

  remove(path: string): void {
    const place = this.#place(path);
    try {
      attempt(path, () => unlinkSync(place));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  syncDirectory(path: string): void {
    const place = this.#place(path);
    attempt(path, () => {
      const descriptor = openSync(place, O_RDONLY | O_DIRECTORY);
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    });
  }

  space(): { readonly freeBytes: number; readonly totalBytes: number } {
    const { bavail, blocks, bsize } = attempt('', () => statfsSync(this.#root));
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  }

  /** Where a path is on this machine. @throws TuttiError BAD_NAME */
  #place(path: string): string {
    return join(this.#root, ...pathSegments(path));
  }
}

class NodeDiskFile implements DiskFile {
  readonly #path: string;
  readonly #isWritable: boolean;
  #descriptor: number | undefined;

  constructor(descriptor: number, init: { readonly path: string; readonly isWritable: boolean }) {
    this.#descriptor = descriptor;
    this.#path = init.path;
    this.#isWritable = init.isWritable;
  }

  read(into: Uint8Array, offset: number): number {
    const descriptor = this.#open();
    assert(Number.isSafeInteger(offset) && offset >= 0, 'an offset is a whole number from 0');
    return attempt(this.#path, () => {
      let done = 0;
      while (done < into.length) {
        const count = readSync(descriptor, into, done, into.length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  write(bytes: Uint8Array, offset: number): void {
    const descriptor = this.#openToWrite();
    assert(Number.isSafeInteger(offset) && offset >= 0, 'an offset is a whole number from 0');
    attempt(this.#path, () => {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done);
      }
    });
  }

  truncate(size: number): void {
    const descriptor = this.#openToWrite();
    assert(Number.isSafeInteger(size) && size >= 0, 'a size is a whole number from 0');
    attempt(this.#path, () => ftruncateSync(descriptor, size));
  }

  sync(): void {
    const descriptor = this.#open();
    attempt(this.#path, () => fdatasyncSync(descriptor));
  }

  size(): number {
    const descriptor = this.#open();
    return attempt(this.#path, () => fstatSync(descriptor).size);
  }

  close(): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return;
    this.#descriptor = undefined;
    attempt(this.#path, () => closeSync(descriptor));
  }

  #open(): number {
    assert(this.#descriptor !== undefined, `"${this.#path}" is used after close`);
    return this.#descriptor;
  }

  #openToWrite(): number {
    assert(this.#isWritable, `"${this.#path}" is open for reading only`);
    return this.#open();
  }
}
