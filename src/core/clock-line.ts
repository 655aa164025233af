/** How one clock is read from another. */
import { addTime, type ClusterTime, type LocalTime } from './units.js';

/** Cluster time as a line over local time: cluster = clusterAt + (local - localAt) * (1 + driftPpm / 1e6). */
export interface ClockLine {
  readonly localAt: LocalTime;
  readonly clusterAt: ClusterTime;
  readonly driftPpm: number;
  /**
   * Of a line that makes up for an error: when it has, and the rate from there on. Who reads by such a line may not hear of the next one in
   * time, and must not go on past the course.
   */
  readonly slew?: { readonly endsAt: LocalTime; readonly thenPpm: number };
}

/** Cluster time as a node says it to others: its line over its own local clock, which they read theirs against. */
export interface ClockClaim extends ClockLine {
  /** By how much the line may be wrong, as far as the node itself can know. Nanoseconds, 0 of the one that is the reference. */
  readonly boundNs: number;
  /** Counts the leaps of cluster time: claims of two epochs are not about the same time. */
  readonly epoch: number;
}

/** Cluster time when the local clock shows `at`; whole nanoseconds, and never less for a later instant. */
export function readClock({ localAt, clusterAt, driftPpm, slew }: ClockLine, at: LocalTime): ClusterTime {
  if (slew === undefined || at <= slew.endsAt) return addTime(clusterAt, advance(at - localAt, driftPpm));
  return addTime(clusterAt, advance(slew.endsAt - localAt, driftPpm) + advance(at - slew.endsAt, slew.thenPpm));
}

/** How much faster than the local clock cluster time runs when that shows `at`. Parts per million. */
export const ratePpmAt = ({ driftPpm, slew }: ClockLine, at: LocalTime): number =>
  slew !== undefined && at > slew.endsAt ? slew.thenPpm : driftPpm;

const advance = (elapsedNs: bigint, ppm: number): bigint =>
  elapsedNs + BigInt(Math.round((Number(elapsedNs) * ppm) / 1e6));
