/** Files of tracks for tests with real daemons: made of noise, and looked at where a node keeps them. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { TrackId } from '../../src/core/ids.js';
import { CHUNK_LIMITS, chunkHash, chunkLength, chunkOffset, chunkPlan } from '../../src/library/chunks.js';
import { arrivingManifestPath, arrivingWavPath, wavPath } from '../../src/library/track-paths.js';
import type { Sound } from './capture.js';
import { plainWav } from './wav-files.js';

/** Bytes of a chunk of all files up to 256 MiB. */
export const CHUNK_BYTES = CHUNK_LIMITS.bytesMin;

/** Bytes of a plain WAV before its samples. */
export const HEADER_BYTES = 44;

/** Noise that never repeats, so that each place of it can be told from every other. Whole numbers of 16 bits. */
export function noise(samples: number, seed: number): Int16Array {
  const made = new Int16Array(samples);
  let state = seed;
  for (let i = 0; i < samples; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    made[i] = (state >>> 16) - 32_768;
  }
  return made;
}

/** A WAV of 48 kHz, 16 bits and two channels, with these samples. */
export const wavOfSamples = (samples: Int16Array): Uint8Array =>
  plainWav({ sampleRate: 48_000 }, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));

/**
 * Stereo sound of `frames` frames that rises evenly from the lowest to the highest value, so that each sample tells where in it it is from,
 * also when a card that runs by another clock plays it a little faster or slower. Where it is 0, that is in its middle.
 */
export const ramp = (frames: number): Int16Array =>
  Int16Array.from({ length: 2 * frames }, (_, i) => Math.round((Math.floor(i / 2) / frames - 0.5) * 65_000));

/**
 * What a card played of a {@link ramp} of `frames` frames, in stretches between silences: where in it each began and ended, frames; and how
 * far it was at worst from what is due, frames. The fades at the ends of a stretch, `fadeFrames`, are left out.
 */
export function heardOfRamp(
  { samples, channels, rate }: Sound,
  { frames, sampleRate }: { readonly frames: number; readonly sampleRate: number },
  fadeFrames = 2_400,
): { readonly from: number; readonly to: number; readonly offBy: number }[] {
  const place = (at: number) => Math.round(((samples[at * channels]! * 32_768) / 65_000 + 0.5) * frames);
  const stretches: { from: number; to: number; offBy: number }[] = [];
  const total = samples.length / channels;
  for (let at = 0; at < total; ) {
    if (samples[at * channels] === 0) {
      at++;
      continue;
    }
    let end = at;
    while (end < total && samples[end * channels] !== 0) end++;
    const [first, last] = [at + fadeFrames, end - fadeFrames];
    let offBy = 0;
    for (let i = first; i < last; i++)
      offBy = Math.max(offBy, Math.abs(place(i) - place(first) - ((i - first) * sampleRate) / rate));
    if (last > first) stretches.push({ from: place(first), to: place(last - 1), offBy });
    at = end;
  }
  return stretches;
}

/** A WAV of noise that is `bytes` long (a multiple of 4), another one for each seed. */
export const noiseWav = (bytes: number, seed: number): Uint8Array =>
  wavOfSamples(noise((bytes - HEADER_BYTES) / 2, seed));

/** The id that a file has as a track: its SHA-256. */
export const idOf = (file: Uint8Array): TrackId => createHash('sha256').update(file).digest('hex') as TrackId;

/** True where the node of this data directory has the whole file in its place. */
export function hasWhole(dataDir: string, id: TrackId): boolean {
  const path = join(dataDir, wavPath(id));
  return existsSync(path) && idOf(readFileSync(path)) === id;
}

/** Names of the files of tracks, whole and arriving, with what shows that one was written: size, inode and time of change. */
export function writtenFiles(dataDir: string): string[] {
  return ['tracks', 'tmp'].flatMap((folder) =>
    readdirSync(join(dataDir, folder)).map((name) => {
      const { size, ino, mtimeMs } = lstatSync(join(dataDir, folder, name));
      return `${folder}/${name} ${size} ${ino} ${mtimeMs}`;
    }),
  );
}

/** Counts the chunks of an arriving file that lie on a node's disk and are right. */
export class ArrivingFile {
  readonly #dataDir: string;
  readonly #id: TrackId;
  readonly #bytes: number;
  readonly #good = new Set<number>();

  constructor(dataDir: string, file: Uint8Array) {
    this.#dataDir = dataDir;
    this.#id = idOf(file);
    this.#bytes = file.length;
  }

  /** What was right stays so: it is looked at once. */
  goodChunks(): number {
    const [part, manifestFile] = [arrivingWavPath, arrivingManifestPath].map((pathOf) =>
      join(this.#dataDir, pathOf(this.#id)),
    );
    // Whole, and in its place.
    if (existsSync(join(this.#dataDir, wavPath(this.#id)))) return this.count;
    if (!existsSync(part!) || !existsSync(manifestFile!)) return this.#good.size;
    const manifest = readFileSync(manifestFile!);
    const plan = chunkPlan(this.#bytes, CHUNK_BYTES);
    const file = openSync(part!, 'r');
    for (let index = 0; index < plan.count; index++) {
      if (this.#good.has(index)) continue;
      const bytes = Buffer.alloc(chunkLength(plan, index));
      readSync(file, bytes, 0, bytes.length, chunkOffset(plan, index));
      if (createHash('sha256').update(bytes).digest().equals(chunkHash(manifest, index))) this.#good.add(index);
    }
    closeSync(file);
    return this.#good.size;
  }

  /** Chunks of the whole file. */
  get count(): number {
    return chunkPlan(this.#bytes, CHUNK_BYTES).count;
  }
}
