/**
 * ChunkFiles: what the exchange with other nodes asks of the files on this one. TrackClient is the real one, and asks the hash thread.
 *
 * A file is *held* (in its place, whole, durable), *arriving* (some chunks of it are here), or not here. What is read back, when a file is
 * finished or resumed, is read past the system's cache.
 */
import { TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import type { Track } from '../library/track.js';

/** Which chunks of a file are here: bit `i & 7` of byte `i >> 3` is chunk `i`. */
export type ChunkSet = Uint8Array;

/** What is needed to check a file's chunks, and what is shown of the file before it is all here. */
export interface FileOutline {
  /** The chunks' hashes, one after the other: see library/chunks.ts. */
  readonly manifest: Uint8Array;
  /** 2,048 bytes for a waveform; null where there are none: whoever holds the file makes them of it. */
  readonly peaks: Uint8Array | null;
}

/** A chunk of some file. */
export interface ChunkBytes {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** The error of bytes that are not the chunk that they are said to be. */
export const badChunk = (trackId: TrackId, chunk: number): TuttiError =>
  new TuttiError('BAD_CHUNK', `these bytes are not chunk ${chunk} of the file`, { trackId, chunk });

/**
 * Files by chunks. Calls are done one after the other, but a chunk may be read before others that wait are written; those that read a whole file go in steps, between which others get their turn. All
 * may reject with TuttiError DISK_FAILED.
 */
export interface ChunkFiles {
  /**
   * Begins to take a track's file in chunk by chunk, or goes on with it: resolves with what is here already, and right. Of a file that is
   * held that is everything. `chunkBytes` is the size of chunk where the track does not name one. @throws TuttiError BAD_CHUNK where this is not the manifest that was agreed, DISK_FULL
   */
  beginFetch(track: Track, outline: FileOutline, chunkBytes: number): Promise<ChunkSet>;
  /** Keeps a chunk, durably. One that is here already is fine. @throws TuttiError BAD_CHUNK where its hash is another, TRACK_MISSING where it is not arriving, DISK_FULL */
  putChunk(id: TrackId, index: number, bytes: Uint8Array): Promise<void>;
  /**
   * All chunks are here: the file is read back, and has its place when this resolves, durably. One that is held is fine.
   * @throws TuttiError BAD_CHUNK where it is not the file; then nothing of it is here any more. TRACK_DAMAGED where the card gave back other
   * chunks than it took; then `beginFetch` says which are right. TRACK_MISSING where a chunk is missing. DISK_FULL
   */
  finishFetch(id: TrackId): Promise<void>;
  /** Forgets what has arrived of a file. One that is not arriving is fine. */
  dropFetch(id: TrackId): Promise<void>;
  /**
   * What a peer needs to fetch a file that is held or arriving. Where it has to be made of the file first, that takes a while.
   * @throws TuttiError TRACK_MISSING also where the manifest of an arriving file was lost, and not all of the file is here and right;
   * TRACK_DAMAGED where a held one is not what it was; DISK_FULL
   */
  outline(id: TrackId): Promise<FileOutline>;
  /**
   * A chunk that is here, and was compared with its hash. @throws TuttiError TRACK_MISSING; TRACK_DAMAGED where it is not what it was: a held
   * file is then for `quarantine`, of one that is arriving the chunk is missing from now on
   */
  readChunk(id: TrackId, index: number): Promise<Uint8Array>;
  /**
   * A held file turns out to be damaged, or gone, or one that lies here was left out at the start: it is arriving again; resolves with what of
   * it is right. Nothing, where the file and its manifest are damaged both: then an outline of a peer's shows, in `beginFetch`, what is.
   * `agreed` is how the cluster describes it, where it does: what is described here may be damaged too, and does not count then.
   * @throws TuttiError TRACK_MISSING, DISK_FULL
   */
  quarantine(id: TrackId, agreed: Track | null): Promise<ChunkSet>;
}
