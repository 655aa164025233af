/**
 * Sets of chunks, as {@link ChunkSet} packs them: bit `i & 7` of byte `i >> 3` is chunk `i`.
 *
 * A set may come from a peer: what lies beyond its end is not in it, and bits beyond a file's last chunk count for nothing.
 */
import type { ChunkSet } from './chunk-files.js';

/** Bytes of a set for a file of `count` chunks. */
export const chunkSetBytes = (count: number): number => Math.ceil(count / 8);

/** The empty set for a file of `count` chunks. */
export const noChunks = (count: number): ChunkSet => new Uint8Array(chunkSetBytes(count));

/** All of a file's `count` chunks. */
export function allChunks(count: number): ChunkSet {
  const set = noChunks(count).fill(0xff);
  if (count % 8 !== 0) set[set.length - 1] = (1 << (count % 8)) - 1;
  return set;
}

/** The same chunks of a file of `count`, in a set of its own and of the right size: chunks that the file has not are left out. */
export function chunksWithin(set: ChunkSet, count: number): ChunkSet {
  const all = allChunks(count);
  return all.map((byte, at) => byte & (set[at] ?? 0));
}

/** True where chunk `index` is in the set. */
export const hasChunk = (set: ChunkSet, index: number): boolean => ((set[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;

/** Puts chunk `index` into a set that has room for it. */
export function addChunk(set: ChunkSet, index: number): void {
  set[index >> 3] = (set[index >> 3] ?? 0) | (1 << (index & 7));
}

/** Takes chunk `index` out. */
export function removeChunk(set: ChunkSet, index: number): void {
  set[index >> 3] = (set[index >> 3] ?? 0) & ~(1 << (index & 7));
}

/** How many chunks are in the set. */
export function countChunks(set: ChunkSet): number {
  let count = 0;
  for (let byte of set) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}
