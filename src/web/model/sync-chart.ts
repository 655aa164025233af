/**
 * How the rooms keep in step, as curves. The scale is fixed, so that noise looks like noise: it widens by steps when a curve would leave it, and
 * says so. A second of which nothing is known is a gap, never a straight line across.
 */
import type { Sync } from '../../http/schema.js';

/** Half of the whole height, microseconds: the least that holds all is taken. */
export const SCALES_US = [30, 100, 300, 1_000, 3_000, 10_000, 100_000, 1_000_000] as const;

/** Within this the rooms are as good as one. Microseconds. */
export const BAND_US = 10;

/** One room's curve: a value for each second, the newest last; null where it did not sound. */
export interface Curve {
  readonly id: string;
  readonly name: string;
  readonly errorsUs: readonly (number | null)[];
}

/** The last `seconds` of all rooms. */
export const curvesOf = ({ nodes }: Sync, seconds: number): readonly Curve[] =>
  nodes.map(({ id, name, playoutErrorUs }) => {
    const last = playoutErrorUs.slice(-seconds);
    const before = Array.from({ length: seconds - last.length }, () => null);
    return { id, name, errorsUs: [...before, ...last] };
  });

/** The scale that holds these curves. */
export function scaleUs(curves: readonly Curve[]): number {
  const most = curves
    .flatMap(({ errorsUs }) => errorsUs)
    .reduce<number>((max, errorUs) => (errorUs === null ? max : Math.max(max, Math.abs(errorUs))), 0);
  return SCALES_US.find((scale) => most <= scale) ?? SCALES_US.at(-1)!;
}

/** Runs of seconds without a gap, as points of a box of 1 by 1: x to the right, y downward; above the middle is early. */
export function pointsOf(
  errorsUs: readonly (number | null)[],
  scale: number,
): readonly (readonly (readonly [x: number, y: number])[])[] {
  const runs: (readonly [number, number])[][] = [];
  let run: (readonly [number, number])[] = [];
  const last = Math.max(1, errorsUs.length - 1);
  for (const [at, errorUs] of errorsUs.entries()) {
    if (errorUs === null) {
      if (run.length > 0) runs.push(run);
      run = [];
      continue;
    }
    const share = Math.max(-1, Math.min(1, errorUs / scale));
    run.push([at / last, (1 - share) / 2]);
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

/** The newest value of a curve that is not older than a few seconds; null where the room does not sound. */
export const newestUs = ({ errorsUs }: Curve): number | null =>
  errorsUs.slice(-4).findLast((errorUs) => errorUs !== null) ?? null;
