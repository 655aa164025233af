/**
 * Intake: one file on its way in, from its first byte to its place among the tracks.
 *
 * Every byte is looked at once as it comes: written to a temporary file, hashed, and scanned for format, tags, loudness and outline.
 * Then the file is read back and hashed again, because a cheap card may give other bytes than it took, and only then gets its name. Its
 * chunks are hashed then too: how it is cut depends on its size. What went wrong at any point leaves nothing behind.
 */
import { createHash, type Hash } from 'node:crypto';
import { type ScannedTrack, TrackScan } from '../audio/track-scan.js';
import { TuttiError } from '../core/errors.js';
import { type TrackId, trackId } from '../core/ids.js';
import { type ChunkLimits, chunkBytesFor, chunkPlan } from '../library/chunks.js';
import type { Chunks } from '../library/track.js';
import type { Disk, DiskFile } from '../ports/disk.js';
import type { FileOutline } from './chunk-files.js';
import { ReadBack, sha256 } from './read-back.js';

/** At most so much is written between two syncs: a card that has gathered more stalls for seconds when it must write it. Bytes. */
export const SYNC_BYTES_MAX = 1 << 20;

/** What the bytes of a file say of it. */
export interface TakenFile extends Omit<ScannedTrack, 'peaks'> {
  readonly id: TrackId;
  readonly chunks: Chunks;
}

/** What an intake needs. */
export interface IntakeComponents {
  readonly disk: Disk;
  /** Called before bytes are sent to the card; may wait. */
  readonly pace: () => void;
}

/**
 * One file, step by step: `write` its bytes, `finish`, `verify` until it gives what was taken, and `release` it once it is somewhere else;
 * `abort` at any point before. The caller keeps the order. All calls block, so it lives where the store does.
 */
export class Intake {
  readonly path: string;
  readonly #disk: Disk;
  readonly #pace: () => void;
  readonly #limits: ChunkLimits;
  readonly #file: DiskFile;
  readonly #scan = new TrackScan();
  readonly #hash: Hash = createHash('sha256');
  #receivedBytes = 0;
  #unsyncedBytes = 0;
  #finished: { readonly id: TrackId; readonly scanned: ScannedTrack; readonly readBack: ReadBack } | null = null;
  #outline: FileOutline | null = null;
  #isOver = false;

  /** Makes the temporary file. @throws TuttiError DISK_FULL, DISK_FAILED */
  constructor(components: IntakeComponents, init: { readonly path: string; readonly limits: ChunkLimits }) {
    this.#disk = components.disk;
    this.#pace = components.pace;
    this.path = init.path;
    this.#limits = init.limits;
    this.#file = this.#disk.open(this.path, 'exclusive');
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Takes the next bytes. After an error only `abort` is left. @throws TuttiError UNSUPPORTED_AUDIO, DISK_FULL, DISK_FAILED */
  write(bytes: Uint8Array): void {
    // The scan comes first: what is no audio need not touch the card.
    this.#scan.push(bytes);
    this.#hash.update(bytes);
    for (let from = 0; from < bytes.length; ) {
      const piece = bytes.subarray(from, from + SYNC_BYTES_MAX - this.#unsyncedBytes);
      this.#file.write(piece, this.#receivedBytes);
      from += piece.length;
      this.#receivedBytes += piece.length;
      this.#unsyncedBytes += piece.length;
      if (this.#unsyncedBytes >= SYNC_BYTES_MAX) this.#sync();
    }
  }

  /** Bytes that the file must have, by its own header; null while or where that does not say. */
  get promisedBytes(): number | null {
    return this.#scan.header?.fileBytes ?? null;
  }

  /** All bytes are there: which file it is. @throws TuttiError UNSUPPORTED_AUDIO, INCOMPLETE_AUDIO, DISK_FULL, DISK_FAILED */
  finish(): TrackId {
    const scanned = this.#scan.end();
    this.#sync();
    const id = trackId(this.#hash.digest('hex'));
    const plan = chunkPlan(this.#receivedBytes, chunkBytesFor(this.#receivedBytes, this.#limits));
    this.#finished = { id, scanned, readBack: new ReadBack({ plan }) };
    return id;
  }

  /**
   * Reads the next `bytesMax` bytes back; what the file is when all of it was read and is what was sent, null while there is more.
   * @throws TuttiError DISK_FAILED where the card gives other bytes than it took
   */
  verify(bytesMax: number): TakenFile | null {
    if (this.#finished === null) throw new TuttiError('BAD_REQUEST', 'the file is not finished');
    const { id, scanned, readBack } = this.#finished;
    const found = readBack.step(this.#file, bytesMax);
    if (found === null) return null;
    if (found.id !== id) throw new TuttiError('DISK_FAILED', 'the card gave back other bytes than it took');
    const { peaks, ...facts } = scanned;
    const { manifest } = found;
    this.#outline = { manifest, peaks };
    return { ...facts, id, chunks: { bytes: readBack.plan.chunkBytes, root: sha256(manifest) } };
  }

  /** What is kept beside the file, once it was verified; null before. */
  get outline(): FileOutline | null {
    return this.#outline;
  }

  /** The file was given another name: it is not this intake's any more. */
  release(): void {
    this.#isOver = true;
    this.#file.close();
  }

  /** Idempotent: closes and removes the temporary file. */
  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#file.close();
    this.#disk.remove(this.path);
  }

  #sync(): void {
    if (this.#unsyncedBytes === 0) return;
    this.#pace();
    this.#file.sync();
    this.#unsyncedBytes = 0;
  }
}
