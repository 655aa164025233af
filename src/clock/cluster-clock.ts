/**
 * ClusterClock: this node's reading of cluster time, over terms, leaders, outages and clocks that lie.
 *
 * Cluster time is whatever the leader says it is. The leader's heartbeats carry its *line*: cluster time over its own local clock, which
 * hardly ever changes. The clock over UDP tells how the leader's local clock is read from this one's. The two composed are the
 * course (course.ts) on which this node's reading should be. Where UDP does not get through, the arrival of heartbeats is a coarse
 * course (coarse-estimate.ts).
 *
 *     cluster time = leader's line ( leader's local time ( local time ) )
 *
 * A reading never goes back and never steps: it runs at the course's own rate (so nothing is left standing between two crystals), and
 * a little faster or slower where it is off, by {@link SLEW_PPM_MAX} at most. When no news comes it runs on along the last course: that is
 * holdover, and it has no end. It leaps, forwards only:
 *
 * - when this process hears of cluster time for the first time, and once more when that first, coarse word is made precise;
 * - when the epoch moved on, after the whole house had been dark and a leader went on from what had been reserved;
 * - when it is more than a second behind, because its machine slept.
 *
 * A new leader goes on with its own reading and its own rate. So whoever followed the one before it and follows this one now sees no change
 * but that of two nodes' errors of measurement.
 *
 * A leader goes on from its own reading, else from the highest in the promises that it got. Where there is none it leaps; but that leap
 * counts only once the term's first entry, which names the new epoch, is chosen. Were it believed sooner, a leader that is lost before that
 * would leave nodes behind that live in a time of which the log knows nothing, and the next leader would take theirs for it. So until
 * then only stamps are read from the new time (`stampAt`), and nobody is told of it.
 *
 * A leader whose own clock lies is outvoted (claims.ts): then a node keeps to what most nodes say.
 *
 * Pure: whoever calls says what the local clock shows, and an instant never lies before that of the call before.
 */
import { assert } from '../core/assert.js';
import { type ClockClaim, type ClockLine, readClock } from '../core/clock-line.js';
import type { NodeId } from '../core/ids.js';
import { type ClusterTime, clusterTime, type LocalTime, NS_PER_S } from '../core/units.js';
import { Claims } from './claims.js';
import {
  ALONE_PPM,
  BURST_NS,
  CLAIM_NS_MAX,
  COARSE_EARLY_NS,
  COARSE_LATE_NS,
  COARSE_SLACK_NS,
  COARSE_WIDTH_NS,
  DOUBT_NS,
  HEARD_NS,
  LEAP_NS,
  SETTLED_NS,
  SLEW_OVER_NS,
  SLEW_PPM_MAX,
} from './cluster-limits.js';
import { CoarseEstimate } from './coarse-estimate.js';
import { type Course, composed, courseAt, moved } from './course.js';
import type { PeerLine } from './peer-line.js';

/** Cluster time of a house that never had any: above zero, so that "before everything" can be said. Nanoseconds. */
const FIRST_INSTANT_NS = NS_PER_S;

/** What is known of the other nodes' local clocks. */
export interface PeerLines {
  /** The latest line; null where there is none. */
  lineOf(node: NodeId): PeerLine | null;
  /** Nanoseconds of the shortest round trip lately; null where there was none. */
  roundTripOf(node: NodeId): number | null;
}

/** Whose time this node lives in. */
type Reference =
  /** Nobody's yet. */
  | { readonly type: 'none' }
  /** Its own, at this rate: it leads, or (`since` given) nobody has taken over since it did. */
  | { readonly type: 'self'; readonly ratePpm: number; readonly since: LocalTime | null }
  | { readonly type: 'leader'; readonly node: NodeId; readonly claim: ClockClaim; readonly heardAt: LocalTime };

/** How well a node knows cluster time. */
export interface ClockState {
  /** It has a reading. */
  readonly isRunning: boolean;
  /** No fresh word: it goes on along its last course. */
  readonly holdover: boolean;
  /** The leader says another time than most nodes, and is not followed. */
  readonly outvoted: boolean;
  /** The reading less the course, nanoseconds: what is still to be slewed. Null where nothing is measured. */
  readonly offsetNs: number | null;
  /** The reading is wrong by at most so much, nanoseconds. Null where nothing is measured. */
  readonly errorNs: number | null;
  /** By how much the reference's crystal is faster than this node's, parts per million. Null where nothing is measured. */
  readonly driftPpm: number | null;
  /** Nanoseconds since the last news; null where there was none. */
  readonly ageNs: number | null;
  /** Nanoseconds of the shortest round trip to the reference: the bound cannot be below half of it. Null where there was none. */
  readonly roundTripNs: number | null;
}

