/** TermClock: the cluster clock (clock/cluster-clock.ts), read at this machine's own time. */
import { type ClockState, ClusterClock, type PeerLines } from '../clock/cluster-clock.js';
import { withEndOfSlew } from '../clock/slew.js';
import type { ClockClaim, ClockLine } from '../core/clock-line.js';
import type { NodeId } from '../core/ids.js';
import type { ClusterTime } from '../core/units.js';
import type { Time } from '../ports/time.js';

/** Cluster time as this node reads it now. Everything is as {@link ClusterClock} says. */
export class TermClock {
  readonly #time: Time;
  readonly #clock: ClusterClock;

  constructor({ time, peers }: { readonly time: Time; readonly peers: PeerLines | null }) {
    this.#time = time;
    this.#clock = new ClusterClock({ peers });
  }

  /** Null where this process has not heard of cluster time. A promise carries it. */
  live(): bigint | null {
    return this.#clock.liveAt(this.#time.now());
  }

  now(): ClusterTime {
    return this.#clock.readAt(this.#time.now());
  }

  /** With the end of its slew: the player that reads by it may not hear of the next one for a while. */
  line(): ClockLine | null {
    const line = this.#clock.line();
    return line && withEndOfSlew(line, this.#clock.stateAt(line.localAt).offsetNs);
  }

  /** The time that a leader stamps with. */
  stampNow(): bigint {
    return this.#clock.stampAt(this.#time.now());
  }

  /** What this node says of cluster time to others as of now. */
  claim(): ClockClaim | null {
    return this.#clock.claimAt(this.#time.now());
  }

  state(): ClockState {
    return this.#clock.stateAt(this.#time.now());
  }

  noteApplied(stampNs: bigint, epoch: number): void {
    this.#clock.noteApplied(this.#time.now(), stampNs, epoch);
  }

  noteHeartbeat(from: NodeId, claim: ClockClaim, fresh: boolean): void {
    this.#clock.noteHeartbeat(this.#time.now(), from, claim, fresh);
  }

  noteClaim(from: NodeId, claim: ClockClaim | null): void {
    this.#clock.noteClaim(this.#time.now(), from, claim);
  }

  beginTerm(promisedNs: bigint | null, reservedNs: bigint): number {
    return this.#clock.beginTerm(this.#time.now(), promisedNs, reservedNs);
  }

  termStands(): void {
    this.#clock.termStands(this.#time.now());
  }

  termIsOver(): void {
    this.#clock.termIsOver(this.#time.now());
  }

  adjust(): void {
    this.#clock.adjust(this.#time.now());
  }
}
