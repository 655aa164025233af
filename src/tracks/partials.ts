/**
 * Partials: files that are arriving chunk by chunk, from other nodes.
 *
 * A file has its full size from the beginning, so that the room for it is there, and chunks come in any order. Which of them are here is
 * noted in memory only: whoever goes on with a file has everything hashed that lies there, so no note on the disk can be older or newer
 * than the bytes. A chunk is compared with the manifest before it is written, and counts once it is on the medium; the whole is read back
 * before it gets its place, as an upload's is.
 *
 * A held file that turns out to be damaged becomes one of these again, and only what is wrong of it has to come. So does one that was left
 * out at the start, for want of a description that can be read: mostly nothing of it is wrong.
 */
import { PEAK_COUNT } from '../audio/peaks.js';
import { TuttiError } from '../core/errors.js';
import { isTrackId, type TrackId } from '../core/ids.js';
import {
  CHUNK_HASH_BYTES,
  type ChunkLimits,
  type ChunkPlan,
  chunkBytesFor,
  chunkLength,
  chunkOffset,
  chunkPlan,
} from '../library/chunks.js';
import type { Chunks, Track } from '../library/track.js';
import type { Disk, DiskEntry } from '../ports/disk.js';
import type { ChunkBytes, ChunkSet, FileOutline } from './chunk-files.js';
import { addChunk, allChunks, countChunks, hasChunk, noChunks, removeChunk } from './chunk-set.js';
import { damaged, type HeldFiles, narrowed, readChunk, withChunks } from './held-files.js';
import { SYNC_BYTES_MAX } from './intake.js';
import { unlessFails } from './own-directories.js';
import { partPath, TMP, trackPath } from './paths.js';
import { holdsChunk, isChunk, ReadBack, readBackStep, sha256 } from './read-back.js';
import { canBeCut, type DescribedTrack, descriptionOf, SideFiles } from './side-files.js';

/** A file that is arriving. */
interface Partial {
  track: DescribedTrack;
  readonly plan: ChunkPlan;
  /** Chunks that are on the medium and right. */
  readonly have: ChunkSet;
  /** Chunks below this were looked at; null while nobody has asked. */
  looked: number | null;
  /** Room that the file has not got yet; null once it is of its size. */
  missingBytes: number | null;
  /** Where it is being read back as a whole. */
  readBack: ReadBack | null;
}

/** What partial files need. */
export interface PartialsComponents {
  readonly disk: Disk;
  readonly held: HeldFiles;
  readonly pace: () => void;
  /** @throws TuttiError DISK_FULL unless so many bytes more fit beside all that is announced */
  readonly checkRoom: (bytes: number) => void;
}

/** Those of one node. `find` first; see {@link ChunkFiles} for what the calls promise. */
export class Partials {
  readonly #disk: Disk;
  readonly #held: HeldFiles;
  readonly #pace: () => void;
  readonly #checkRoom: (bytes: number) => void;
  readonly #limits: ChunkLimits;
  readonly #side: SideFiles;
  readonly #files = new Map<TrackId, Partial>();

  constructor(components: PartialsComponents, init: { readonly limits: ChunkLimits }) {
    this.#disk = components.disk;
    this.#held = components.held;
    this.#pace = components.pace;
    this.#checkRoom = components.checkRoom;
    this.#limits = init.limits;
    this.#side = new SideFiles(components, { directory: TMP });
  }

