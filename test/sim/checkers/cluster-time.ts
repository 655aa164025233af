/**
 * Cluster time never runs backwards within a process, and never steps forward but where the epoch changes, or where it was so far behind
 * (more than a second: it was cut off for long, or slept) that it leaps to where others are, and no further.
 *
 * Forward it may gain on true time by what clocks differ (1 %), by the slew with which a follower closes in on its leader, and by the
 * uncertainty of a message's way where a term changes hands.
 */
import { LEAP_NS } from '../../../src/clock/cluster-limits.js';
import { NS_PER_MS } from '../../../src/core/units.js';
import type { Checker, Observation } from './observation.js';

/** Gain of any clock on true time, per mille: 1 % of rate, and as much again for a follower that closes in. */
const GAIN_PER_MILLE = 20n;
/** Beyond that: a new leader goes on from the largest estimate among the promises. Nanoseconds. */
const STEP_NS = 50n * NS_PER_MS;

/** A state that came as a snapshot shows its epoch at once, and the clock follows when that is on the disk. Nanoseconds. */
const FOLLOWS_NS = 2_000n * NS_PER_MS;

/** What a node leaps by at least; by how much it gains till it is seen again, and loses, is in the rest. Nanoseconds. */
const LEAST_LEAP_NS = (BigInt(LEAP_NS) * 9n) / 10n;

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
    if (gained <= most || (gained - passed >= LEAST_LEAP_NS && this.#isReached(observation))) return undefined;
    return `cluster time moved on by ${gained} ns at process ${process} in epoch ${epoch} while ${passed} ns passed`;
  }

  /** Another process of the same epoch is as far by now, by what it showed last. */
  #isReached({ process, clusterNs, trueNs, epoch }: Extract<Observation, { type: 'clock' }>): boolean {
    return [...this.#last].some(([other, seen]) => {
      const passed = trueNs - seen.trueNs;
      const isAsFar = seen.clusterNs + passed + (passed * GAIN_PER_MILLE) / 1_000n + STEP_NS >= clusterNs;
      return other !== process && seen.epoch === epoch && isAsFar;
    });
  }
}
