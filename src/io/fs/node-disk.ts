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
import { type Libc, loadLibc } from '../libc/libc.js';

/** A new file is for this user to write and its group to read. */
const FILE_MODE = 0o640;
/** Likewise. */
const DIRECTORY_MODE = 0o750;

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY, O_DIRECT, O_NOATIME } = constants;

/** Direct reads and writes begin and end at multiples of this, in the file and in memory: no medium has larger blocks. Bytes. */
const DIRECT_BLOCK_BYTES = 4_096;
/** Pages of 64 KiB that a WebAssembly.Memory is made of: they go through a buffer of 1 MiB. */
const DIRECT_BUFFER_WASM_PAGES = 16;
/**
 * The most that is written past the cache at once. A commit's page that is about to be synced gains nothing from the cache: by way of it a
 * sync takes a quarter more processor time and 30 us longer. Bytes.
 */
const DIRECT_WRITE_BYTES_MAX = 1 << 16;
/** POSIX_FADV_DONTNEED of <fcntl.h>. */
const FADV_DONTNEED = 4;
/** What is written at once where room can only be reserved by filling it. Bytes. */
const FILL_BYTES = 1 << 20;
/** ENOSPC and EDQUOT of <errno.h>. */
const NO_ROOM = [28, 122];

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
  // These say nothing of the disk: as many files are open as may be, or there is no memory for one more.
  EMFILE: 'BUSY',
  ENFILE: 'BUSY',
  ENOMEM: 'BUSY',
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

