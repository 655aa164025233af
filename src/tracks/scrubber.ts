/**
 * Scrubber: looks through the files that are held, chunk by chunk, for what the card has lost without saying so.
 *
 * It reads past the system's cache and compares with the manifests, in the order of the tracks' ids; what lies beside a file and was lost
 * is made again. Where it is stands in memory only: each start begins somewhere else, so that on a node that is unplugged every night no
 * file is always the last. When to take a step is for scrub-pace.ts to say.
 */
import { TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import { chunkLength } from '../library/chunks.js';
import type { Disk, DiskFile } from '../ports/disk.js';
import type { HeldFiles } from './held-files.js';
import { trackPath } from './paths.js';
import { holdsChunk, isOfCard } from './read-back.js';
import type { DescribedTrack } from './side-files.js';

/** What is not what it was: one chunk, or (null) so much that it cannot be told which: the file is gone, or of another size. */
export interface Damage {
  readonly id: TrackId;
  readonly chunk: number | null;
}

/** What one step came to. */
export interface ScrubStep {
  readonly damaged: readonly Damage[];
  readonly readBytes: number;
  /** How far the round is. Where both are the same it is over, and the next step begins another. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** Walks in circles through the held files of one node. */
export class Scrubber {
  readonly #disk: Disk;
  readonly #held: HeldFiles;
  /** Files from this id on come first in a round. */
  readonly #from: string;
  /** The next chunk to look at, of this file or, where it has no such chunk, of the one after it; null at the beginning of a round. */
  #at: { readonly id: TrackId; readonly chunk: number } | null = null;

  constructor(components: { readonly disk: Disk; readonly held: HeldFiles }, init: { readonly from: string }) {
    this.#disk = components.disk;
    this.#held = components.held;
    this.#from = init.from;
  }

  /**
   * Looks at the next chunks: as many as `bytesMax` bytes hold, and one at least.
   * @throws TuttiError DISK_FULL, DISK_FAILED where what lies beside a file is missing and cannot be made, BUSY where a file cannot be opened
   * for now; the next step goes on behind it
   */
  step(bytesMax: number): ScrubStep {
    const order = this.#inOrder();
    const bytesTotal = order.reduce((sum, { bytes }) => sum + bytes, 0);
    const damaged: Damage[] = [];
    let readBytes = 0;
    for (;;) {
      const file = this.#next(order);
      if (file === undefined) {
        this.#at = null;
        return { damaged, readBytes, bytesDone: bytesTotal, bytesTotal };
      }
      const chunk = this.#at?.id === file.id ? this.#at.chunk : 0;
      const bytes = chunkLength(this.#held.planOf(file), chunk);
      if (readBytes > 0 && readBytes + bytes > bytesMax) {
        return { damaged, readBytes, bytesDone: this.#bytesBefore(order, file, chunk), bytesTotal };
      }
      readBytes += bytes;
      const found = this.#look(file, chunk);
      if (found !== null) damaged.push(found);
    }
  }

  /** Looks at one chunk, and goes on to the next. */
  #look(file: DescribedTrack, chunk: number): Damage | null {
    const { id } = file;
    const manifest = this.#held.manifest(file);
    this.#at = { id, chunk: Number.POSITIVE_INFINITY };
    if (chunk === 0) this.#held.describeAgain(file);
    const isOutlined = chunk > 0 || this.#held.peaks(file) !== null;
    // Making a manifest reads the whole file past the cache, and shows whether it is right; an outline is drawn of what the system remembers.
    if (manifest === null) return this.#make(file, isOutlined ? Number.POSITIVE_INFINITY : 0);
    if (!isOutlined) return this.#make(file, 0);
    const found = this.#holds(file, manifest, chunk);
    if (found === 'nothing') return { id, chunk: null };
    this.#at = { id, chunk: chunk + 1 };
    return found ? null : { id, chunk };
  }

  /** Makes what lies beside a file; then the next chunk to look at is `next`. */
  #make(file: DescribedTrack, next: number): Damage | null {
    const { id } = file;
    try {
      const isMade = this.#held.makeBeside(file, this.#held.planOf(file).chunkBytes);
      this.#at = { id, chunk: isMade ? next : 0 };
      return null;
    } catch (error) {
      if (!(error instanceof TuttiError) || error.code !== 'TRACK_DAMAGED') throw error;
      const { chunk } = error.info;
      return { id, chunk: typeof chunk === 'number' ? chunk : null };
    }
  }

  #holds(file: DescribedTrack, manifest: Uint8Array, chunk: number): boolean | 'nothing' {
    let opened: DiskFile | undefined;
    try {
      opened = this.#disk.open(trackPath(file.id), 'read');
      if (opened.size() !== file.bytes) return 'nothing';
      return holdsChunk(opened, this.#held.planOf(file), manifest, chunk);
    } catch (error) {
      if (isOfCard(error)) return 'nothing';
      throw error;
    } finally {
      opened?.close();
    }
  }

  /** The file with the chunk that is to be looked at; undefined where the round is over. */
  #next(order: readonly DescribedTrack[]): DescribedTrack | undefined {
    const at = this.#at;
    if (at === null) return order[0];
    return order.find((file) =>
      file.id === at.id ? at.chunk < this.#held.planOf(file).count : this.#isBefore(at.id, file.id),
    );
  }

  #bytesBefore(order: readonly DescribedTrack[], file: DescribedTrack, chunk: number): number {
    const before = order.slice(0, order.indexOf(file)).reduce((sum, { bytes }) => sum + bytes, 0);
    return before + Math.max(chunk * this.#held.planOf(file).chunkBytes, this.#held.madeBytes(file.id));
  }

  #inOrder(): readonly DescribedTrack[] {
    return this.#held.list().toSorted((left, right) => (this.#isBefore(left.id, right.id) ? -1 : 1));
  }

  #isBefore(left: TrackId, right: TrackId): boolean {
    const isLate = (id: TrackId) => id < this.#from;
    return isLate(left) === isLate(right) ? left < right : isLate(right);
  }
}
