/** How one clock is read from another. */
import type { ClusterTime, LocalTime } from './units.js';

/** Cluster time as a line over local time: cluster = clusterAt + (local - localAt) * (1 + driftPpm / 1e6). */
export interface ClockLine {
  readonly localAt: LocalTime;
  readonly clusterAt: ClusterTime;
  readonly driftPpm: number;
}
