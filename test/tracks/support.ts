/** A track store on a disk in memory, and files to put into it. */
import { createHash } from 'node:crypto';
import { type TrackId, trackId } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import { type ChunkLimits, chunkBytesFor, chunkLength, chunkOffset, chunkPlan } from '../../src/library/chunks.js';
import type { Track } from '../../src/library/track.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import type { ChunkSet, FileOutline } from '../../src/tracks/chunk-files.js';
import type { TakenFile } from '../../src/tracks/intake.js';
import { trackPath } from '../../src/tracks/paths.js';
import { TrackStore } from '../../src/tracks/track-store.js';
import { NODE_ID } from '../support/house.js';
import { plainWav } from '../support/wav-files.js';

/** Chunks so small that files of a few kilobytes have many. */
export const SMALL: ChunkLimits = { bytesMin: 64, bytesMax: 1_024, countAim: 32 };

export const idOf = (file: Uint8Array) => trackId(createHash('sha256').update(file).digest('hex'));

/** A WAV of `bytes` bytes of noise, so that no two chunks are the same. */
export function noise(bytes: number, seed = 1): Uint8Array {
  const prng = new Prng(seed);
  const data = Uint8Array.from({ length: bytes - 44 }, () => prng.below(256));
  return plainWav({ channels: 1, sampleRate: 8_000, bits: 16 }, data);
}

export interface StoreInit {
  readonly limits?: ChunkLimits;
  readonly scrubFrom?: string;
}

/** A store that was opened, and what it found. */
export function open(disk = new FakeDisk(), init: StoreInit = {}) {
  const paces: number[] = [];
  const time = new FakeTime();
  const store = new TrackStore({ disk, time, pace: () => paces.push(disk.counts.syncs) }, init);
  return { disk, store, time, paces, stored: store.open() };
}

/** The names in one of the store's directories. */
export const namesIn = (disk: FakeDisk, directory: string) => disk.list(directory).map(({ name }) => name);

export const trackFrom = (facts: TakenFile, title: string): Track => ({
  ...facts,
  title,
  fileName: `${title}.wav`,
  source: { node: NODE_ID, via: 'http' },
  holders: [],
  addedAt: 0,
});

/** Sends a whole file, and reads it back; gives the number of the intake and what it took. */
export function send(store: TrackStore, file: Uint8Array) {
  const number = store.begin(file.length);
  for (let at = 0; at < file.length; at += 100_000) store.write(number, file.subarray(at, at + 100_000));
  store.finish(number);
  for (;;) {
    const taken = store.verify(number, 50_000);
    if (taken !== null) return { number, taken };
  }
}

/** Takes a whole file in. */
export function take(store: TrackStore, file: Uint8Array, title: string): Track {
  const { number, taken } = send(store, file);
  const track = trackFrom(taken, title);
  store.keep(number, track);
  return track;
}

/** What another node has of a file, made of its bytes alone. */
export interface Elsewhere {
  readonly file: Uint8Array;
  readonly track: Track;
  readonly outline: FileOutline;
  readonly count: number;
  readonly chunkBytes: number;
  /** A chunk: a copy. */
  chunk(index: number): Uint8Array;
}

/** @param isOld the track is of the first command set, and names no chunks */
export function elsewhere(file: Uint8Array, limits: ChunkLimits = SMALL, isOld = false): Elsewhere {
  const plan = chunkPlan(file.length, chunkBytesFor(file.length, limits));
  const chunk = (index: number) =>
    file.slice(chunkOffset(plan, index), chunkOffset(plan, index) + chunkLength(plan, index));
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes);
  const manifest = Uint8Array.from(
    Array.from({ length: plan.count }, (_, index) => [...hash(chunk(index)).digest()]).flat(),
  );
  const chunks = { bytes: plan.chunkBytes, root: hash(manifest).digest('hex') };
  const track: Track = {
    id: idOf(file),
    title: 'Elsewhere',
    fileName: 'elsewhere.wav',
    format: { sampleRate: 8_000, channels: 1, sample: 's16', dataOffset: 44, channelMask: 0 },
    bytes: file.length,
    frames: (file.length - 44) / 2,
    ...(!isOld && { chunks }),
    tags: {},
    loudness: { integratedLufs: null, samplePeak: 1 },
    source: { node: NODE_ID, via: 'http' },
    holders: [],
    addedAt: 0,
  };
  const { count, chunkBytes } = plan;
  return { file, track, outline: { manifest, peaks: new Uint8Array(2_048).fill(7) }, count, chunkBytes, chunk };
}

/** Begins to fetch, and looks at all that is here already. */
export function begin(store: TrackStore, { track, outline, chunkBytes }: Elsewhere): ChunkSet {
  return store.beginFetch(track, outline, chunkBytes, 100) ?? resume(store, track);
}

/** Looks at all that is here of a file. */
export function resume(store: TrackStore, { id }: Track): ChunkSet {
  for (;;) {
    const found = store.resume(id, 100);
    if (found !== null) return found;
  }
}

/** Chunks of a set, in order. */
export const indexesOf = (set: ChunkSet): number[] =>
  Array.from({ length: set.length * 8 }, (_, index) => index).filter(
    (index) => ((set[index >> 3]! >> (index & 7)) & 1) === 1,
  );

export function finish(store: TrackStore, { id }: Track): void {
  while (!store.finishFetch(id, 100));
}

/** Fetches what is not here yet, and gives the file its place. */
export function fetchRest(store: TrackStore, source: Elsewhere): void {
  const have = new Set(indexesOf(begin(store, source)));
  for (let index = 0; index < source.count; index++) {
    if (!have.has(index)) store.putChunk(source.track.id, index, source.chunk(index));
  }
  finish(store, source.track);
}

/** All bytes of a track's file, each chunk of it checked. */
export function bytesOf(store: TrackStore, { id, bytes }: Pick<Track, 'id' | 'bytes'>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes; at += parts.at(-1)!.length) {
    const chunk = store.readChunk(id, parts.length);
    if (chunk === null) throw new Error('its manifest is not made yet');
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

/** All bytes of a track's file as they stand on the disk, checked by nobody. @throws TuttiError NOT_FOUND */
export function fileOf(disk: FakeDisk, id: TrackId): Uint8Array {
  const file = disk.open(trackPath(id), 'read');
  const bytes = new Uint8Array(file.size());
  file.read(bytes, 0);
  file.close();
  return bytes;
}

export const isSame = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0;
