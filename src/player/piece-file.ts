/**
 * The file of a piece, as the reader sees it: bytes that can be had, bytes that cannot be had yet, and an end.
 */
import type { Disk, DiskFile } from '../ports/disk.js';

/** A chunk that cannot be played now. */
export interface Lack {
  readonly chunk: number;
  /** `damaged`: the file is in its place and whole in size, and this is not what was agreed. `missing`: everything else. */
  readonly why: 'missing' | 'damaged';
}

/** What a piece is read from. Its calls block. */
export interface PieceFile {
  /** Fills `into` from `offset` as far as can be, and gives the count. @throws TuttiError DISK_FAILED */
  read(into: Uint8Array, offset: number): number;
  /** What the last `read` stopped short of, and may be had later. Null: it did not stop short, or met the file's end. */
  readonly lack: Lack | null;
  /** Idempotent. */
  close(): void;
}

/** A file that is read as it is. */
export class PlainFile implements PieceFile {
  readonly lack = null;
  readonly #file: DiskFile;

  /** Opens it. @throws TuttiError NOT_FOUND, DISK_FAILED */
  constructor(components: { readonly disk: Disk }, init: { readonly path: string }) {
    this.#file = components.disk.open(init.path, 'read');
  }

  read(into: Uint8Array, offset: number): number {
    return this.#file.read(into, offset);
  }

  close(): void {
    this.#file.close();
  }
}
