/**
 * How fast the files of a node are scrubbed: every byte within 14 days, and so slowly that nobody notices.
 *
 * A round is spread over half of that time. The other half is for nights without power, and for hours in which it waits; a round that has
 * fallen behind hurries, up to a megabyte a second. Which step is next is for scrubber.ts to say.
 */
import type { ScrubStep } from './scrubber.js';

/** Within this every byte is to have been looked at. Milliseconds. */
export const SCRUB_ROUND_MS_MAX = 14 * 24 * 60 * 60 * 1_000;
/** What a round aims at. Milliseconds. */
const ROUND_MS_AIM = SCRUB_ROUND_MS_MAX / 2;
/** Bytes a second. */
export const SCRUB_BYTES_PER_S_MAX = 1_000_000;
/** However little there is to look at: more may come. Milliseconds. */
const PAUSE_MS_MAX = 60 * 60 * 1_000;

/**
 * How long to wait after a step, before the next. Milliseconds.
 * @param roundMs since the round began to which the step belongs
 * @param pauseMsMax however little there is to look at
 */
export function scrubPauseMs(
  step: Pick<ScrubStep, 'readBytes' | 'bytesDone' | 'bytesTotal'>,
  roundMs: number,
  pauseMsMax = PAUSE_MS_MAX,
): number {
  const { readBytes, bytesDone, bytesTotal } = step;
  const leastMs = (readBytes / SCRUB_BYTES_PER_S_MAX) * 1_000;
  const leftMs = Math.max(0, ROUND_MS_AIM - roundMs);
  const leftBytes = Math.max(0, bytesTotal - bytesDone);
  // What was read just now has the share of the time that is left which it had of the bytes.
  const shareMs = bytesTotal === 0 ? pauseMsMax : (leftMs * readBytes) / (leftBytes + readBytes || 1);
  return Math.max(leastMs, Math.min(shareMs, pauseMsMax));
}

/** False while it has to wait: music that is playing needs a disk that is busy. */
export const mayScrub = (node: { readonly isPlaying: boolean; readonly isDiskBusy: boolean }): boolean =>
  !(node.isPlaying && node.isDiskBusy);
