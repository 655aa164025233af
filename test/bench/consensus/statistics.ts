/** What many measurements come to. */

/**
 * The value that a share `p` (0 to 1) of `values` does not exceed: the nearest rank, so it is always one that was measured.
 * @throws RangeError for no values
 */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) throw new RangeError('nothing was measured');
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!;
}

/** The middle one, the lower of two. */
export const median = (values: readonly number[]): number => percentile(values, 0.5);