/** Cluster time as one node reads it. */
export class ClusterClock {
  readonly #peers: PeerLines | null;
  readonly #coarse = new CoarseEstimate();
  readonly #claims: Claims;
  /** Null before the lock: this process has not heard of cluster time. */
  #line: ClockLine | null = null;
  /** The reading while there is none that runs. */
  #standing = FIRST_INSTANT_NS;
  /** Of a leader whose first entry is not applied yet; null for all others. */
  #term: ClockLine | null = null;
  /** As of what was applied. */
  #epoch = 0;
  #reference: Reference = { type: 'none' };
  /** The last course that was measured, since the lock; null where none ever was. */
  #measured: Course | null = null;
  /** The last course that most nodes did not speak against: what this node's own word rests on while its leader is outvoted. */
  #trusted: Course | null = null;
  /** On its course, or near it, since the lock: what this node reads is worth something to others. */
  #hasSettled = false;
  #isOutvoted = false;
  /** What triangles of nodes lack to close, beyond their bounds. Nanoseconds. */
  #gapNs = 0;
  /** As of the last adjustment; null where it is known coarsely only. */
  #courseNow: Course | null = null;

  constructor(components: { readonly peers: PeerLines | null }) {
    this.#peers = components.peers;
    this.#claims = new Claims(components);
  }

  // Reading.

  /** Cluster time at `at`; null where this process has not heard of it. A promise carries it. */
  liveAt(at: LocalTime): ClusterTime | null {
    return this.#line && readClock(this.#line, at);
  }

