/**
 * TappedLog: stands between a node's replicated log and its state, and tells what passes.
 *
 * Both sides are the real code and do not notice. What is told: every entry with its place, every restored snapshot, every proposal with
 * its answer, every strong read.
 */
import { createHash } from 'node:crypto';
import type { ClockState } from '../../src/clock/cluster-clock.js';
import type { ClockLine } from '../../src/core/clock-line.js';
import type { NodeId, Slot } from '../../src/core/ids.js';
import type { ClusterTime, LocalTime } from '../../src/core/units.js';
import type {
  LogEntry,
  LogHandlers,
  LogStatus,
  MemberChange,
  ReplicatedLog,
} from '../../src/replication/replicated-log.js';

/** The state is hashed at every slot that this divides: often enough to name the entry at fault, seldom enough to cost little. */
export const HASH_EVERY_SLOTS = 128;

/** Who is told. */
export interface LogObserver {
  applied(entry: LogEntry): void;
  passed(slot: Slot, members: readonly NodeId[] | undefined): void;
  restored(slot: Slot): void;
  state(slot: Slot, hash: string): void;
  proposed(payload: Uint8Array): void;
  acknowledged(payload: Uint8Array, slot: Slot): void;
  statusChanged(): void;
}

/** A state's bytes, in short. */
export const hashOf = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex').slice(0, 16);

/** A replicated log that is watched. */
export class TappedLog implements ReplicatedLog {
  readonly #log: ReplicatedLog;
  readonly #observer: LogObserver;
  #handlers: LogHandlers | null = null;

  constructor(components: { readonly log: ReplicatedLog; readonly observer: LogObserver }) {
    this.#log = components.log;
    this.#observer = components.observer;
  }

  start(handlers: LogHandlers): Promise<void> {
    this.#handlers = handlers;
    const observer = this.#observer;
    return this.#log.start({
      ...handlers,
      apply: (entry) => {
        observer.applied(entry);
        handlers.apply(entry);
        this.#hash(entry.slot);
      },
      pass: (slot, members) => {
        observer.passed(slot, members);
        handlers.pass(slot, members);
        this.#hash(slot);
      },
      restore: (bytes, slot) => {
        handlers.restore(bytes, slot);
        observer.restored(slot);
      },
      statusChanged: () => {
        handlers.statusChanged();
        observer.statusChanged();
      },
    });
  }

  /** Tells the hash of the state as it is, which is that of `slot`. */
  hashNow(slot: Slot): void {
    if (this.#handlers !== null) this.#observer.state(slot, hashOf(this.#handlers.snapshot()));
  }

  async propose(payload: Uint8Array): Promise<Slot> {
    this.#observer.proposed(payload);
    const slot = await this.#log.propose(payload);
    this.#observer.acknowledged(payload, slot);
    return slot;
  }

  readBarrier(): Promise<Slot> {
    return this.#log.readBarrier();
  }

  changeMembers(change: MemberChange): Promise<Slot> {
    return this.#log.changeMembers(change);
  }

  now(): ClusterTime {
    return this.#log.now();
  }

  clockLine(): ClockLine | null {
    return this.#log.clockLine();
  }

  clock(): ClockState {
    return this.#log.clock();
  }

  tell(bytes: Uint8Array): void {
    this.#log.tell(bytes);
  }

  status(): LogStatus {
    return this.#log.status();
  }

  leaseUntil(): LocalTime | null {
    return this.#log.leaseUntil();
  }

  holdsLease(): boolean {
    return this.#log.holdsLease();
  }

  stop(): Promise<void> {
    return this.#log.stop();
  }

  #hash(slot: Slot): void {
    if (slot % HASH_EVERY_SLOTS === 0) this.hashNow(slot);
  }
}