  /** Takes stock of `entries`, all that is in the directory: which files are arriving, and paths of what stands for nothing. */
  find(entries: readonly DiskEntry[]): {
    readonly arriving: readonly TrackId[];
    readonly leftovers: readonly string[];
  } {
    for (const { name, kind, size } of entries) {
      const [, id = ''] = /^(.*)\.part$/.exec(name) ?? [];
      if (kind !== 'file' || !isTrackId(id) || this.#held.get(id) !== undefined) continue;
      const track = this.#side.description(id)?.track;
      if (track !== undefined) this.#files.set(id, { ...this.#partial(track), missingBytes: missing(track, size) });
    }
    const leftovers = entries.filter(({ name, kind }) => kind === 'file' && !this.#files.has(idIn(name)));
    return { arriving: this.arriving(), leftovers: leftovers.map(({ name }) => `${TMP}/${name}`) };
  }

  /** Tracks whose files are arriving. In no order. */
  arriving(): readonly TrackId[] {
    return [...this.#files.keys()];
  }

  /** Room that files on their way in will take yet. Bytes. */
  get missingBytes(): number {
    let bytes = 0;
    for (const partial of this.#files.values()) bytes += partial.missingBytes ?? 0;
    return bytes;
  }

  /** See {@link ChunkFiles.beginFetch}: what is here already is found by `resume`. @throws TuttiError BAD_CHUNK, DISK_FULL, DISK_FAILED */
  begin(track: Track, outline: FileOutline, chunkBytes: number): void {
    const chunks = checkedChunks(track, outline, chunkBytes);
    const { id } = track;
    if (this.#held.get(id) !== undefined) return;
    const known = this.#files.get(id);
    const described = { ...track, chunks };
    if (known !== undefined && this.#isUnderWay(known, chunks)) {
      this.describe(described);
      return;
    }
    // A WAV that was left out at the start, or whose removal failed, may be right in parts.
    if (known === undefined && this.#disk.exists(trackPath(id))) {
      this.#disk.rename(trackPath(id), partPath(id));
      // Before its size is changed: with the size of the track, and its name back after a power cut, it would be taken for held.
      this.#disk.syncDirectory(TMP);
    }
    const isNew = !this.#disk.exists(partPath(id));
    const partial = this.#partial(described);
    if (isNew) partial.looked = partial.plan.count;
    // Counted once, as what is asked for now.
    this.#files.delete(id);
    try {
      this.#reserve(partial);
      this.#side.write(id, { description: descriptionOf(described), ...outline });
    } catch (error) {
      if (isNew) unlessFails(() => this.drop(id));
      else if (known !== undefined) this.#files.set(id, { ...known, looked: null });
      throw error;
    }
    this.#files.set(id, partial);
  }

  /** Looks at up to `bytesMax` bytes of what is here; which chunks are, once all was looked at. @throws TuttiError TRACK_MISSING, DISK_FAILED */
  resume(id: TrackId, bytesMax: number): ChunkSet | null {
    const held = this.#held.get(id);
    if (held !== undefined && !this.#files.has(id)) return allChunks(this.#held.planOf(held).count);
    const partial = this.#get(id);
    const manifest = this.#side.manifest(partial.track);
    const isDone = manifest === null ? this.#lookWithout(partial, bytesMax) : this.#look(partial, manifest, bytesMax);
    return isDone ? partial.have.slice() : null;
  }

  /**
   * Writes chunks of one file, and syncs once for as many as fit into SYNC_BYTES_MAX: a card takes as long for a sync as for half a mebibyte.
   * Gives the indexes of those that are not what their hashes say: all others are on the medium.
   * @throws TuttiError TRACK_MISSING, DISK_FULL, DISK_FAILED: none of them counts then
   */
  put(id: TrackId, chunks: readonly ChunkBytes[]): number[] {
    const { partial, manifest } = this.#withManifest(id);
    const { plan } = partial;
    const isRight = ({ index, bytes }: ChunkBytes) =>
      Number.isSafeInteger(index) &&
      index >= 0 &&
      index < plan.count &&
      bytes.length === chunkLength(plan, index) &&
      isChunk(bytes, manifest, index);
    const right = chunks.filter(isRight);
    const bad = chunks.filter((chunk) => !right.includes(chunk)).map(({ index }) => index);
    const missing = right.filter(({ index }) => !hasChunk(partial.have, index));
    if (missing.length === 0) return bad;
    this.#reserve(partial);
    this.#write(partial, missing);
    for (const { index } of missing) addChunk(partial.have, index);
    partial.readBack = null;
    return bad;
  }

  /**
   * All chunks are here: reads up to `bytesMax` bytes back; true once the file has its place, durably.
   * @throws TuttiError TRACK_MISSING where a chunk is missing; TRACK_DAMAGED where the card gave back other chunks than it took: `begin`
   * and `resume` say which are right; BAD_CHUNK where it is not the file: nothing of it is here any more; DISK_FULL, DISK_FAILED
   */
  finish(id: TrackId, bytesMax: number): boolean {
    if (!this.#files.has(id) && this.#held.get(id) !== undefined) return true;
    const { partial, manifest } = this.#withManifest(id);
    const { plan, track } = partial;
    const isWhole = countChunks(partial.have) === plan.count;
    if (!isWhole) throw new TuttiError('TRACK_MISSING', 'not all chunks of the file are here');
    this.#reserve(partial);
    partial.readBack ??= new ReadBack({ plan });
    const found = readBackStep(this.#disk, partPath(id), partial.readBack, bytesMax);
    if (found === null) return false;
    partial.readBack = null;
    if (found === 'unreadable' || Buffer.compare(found.manifest, manifest) !== 0) {
      partial.looked = null;
      partial.have.fill(0);
      throw damaged(id, null);
    }
    if (found.id !== id) {
      this.drop(id);
      throw new TuttiError('BAD_CHUNK', 'the file is not that of the track: the manifest was of another', {
        trackId: id,
      });
    }
    const description = this.#side.description(id)?.bytes ?? descriptionOf(track);
    this.#held.place(track, { description, manifest, peaks: this.#side.peaks(id) }, partPath(id));
    this.#files.delete(id);
    unlessFails(() => this.#side.remove(id));
    return true;
  }

  /** Idempotent. @throws TuttiError DISK_FAILED */
  drop(id: TrackId): void {
    this.#files.delete(id);
    this.#disk.remove(partPath(id));
    this.#side.remove(id);
  }

  /** Null where `resume` has to look first whether a manifest can be made. @throws TuttiError TRACK_MISSING also where none can */
  outline(id: TrackId): FileOutline | null {
    const { track, looked, plan } = this.#get(id);
    const manifest = this.#side.manifest(track);
    if (manifest !== null) return { manifest, peaks: this.#side.peaks(id) };
    if (looked !== plan.count) return null;
    throw new TuttiError('TRACK_MISSING', 'this node has no manifest of the file');
  }

  /** @throws TuttiError TRACK_MISSING; TRACK_DAMAGED where it is not any more what it was: it is missing from now on */
  readChunk(id: TrackId, index: number): Uint8Array {
    const { partial, manifest } = this.#withManifest(id);
    if (!hasChunk(partial.have, index)) throw new TuttiError('TRACK_MISSING', `chunk ${index} is not here yet`);
    const bytes = readChunk(this.#disk, partPath(id), partial.plan, index);
    if (bytes !== null && isChunk(bytes, manifest, index)) return bytes;
    removeChunk(partial.have, index);
    throw damaged(id, index);
  }

  /** Keeps how the cluster agreed on a track; one that is not arriving is fine. @throws TuttiError DISK_FULL, DISK_FAILED */
  describe(track: DescribedTrack): void {
    const partial = this.#files.get(track.id);
    if (partial === undefined) return;
    const described = withChunks(track, partial.track);
    const description = descriptionOf(described);
    const before = this.#side.description(track.id)?.bytes;
    if (before !== undefined && Buffer.compare(before, description) === 0) return;
    this.#side.write(track.id, { description, manifest: null, peaks: null });
    partial.track = narrowed(described);
  }

  /** See {@link ChunkFiles.quarantine}: what of it is right is found by `resume`. @throws TuttiError TRACK_MISSING, DISK_FULL, DISK_FAILED */
  quarantine(id: TrackId, agreed: Track | null): void {
    const held = this.#held.get(id);
    const file = agreed === null ? held : withChunks<DescribedTrack>(agreed, held ?? {});
    if (file === undefined || !this.#held.lies(id)) {
      throw new TuttiError('TRACK_MISSING', 'this node does not hold the file');
    }
    try {
      this.#side.write(id, this.#held.beside(file, agreed));
      // The file itself may be gone: then all of it has to come.
      if (this.#disk.exists(trackPath(id))) this.#disk.rename(trackPath(id), partPath(id));
      this.#disk.syncDirectory(TMP);
    } catch (error) {
      unlessFails(() => this.#side.remove(id));
      throw error;
    }
    this.#held.movedAway(id);
    const partial = this.#partial(file);
    this.#files.set(id, partial);
    unlessFails(() => this.#reserve(partial));
  }

  #partial(track: DescribedTrack): Partial {
    const plan = chunkPlan(track.bytes, track.chunks?.bytes ?? chunkBytesFor(track.bytes, this.#limits));
    const have = noChunks(plan.count);
    return { track: narrowed(track), plan, have, looked: null, missingBytes: track.bytes, readBack: null };
  }

  /** @throws TuttiError TRACK_MISSING */
  #get(id: TrackId): Partial {
    const partial = this.#files.get(id);
    if (partial === undefined) throw new TuttiError('TRACK_MISSING', 'the file is not arriving here');
    return partial;
  }

  /** True where the file is being fetched by this manifest already. */
  #isUnderWay(known: Partial, chunks: Chunks): boolean {
    const isCutAlike = known.track.chunks?.bytes === chunks.bytes && known.track.chunks.root === chunks.root;
    return isCutAlike && known.looked !== null && this.#side.manifest(known.track) !== null;
  }

  /** @throws TuttiError TRACK_MISSING also where there is no manifest to check chunks by */
  #withManifest(id: TrackId): { readonly partial: Partial; readonly manifest: Uint8Array } {
    const partial = this.#get(id);
    const manifest = this.#side.manifest(partial.track);
    if (manifest === null) throw new TuttiError('TRACK_MISSING', 'this node has no manifest of the file');
    return { partial, manifest };
  }

  /** @throws TuttiError DISK_FULL, DISK_FAILED */
  #reserve(partial: Partial): void {
    const { id, bytes } = partial.track;
    if (partial.missingBytes === null) return;
    const file = this.#disk.open(partPath(id), 'create');
    try {
      // Asked for while it is not counted as announced itself.
      partial.missingBytes = null;
      this.#checkRoom(missing(partial.track, file.size()));
      file.allocate(bytes);
      // Its size must be on the medium for good, also where it was longer, or an earlier sync of it has failed: a size that
      // does not change would not be written again. So must be whatever was written before the process was killed.
      file.truncate(bytes + 1);
      file.truncate(bytes);
      file.sync();
    } catch (error) {
      partial.missingBytes = missing(partial.track, file.size());
      throw error;
    } finally {
      file.close();
    }
  }

  #write({ track, plan }: Partial, chunks: readonly ChunkBytes[]): void {
    const file = this.#disk.open(partPath(track.id), 'create');
    let unsyncedBytes = 0;
    try {
      for (const { index, bytes } of chunks) {
        const offset = chunkOffset(plan, index);
        for (let at = 0; at < bytes.length; ) {
          if (unsyncedBytes === 0) this.#pace();
          const piece = bytes.subarray(at, at + SYNC_BYTES_MAX - unsyncedBytes);
          file.write(piece, offset + at);
          at += piece.length;
          unsyncedBytes += piece.length;
          if (unsyncedBytes < SYNC_BYTES_MAX) continue;
          file.sync();
          unsyncedBytes = 0;
        }
      }
      if (unsyncedBytes > 0) file.sync();
    } finally {
      file.close();
    }
  }

  /** Hashes chunk by chunk; true when all were looked at. */
  #look(partial: Partial, manifest: Uint8Array, bytesMax: number): boolean {
    const { plan, track } = partial;
    if (partial.looked === plan.count) return true;
    const file = this.#disk.open(partPath(track.id), 'create');
    try {
      partial.looked ??= 0;
      for (let bytes = 0; partial.looked < plan.count && bytes < bytesMax; partial.looked++) {
        if (holdsChunk(file, plan, manifest, partial.looked)) addChunk(partial.have, partial.looked);
        bytes += chunkLength(plan, partial.looked);
      }
    } finally {
      file.close();
    }
    return partial.looked === plan.count;
  }

  /** Without a manifest it is all or nothing: where the whole file is right, its manifest can be made of it. */
  #lookWithout(partial: Partial, bytesMax: number): boolean {
    const { plan, track } = partial;
    if (partial.looked === plan.count) return true;
    partial.looked = 0;
    partial.readBack ??= new ReadBack({ plan });
    const found = readBackStep(this.#disk, partPath(track.id), partial.readBack, bytesMax);
    if (found === null) return false;
    partial.readBack = null;
    partial.looked = plan.count;
    if (found === 'unreadable' || found.id !== track.id) return true;
    const chunks = { bytes: plan.chunkBytes, root: sha256(found.manifest) };
    const described = { ...(this.#side.description(track.id)?.track ?? track), chunks };
    this.#side.write(track.id, { description: descriptionOf(described), manifest: found.manifest, peaks: null });
    partial.track = narrowed(described);
    partial.have.set(allChunks(plan.count));
    return true;
  }
}

const missing = ({ bytes }: DescribedTrack, size: number): number => Math.max(0, bytes - size);

/** The track that a file in the directory belongs to. */
const idIn = (name: string): TrackId => (/^(.*)\.(?:part|json|chunks|peaks)$/.exec(name)?.[1] ?? '') as TrackId;

/**
 * How the file of a track is cut, by the outline that somebody sent. @throws TuttiError BAD_CHUNK where the outline is not of this track, or
 * no file can be like that
 */
function checkedChunks(track: Track, { manifest, peaks }: FileOutline, chunkBytes: number): Chunks {
  const chunks = { bytes: track.chunks?.bytes ?? chunkBytes, root: sha256(manifest) };
  const isFile = isTrackId(track.id) && canBeCut(track.bytes, chunks);
  const isOutline =
    isFile &&
    manifest.length === chunkPlan(track.bytes, chunks.bytes).count * CHUNK_HASH_BYTES &&
    (peaks === null || peaks.length === PEAK_COUNT) &&
    (track.chunks === undefined || track.chunks.root === chunks.root);
  if (isOutline) return chunks;
  throw new TuttiError('BAD_CHUNK', 'this is not the manifest that was agreed for the track');
}
