/**
 * Snapshots: the state of the house as of a slot, a file each. What makes one count is the superblock that names it, so a file that is not
 * named there is a leftover of a power cut, and nothing is ever renamed or written over. The one that counted before stays, since with the
 * log after it it comes to the same: see fallback.ts.
 */
import { TuttiError } from '../core/errors.js';
import type { Slot } from '../core/ids.js';
import type { Disk } from '../ports/disk.js';
import { crc32 } from './crc32.js';
import { CHUNK_BYTES } from './limits.js';
import { readPages } from './page.js';
import type { SnapshotReference } from './superblock.js';

/** The snapshots' folder of a store that is open. */
export class Snapshots {
  readonly #disk: Disk;
  readonly #folder: string;

  constructor(disk: Disk, init: { readonly folder: string }) {
    this.#disk = disk;
    this.#folder = init.folder;
  }

  /**
   * Writes a snapshot under a name that was never used, and returns when it is durable and was read back past the cache.
   * @throws TuttiError DISK_FULL, and nothing is left of it; DISK_FAILED
   */
  write(name: string, slot: Slot, bytes: Uint8Array): SnapshotReference {
    const path = `${this.#folder}/${name}`;
    const file = this.#disk.open(path, 'create');
    try {
      file.truncate(0);
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) file.write(bytes.subarray(at, at + CHUNK_BYTES), at);
      file.sync();
    } catch (error) {
      if (error instanceof TuttiError && error.code === 'DISK_FULL') this.#disk.remove(path);
      throw error;
    } finally {
      file.close();
    }
    this.#disk.syncDirectory(this.#folder);
    const reference = { slot, name, bytes: bytes.length, crc: crc32(bytes) };
    // Once more, since a read that went astray is no damage.
    if ((this.#find(reference) ?? this.#find(reference)) === undefined) {
      throw new TuttiError('DISK_FAILED', `The snapshot ${name} is not what was written.`, { path });
    }
    return reference;
  }

  /** The bytes of a snapshot, read past the cache. @throws TuttiError BAD_SNAPSHOT where they are gone or damaged */
  read(reference: SnapshotReference): Uint8Array {
    // Once more, since a read that went astray is no damage.
    const bytes = this.#find(reference) ?? this.#find(reference);
    if (bytes === undefined) {
      const { slot, name } = reference;
      throw new TuttiError('BAD_SNAPSHOT', `The snapshot of slot ${slot} (${name}) is damaged on this card.`);
    }
    return bytes;
  }

  /** Whether it can be read, past the cache: steps of a chunk each, and then the answer. Looked at twice, since a read that went astray is no damage. */
  *check(reference: SnapshotReference): Generator<void, boolean> {
    return (yield* this.#look(reference)) || (yield* this.#look(reference));
  }

  /** The same, at once. */
  isWhole(reference: SnapshotReference): boolean {
    const look = this.check(reference);
    let step = look.next();
    while (step.done !== true) step = look.next();
    return step.value;
  }

  *#look({ name, bytes: length, crc }: SnapshotReference): Generator<void, boolean> {
    const path = `${this.#folder}/${name}`;
    if (!this.#disk.exists(path)) return false;
    const file = this.#disk.open(path, 'read');
    try {
      if (file.size() !== length) return false;
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, length));
      let found = 0;
      for (let at = 0; at < length; at += CHUNK_BYTES) {
        const part = chunk.subarray(0, Math.min(CHUNK_BYTES, length - at));
        readPages(file, part, at);
        found = crc32(part, found);
        yield;
      }
      return found === crc;
    } finally {
      file.close();
    }
  }

  /** Removes all but those that are named, and gives their names. */
  sweep(kept: readonly (SnapshotReference | null | undefined)[]): string[] {
    const names = new Set(kept.map((reference) => reference?.name));
    const leftovers = this.#disk.list(this.#folder).filter(({ name, kind }) => kind === 'file' && !names.has(name));
    for (const { name } of leftovers) this.#disk.remove(`${this.#folder}/${name}`);
    return leftovers.map(({ name }) => name);
  }

  #find({ name, bytes: length, crc }: SnapshotReference): Uint8Array | undefined {
    const path = `${this.#folder}/${name}`;
    if (!this.#disk.exists(path)) return undefined;
    const file = this.#disk.open(path, 'read');
    try {
      if (file.size() !== length) return undefined;
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += CHUNK_BYTES) readPages(file, bytes.subarray(at, at + CHUNK_BYTES), at);
      return crc32(bytes) === crc ? bytes : undefined;
    } finally {
      file.close();
    }
  }
}
