/**
 * Intake: one file on its way in, from its first byte to its place among the tracks.
 *
 * Every byte is looked at once as it comes: written to a temporary file, hashed, and scanned for format, tags, loudness and outline.
 * Then the file is read back and hashed again, because a cheap card may give other bytes than it took, and only then gets its name. What
 * went wrong at any point leaves nothing behind.
 */
import { createHash, type Hash } from 'node:crypto';
import { type ScannedTrack, TrackScan } from '../audio/track-scan.js';
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import { type TrackId, trackId } from '../core/ids.js';
import type { Disk, DiskFile } from '../ports/disk.js';

/** At most so much is written between two syncs: a card that has gathered more stalls for seconds when it must write it. Bytes. */
export const SYNC_BYTES_MAX = 1 << 20;
/** How much is read back at a time. Bytes. */
const READ_BYTES = 256 * 1024;

/** What the bytes of a file say of it. */
export interface TakenFile extends ScannedTrack {
  readonly id: TrackId;
}

/**
 * One file, step by step: `write` its bytes, `finish`, `verify` until it says true, `moveTo` its place; `abort` at any point before. The
 * caller keeps the order. All calls block, so it lives where the store does.
 */
export class Intake {
  readonly path: string;
  readonly #disk: Disk;
  readonly #file: DiskFile;
  readonly #scan = new TrackScan();
  readonly #hash: Hash = createHash('sha256');
  #receivedBytes = 0;
  #unsyncedBytes = 0;
  #verified: { readonly hash: Hash; offset: number; readonly buffer: Uint8Array } | null = null;
  #isOver = false;

  /** Makes the temporary file. @throws TuttiError DISK_FULL, DISK_FAILED */
  constructor(components: { readonly disk: Disk }, init: { readonly path: string }) {
    this.#disk = components.disk;
    this.path = init.path;
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

  /** All bytes are there: what they are. @throws TuttiError UNSUPPORTED_AUDIO, INCOMPLETE_AUDIO, DISK_FULL, DISK_FAILED */
  finish(): TakenFile {
    const scanned = this.#scan.end();
    this.#sync();
    const id = trackId(this.#hash.digest('hex'));
    this.#verified = { hash: createHash('sha256'), offset: 0, buffer: new Uint8Array(READ_BYTES) };
    return { ...scanned, id };
  }

  /**
   * Reads the next `bytesMax` bytes back; true when the whole file was read and is what was sent.
   * @throws TuttiError DISK_FAILED where the card gives other bytes than it took
   */
  verify(id: TrackId, bytesMax: number): boolean {
    const verified = this.#verified;
    assert(verified !== null, 'a file is read back after it is finished');
    const { buffer } = verified;
    const until = Math.min(this.#receivedBytes, verified.offset + bytesMax);
    while (verified.offset < until) {
      const count = this.#file.read(buffer.subarray(0, Math.min(READ_BYTES, until - verified.offset)), verified.offset);
      if (count === 0) throw new TuttiError('DISK_FAILED', 'the card gave back fewer bytes than it took');
      verified.hash.update(buffer.subarray(0, count));
      verified.offset += count;
    }
    if (verified.offset < this.#receivedBytes) return false;
    if (verified.hash.digest('hex') !== id) {
      throw new TuttiError('DISK_FAILED', 'the card gave back other bytes than it took');
    }
    return true;
  }

  /** Gives the file its name; where that fails, it still has the temporary one. @throws TuttiError NOT_FOUND, DISK_FAILED */
  moveTo(path: string): void {
    this.#file.close();
    this.#disk.rename(this.path, path);
    this.#isOver = true;
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
    this.#file.sync();
    this.#unsyncedBytes = 0;
  }
}
