/** How one clock is read from another. */
import { addTime, type ClusterTime, type LocalTime } from './units.js';

/** Cluster time as a line over local time: cluster = clusterAt + (local - localAt) * (1 + driftPpm / 1e6). */
export interface ClockLine {
  readonly localAt: LocalTime;
  readonly clusterAt: ClusterTime;
  readonly driftPpm: number;
}

/** Cluster time as a node says it to others: its line over its own local clock, which they read theirs against. */
export interface ClockClaim extends ClockLine {
  /** By how much the line may be wrong, as far as the node itself can know. Nanoseconds, 0 of the one that is the reference. */
  readonly boundNs: number;
  /** Counts the leaps of cluster time: claims of two epochs are not about the same time. */
  readonly epoch: number;
}

/** Cluster time when the local clock shows `at`; whole nanoseconds, and never less for a later instant. */
export function readClock(line: ClockLine, at: LocalTime): ClusterTime {
  const elapsed = at - line.localAt;
  return addTime(line.clusterAt, elapsed + BigInt(Math.round((Number(elapsed) * line.driftPpm) / 1e6)));
}
