/**
 * Disk: files as a durable log needs them. Real: io/fs. Fake: fake-disk.ts, which can lose, tear and reorder what was not synced.
 *
 * Calls block: whoever uses a Disk has a thread for it. What was written is durable only after `sync` of the file and, for a name
 * that was made, renamed or removed, `syncDirectory` of the directory that holds it; a rename between directories is durable once
 * the directory that it went *to* is. Until then a power cut leaves any mixture: pages of 4 KiB are written in any order or torn at
 * sectors, sizes and names come back older than contents, and only a rename is whole (both names as before, or both as after).
 *
 * Paths are relative to the disk's root and use `/`; the root itself is the empty path. See {@link pathSegments}.
 * Using a file after `close`, or writing to one that was opened for reading, is a mistake of ours (InvariantError).
 *
 * Further reading: Pillai et al., "All File Systems Are Not Created Equal" (OSDI 2014); Rebello et al., "Can Applications Recover
 * from fsync Failures?" (ATC 2020).
 */
import { TuttiError } from '../core/errors.js';

/** A file that is open. */
export interface DiskFile {
  /** Fills `into` from `offset`; the count is smaller than `into` only at the file's end, 0 behind it. @throws TuttiError DISK_FAILED */
  read(into: Uint8Array, offset: number): number;
  /**
   * `read`, but of what the medium holds instead of what the system remembers of it: after a failed sync, or where a bit flipped, these
   * are not the same. What was written and not synced is handed to the medium on the way. As far as {@link uncached} says.
   * @throws TuttiError DISK_FAILED
   */
  readUncached(into: Uint8Array, offset: number): number;
  /**
   * How `readUncached` gets to the medium: `direct`ly; by asking the system to drop what it remembers (`dropped`); or not at all
   * (`cached`), because neither can be done here, and then a check of what was written proves little.
   */
  uncached(): 'direct' | 'dropped' | 'cached';
  /**
   * Writes all of `bytes` at `offset`, growing the file where needed; a gap reads as zeros. After a failure any part of it may be there.
   * @throws TuttiError DISK_FULL, DISK_FAILED
   */
  write(bytes: Uint8Array, offset: number): void;
  /** Cuts or extends (with zeros) to `size` bytes. @throws TuttiError DISK_FULL, DISK_FAILED */
  truncate(size: number): void;
  /**
   * Reserves room for `size` bytes, and extends the file to it with zeros where it is shorter: no later write below `size` is refused for
   * lack of room. @throws TuttiError DISK_FULL, DISK_FAILED
   */
  allocate(size: number): void;
  /**
   * Returns when contents and size are on the medium (fdatasync(2)). Never retried: after a failure the page cache proves nothing, and
   * a second call that succeeds may have written nothing.
   * @throws TuttiError DISK_FAILED
   */
  sync(): void;
  /** Size in bytes. */
  size(): number;
  /** Idempotent. Does not sync. */
  close(): void;
}

/** What a directory holds under one name. */
export interface DiskEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'other';
  /** Bytes; 0 unless a file. */
  readonly size: number;
}

/** The files below one directory. */
export interface Disk {
  /**
   * Opens for reading, or reading and writing. `create` makes a missing file, `exclusive` refuses one that is there.
   * @throws TuttiError NOT_FOUND where it or its directory is missing, FILE_EXISTS, BAD_NAME, DISK_FULL, DISK_FAILED (also for a directory),
   * BUSY where this machine can open no more files for now: which says nothing of this one
   */
  open(path: string, mode: 'read' | 'write' | 'create' | 'exclusive'): DiskFile;
  /** What a directory holds, by name in code-unit order. @throws TuttiError NOT_FOUND, BAD_NAME */
  list(path: string): readonly DiskEntry[];
  /** True for a file or a directory. @throws TuttiError BAD_NAME, DISK_FAILED */
  exists(path: string): boolean;
  /** Makes a directory and those above it; one that is there is fine. @throws TuttiError FILE_EXISTS where a file has that name, BAD_NAME, DISK_FULL, DISK_FAILED */
  makeDirectory(path: string): void;
  /** Takes the place of `to` at once, wherever both are on this disk; files that are open stay so. @throws TuttiError NOT_FOUND, BAD_NAME, DISK_FAILED */
  rename(from: string, to: string): void;
  /** Removes a file; one that is not there is fine. @throws TuttiError BAD_NAME, DISK_FAILED (also for a directory) */
  remove(path: string): void;
  /** Returns when the names in this directory are on the medium. Never retried, as `sync`. @throws TuttiError NOT_FOUND, BAD_NAME, DISK_FAILED */
  syncDirectory(path: string): void;
  /** Bytes that can still be written, and bytes in all. */
  space(): { readonly freeBytes: number; readonly totalBytes: number };
}

/** Longest name of a file or directory, in bytes of UTF-8 (NAME_MAX of Linux). */
const NAME_BYTES_MAX = 255;

/** Length of `text` in UTF-8; ports have no Buffer to ask. */
const utf8Bytes = (text: string): number => {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
};

/**
 * The names along a path, empty for the root. Every Disk takes paths through here, so that no name leads out of its root.
 * @throws TuttiError BAD_NAME for an absolute path, an empty name, `.`, `..`, NUL, or a name above {@link NAME_BYTES_MAX}
 */
export function pathSegments(path: string): readonly string[] {
  if (path === '') return [];
  const segments = path.split('/');
  for (const segment of segments) {
    const wrong =
      segment === ''
        ? 'has an empty name or begins or ends with "/"'
        : segment === '.' || segment === '..'
          ? `holds "${segment}"`
          : segment.includes('\0')
            ? 'holds a NUL character'
            : utf8Bytes(segment) > NAME_BYTES_MAX
              ? `has a name of more than ${NAME_BYTES_MAX} bytes`
              : undefined;
    if (wrong !== undefined) {
      const shown = JSON.stringify(path.slice(0, 300));
      throw new TuttiError('BAD_NAME', `The path ${shown} ${wrong}; paths are names joined by "/", below the root.`);
    }
  }
  return segments;
}
