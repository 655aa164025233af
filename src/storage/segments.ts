/**
 * Segments: the files of the log. They are filled once and then only overwritten, so that a commit changes contents and nothing else:
 * no size, no name, no block to find on a disk that is full.
 *
 * Segments are counted from 0 for the life of the store; number n is the file n modulo their count. Which numbers are in use follows from
 * the superblock's log base, so recycling one is no write at all: the base moves past it.
 */
import type { Disk, DiskFile } from '../ports/disk.js';
import type { BatchPlace } from './batch.js';
import { PAGE_BYTES } from './limits.js';
import { fillFile, LOST_VALUE, readPages } from './page.js';

const nameOf = (index: number): string => `log-${String(index).padStart(4, '0')}`;

/** The segments of a store that is open. */
export class Segments {
  readonly #files: readonly DiskFile[];
  /** Of one segment. */
  readonly bytes: number;

  private constructor(files: readonly DiskFile[], bytes: number) {
    this.#files = files;
    this.bytes = bytes;
  }

  /** Makes the files in `folder`, every page written once. Not synced in their directory. */
  static format(disk: Disk, folder: string, init: { readonly count: number; readonly bytes: number }): void {
    for (let index = 0; index < init.count; index++) {
      const file = disk.open(`${folder}/${nameOf(index)}`, 'create');
      fillFile(file, { from: 0, bytes: init.bytes, value: 0 });
      file.sync();
      file.close();
    }
  }

  /** Opens them. A file that is gone or short is made anew, as one whose pages were lost, and `repaired` says so. */
  static open(
    disk: Disk,
    folder: string,
    init: { readonly count: number; readonly bytes: number; readonly repaired: (what: string) => void },
  ): Segments {
    let isRepaired = false;
    const files = Array.from({ length: init.count }, (_, index) => {
      const name = nameOf(index);
      const file = disk.open(`${folder}/${name}`, 'create');
      const size = file.size();
      if (size < init.bytes) {
        init.repaired(`the file ${name} had ${size} of ${init.bytes} bytes: the rest counts as lost`);
        fillFile(file, { from: size - (size % PAGE_BYTES), bytes: init.bytes, value: LOST_VALUE });
        file.sync();
        isRepaired = true;
      }
      return file;
    });
    if (isRepaired) disk.syncDirectory(folder);
    return new Segments(files, init.bytes);
  }

  /** How many there are. */
  get count(): number {
    return this.#files.length;
  }

  /** Pages of one segment. */
  get pages(): number {
    return this.bytes / PAGE_BYTES;
  }

  /** Writes a batch in its place, and returns when it is durable. @throws TuttiError DISK_FAILED */
  write({ segment, page }: BatchPlace, pages: Uint8Array): void {
    const file = this.#file(segment);
    file.write(pages, page * PAGE_BYTES);
    file.sync();
  }

  /** Returns when what a process that was killed left in the cache is on the medium. @throws TuttiError DISK_FAILED */
  sync(segment: number): void {
    this.#file(segment).sync();
  }

  /** Fills `into` from the medium, past the cache: see readPages. */
  read({ segment, page }: BatchPlace, into: Uint8Array): void {
    readPages(this.#file(segment), into, page * PAGE_BYTES);
  }

  /** How a read gets past the cache on this file system: see DiskFile. */
  uncached(): 'direct' | 'dropped' | 'cached' {
    return this.#file(0).uncached();
  }

  /** Idempotent. */
  close(): void {
    for (const file of this.#files) file.close();
  }

  #file(segment: number): DiskFile {
    return this.#files[segment % this.#files.length]!;
  }
}
