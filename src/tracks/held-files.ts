/**
 * HeldFiles: tracks whose files are in their place on this disk, whole.
 *
 * A WAV gets its name last, so where one is, all that belongs to it was durable. What lies beside it may be lost later, as any bit may, and
 * says nothing against the WAV, whose name is its hash: a manifest or an outline that is not there, or not right, is made again from the
 * file; a file without a description that can be read is left out, until somebody comes who knows the track (partials.ts). Tracks of the
 * first command set come without a manifest, and get theirs the same way when it is first needed; its root then stands in the description.
 */
import { TuttiError } from '../core/errors.js';
import { isTrackId, type TrackId } from '../core/ids.js';
import {
  type ChunkLimits,
  type ChunkPlan,
  chunkBytesFor,
  chunkLength,
  chunkOffset,
  chunkPlan,
} from '../library/chunks.js';
import type { Disk, DiskEntry, DiskFile } from '../ports/disk.js';
import type { FileOutline } from './chunk-files.js';
import { OutlineScan } from './outline-scan.js';
import { unlessFails } from './own-directories.js';
import { TRACKS, trackPath } from './paths.js';
import { isChunk, isOfCard, ReadBack, readBackStep, sha256 } from './read-back.js';
import { type Beside, type DescribedTrack, descriptionOf, SideFiles } from './side-files.js';

/** What lay on the disk at the start. */
export interface FoundFiles {
  /** As they were described, in the order of their ids. */
  readonly tracks: readonly DescribedTrack[];
  /** Tracks whose WAVs lie here, and cannot be said to be held; and why, for the log. */
  readonly leftOut: readonly TrackId[];
  readonly problems: readonly string[];
  /** Paths of what stands for nothing. */
  readonly leftovers: readonly string[];
}

/** Those of one node. `find` first. */
export class HeldFiles {
  readonly #disk: Disk;
  readonly #limits: ChunkLimits;
  readonly #side: SideFiles;
  readonly #files = new Map<TrackId, DescribedTrack>();
  /** Tracks whose WAVs were there at the start, and could not be said to be held. */
  readonly #leftOut = new Set<TrackId>();
  /** Manifests that are being made. */
  readonly #making = new Map<TrackId, ReadBack>();
  /** Outlines that are being drawn, each from the chunk on that comes next. */
  readonly #drawing = new Map<TrackId, { readonly scan: OutlineScan; next: number }>();

  constructor(components: { readonly disk: Disk }, init: { readonly limits: ChunkLimits }) {
    this.#disk = components.disk;
    this.#limits = init.limits;
    this.#side = new SideFiles(components, { directory: TRACKS });
  }

