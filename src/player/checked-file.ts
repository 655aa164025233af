/**
 * Checked files: nothing of a chunk is given out before its hash is what was agreed.
 *
 * A chunk is read whole, hashed, and only then looked into. What it should be says the manifest, and what that should be was agreed with the
 * track. It comes from the file in its place or, where that is not there, from the one that is arriving. Between two chunks the one may
 * become the other, because it is whole now, or because it turned out to be damaged; so both are looked for anew for each chunk, and no
 * file stays open.
 */
import { createHash } from 'node:crypto';
import { TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import { addTime, type LocalTime, nanosFromMs } from '../core/units.js';
import {
  CHUNK_HASH_BYTES,
  type ChunkPlan,
  chunkAt,
  chunkHash,
  chunkLength,
  chunkOffset,
  chunkPlan,
} from '../library/chunks.js';
import { arrivingManifestPath, arrivingWavPath, manifestPath, wavPath } from '../library/track-paths.js';
import type { Disk, DiskFile } from '../ports/disk.js';
import type { Time } from '../ports/time.js';
import type { Lack, PieceFile } from './piece-file.js';
import type { FileChunks } from './program.js';

/** Manifests that are kept: of what two decks are at, and of what comes next on each. */
const MANIFESTS_MAX = 4;
/** Chunks that are remembered to be lacking. */
const LACKS_MAX = 256;
/** How often a chunk that is lacking is tried again, whoever asks. Milliseconds. */
export const RETRY_EVERY_MS = 100;
/** The largest part of the thread's time that goes into tries of one chunk: a twentieth. A large one is read and hashed for some tens of milliseconds. */
const RETRY_COST = 20;
/** What nobody has tried for so long is told anew: it may have come meanwhile, and have gone again. Milliseconds. */
const TOLD_ANEW_AFTER_MS = 60_000;

/** A chunk that the reader needs and cannot have: to be fetched from another node. */
export interface WantedChunk extends Lack {
  readonly trackId: TrackId;
}

/** A track whose file is checked. */
export interface CheckedTrack {
  readonly trackId: TrackId;
  readonly chunks: FileChunks;
}

/** The chunk that a deck is at: its room is used again and again, and grows to the largest chunk. */
export class HeldChunk {
  bytes = new Uint8Array(0);
  length = 0;
  /** Whose chunk it is; -1 for none. */
  index = -1;
  root = '';
}

/** What a reader works with. */
export interface CheckedFilesComponents {
  readonly disk: Disk;
  readonly time: Pick<Time, 'now'>;
  /** Called once for each chunk that is missing, and once for one that is damaged, for as long as it is tried in vain. */
  readonly wanted: (chunk: WantedChunk) => void;
}

/** A chunk that was tried in vain: what was told of it, and when it is tried again. */
interface Trial {
  readonly why: Lack['why'];
  readonly triedAt: LocalTime;
  readonly tryAt: LocalTime;
}

/** What all checked files of one reader share: the manifests at hand, and the room into which a chunk is read before it is known to be right. */
export class CheckedFiles {
  readonly #disk: Disk;
  readonly #time: Pick<Time, 'now'>;
  readonly #wanted: CheckedFilesComponents['wanted'];
  /** By root: what has that hash never changes. */
  readonly #manifests = new Map<string, Uint8Array>();
  /** By chunk and track. */
  readonly #lacking = new Map<string, Trial>();
  #unchecked = new Uint8Array(0);

  constructor(components: CheckedFilesComponents) {
    this.#disk = components.disk;
    this.#time = components.time;
    this.#wanted = components.wanted;
  }

  /**
   * Has `held` hold chunk `index` of `track`, and gives null; or leaves it as it was, says so to whoever can fetch it, and gives why. What was
   * tried in vain a moment ago is not tried again, for whichever deck.
   */
  load(track: CheckedTrack, index: number, held: HeldChunk): Lack | null {
    const key = `${index} ${track.trackId}`;
    const before = this.#lacking.get(key);
    const startedAt = this.#time.now();
    if (before !== undefined && startedAt < before.tryAt) return { chunk: index, why: before.why };
    const why = this.#tryToLoad(track, index, held);
    if (why === null) {
      this.#lacking.delete(key);
      return null;
    }
    const triedAt = this.#time.now();
    const pauseNs = RETRY_COST * Number(triedAt - startedAt);
    const tryAt = addTime(triedAt, BigInt(Math.max(RETRY_EVERY_MS * 1e6, pauseNs)));
    keepLatest(this.#lacking, LACKS_MAX, key, { why, triedAt, tryAt });
    if (before === undefined || isNews(before, why, triedAt))
      this.#wanted({ trackId: track.trackId, chunk: index, why });
    return { chunk: index, why };
  }

  #tryToLoad({ trackId, chunks }: CheckedTrack, index: number, held: HeldChunk): Lack['why'] | null {
    let isWhole = false;
    try {
      const found = this.#openWav(trackId);
      if (found === null) return 'missing';
      try {
        isWhole = found.isInPlace && found.file.size() === chunks.fileBytes;
        const plan = chunkPlan(chunks.fileBytes, chunks.bytes);
        const manifest = this.#manifestOf(trackId, chunks.root, plan);
        if (manifest !== null && this.#readChunk(found.file, plan, index, manifest)) {
          [held.bytes, this.#unchecked] = [this.#unchecked, held.bytes];
          held.length = chunkLength(plan, index);
          held.index = index;
          held.root = chunks.root;
          return null;
        }
      } finally {
        found.file.close();
      }
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
    }
    return isWhole ? 'damaged' : 'missing';
  }

  /** Reads chunk `index` into `#unchecked`: true where it is what it should be. */
  #readChunk(file: DiskFile, plan: ChunkPlan, index: number, manifest: Uint8Array): boolean {
    const length = chunkLength(plan, index);
    if (this.#unchecked.length < length) this.#unchecked = new Uint8Array(length);
    const bytes = this.#unchecked.subarray(0, length);
    return file.read(bytes, chunkOffset(plan, index)) === length && sha256(bytes).equals(chunkHash(manifest, index));
  }

  /** The file, wherever it is. What is in neither place may have gone from the second to the first between two looks. */
  #openWav(trackId: TrackId): { readonly file: DiskFile; readonly isInPlace: boolean } | null {
    const place = wavPath(trackId);
    for (const path of [place, arrivingWavPath(trackId), place]) {
      const file = this.#open(path);
      if (file !== null) return { file, isInPlace: path === place };
    }
    return null;
  }

  /** The hashes of the track's chunks; null where they are not there, or not what was agreed. */
  #manifestOf(trackId: TrackId, root: string, plan: ChunkPlan): Uint8Array | null {
    const known = this.#manifests.get(root);
    if (known !== undefined) return known;
    const place = manifestPath(trackId);
    for (const path of [place, arrivingManifestPath(trackId), place]) {
      const manifest = this.#readWhole(path, plan.count * CHUNK_HASH_BYTES);
      if (manifest === null || sha256(manifest).toString('hex') !== root) continue;
      keepLatest(this.#manifests, MANIFESTS_MAX, root, manifest);
      return manifest;
    }
    return null;
  }

  /** A file of exactly `bytes` bytes; null for any other, or none. */
  #readWhole(path: string, bytes: number): Uint8Array | null {
    const file = this.#open(path);
    if (file === null) return null;
    try {
      if (file.size() !== bytes) return null;
      const whole = new Uint8Array(bytes);
      return file.read(whole, 0) === bytes ? whole : null;
    } finally {
      file.close();
    }
  }

  #open(path: string): DiskFile | null {
    try {
      return this.#disk.open(path, 'read');
    } catch (error) {
      if (error instanceof TuttiError && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }
}

/** A track's file, checked as it is read. */
export class CheckedFile implements PieceFile {
  readonly #files: CheckedFiles;
  readonly #held: HeldChunk;
  readonly #track: CheckedTrack;
  readonly #plan: ChunkPlan;
  #lack: Lack | null = null;

  /** `held`: the chunk of the deck that it is read for; what it holds of the same file need not be read again. */
  constructor(components: { readonly files: CheckedFiles; readonly held: HeldChunk }, track: CheckedTrack) {
    this.#files = components.files;
    this.#held = components.held;
    this.#track = track;
    this.#plan = chunkPlan(track.chunks.fileBytes, track.chunks.bytes);
  }

  get lack(): Lack | null {
    return this.#lack;
  }

  read(into: Uint8Array, offset: number): number {
    const plan = this.#plan;
    const held = this.#held;
    const count = Math.min(into.length, plan.fileBytes - offset);
    this.#lack = null;
    let got = 0;
    while (got < count) {
      const index = chunkAt(plan, offset + got);
      if (!this.#holds(index)) this.#lack = this.#files.load(this.#track, index, held);
      if (this.#lack !== null) break;
      const from = offset + got - chunkOffset(plan, index);
      const part = held.bytes.subarray(from, Math.min(held.length, from + count - got));
      into.set(part, got);
      got += part.length;
    }
    return got;
  }

  /** Nothing is open between two chunks. */
  close(): void {}

  /** True where chunk `index` is at hand. A chunk of that hash and length is the right one, whichever track it was read for. */
  #holds(index: number): boolean {
    const { root, length } = this.#held;
    const isSame = this.#held.index === index && root === this.#track.chunks.root;
    return isSame && length === chunkLength(this.#plan, index);
  }
}

/** True where it was not told yet that a chunk, tried before, is lacking for this reason. */
const isNews = (before: Trial, why: Lack['why'], triedAt: LocalTime): boolean =>
  (before.why === 'missing' && why === 'damaged') || triedAt - before.triedAt > nanosFromMs(TOLD_ANEW_AFTER_MS);

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Sets `key`, and forgets those above `most` that were set longest ago. */
function keepLatest<K, V>(map: Map<K, V>, most: number, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(oldest);
  }
}
