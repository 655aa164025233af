/**
 * Ballast: room that is kept for the day on which the disk is full.
 *
 * Log, ring and superblock need no room, since they only overwrite; a snapshot does, and without snapshots the log fills up. So a file
 * holds room for them, and is given up when one finds none. It comes back when there is room enough again.
 */
import { TuttiError } from '../core/errors.js';
import type { Disk } from '../ports/disk.js';

const FILE = 'ballast';
/** Comes back only where so many times its size is free: not to be what fills the disk. */
const ROOM_FACTOR = 2;

/** The ballast of a store. */
export class Ballast {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #bytes: number;

  /** @param init `bytes`: 0 for none */
  constructor(disk: Disk, init: { readonly folder: string; readonly bytes: number }) {
    this.#disk = disk;
    this.#folder = init.folder;
    this.#bytes = init.bytes;
  }

  /** Takes the room, where there is plenty. A disk without is no failure. @throws TuttiError DISK_FAILED */
  restore(): void {
    if (this.#bytes === 0 || this.#disk.space().freeBytes < ROOM_FACTOR * this.#bytes) return;
    const path = `${this.#folder}/${FILE}`;
    const file = this.#disk.open(path, 'create');
    try {
      if (file.size() >= this.#bytes) return;
      file.allocate(this.#bytes);
      file.sync();
    } catch (error) {
      if (!(error instanceof TuttiError && error.code === 'DISK_FULL')) throw error;
      this.#disk.remove(path);
    } finally {
      file.close();
    }
    this.#disk.syncDirectory(this.#folder);
  }

  /** Gives the room up; false where there was none to give. @throws TuttiError DISK_FAILED */
  giveUp(): boolean {
    const path = `${this.#folder}/${FILE}`;
    if (!this.#disk.exists(path)) return false;
    this.#disk.remove(path);
    this.#disk.syncDirectory(this.#folder);
    return true;
  }
}
