/**
 * FakeChunkFiles: track files in memory, on a card that a test may damage, fill, slow down and put into the next process.
 *
 * It keeps no more than the contract says: what arrives is checked by its hash, what is finished is checked as a whole, what is resumed
 * is checked chunk by chunk, and what is read may be damaged.
 */
import { createHash } from 'node:crypto';
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import { CHUNK_HASH_BYTES, type ChunkPlan, chunkHash, chunkLength, chunkOffset, chunkPlan } from '../library/chunks.js';
import type { Track } from '../library/track.js';
import type { Time } from '../ports/time.js';
import type { ChunkFiles, ChunkSet, FileOutline } from './chunk-files.js';
import { addChunk, allChunks, countChunks, hasChunk, noChunks, removeChunk } from './chunk-set.js';

/** One file as it lies on a card. */
interface StoredFile {
  readonly id: TrackId;
  readonly outline: FileOutline;
  readonly plan: ChunkPlan;
  readonly bytes: Uint8Array;
  /** Which chunks were written. */
  readonly written: ChunkSet;
}

/** What outlives a process. */
export class FakeCard {
  readonly held = new Map<TrackId, StoredFile>();
  readonly arriving = new Map<TrackId, StoredFile>();
  /** In their place, and found by nobody who does not know the track. */
  readonly leftOut = new Map<TrackId, StoredFile>();
  /** Bytes that may still be written. */
  roomBytes = Number.POSITIVE_INFINITY;
  /** Every read and write fails. */
  isBroken = false;

  /** Puts a file in its place, as an upload does. */
  hold(track: Track, outline: FileOutline, bytes: Uint8Array): void {
    const plan = chunkPlan(track.bytes, track.chunks?.bytes ?? bytes.length);
    const written = allChunks(plan.count);
    this.held.set(track.id, { id: track.id, outline, plan, bytes: bytes.slice(), written });
  }

  /** Turns a bit of a chunk over, of a file that lies here. */
  damage(id: TrackId, index: number): void {
    const file = this.held.get(id) ?? this.arriving.get(id) ?? this.leftOut.get(id);
    assert(file !== undefined, 'there is a file to be damaged');
    const at = chunkOffset(file.plan, index);
    file.bytes[at] = file.bytes[at]! ^ 1;
  }
}

/** What the fake works with. */
export interface FakeChunkFilesComponents {
  readonly time: Time;
  readonly card?: FakeCard;
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** The files of one process. */
export class FakeChunkFiles implements ChunkFiles {
  readonly card: FakeCard;
  /** How long a call takes, milliseconds. */
  delayMs = 0;
  /** Calls that are not answered yet. */
  outstanding = 0;
  /** Bytes of chunks that wait to be written. */
  waitingBytes = 0;
  /** Chunks that were read. */
  chunksRead = 0;
  readonly #time: Time;
  #turn: Promise<unknown> = Promise.resolve();
  #isDead = false;

  constructor(components: FakeChunkFilesComponents) {
    this.#time = components.time;
    this.card = components.card ?? new FakeCard();
  }

  /** The process is gone: no call is answered any more, and none has an effect. */
  kill(): void {
    this.#isDead = true;
  }