  /** Takes stock of `entries`, all that is in the directory. */
  find(entries: readonly DiskEntry[]): FoundFiles {
    const tracks: DescribedTrack[] = [];
    const problems: string[] = [];
    const names = new Set(entries.map(({ name }) => name));
    const leftovers: string[] = [];
    for (const { name, kind, size } of entries) {
      const [, id = '', ending] = /^([^.]*)\.(wav|json|peaks|chunks)$/.exec(name) ?? [];
      if (kind !== 'file' || !isTrackId(id)) continue;
      if (ending !== 'wav') {
        if (!names.has(`${id}.wav`)) leftovers.push(`${TRACKS}/${name}`);
        continue;
      }
      const track = this.#side.description(id)?.track ?? null;
      if (track !== null && track.bytes === size) {
        tracks.push(track);
        this.#hold(track);
        continue;
      }
      this.#leftOut.add(id);
      const why =
        track === null
          ? 'there is no description of it that can be read'
          : `it has ${size} bytes and not ${track.bytes}`;
      problems.push(`${TRACKS}/${name}: ${why}`);
    }
    return { tracks, leftOut: [...this.#leftOut], problems, leftovers };
  }

  /** Undefined where it is not held. */
  get(id: TrackId): DescribedTrack | undefined {
    return this.#files.get(id);
  }

  /** In no order. */
  list(): readonly DescribedTrack[] {
    return [...this.#files.values()];
  }

  /** Tracks whose files lie in the directory, also those that were left out at the start. In no order. @throws TuttiError DISK_FAILED */
  lying(): readonly TrackId[] {
    return [...this.#files.keys(), ...[...this.#leftOut].filter((id) => this.lies(id))];
  }

  /** How a held file is cut. */
  planOf({ bytes, chunks }: DescribedTrack): ChunkPlan {
    return chunkPlan(bytes, chunks?.bytes ?? chunkBytesFor(bytes, this.#limits));
  }

  /**
   * Gives the file at `from`, all of which is on the medium and right, its place: durable when this returns. After an error it is at
   * `from` as before, or nowhere. @throws TuttiError DISK_FULL, DISK_FAILED
   */
  place(track: DescribedTrack, beside: Beside, from: string): void {
    const { id } = track;
    const path = trackPath(id);
    const wasHeld = this.#files.has(id);
    let isMoved = false;
    try {
      this.#side.write(id, beside);
      this.#disk.rename(from, path);
      isMoved = true;
      this.#disk.syncDirectory(TRACKS);
    } catch (error) {
      // The first error is the one to tell; what cannot be undone now is cleared away at the next start.
      if (!wasHeld) {
        if (isMoved) unlessFails(() => this.#disk.rename(path, from));
        unlessFails(() => this.#side.remove(id));
      }
      throw error;
    }
    this.#making.delete(id);
    this.#hold(track);
  }

  /** Keeps how the cluster agreed on a track; one that is not held is fine. @throws TuttiError DISK_FULL, DISK_FAILED */
  describe(track: DescribedTrack): void {
    const file = this.#files.get(track.id);
    if (file === undefined) return;
    const described = withChunks(track, file);
    this.#side.write(track.id, { description: descriptionOf(described), manifest: null, peaks: null });
    if (described.chunks?.root !== file.chunks?.root) this.#making.delete(track.id);
    this.#hold(described);
  }

  /** Writes the description of a held file again where it is not there, or says something else. @throws TuttiError DISK_FULL, DISK_FAILED */
  describeAgain(file: DescribedTrack): void {
    const description = descriptionOf(narrowed(file));
    const found = this.#side.description(file.id)?.track;
    if (found !== undefined && Buffer.compare(descriptionOf(narrowed(found)), description) === 0) return;
    this.#side.write(file.id, { description, manifest: null, peaks: null });
  }

  /** Takes a track off the disk; one that is not there is fine. @throws TuttiError DISK_FAILED */
  remove(id: TrackId): void {
    this.#release(id);
    // The WAV first: without it, what is left of the others at a power cut stands for nothing.
    this.#disk.remove(trackPath(id));
    this.#side.remove(id);
    this.#disk.syncDirectory(TRACKS);
  }

  /** The outline of a held file, 2,048 bytes; null where it has to be made first. */
  peaks({ id }: DescribedTrack): Uint8Array | null {
    return this.#side.peaks(id);
  }

  /** The manifest of a held file: not to be changed; null where it has to be made first. */
  manifest(file: DescribedTrack): Uint8Array | null {
    return this.#side.manifest(file);
  }

  /**
   * Makes the manifest of a held file where it has none, else its outline, reading about `bytesMax` bytes of it; true when that is there.
   * @throws TuttiError TRACK_DAMAGED where the file is not what it was, DISK_FULL, DISK_FAILED
   */
  makeBeside(file: DescribedTrack, bytesMax: number): boolean {
    return this.manifest(file) === null ? this.#makeManifest(file, bytesMax) : this.#makePeaks(file, bytesMax);
  }

  #makeManifest(file: DescribedTrack, bytesMax: number): boolean {
    const { id } = file;
    const making = this.#making.get(id) ?? new ReadBack({ plan: this.planOf(file) });
    this.#making.set(id, making);
    const found = readBackStep(this.#disk, trackPath(id), making, bytesMax);
    if (found === null) return false;
    this.#making.delete(id);
    if (found === 'unreadable' || found.id !== id) throw damaged(id, null);
    const chunks = { bytes: this.planOf(file).chunkBytes, root: sha256(found.manifest) };
    // What else is in the description stays as it is.
    const before: object = this.#side.description(id)?.track ?? {};
    const { title, bytes } = file;
    const described = { ...before, id, title, bytes, chunks };
    this.#side.write(id, { description: descriptionOf(described), manifest: found.manifest, peaks: null });
    this.#hold(described);
    return true;
  }

  /**
   * Draws the outline of a held file that has a manifest and no outline, reading up to `bytesMax` bytes of it, or a chunk; true when it is there.
   * @throws TuttiError TRACK_DAMAGED where the file is not what it was, DISK_FULL, DISK_FAILED
   */
  #makePeaks(file: DescribedTrack, bytesMax: number): boolean {
    const { id } = file;
    if (this.peaks(file) !== null) return true;
    const drawing = this.#drawing.get(id) ?? { scan: new OutlineScan(), next: 0 };
    // Nothing is gone on with after an error.
    this.#drawing.delete(id);
    const { count } = this.planOf(file);
    for (let left = bytesMax; drawing.next < count && left > 0; drawing.next++) {
      const bytes = this.readChunk(file, drawing.next);
      if (bytes === null) return false;
      drawing.scan.push(bytes);
      left -= bytes.length;
    }
    if (drawing.next < count) this.#drawing.set(id, drawing);
    else this.#side.writePeaks(id, drawing.scan.result());
    return drawing.next === count;
  }

  /** How far {@link makeBeside} is with the manifest of this file. Bytes. */
  madeBytes(id: TrackId): number {
    return this.#making.get(id)?.offset ?? 0;
  }

  /** What a peer needs to fetch a file; null where its manifest has to be made first. */
  outline(file: DescribedTrack): FileOutline | null {
    const manifest = this.manifest(file);
    return manifest === null ? null : { manifest, peaks: this.peaks(file) };
  }

  /** Likewise. @throws TuttiError TRACK_MISSING where the file has no such chunk, TRACK_DAMAGED */
  readChunk(file: DescribedTrack, index: number): Uint8Array | null {
    const manifest = this.manifest(file);
    if (manifest === null) return null;
    const bytes = readChunk(this.#disk, trackPath(file.id), this.planOf(file), index);
    if (bytes === null || !isChunk(bytes, manifest, index)) throw damaged(file.id, index);
    return bytes;
  }

  /** True for a file that lies here, held or left out. @throws TuttiError DISK_FAILED */
  lies(id: TrackId): boolean {
    return this.#files.has(id) || (this.#leftOut.has(id) && this.#disk.exists(trackPath(id)));
  }

  /** All that lies beside a file, as far as it is right. `agreed`: how the cluster describes it, where it does. */
  beside(file: DescribedTrack, agreed: DescribedTrack | null): Beside {
    const description =
      agreed === null ? (this.#side.description(file.id)?.bytes ?? descriptionOf(narrowed(file))) : descriptionOf(file);
    // What was read by another description, which may have been wrong, is not to be met again.
    this.#side.forget(file.id);
    return { description, manifest: this.manifest(file), peaks: this.peaks(file) };
  }

  /** The bytes of this file have been moved away: what lies beside them goes too. */
  movedAway(id: TrackId): void {
    this.#release(id);
    this.#leftOut.delete(id);
    unlessFails(() => this.#side.remove(id));
  }

  #hold(track: DescribedTrack): void {
    this.#leftOut.delete(track.id);
    this.#files.set(track.id, narrowed(track));
  }

  #release(id: TrackId): void {
    this.#files.delete(id);
    this.#making.delete(id);
    this.#drawing.delete(id);
    this.#side.forget(id);
  }
}

/** What is kept in memory of a description. */
export function narrowed({ id, title, bytes, chunks }: DescribedTrack): DescribedTrack {
  return { id, title, bytes, ...(chunks && { chunks: { bytes: chunks.bytes, root: chunks.root } }) };
}

/** A track with the chunks that its file is known by, where it names none itself. */
export function withChunks<T extends DescribedTrack>(track: T, known: Pick<DescribedTrack, 'chunks'>): T {
  const chunks = track.chunks ?? known.chunks;
  return chunks === undefined ? track : { ...track, chunks };
}

/** The error of a file, or of one chunk of it, that is not what it was. */
export function damaged(id: TrackId, chunk: number | null): TuttiError {
  const what = chunk === null ? 'the file' : `chunk ${chunk} of the file`;
  return new TuttiError('TRACK_DAMAGED', `${what} is not what it was`, { trackId: id, chunk });
}

/**
 * What a file has at the place of a chunk; null where it cannot be read. @throws TuttiError TRACK_MISSING where the file has no such chunk,
 * BUSY where it cannot be opened for now
 */
export function readChunk(disk: Disk, path: string, plan: ChunkPlan, index: number): Uint8Array | null {
  if (!Number.isSafeInteger(index) || index < 0 || index >= plan.count) {
    throw new TuttiError('TRACK_MISSING', `the file has ${plan.count} chunks, and no chunk ${index}`);
  }
  let file: DiskFile | undefined;
  try {
    file = disk.open(path, 'read');
    const bytes = new Uint8Array(chunkLength(plan, index));
    return file.read(bytes, chunkOffset(plan, index)) === bytes.length ? bytes : null;
  } catch (error) {
    if (isOfCard(error)) return null;
    throw error;
  } finally {
    file?.close();
  }
}
