/** How a track's file is cut, where that is something that can be said to peers and planned for. */
import { type ChunkLimits, type ChunkPlan, chunkBytesFor, chunkPlan } from '../library/chunks.js';
import type { Track } from '../library/track.js';
import { CHUNK_BYTES_MAX, CHUNKS_MAX } from './messages.js';

/** As the track says, or by `limits` where it does not. Null for one of too many or too large chunks, which no honest node makes. */
export function planOf({ bytes, chunks }: Pick<Track, 'bytes' | 'chunks'>, limits: ChunkLimits): ChunkPlan | null {
  const plan = chunkPlan(bytes, chunks?.bytes ?? chunkBytesFor(bytes, limits));
  return plan.count <= CHUNKS_MAX && plan.chunkBytes <= CHUNK_BYTES_MAX ? plan : null;
}
