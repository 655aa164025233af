/**
 * SideFiles: what lies beside the bytes of a track in one directory: its description, its outline and its manifest.
 *
 * Files that are held and files that are arriving have the same three. All three are durable before the bytes get their name, or the first
 * chunk of them is taken, so where the bytes are and these are not, something was lost; and each can be had again: see held-files.ts. None
 * is believed that a card may have spoilt: a manifest has its root in the description, an outline is followed by its SHA-256, and of a
 * description no more is believed than that a file of this id, which is a hash itself, may be here.
 */
import { PEAK_COUNT } from '../audio/peaks.js';
import { TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import { CHUNK_HASH_BYTES, CHUNK_LIMITS, chunkPlan } from '../library/chunks.js';
import type { Chunks, Track } from '../library/track.js';
import type { Disk } from '../ports/disk.js';
import { replaceFile } from './durable-write.js';
import { NEW_FILE } from './paths.js';
import { sha256 } from './read-back.js';

/** Largest description that is read; one of this build is a few kilobytes. */
const DESCRIPTION_BYTES_MAX = 1 << 20;
/** Chunks of one file: of the largest size they make 256 GiB, and a manifest of 2 MiB. */
const CHUNKS_MAX = 1 << 16;
/** Manifests that are kept in memory, for peers that fetch several files at once. */
const MANIFESTS_CACHED = 16;

/**
 * What is read of a description: the rest of it is agreed in the log. So little is checked by hand, since the schemas' library would take
 * 13 MB of this thread. Where a track does not name its chunks (it is of the first command set), the description does once its manifest was
 * made.
 */
export type DescribedTrack = Pick<Track, 'id' | 'title' | 'bytes' | 'chunks'>;

/** The files beside the bytes. `null`: it is not known, and not written. */
export interface Beside {
  readonly description: Uint8Array;
  readonly manifest: Uint8Array | null;
  readonly peaks: Uint8Array | null;
}

/** The endings of their names. */
const SIDE_FILES = ['json', 'chunks', 'peaks'] as const;

/** Those of one directory. */
export class SideFiles {
  readonly #disk: Disk;
  readonly #directory: string;
  /** By track, those that were used last at the end; each has the root that its track names. */
  readonly #manifests = new Map<TrackId, Uint8Array>();

  constructor(components: { readonly disk: Disk }, init: { readonly directory: string }) {
    this.#disk = components.disk;
    this.#directory = init.directory;
  }

  /** Durable when this returns. @throws TuttiError DISK_FULL, DISK_FAILED */
  write(id: TrackId, { description, manifest, peaks }: Beside): void {
    this.#manifests.delete(id);
    if (peaks !== null) this.#replace(id, 'peaks', sealedPeaks(peaks));
    if (manifest !== null) this.#replace(id, 'chunks', manifest);
    this.#replace(id, 'json', description);
    this.#disk.syncDirectory(this.#directory);
  }

  /** Durable when this returns. @throws TuttiError DISK_FULL, DISK_FAILED */
  writePeaks(id: TrackId, peaks: Uint8Array): void {
    this.#replace(id, 'peaks', sealedPeaks(peaks));
    this.#disk.syncDirectory(this.#directory);
  }

  /** Idempotent. Not durable before the directory is synced: where what is left of them stands for nothing. @throws TuttiError DISK_FAILED */
  remove(id: TrackId): void {
    this.#manifests.delete(id);
    for (const ending of SIDE_FILES) this.#disk.remove(this.#path(id, ending));
  }

  /** The bytes of a description, and what they say; null where there is none that can be read. */
  description(id: TrackId): { readonly bytes: Uint8Array; readonly track: DescribedTrack } | null {
    try {
      const bytes = readFile(this.#disk, this.#path(id, 'json'), 0, DESCRIPTION_BYTES_MAX);
      const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
      return isDescription(value) && value.id === id ? { bytes, track: value } : null;
    } catch (error) {
      if (error instanceof TuttiError || error instanceof SyntaxError || error instanceof TypeError) return null;
      throw error;
    }
  }

  /** 2,048 bytes; null where there are none that are right. */
  peaks(id: TrackId): Uint8Array | null {
    try {
      const sealed = readFile(this.#disk, this.#path(id, 'peaks'), 0, SEALED_PEAKS_BYTES + 1);
      const peaks = sealed.subarray(0, PEAK_COUNT);
      return Buffer.compare(sealed, sealedPeaks(peaks)) === 0 ? peaks : null;
    } catch (error) {
      if (error instanceof TuttiError) return null;
      throw error;
    }
  }

  /** The manifest, as its root in `track` has it: not to be changed; null where there is none that is right, or the track names no chunks. */
  manifest({ id, bytes, chunks }: DescribedTrack): Uint8Array | null {
    const cached = this.#manifests.get(id);
    this.#manifests.delete(id);
    const manifest = cached ?? this.#readManifest(id, bytes, chunks);
    if (manifest === null) return null;
    this.#manifests.set(id, manifest);
    const [oldest] = this.#manifests.keys();
    if (this.#manifests.size > MANIFESTS_CACHED) this.#manifests.delete(oldest!);
    return manifest;
  }

  /** What was kept in memory of this track's may be another now. */
  forget(id: TrackId): void {
    this.#manifests.delete(id);
  }

  #readManifest(id: TrackId, bytes: number, chunks: Chunks | undefined): Uint8Array | null {
    if (chunks === undefined) return null;
    const length = chunkPlan(bytes, chunks.bytes).count * CHUNK_HASH_BYTES;
    try {
      const manifest = readFile(this.#disk, this.#path(id, 'chunks'), 0, length + 1);
      return manifest.length === length && sha256(manifest) === chunks.root ? manifest : null;
    } catch (error) {
      if (error instanceof TuttiError) return null;
      throw error;
    }
  }

  #replace(id: TrackId, ending: (typeof SIDE_FILES)[number], bytes: Uint8Array): void {
    replaceFile(this.#disk, NEW_FILE, this.#path(id, ending), bytes);
  }

  #path(id: TrackId, ending: (typeof SIDE_FILES)[number]): string {
    return `${this.#directory}/${id}.${ending}`;
  }
}

/** An outline as it lies on the disk: nothing else would tell it from one of which a bit has flipped. */
const sealedPeaks = (peaks: Uint8Array): Uint8Array => Buffer.concat([peaks, Buffer.from(sha256(peaks), 'hex')]);
const SEALED_PEAKS_BYTES = PEAK_COUNT + 32;

/** The bytes of a description. */
export const descriptionOf = (track: DescribedTrack): Uint8Array => new TextEncoder().encode(JSON.stringify(track));

/** Bytes of a file from `offset` on, at most `lengthMax`. @throws TuttiError TRACK_MISSING where it is not there, DISK_FAILED */
function readFile(disk: Disk, path: string, offset: number, lengthMax: number): Uint8Array {
  let file: ReturnType<Disk['open']>;
  try {
    file = disk.open(path, 'read');
  } catch (error) {
    if (error instanceof TuttiError && error.code === 'NOT_FOUND') {
      throw new TuttiError('TRACK_MISSING', 'this node has no such file', {}, error);
    }
    throw error;
  }
  try {
    const bytes = new Uint8Array(Math.max(0, Math.min(lengthMax, file.size() - offset)));
    return bytes.subarray(0, file.read(bytes, offset));
  } finally {
    file.close();
  }
}

const isSize = (value: unknown, max: number): value is number =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= max;

function isDescription(value: unknown): value is DescribedTrack {
  if (typeof value !== 'object' || value === null) return false;
  const { id, title, bytes, chunks } = value as Partial<Record<keyof DescribedTrack, unknown>>;
  const isNamed = typeof id === 'string' && typeof title === 'string';
  const cut = chunks === undefined ? { bytes: CHUNK_LIMITS.bytesMax, root: '' } : chunks;
  return isNamed && canBeCut(bytes, cut);
}

/** True for a size of a file and what a track may say of its chunks, where they are not too many to be worked with. */
export function canBeCut(fileBytes: unknown, chunks: unknown): boolean {
  if (typeof chunks !== 'object' || chunks === null) return false;
  const { bytes, root } = chunks as Partial<Record<keyof Chunks, unknown>>;
  const areSizes = isSize(fileBytes, Number.MAX_SAFE_INTEGER) && isSize(bytes, CHUNK_LIMITS.bytesMax);
  return areSizes && typeof root === 'string' && chunkPlan(fileBytes, bytes).count <= CHUNKS_MAX;
}