  beginFetch(track: Track, outline: FileOutline, chunkBytes: number): Promise<ChunkSet> {
    return this.#inTurn(() => {
      const { arriving, held, roomBytes } = this.card;
      const plan = chunkPlan(track.bytes, track.chunks?.bytes ?? chunkBytes);
      const isAgreed = track.chunks === undefined || sha256(outline.manifest).toString('hex') === track.chunks.root;
      if (!isAgreed || outline.manifest.length !== plan.count * CHUNK_HASH_BYTES) {
        throw new TuttiError('BAD_CHUNK', 'this is not the manifest of the file');
      }
      if (held.has(track.id)) return allChunks(plan.count);
      if (roomBytes <= 0) throw new TuttiError('DISK_FULL');
      const before = arriving.get(track.id);
      const bytes = before?.bytes ?? new Uint8Array(track.bytes);
      const file: StoredFile = { id: track.id, outline, plan, bytes, written: noChunks(plan.count) };
      arriving.set(track.id, file);
      if (before !== undefined) findGoodChunks(file);
      return file.written.slice();
    });
  }

  putChunk(id: TrackId, index: number, bytes: Uint8Array): Promise<void> {
    this.waitingBytes += bytes.length;
    return this.#inTurn(() => {
      this.waitingBytes -= bytes.length;
      const file = this.card.arriving.get(id);
      if (file === undefined) throw new TuttiError('TRACK_MISSING');
      const { plan, outline, written } = file;
      if (bytes.length !== chunkLength(plan, index) || !sha256(bytes).equals(chunkHash(outline.manifest, index))) {
        throw new TuttiError('BAD_CHUNK', `chunk ${index} is not what its hash says`);
      }
      if (this.card.roomBytes < bytes.length) throw new TuttiError('DISK_FULL');
      this.card.roomBytes -= bytes.length;
      file.bytes.set(bytes, chunkOffset(plan, index));
      addChunk(written, index);
    });
  }

  finishFetch(id: TrackId): Promise<void> {
    return this.#inTurn(() => {
      const { arriving, held } = this.card;
      if (!arriving.has(id) && held.has(id)) return;
      const file = arriving.get(id);
      if (file === undefined || countChunks(file.written) < file.plan.count) throw new TuttiError('TRACK_MISSING');
      findGoodChunks(file);
      if (countChunks(file.written) < file.plan.count) throw new TuttiError('TRACK_DAMAGED');
      arriving.delete(id);
      if (sha256(file.bytes).toString('hex') !== id) throw new TuttiError('BAD_CHUNK', 'it is another file');
      held.set(id, file);
    });
  }

  dropFetch(id: TrackId): Promise<void> {
    return this.#inTurn(() => void this.card.arriving.delete(id));
  }

  outline(id: TrackId): Promise<FileOutline> {
    return this.#inTurn(() => {
      const { manifest, peaks } = this.#file(id).outline;
      return { manifest: manifest.slice(), peaks: peaks?.slice() ?? null };
    });
  }

  readChunk(id: TrackId, index: number): Promise<Uint8Array> {
    return this.#inTurn(() => {
      const file = this.#file(id);
      if (index >= file.plan.count || !hasChunk(file.written, index)) throw new TuttiError('TRACK_MISSING');
      this.chunksRead++;
      if (isGood(file, index)) return bytesOf(file, index).slice();
      if (this.card.arriving.has(id)) removeChunk(file.written, index);
      throw new TuttiError('TRACK_DAMAGED');
    });
  }

  quarantine(id: TrackId): Promise<ChunkSet> {
    return this.#inTurn(() => {
      const { arriving, held, leftOut } = this.card;
      const file = held.get(id) ?? leftOut.get(id);
      if (file === undefined) throw new TuttiError('TRACK_MISSING');
      held.delete(id);
      leftOut.delete(id);
      arriving.set(id, file);
      findGoodChunks(file);
      return file.written.slice();
    });
  }

  #file(id: TrackId): StoredFile {
    const file = this.card.held.get(id) ?? this.card.arriving.get(id);
    if (file === undefined) throw new TuttiError('TRACK_MISSING');
    return file;
  }

  #inTurn<T>(work: () => T): Promise<T> {
    this.outstanding++;
    const result = this.#turn.then(async () => {
      if (this.delayMs > 0) await this.#pass(this.delayMs);
      if (this.#isDead) return new Promise<T>(() => {});
      this.outstanding--;
      if (this.card.isBroken) throw new TuttiError('DISK_FAILED');
      return work();
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.#time.after('a slow card', ms, resolve));
  }
}

/** Looks at every chunk of a file: what is right counts as written, and nothing else. */
function findGoodChunks(file: StoredFile): void {
  file.written.fill(0);
  for (let index = 0; index < file.plan.count; index++) if (isGood(file, index)) addChunk(file.written, index);
}

const isGood = (file: StoredFile, index: number): boolean =>
  sha256(bytesOf(file, index)).equals(chunkHash(file.outline.manifest, index));

function bytesOf({ plan, bytes }: StoredFile, index: number): Uint8Array {
  const offset = chunkOffset(plan, index);
  return bytes.subarray(offset, offset + chunkLength(plan, index));
}
