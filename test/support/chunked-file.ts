/** Files of made-up bytes, cut into chunks as the cluster would agree on them. They are no audio: who copies files does not look. */
import { createHash } from 'node:crypto';
import { type NodeId, trackId } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import { type ChunkPlan, chunkLength, chunkOffset, chunkPlan } from '../../src/library/chunks.js';
import type { Track } from '../../src/library/track.js';
import type { FileOutline } from '../../src/tracks/chunk-files.js';

/** A file with all that is known of it. */
export interface ChunkedFile {
  readonly track: Track;
  readonly bytes: Uint8Array;
  readonly outline: FileOutline;
  readonly plan: ChunkPlan;
  /** The bytes of one chunk: a copy. */
  chunk(index: number): Uint8Array;
}

/** Which file to make. */
export interface ChunkedFileInit {
  /** Other seeds, other bytes. */
  readonly seed: number;
  readonly bytes: number;
  readonly chunkBytes: number;
  /** False for a track of the first command set, which names no chunks. */
  readonly hasRoot?: boolean;
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** The hashes of a file's chunks, one after the other. */
export function manifestOf(bytes: Uint8Array, plan: ChunkPlan): Uint8Array {
  const hashes = Array.from({ length: plan.count }, (_, index) => {
    const offset = chunkOffset(plan, index);
    return sha256(bytes.subarray(offset, offset + chunkLength(plan, index)));
  });
  return new Uint8Array(Buffer.concat(hashes));
}

/** A file and the track that it is of. */
export function chunkedFile({ seed, bytes: length, chunkBytes, hasRoot = true }: ChunkedFileInit): ChunkedFile {
  const prng = new Prng(seed);
  const bytes = Uint8Array.from({ length }, () => prng.below(256));
  const plan = chunkPlan(length, chunkBytes);
  const manifest = manifestOf(bytes, plan);
  const track: Track = {
    id: trackId(sha256(bytes).toString('hex')),
    title: `file ${seed}`,
    fileName: `file ${seed}.wav`,
    format: { sampleRate: 44_100, channels: 2, sample: 's16', dataOffset: 44, channelMask: 0 },
    bytes: length,
    frames: 1,
    ...(hasRoot ? { chunks: { bytes: chunkBytes, root: sha256(manifest).toString('hex') } } : {}),
    tags: {},
    loudness: { integratedLufs: null, samplePeak: 0 },
    source: { node: 'a'.repeat(32) as NodeId, via: 'http' },
    holders: [],
    addedAt: 0,
  };
  return {
    track,
    bytes,
    outline: { manifest, peaks: new Uint8Array(2_048).fill(seed & 0xff) },
    plan,
    chunk: (index) => bytes.slice(chunkOffset(plan, index), chunkOffset(plan, index) + chunkLength(plan, index)),
  };
}