  /** Cluster time at `at`. Before the lock it stands still. */
  readAt(at: LocalTime): ClusterTime {
    return this.liveAt(at) ?? clusterTime(this.#standing);
  }

  /** The reading as a line over local time; null before the lock. */
  line(): ClockLine | null {
    return this.#line;
  }

  /** The time that a leader stamps with. */
  stampAt(at: LocalTime): ClusterTime {
    return this.#term === null ? this.readAt(at) : readClock(this.#term, at);
  }

  /** What this node may say to others of cluster time at `at`; null where that is worth nothing yet. */
  claimAt(at: LocalTime): ClockClaim | null {
    if (this.#line === null || !this.#hasSettled) return null;
    // A leader that is outvoted is on its way back to the others, who may not have measured yet that it left: they would go with it.
    if (this.#isOutvoted && this.#reference.type === 'self') return null;
    const { driftPpm } = this.#line;
    const boundNs = Math.ceil(this.#courseNow === null ? 0 : courseAt(this.#courseNow, at).boundNs);
    // Woken from a long sleep, say. It would help nobody, and a message that carried it would be refused.
    if (boundNs > CLAIM_NS_MAX) return null;
    return { localAt: at, clusterAt: readClock(this.#line, at), driftPpm, boundNs, epoch: this.#epoch };
  }

  /** How well it is known at `at`. */
  stateAt(at: LocalTime): ClockState {
    const course = this.#courseNow && courseAt(this.#courseNow, at);
    const offsetNs = this.#line !== null && course !== null ? this.#offsetFrom(course, at) : null;
    const reference = this.#reference;
    const node = reference.type === 'leader' ? reference.node : null;
    const ageNs = this.#ageAt(at);
    return {
      isRunning: this.#line !== null,
      holdover: this.#line !== null && this.#isAlone(at),
      outvoted: this.#isOutvoted,
      offsetNs,
      errorNs: course === null || offsetNs === null ? null : Math.abs(offsetNs) + course.boundNs + this.#gapNs,
      driftPpm: node === null ? (this.#line === null ? null : 0) : (this.#peers?.lineOf(node)?.driftPpm ?? null),
      ageNs: ageNs === null ? null : Number(ageNs),
      roundTripNs: node === null ? null : (this.#peers?.roundTripOf(node) ?? null),
    };
  }

  // What happens.

  /** Everything was applied up to an entry of this stamp, and the epoch is this. */
  noteApplied(at: LocalTime, stampNs: bigint, epoch: number): void {
    this.#standing = larger(this.#standing, stampNs);
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    if (this.#line === null) return;
    // Cluster time leapt while this node still ran on the old one: it locks anew, at the leader's next word.
    this.#standing = larger(this.#standing, this.readAt(at));
    this.#line = null;
    this.#forget();
  }

  /** A leader, whose first entry was applied here, says its time. `fresh` at the first word of each. */
  noteHeartbeat(at: LocalTime, node: NodeId, claim: ClockClaim, fresh: boolean): void {
    if (fresh) this.#coarse.clear();
    this.#coarse.note(at, claim.clusterAt);
    this.#reference = { type: 'leader', node, claim, heardAt: at };
    this.#claims.note(at, node, claim);
    if (this.#line === null) {
      const clusterAt = clusterTime(larger(this.#coarse.at(at)!, this.#standing));
      this.#line = { localAt: at, clusterAt, driftPpm: 0 };
    }
    this.adjust(at);
  }

  /** Another node says its time; null where it has none to say. */
  noteClaim(at: LocalTime, node: NodeId, claim: ClockClaim | null): void {
    this.#claims.note(at, node, claim);
  }

  /**
   * This node won a term. `promisedNs` is the highest reading among the promises, null where nobody had one, `reservedNs` how far cluster
   * time may have run at most. Gives the epoch of the term.
   */
  beginTerm(at: LocalTime, promisedNs: bigint | null, reservedNs: bigint): number {
    this.#coarse.clear();
    if (this.#line !== null) {
      this.#term = { localAt: at, clusterAt: readClock(this.#line, at), driftPpm: this.#ratePpm() };
      return this.#epoch;
    }
    const clusterAt = clusterTime(larger(promisedNs ?? reservedNs, this.#standing) + 1n);
    this.#term = { localAt: at, clusterAt, driftPpm: 0 };
    return promisedNs === null ? this.#epoch + 1 : this.#epoch;
  }

  /** The first entry of this node's term was applied here. */
  termStands(at: LocalTime): void {
    if (this.#term === null) return;
    // What the leader before it stamped, and this one proposed again, may be ahead of the new time.
    const clusterAt = clusterTime(larger(readClock(this.#term, at), this.readAt(at)));
    const ratePpm = this.#term.driftPpm;
    this.#line = { localAt: at, clusterAt, driftPpm: ratePpm };
    this.#term = null;
    this.#reference = { type: 'self', ratePpm, since: null };
    this.#measured = { line: this.#line, boundNs: 0, boundPpm: ALONE_PPM };
    this.#hasSettled = true;
    this.adjust(at);
  }

  /** This node does not lead any more. */
  termIsOver(at: LocalTime): void {
    this.#term = null;
    const reference = this.#reference;
    if (this.#line === null || reference.type !== 'self' || reference.since !== null) return;
    const { ratePpm } = reference;
    this.#reference = { ...reference, since: at };
    // From here on it loses touch.
    const line = { localAt: at, clusterAt: readClock(this.#line, at), driftPpm: ratePpm };
    this.#measured = { line, boundNs: 0, boundPpm: ALONE_PPM };
  }

  /** Brings the reading nearer to its course: to be called several times a second, and at every news. */
  adjust(at: LocalTime): void {
    if (this.#line === null) return;
    const reading = readClock(this.#line, at);
    const isFirst = this.#measured === null;
    const course = this.#courseFor(at, reading);
    this.#courseNow = course;
    if (course === null) {
      this.#slew(at, reading, { localAt: at, clusterAt: this.#coarse.at(at) ?? reading, driftPpm: 0 });
      return;
    }
    const behindNs = Number(course.line.clusterAt - reading);
    const leaps = behindNs > LEAP_NS || (isFirst && behindNs > 0);
    if (leaps) this.#line = course.line;
    else this.#slew(at, reading, course.line);
    this.#hasSettled ||= leaps || Math.abs(behindNs) <= SETTLED_NS;
  }

  // Where it should be.

  /** The course at `at`; null where it is only known coarsely. */
  #courseFor(at: LocalTime, reading: ClusterTime): Course | null {
    const own = this.#measuredAt(at, reading);
    const held = this.#trusted === null ? own : courseAt(this.#trusted, at);
    this.#isOutvoted = false;
    this.#gapNs = 0;
    if (own === null || held === null) return null;
    const boundNs = this.#hasSettled ? held.boundNs : null;
    const agreed = this.#claims.agreed({ at, epoch: this.#epoch, reading, boundNs });
    const offNs = Number(own.line.clusterAt - reading);
    this.#isOutvoted = agreed !== null && distance(offNs, agreed) > own.boundNs + DOUBT_NS;
    if (agreed === null || !this.#isOutvoted) {
      if (agreed !== null && this.#reference.type === 'leader') this.#gapNs = agreed.gapNs(offNs);
      this.#trusted = own;
      return own;
    }
    // The reading stays where most nodes put it, and goes on as it ran. How sure this node is of it follows from its own measurements alone: were
    // it to rest on what the others say, and their word on its own, all would be less sure each time, and soon agree with the liar.
    const clusterAt = clusterTime(reading + BigInt(Math.round(Math.max(agreed.low, Math.min(agreed.high, 0)))));
    const line = { localAt: at, clusterAt, driftPpm: held.line.driftPpm };
    return { line, boundNs: held.boundNs, boundPpm: Math.max(held.boundPpm, ALONE_PPM) };
  }

  /** What the reference says the time is, as well as can be measured; null where it never could be, since the lock. */
  #measuredAt(at: LocalTime, reading: ClusterTime): Course | null {
    const reference = this.#reference;
    if (reference.type === 'self' && reference.since === null) {
      const { ratePpm: driftPpm } = reference;
      return { line: { localAt: at, clusterAt: reading, driftPpm }, boundNs: 0, boundPpm: 0 };
    }
    const coarse = this.#coarse.at(at);
    const doubtNs = this.#coarse.doubtNs(at);
    if (reference.type === 'leader') {
      const peer = this.#peers?.lineOf(reference.node) ?? null;
      const course = peer && composed(reference.claim, peer, at);
      if (course !== null && coarse !== null && fits(course.line.clusterAt, coarse, doubtNs)) {
        this.#measured = course;
        return course;
      }
    }
    if (this.#measured === null) return null;
    // Nothing can be measured just now. What was measured last still holds, as long as heartbeats do not say otherwise.
    const last = courseAt(this.#measured, at);
    if (reference.type !== 'leader' || coarse === null) return last;
    const ahead = last.line.clusterAt - coarse;
    const least = -COARSE_SLACK_NS - doubtNs;
    const most = COARSE_WIDTH_NS + doubtNs;
    return ahead < least ? moved(last, least - ahead) : ahead > most ? moved(last, most - ahead) : last;
  }

  #slew(at: LocalTime, reading: ClusterTime, course: ClockLine): void {
    // On its course to the nanosecond, as a reference is all the time: to draw the line anew would only add up what rounding leaves.
    if (course.clusterAt === reading && course.driftPpm === this.#line!.driftPpm) return;
    const ppm = (Number(course.clusterAt - reading) * 1e6) / SLEW_OVER_NS;
    const driftPpm = course.driftPpm + Math.max(-SLEW_PPM_MAX, Math.min(SLEW_PPM_MAX, ppm));
    this.#line = { localAt: at, clusterAt: reading, driftPpm };
  }

  /** The rate at which it would run if it were on its course. */
  #ratePpm(): number {
    if (this.#reference.type === 'self') return this.#reference.ratePpm;
    return this.#courseNow?.line.driftPpm ?? 0;
  }

  #offsetFrom(course: Course, at: LocalTime): number {
    return Number(readClock(this.#line!, at) - course.line.clusterAt);
  }

  // How fresh that is.

  #isAlone(at: LocalTime): boolean {
    const reference = this.#reference;
    if (reference.type === 'none') return true;
    if (reference.type === 'self') return reference.since !== null && at - reference.since > HEARD_NS;
    if (at - reference.heardAt > HEARD_NS) return true;
    const measuredAt = this.#peers?.lineOf(reference.node)?.localAt;
    return measuredAt === undefined ? this.#measured !== null : at - measuredAt > BURST_NS;
  }

  #ageAt(at: LocalTime): bigint | null {
    const reference = this.#reference;
    switch (reference.type) {
      case 'none':
        return null;
      case 'self':
        return reference.since === null ? 0n : at - reference.since;
      case 'leader':
        return at - (this.#peers?.lineOf(reference.node)?.localAt ?? reference.heardAt);
    }
  }

  #forget(): void {
    assert(this.#line === null, 'a reading that runs rests on something');
    this.#coarse.clear();
    this.#claims.clear();
    this.#reference = { type: 'none' };
    this.#measured = null;
    this.#trusted = null;
    this.#courseNow = null;
    this.#hasSettled = false;
    this.#isOutvoted = false;
    this.#gapNs = 0;
  }
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** A line that was measured before its machine restarted, and a claim made after it, give nonsense together. */
function fits(fine: ClusterTime, coarse: ClusterTime, doubtNs: bigint): boolean {
  const ahead = fine - coarse;
  return ahead > -COARSE_EARLY_NS - doubtNs && ahead < COARSE_LATE_NS + doubtNs;
}

/** How far `value` is outside of an interval. */
const distance = (value: number, { low, high }: { readonly low: number; readonly high: number }): number =>
  Math.max(low - value, value - high, 0);