/** Opens so that reading costs the card no write: by default it notes when a file was read last. Only a file's owner may ask for that. */
function openUnnoticed(place: string, flags: number): number {
  try {
    return openSync(place, flags | O_NOATIME, FILE_MODE);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EPERM') throw error;
    return openSync(place, flags, FILE_MODE);
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
      const descriptor = openUnnoticed(place, OPEN_FLAGS[mode] | O_NOFOLLOW | O_NONBLOCK);
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

/** Part of every JavaScript engine here; the typings of Node 20 leave it out. */
declare const WebAssembly: {
  readonly Memory: new (init: {
    readonly initial: number;
    readonly maximum: number;
  }) => { readonly buffer: ArrayBuffer };
};

/** The calls of libc that node:fs lacks. */
interface FileCalls {
  /** posix_fadvise(3): 0, or the number of the failure. */
  readonly advise: (descriptor: number, offset: number, length: number, advice: number) => number;
  /** posix_fallocate(3), likewise. */
  readonly allocate: (descriptor: number, offset: number, length: number) => number;
}

let fileCalls: FileCalls | null | undefined;

/** Loaded at first use, since few files need them; null where libc cannot be reached, or has no calls with offsets of 64 bits. */
function loadFileCalls(): FileCalls | null {
  if (fileCalls === undefined) {
    try {
      const libc: Libc | undefined = loadLibc();
      fileCalls = libc
        ? {
            advise: libc.bind('int posix_fadvise64(int fd, int64_t offset, int64_t length, int advice)'),
            allocate: libc.bind('int posix_fallocate64(int fd, int64_t offset, int64_t length)'),
          }
        : null;
    } catch {
      fileCalls = null;
    }
  }
  return fileCalls;
}

let directBuffer: Uint8Array<ArrayBuffer> | undefined;

/** What direct reads and writes of this thread go through. The memory of WebAssembly begins at a page's start, which that of a Buffer does not. */
function directBufferOf(): Uint8Array<ArrayBuffer> {
  const pages = DIRECT_BUFFER_WASM_PAGES;
  directBuffer ??= new Uint8Array(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer);
  return directBuffer;
}

class NodeDiskFile implements DiskFile {
  readonly #path: string;
  readonly #isWritable: boolean;
  #descriptor: number | undefined;
  /** The same file, opened with O_DIRECT; null where its file system refuses that; undefined until it was tried. */
  #direct: number | null | undefined;

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

  readUncached(into: Uint8Array, offset: number): number {
    const descriptor = this.#open();
    assert(Number.isSafeInteger(offset) && offset >= 0, 'an offset is a whole number from 0');
    return attempt(this.#path, () => {
      const direct = this.#openDirect(descriptor);
      if (direct !== null) return readDirect(direct, into, offset);
      const calls = loadFileCalls();
      if (calls === null) return this.read(into, offset);
      // Pages that are not on the medium yet cannot be dropped, so they go there first.
      fdatasyncSync(descriptor);
      calls.advise(descriptor, offset, into.length, FADV_DONTNEED);
      return this.read(into, offset);
    });
  }

  uncached(): 'direct' | 'dropped' | 'cached' {
    const descriptor = this.#open();
    if (this.#openDirect(descriptor) !== null) return 'direct';
    return loadFileCalls() === null ? 'cached' : 'dropped';
  }

  write(bytes: Uint8Array, offset: number): void {
    const descriptor = this.#openToWrite();
    assert(Number.isSafeInteger(offset) && offset >= 0, 'an offset is a whole number from 0');
    attempt(this.#path, () => {
      const direct = isCommit(bytes.length, offset) ? this.#openDirect(descriptor) : null;
      if (direct !== null && writeDirect(direct, bytes, offset)) return;
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

  allocate(size: number): void {
    const descriptor = this.#openToWrite();
    assert(Number.isSafeInteger(size) && size >= 0, 'a size is a whole number from 0');
    if (size === 0) return;
    const failure = loadFileCalls()?.allocate(descriptor, 0, size);
    if (failure === 0) return;
    if (failure !== undefined && NO_ROOM.includes(failure)) {
      throw new TuttiError('DISK_FULL', `There is no room for ${size} bytes.`, { path: this.#path });
    }
    // A file system or a machine without such a call: what is written has room from then on.
    const zeros = new Uint8Array(FILL_BYTES);
    for (let at = this.size(); at < size; at += zeros.length) {
      this.write(zeros.subarray(0, Math.min(zeros.length, size - at)), at);
    }
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
    const direct = this.#direct;
    this.#direct = undefined;
    attempt(this.#path, () => {
      if (typeof direct === 'number') closeSync(direct);
      closeSync(descriptor);
    });
  }

  /** By way of the open file and not by its name, which may be another's by now. */
  #openDirect(descriptor: number): number | null {
    if (this.#direct === undefined) {
      try {
        const access = this.#isWritable ? O_RDWR : O_RDONLY;
        this.#direct = openSync(`/proc/self/fd/${descriptor}`, access | O_DIRECT);
        readDirect(this.#direct, new Uint8Array(1), 0);
      } catch {
        if (typeof this.#direct === 'number') closeSync(this.#direct);
        this.#direct = null;
      }
    }
    return this.#direct;
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

/** Whole blocks, and few of them: what the log writes for a commit, and syncs at once. */
const isCommit = (bytes: number, offset: number): boolean =>
  bytes > 0 && bytes <= DIRECT_WRITE_BYTES_MAX && bytes % DIRECT_BLOCK_BYTES === 0 && offset % DIRECT_BLOCK_BYTES === 0;

/** False where it was cut short: what is left of it may begin where no direct write can. */
function writeDirect(descriptor: number, bytes: Uint8Array, offset: number): boolean {
  const buffer = directBufferOf();
  buffer.set(bytes);
  return writeSync(descriptor, buffer, 0, bytes.length, offset) === bytes.length;
}

/** Reads whole blocks, and takes from them what is asked for. */
function readDirect(descriptor: number, into: Uint8Array, offset: number): number {
  const buffer = directBufferOf();
  let done = 0;
  while (done < into.length) {
    const at = offset + done;
    const skipped = at % DIRECT_BLOCK_BYTES;
    const wanted = skipped + into.length - done;
    const blocks = Math.ceil(wanted / DIRECT_BLOCK_BYTES) * DIRECT_BLOCK_BYTES;
    const length = Math.min(buffer.length, blocks);
    const count = readSync(descriptor, buffer, 0, length, at - skipped);
    if (count <= skipped) break;
    const part = buffer.subarray(skipped, Math.min(count, wanted));
    into.set(part, done);
    done += part.length;
    // Less than was asked for is the file's end; behind it, reading from the middle of a block would be refused.
    if (count < length) break;
  }
  return done;
}
