/** How fast uploads go and how long they will take: a mean in which what was 2 s ago counts half. */

/** What is known of the speed. Immutable. */
export interface Estimate {
  readonly atMs: number;
  readonly bytes: number;
  /** Null before there is any. */
  readonly bytesPerS: number | null;
}

/** After this time an observation counts half. Milliseconds. */
const HALF_LIFE_MS = 2_000;
/** Closer observations say nothing of the speed. Milliseconds. */
const GAP_MS = 200;

/** At the beginning. */
export const beginning = (atMs: number): Estimate => ({ atMs, bytes: 0, bytesPerS: null });

/** `bytes` in all have been sent by `atMs`. */
export function observed(estimate: Estimate, bytes: number, atMs: number): Estimate {
  const elapsedMs = atMs - estimate.atMs;
  if (elapsedMs < GAP_MS) return estimate;
  const lately = (1_000 * Math.max(0, bytes - estimate.bytes)) / elapsedMs;
  const kept = 0.5 ** (elapsedMs / HALF_LIFE_MS);
  const bytesPerS = estimate.bytesPerS === null ? lately : kept * estimate.bytesPerS + (1 - kept) * lately;
  return { atMs, bytes, bytesPerS };
}

/** How long `bytesLeft` will take; null where nobody knows. Milliseconds. */
export const leftMs = ({ bytesPerS }: Estimate, bytesLeft: number): number | null =>
  bytesPerS === null || bytesPerS <= 0 ? null : (1_000 * bytesLeft) / bytesPerS;
