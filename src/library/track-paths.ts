/**
 * Where a node's Disk has the files of a track, of which some are read by more than one thread. A WAV in `tracks/` is whole and durable;
 * one that is still arriving, or is being repaired, has its full size too, and of its chunks some.
 */
import type { TrackId } from '../core/ids.js';

/** The file, exactly as it came. */
export const wavPath = (id: TrackId): string => `tracks/${id}.wav`;

/** The hashes of its chunks, see chunks.ts. */
export const manifestPath = (id: TrackId): string => `tracks/${id}.chunks`;

/** {@link wavPath} while it arrives. */
export const arrivingWavPath = (id: TrackId): string => `tmp/${id}.part`;

/** {@link manifestPath} while the file arrives. */
export const arrivingManifestPath = (id: TrackId): string => `tmp/${id}.chunks`;
