/**
 * ChunkFiles: what the exchange with other nodes asks of the files on this one. TrackClient is the real one, and asks the hash thread.
 *
 * A file is *held* (in its place, whole, durable), *arriving* (some chunks of it are here), or not here. What is read back, when a file is
 * finished or resumed, is read past the system's cache.
 */
import type { TrackId } from '../core/ids.js';
import type { Track } from '../library/track.js';

/** Which chunks of a file are here: bit `i & 7` of byte `i >> 3` is chunk `i`. */
export type ChunkSet = Uint8Array;

/** What is needed to check a file's chunks, and what is shown of the file before it is all here. */
export interface FileOutline {
  /** The chunks' hashes, one after the other: see library/chunks.ts. */
  readonly manifest: Uint8Array;
  /** 2,048 bytes for a waveform. */
  readonly peaks: Uint8Array;
}

/** Files by chunks. Calls are done one after the other. All may reject with TuttiError DISK_FAILED. */
export interface ChunkFiles {
  /**
   * Begins to take a track's file in chunk by chunk, or goes on with it: resolves with what is here already, and right. `chunkBytes` is the
   * size of chunk where the track does not name one. @throws TuttiError BAD_CHUNK where this is not the manifest that was agreed, DISK_FULL
   */
  beginFetch(track: Track, outline: FileOutline, chunkBytes: number): Promise<ChunkSet>;
  /** Keeps a chunk, durably. @throws TuttiError BAD_CHUNK where its hash is another, TRACK_MISSING where it is not arriving, DISK_FULL */
  putChunk(id: TrackId, index: number, bytes: Uint8Array): Promise<void>;
  /**
   * All chunks are here: the file is read back, and has its place when this resolves, durably.
   * @throws TuttiError BAD_CHUNK where it is not the file; then nothing of it is here any more
   */
  finishFetch(id: TrackId): Promise<void>;
  /** Forgets what has arrived of a file. One that is not arriving is fine. */
  dropFetch(id: TrackId): Promise<void>;
  /** What a peer needs to fetch a file that is held or arriving. @throws TuttiError TRACK_MISSING */
  outline(id: TrackId): Promise<FileOutline>;
  /** A chunk that is here. @throws TuttiError TRACK_MISSING */
  readChunk(id: TrackId, index: number): Promise<Uint8Array>;
  /** A held file turns out to be damaged: it is arriving again; resolves with what of it is right. @throws TuttiError TRACK_MISSING */
  quarantine(id: TrackId): Promise<ChunkSet>;
}
