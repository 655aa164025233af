/**
 * TermClock: this node's reading of cluster time, over terms, leaders and outages.
 *
 * Cluster time is whatever the leader says it is; it says so in its heartbeats. A follower takes, of the last {@link SAMPLES_KEPT}
 * heartbeats, the one that hurried most: a message can be late but not early, so the largest difference between the leader's time and
 * its receipt here is the nearest to the truth, short of it by the fastest way through the network. (The clock over UDP, which measures
 * that way, will take the place of this class.)
 *
 * A reading never goes back and never steps: it runs towards the estimate, by at most {@link SLEW_PPM_MAX}. It leaps, forwards only, in
 * two cases: when this process hears of cluster time for the first time, and when the epoch moved on, after the whole house had been
 * dark and a leader went on from what had been reserved.
 *
 * A leader goes on from its own reading, else from the highest in the promises that it got. Where there is none it leaps; but that leap
 * counts only once the term's first entry, which names the new epoch, is chosen. Were it believed sooner, a leader that is lost before that
 * would leave nodes behind that live in a time of which the log knows nothing, and the next leader would take theirs for it. So until
 * then only stamps are read from the new time (`stampNow`), and heartbeats do not carry it.
 */
import type { ClockLine } from '../core/clock-line.js';
import { type ClusterTime, clusterTime, type LocalTime, NS_PER_S } from '../core/units.js';
import type { Time } from '../ports/time.js';

/** Heartbeats that an estimate rests on: at ten a second, some six seconds. */
const SAMPLES_KEPT = 64;
/** How much faster or slower than the local clock a reading may run, parts per million: crystals differ by a fifth of it. */
const SLEW_PPM_MAX = 500;
/** In how long a reading comes up to its estimate where that is near: some heartbeats, or it would swing. Nanoseconds. */
const SLEW_OVER_NS = NS_PER_S;
/** Cluster time of a house that never had any: above zero, so that "before everything" can be said. Nanoseconds. */
const FIRST_INSTANT_NS = NS_PER_S;

/** Cluster time as it runs from some instant on. */
interface Run {
  readonly at: LocalTime;
  readonly base: bigint;
  readonly ratePpm: number;
}

/** Cluster time as one node reads it. */
export class TermClock {
  readonly #time: Time;
  /** Null before the lock: this process has not heard of cluster time. */
  #run: Run | null = null;
  /** The reading while there is none that runs. */
  #standing = FIRST_INSTANT_NS;
  /** Of a leader whose first entry is not applied yet; null for all others. */
  #term: Run | null = null;
  /** As of what was applied. */
  #epoch = 0;
  /** Leader's time less local time, of its latest heartbeats. */
  #samples: bigint[] = [];

  constructor(components: { readonly time: Time }) {
    this.#time = components.time;
  }

  /** Cluster time now; null where this process has not heard of it. A promise carries it. */
  live(): bigint | null {
    return this.#run === null ? null : read(this.#run, this.#time.now());
  }

  /** Cluster time now. Before the lock it stands still. */
  now(): ClusterTime {
    return clusterTime(this.live() ?? this.#standing);
  }

  /** The reading as a line over local time; null before the lock. */
  line(): ClockLine | null {
    const run = this.#run;
    return run && { localAt: run.at, clusterAt: clusterTime(run.base), driftPpm: run.ratePpm };
  }

  /** The time that a leader stamps with. */
  stampNow(): bigint {
    return this.#term === null ? this.now() : read(this.#term, this.#time.now());
  }

  /** Everything was applied up to an entry of this stamp, and the epoch is this. */
  noteApplied(stampNs: bigint, epoch: number): void {
    this.#standing = larger(this.#standing, stampNs);
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    if (this.#run === null) return;
    // Cluster time leapt while this node still ran on the old one: it locks anew, at the leader's next word.
    this.#standing = larger(this.#standing, this.now());
    this.#run = null;
    this.#samples = [];
  }

  /** A leader, whose first entry was applied here, says its time. `fresh` at the first word of each. */
  noteHeartbeat(timeNs: bigint, fresh: boolean): void {
    const local = this.#time.now();
    if (fresh) this.#samples = [];
    this.#samples.push(timeNs - local);
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift();
    let estimate = this.#samples[0]!;
    for (const sample of this.#samples) if (sample > estimate) estimate = sample;
    const target = local + estimate;
    if (this.#run === null) {
      this.#run = { at: local, base: larger(target, this.#standing), ratePpm: 0 };
      return;
    }
    const base = read(this.#run, local);
    const ppm = Number(((target - base) * 1_000_000n) / SLEW_OVER_NS);
    this.#run = { at: local, base, ratePpm: Math.max(-SLEW_PPM_MAX, Math.min(SLEW_PPM_MAX, ppm)) };
  }

  /**
   * This node won a term. `promisedNs` is the highest reading among the promises, null where nobody had one, `reservedNs` how far cluster
   * time may have run at most. Gives the epoch of the term.
   */
  beginTerm(promisedNs: bigint | null, reservedNs: bigint): number {
    const at = this.#time.now();
    this.#samples = [];
    if (this.#run !== null) {
      this.#term = { at, base: read(this.#run, at), ratePpm: 0 };
      return this.#epoch;
    }
    this.#term = { at, base: larger(promisedNs ?? reservedNs, this.#standing) + 1n, ratePpm: 0 };
    return promisedNs === null ? this.#epoch + 1 : this.#epoch;
  }

  /** The first entry of this node's term was applied here. */
  termStands(): void {
    if (this.#term === null) return;
    const at = this.#time.now();
    // What the leader before it stamped, and this one proposed again, may be ahead of the new time.
    this.#run = { at, base: larger(read(this.#term, at), this.now()), ratePpm: 0 };
    this.#term = null;
  }

  /** This node does not lead any more. */
  termIsOver(): void {
    this.#term = null;
  }
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

function read({ at, base, ratePpm }: Run, local: LocalTime): bigint {
  const passed = local - at;
  return base + passed + (passed * BigInt(Math.trunc(ratePpm))) / 1_000_000n;
}
