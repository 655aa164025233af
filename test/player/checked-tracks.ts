/** A track whose chunks are agreed, and what can become of its files on a disk: they arrive, are whole, are damaged, are repaired. */
import { createHash } from 'node:crypto';
import { trackId } from '../../src/core/ids.js';
import { CHUNK_HASH_BYTES, chunkLength, chunkOffset, chunkPlan } from '../../src/library/chunks.js';
import { arrivingManifestPath, arrivingWavPath, manifestPath, wavPath } from '../../src/library/track-paths.js';
import type { Disk } from '../../src/ports/disk.js';
import { encode, makeSound, type TestTrack, type TrackInit } from './rig.js';

export interface CheckedTrackInit extends TrackInit {
  readonly chunkBytes: number;
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** A track and its files on `disk`: at first there are none. */
export class CheckedTrackFiles {
  readonly track: TestTrack & Required<Pick<TestTrack, 'id' | 'chunks'>>;
  readonly #disk: Disk;
  readonly #bytes: Uint8Array;
  readonly #manifest: Uint8Array;

  constructor(disk: Disk, init: CheckedTrackInit) {
    const { chunkBytes, sample = 's16' } = init;
    const sound = makeSound(init);
    this.#disk = disk;
    this.#bytes = encode(sound, sample);
    const plan = chunkPlan(this.#bytes.length, chunkBytes);
    const hashes = Array.from({ length: plan.count }, (_, i) => sha256(this.chunk(i, chunkBytes)));
    this.#manifest = Buffer.concat(hashes);
    const id = trackId(sha256(this.#bytes).toString('hex'));
    const root = sha256(this.#manifest).toString('hex');
    this.track = {
      file: wavPath(id),
      frames: sound.samples.length / sound.channels,
      sound,
      sample,
      id,
      chunks: { bytes: chunkBytes, root, fileBytes: this.#bytes.length },
    };
    for (const directory of ['tracks', 'tmp']) disk.makeDirectory(directory);
  }

  get count(): number {
    return this.#manifest.length / CHUNK_HASH_BYTES;
  }

  get #frameBytes(): number {
    return (this.#bytes.length - 44) / this.track.frames;
  }

  /** The chunk in which frame `frame` begins. */
  chunkOf(frame: number): number {
    return Math.floor((44 + frame * this.#frameBytes) / this.track.chunks.bytes);
  }

  /** The first frame that begins in chunk `index`. */
  firstFrameOf(index: number): number {
    return Math.max(0, Math.ceil((index * this.track.chunks.bytes - 44) / this.#frameBytes));
  }

  /** The bytes that chunk `index` should have. */
  chunk(index: number, chunkBytes = this.track.chunks.bytes): Uint8Array {
    return this.#bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes);
  }

  /** The file is in its place, whole. */
  place(): void {
    this.#write(manifestPath(this.track.id), this.#manifest);
    this.#write(wavPath(this.track.id), this.#bytes);
  }

  /** The file begins to arrive: it has its size, and no chunk. */
  begin(): void {
    this.#write(arrivingManifestPath(this.track.id), this.#manifest);
    const file = this.#disk.open(arrivingWavPath(this.track.id), 'create');
    file.truncate(this.#bytes.length);
    file.close();
  }

  /** Chunk `index` is on the disk, where the file is now; as it should be, or as something else. */
  put(index: number, bytes = this.chunk(index)): void {
    const path = this.#where();
    if (path === null) return;
    const file = this.#disk.open(path, 'write');
    file.write(bytes, chunkOffset(chunkPlan(this.#bytes.length, this.track.chunks.bytes), index));
    file.close();
  }

  /** One bit of chunk `index` is another, `at` bytes into it. */
  flip(index: number, at = 0): void {
    const bytes = Uint8Array.from(this.chunk(index));
    bytes[at]! ^= 4;
    this.put(index, bytes);
  }

  /** Chunk `index` is noise. */
  spoil(index: number): void {
    const plan = chunkPlan(this.#bytes.length, this.track.chunks.bytes);
    this.put(
      index,
      Uint8Array.from({ length: chunkLength(plan, index) }, (_, i) => (i * 151 + 7 * index) & 0xff),
    );
  }

  /** The manifest, wherever it is, has a bit that is another. */
  spoilManifest(): void {
    const bytes = Uint8Array.from(this.#manifest);
    bytes[5]! ^= 1;
    this.#writeManifest(bytes);
  }

  repairManifest(): void {
    this.#writeManifest(this.#manifest);
  }

  /** What has arrived finds its place. */
  settle(): void {
    this.#move(arrivingManifestPath(this.track.id), manifestPath(this.track.id));
    this.#move(arrivingWavPath(this.track.id), wavPath(this.track.id));
  }

  /** What was in its place is one that is arriving again. */
  quarantine(): void {
    this.#move(wavPath(this.track.id), arrivingWavPath(this.track.id));
    this.#move(manifestPath(this.track.id), arrivingManifestPath(this.track.id));
  }

  /** Nothing is left of it. */
  remove(): void {
    const { id } = this.track;
    for (const path of [wavPath(id), manifestPath(id), arrivingWavPath(id), arrivingManifestPath(id)]) {
      this.#disk.remove(path);
    }
  }

  #where(): string | null {
    const paths = [wavPath(this.track.id), arrivingWavPath(this.track.id)];
    return paths.find((path) => this.#disk.exists(path)) ?? null;
  }

  #writeManifest(bytes: Uint8Array): void {
    for (const path of [manifestPath(this.track.id), arrivingManifestPath(this.track.id)]) {
      if (this.#disk.exists(path)) this.#write(path, bytes);
    }
  }

  #move(from: string, to: string): void {
    if (this.#disk.exists(from)) this.#disk.rename(from, to);
  }

  #write(path: string, bytes: Uint8Array): void {
    const file = this.#disk.open(path, 'create');
    file.truncate(0);
    file.write(bytes, 0);
    file.close();
  }
}
