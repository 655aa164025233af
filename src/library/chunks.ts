/**
 * Chunks: how a file is cut into the pieces in which it travels from node to node, is checked, and is repaired.
 *
 * Each chunk has a SHA-256 of its own, so that a bad one is found and fetched again by itself. A file's *manifest* is these hashes one after
 * the other; the manifest's own SHA-256, its *root*, is agreed with the track. So whoever has the track can tell a right manifest, whoever
 * has the manifest a right chunk, and nobody has to believe the node that sends them.
 *
 * Chunks are powers of two, small enough to be had again cheaply and few enough for a manifest to be small, as in Syncthing's block
 * exchange protocol (docs.syncthing.net, "Block Exchange Protocol v1", block sizes).
 */
import { assert } from '../core/assert.js';

/** Between what sizes a chunk lies, and how many of them a file is to have at most where that can be had. */
export interface ChunkLimits {
  /** Powers of two, bytes. */
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly countAim: number;
}

/** 256 KiB to 4 MiB, and at most 1,024 chunks for files up to 4 GiB. */
export const CHUNK_LIMITS: ChunkLimits = { bytesMin: 256 << 10, bytesMax: 4 << 20, countAim: 1_024 };

/** Bytes of a chunk's hash: SHA-256. */
export const CHUNK_HASH_BYTES = 32;

/** How one file is cut. */
export interface ChunkPlan {
  readonly fileBytes: number;
  /** Of every chunk but the last, which may be shorter. */
  readonly chunkBytes: number;
  readonly count: number;
}

/** The size of chunk for a file of `fileBytes` bytes. */
export function chunkBytesFor(fileBytes: number, limits: ChunkLimits = CHUNK_LIMITS): number {
  let bytes = limits.bytesMin;
  while (bytes < limits.bytesMax && bytes * limits.countAim < fileBytes) bytes *= 2;
  return bytes;
}

/** How a file of `fileBytes` bytes, at least 1, is cut into chunks of `chunkBytes`. */
export function chunkPlan(fileBytes: number, chunkBytes: number): ChunkPlan {
  assert(fileBytes > 0 && chunkBytes > 0, 'a file and its chunks have bytes');
  return { fileBytes, chunkBytes, count: Math.ceil(fileBytes / chunkBytes) };
}

/** Where chunk `index`, 0 to `count` - 1, begins in the file. Bytes. */
export const chunkOffset = ({ chunkBytes }: ChunkPlan, index: number): number => index * chunkBytes;

/** The chunk that holds the byte at `offset`; not below `count` where the file ends before it. */
export const chunkAt = ({ chunkBytes }: Pick<ChunkPlan, 'chunkBytes'>, offset: number): number =>
  Math.floor(offset / chunkBytes);

/** Bytes of chunk `index`, 0 to `count` - 1. */
export function chunkLength(plan: ChunkPlan, index: number): number {
  assert(index >= 0 && index < plan.count, 'a file has this chunk');
  return Math.min(plan.chunkBytes, plan.fileBytes - chunkOffset(plan, index));
}

/** The hash of chunk `index` in a manifest: a view. */
export const chunkHash = (manifest: Uint8Array, index: number): Uint8Array =>
  manifest.subarray(index * CHUNK_HASH_BYTES, (index + 1) * CHUNK_HASH_BYTES);
