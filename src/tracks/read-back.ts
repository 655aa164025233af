/**
 * Reading files back past the system's cache, hashing them: what the medium holds, not what the system remembers of it.
 *
 * A cheap card may give other bytes than it took, and a good one loses bits over the years. All that this node says of a file (it is what
 * was sent, this chunk of it is right) rests on what is read here. Reads are in one buffer, since all calls of the store block.
 */
import { createHash } from 'node:crypto';
import { TuttiError } from '../core/errors.js';
import { type TrackId, trackId } from '../core/ids.js';
import { CHUNK_HASH_BYTES, type ChunkPlan, chunkHash, chunkLength, chunkOffset } from '../library/chunks.js';
import type { Disk, DiskFile } from '../ports/disk.js';

/** How much is read at a time: as much as a card gives at its full speed. Bytes. */
const READ_BYTES = 1 << 20;
const buffer = new Uint8Array(READ_BYTES);

/** SHA-256 of `bytes`, such as a manifest: 64 digits. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** True for what a card may have done. That this machine can open no more files for now is no fault of a card, and no damage. */
export const isOfCard = (error: unknown): error is TuttiError => error instanceof TuttiError && error.code !== 'BUSY';

/** True where `bytes` are chunk `index` of the file that `manifest` is of. */
export const isChunk = (bytes: Uint8Array, manifest: Uint8Array, index: number): boolean =>
  isHash(createHash('sha256').update(bytes).digest(), manifest, index);

const isHash = (hash: Uint8Array, manifest: Uint8Array, index: number): boolean =>
  Buffer.compare(hash, chunkHash(manifest, index)) === 0;

/** True where the medium holds chunk `index` as `manifest` has it; false also where it cannot be read, or the file ends before. */
export function holdsChunk(file: DiskFile, plan: ChunkPlan, manifest: Uint8Array, index: number): boolean {
  const hash = createHash('sha256');
  const end = chunkOffset(plan, index) + chunkLength(plan, index);
  try {
    for (let at = chunkOffset(plan, index); at < end; ) {
      const count = file.readUncached(buffer.subarray(0, Math.min(READ_BYTES, end - at)), at);
      if (count === 0) return false;
      hash.update(buffer.subarray(0, count));
      at += count;
    }
  } catch (error) {
    if (error instanceof TuttiError && error.code === 'DISK_FAILED') return false;
    throw error;
  }
  return isHash(hash.digest(), manifest, index);
}

/** What a file turned out to be. */
export interface FileHashes {
  /** The SHA-256 of its bytes: the track whose file it is. */
  readonly id: TrackId;
  readonly manifest: Uint8Array;
}

/** One whole file, read back in steps: `step` until it gives what was found. */
export class ReadBack {
  readonly plan: ChunkPlan;
  readonly #whole = createHash('sha256');
  #chunk = createHash('sha256');
  readonly #manifest: Uint8Array;
  #offset = 0;

  constructor(init: { readonly plan: ChunkPlan }) {
    this.plan = init.plan;
    this.#manifest = new Uint8Array(init.plan.count * CHUNK_HASH_BYTES);
  }

  /** Bytes that were read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** The chunk that is read next. */
  get chunk(): number {
    return Math.floor(this.#offset / this.plan.chunkBytes);
  }

  /**
   * Reads up to `bytesMax` bytes on, from `file`, which is the same one each time; null while there is more.
   * @throws TuttiError DISK_FAILED, also where the file is shorter than its plan
   */
  step(file: DiskFile, bytesMax: number): FileHashes | null {
    const { fileBytes } = this.plan;
    const until = Math.min(fileBytes, this.#offset + bytesMax);
    while (this.#offset < until) this.#read(file, until);
    return this.#offset < fileBytes ? null : { id: trackId(this.#whole.digest('hex')), manifest: this.#manifest };
  }

  #read(file: DiskFile, until: number): void {
    const index = this.chunk;
    const chunkEnd = chunkOffset(this.plan, index) + chunkLength(this.plan, index);
    const wanted = Math.min(READ_BYTES, until - this.#offset, chunkEnd - this.#offset);
    const count = file.readUncached(buffer.subarray(0, wanted), this.#offset);
    if (count === 0) throw new TuttiError('DISK_FAILED', 'the card gave back fewer bytes than it took');
    const bytes = buffer.subarray(0, count);
    this.#whole.update(bytes);
    this.#chunk.update(bytes);
    this.#offset += count;
    if (this.#offset < chunkEnd) return;
    this.#manifest.set(this.#chunk.digest(), index * CHUNK_HASH_BYTES);
    this.#chunk = createHash('sha256');
  }
}

/** One more step of reading the file at `path` back; see {@link ReadBack.step}. @throws TuttiError BUSY where it cannot be opened for now */
export function readBackStep(
  disk: Disk,
  path: string,
  readBack: ReadBack,
  bytesMax: number,
): FileHashes | null | 'unreadable' {
  let file: DiskFile | undefined;
  try {
    file = disk.open(path, 'read');
    return readBack.step(file, bytesMax);
  } catch (error) {
    if (isOfCard(error)) return 'unreadable';
    throw error;
  } finally {
    file?.close();
  }
}
