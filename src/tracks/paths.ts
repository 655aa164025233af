/**
 * Where the store has its files on a node's Disk. No name that a person gave ever becomes a path: files are named by their tracks' ids.
 *
 *     tracks/<id>.wav       the file, exactly as it came; its name is the SHA-256 of its bytes
 *     tracks/<id>.peaks     its outline for a waveform, 2,048 bytes, and the SHA-256 of these
 *     tracks/<id>.chunks    its manifest: see library/chunks.ts
 *     tracks/<id>.json      the track as the cluster agreed on it
 *
 *     tmp/<id>.part         arriving chunk by chunk: of the file's size from the beginning
 *     tmp/<id>.peaks, .chunks, .json    the same as above, of a file that arrives
 *     tmp/<n>.part          an upload on its way in; removed at the next start
 *     tmp/new               a small file that is being written
 */
import type { TrackId } from '../core/ids.js';

/** Files that are held. */
export const TRACKS = 'tracks';
/** Files that are not, yet. */
export const TMP = 'tmp';
/** Where small files are written before they get their name. The store does one thing at a time, so that one is enough. */
export const NEW_FILE = `${TMP}/new`;

/** The file of a track that is held. */
export const trackPath = (id: TrackId): string => `${TRACKS}/${id}.wav`;
/** The file of a track that is arriving: what is not there yet reads as anything. */
export const partPath = (id: TrackId): string => `${TMP}/${id}.part`;
/** An upload's. */
export const uploadPath = (number: number): string => `${TMP}/${number}.part`;
