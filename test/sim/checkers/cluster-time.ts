/**
 * Cluster time never runs backwards within a process, and never steps forward but where the epoch changes.
 *
 * Forward it may gain on true time by what clocks differ (1 %), by the slew with which a follower closes in on its leader, and by the
 * uncertainty of a message's way where a term changes hands.
 */
import { NS_PER_MS } from '../../../src/core/units.js';
import type { Checker, Observation } from './observation.js';

/** Gain of any clock on true time, per mille: 1 % of rate, and as much again for a follower that closes in. */
const GAIN_PER_MILLE = 20n;
/** Beyond that: a new leader goes on from the largest estimate among the promises. Nanoseconds. */
const STEP_NS = 50n * NS_PER_MS;

/** A state that came as a snapshot shows its epoch at once, and the clock follows when that is on the disk. Nanoseconds. */
const FOLLOWS_NS = 2_000n * NS_PER_MS;

/** Follows the cluster time of each process. */
export class ClusterTimeRuns implements Checker {
  readonly name = 'cluster time runs';
  readonly #last = new Map<number, Extract<Observation, { type: 'clock' }>>();
  /** When the epoch was seen to move, in true time. */
  readonly #leaptAtNs = new Map<number, bigint>();

  observe(observation: Observation): string | undefined {
    if (observation.type !== 'clock') return undefined;
    const { process, clusterNs, trueNs, epoch } = observation;
    const before = this.#last.get(process);
    this.#last.set(process, observation);
    if (before === undefined) return undefined;
    const gained = clusterNs - before.clusterNs;
    if (gained < 0n) return `cluster time went back by ${-gained} ns at process ${process}`;
    const passed = trueNs - before.trueNs;
    if (epoch !== before.epoch) this.#leaptAtNs.set(process, trueNs);
    const leaptAtNs = this.#leaptAtNs.get(process);
    if (!before.lineIsKnown || (leaptAtNs !== undefined && trueNs - leaptAtNs <= FOLLOWS_NS)) return undefined;
    const most = passed + (passed * GAIN_PER_MILLE) / 1_000n + STEP_NS;
    if (gained <= most) return undefined;
    return `cluster time moved on by ${gained} ns at process ${process} in epoch ${epoch} while ${passed} ns passed`;
  }
}
