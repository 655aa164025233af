/**
 * Disk: files as a durable log needs them. Real: io/fs. Fake: fake-disk.ts, which can lose, tear and reorder what was not synced.
 *
 * Calls block: whoever uses a Disk has a thread for it. What was written is durable only after `sync` of the file and, for a name
 * that was made, renamed or removed, `syncDirectory`. Paths are relative to the disk's root and use `/`.
 */

export interface DiskFile {
  /** Fills `into` from `offset`; the count is smaller than `into` only at the file's end. @throws TuttiError DISK_FAILED */
  read(into: Uint8Array, offset: number): number;
  /** Writes all of `bytes` at `offset`, growing the file where needed. @throws TuttiError DISK_FULL, DISK_FAILED */
  write(bytes: Uint8Array, offset: number): void;
  /** Cuts or extends (with zeros) to `size` bytes. @throws TuttiError DISK_FULL, DISK_FAILED */
  truncate(size: number): void;
  /** Returns when contents and size are on the medium (fdatasync(2)). Never retried: after a failure the page cache proves nothing. @throws TuttiError DISK_FAILED */
  sync(): void;
  /** Size in bytes. */
  size(): number;
  /** Idempotent. Does not sync. */
  close(): void;
}

export interface DiskEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'other';
  /** Bytes; 0 unless a file. */
  readonly size: number;
}

export interface Disk {
  /** Opens for reading, or reading and writing. `create` makes a missing file, `exclusive` refuses one that is there. @throws TuttiError NOT_FOUND, DISK_FAILED */
  open(path: string, mode: 'read' | 'write' | 'create' | 'exclusive'): DiskFile;
  /** What a directory holds, by name in code-unit order. @throws TuttiError NOT_FOUND */
  list(path: string): readonly DiskEntry[];
  exists(path: string): boolean;
  /** Makes a directory and those above it; one that is there is fine. */
  makeDirectory(path: string): void;
  /** Takes the place of `to` at once, wherever both are on this disk. @throws TuttiError NOT_FOUND, DISK_FAILED */
  rename(from: string, to: string): void;
  /** Removes a file; one that is not there is fine. */
  remove(path: string): void;
  /** Returns when the names in this directory are on the medium. @throws TuttiError DISK_FAILED */
  syncDirectory(path: string): void;
  /** Bytes that can still be written, and bytes in all. */
  space(): { readonly freeBytes: number; readonly totalBytes: number };
}
