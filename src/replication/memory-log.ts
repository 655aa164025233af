/**
 * MemoryLog: the replicated log of a house with one node, kept in memory.
 *
 * THIS LOG IS NOT DURABLE. It stands in until the durable, replicated log takes its place behind the same interface. What that means
 * for a person today: after a restart of the process the queue, the transport, the volume and the retries' memory are gone, cluster
 * time begins anew, and the house has another cluster id. The library is not lost: each track lies on the disk with a description
 * beside it (tracks/track-store.ts), and the node proposes every one of them again when it starts. That is the only place where
 * something agreed is kept outside the log, and it ends with the durable log.
 */
import { assert } from '../core/assert.js';
import type { ClockLine } from '../core/clock-line.js';
import { TuttiError } from '../core/errors.js';
import { type NodeId, type Slot, slot } from '../core/ids.js';
import { type ClusterTime, clusterTime, type LocalTime, NS_PER_S, nanosFromMs } from '../core/units.js';
import type { Time } from '../ports/time.js';
import type { LogHandlers, LogStatus, ReplicatedLog } from './replicated-log.js';

/** Cluster time of a new house: above zero, so that "before everything" can be said. Nanoseconds. */
const FIRST_INSTANT_NS = NS_PER_S;
/** How much cluster time a term reserves. Nothing reads it while the log is in memory. Nanoseconds: a day. */
const RESERVE_NS = 24n * 3_600n * NS_PER_S;
/** Proposals that wait to be applied: an applied entry may propose another, but not without end. */
const PENDING_MAX = 1_024;

/** Who is alone in the house, and how long its card takes to obey. */
export interface MemoryLogInit {
  /** The one member. */
  readonly node: NodeId;
  /** What is added to a change of sound for the card to obey in time, milliseconds, 0 to 10,000. */
  readonly leadMs: () => number;
}

interface Pending {
  readonly payload: Uint8Array;
  resolve(slot: Slot): void;
  reject(error: TuttiError): void;
}

/** The engine of one node: leads from `start` to `stop`, and agrees at once. What is not applied by then is refused with NO_QUORUM. */
export class MemoryLog implements ReplicatedLog {
  readonly #time: Time;
  readonly #init: MemoryLogInit;
  #handlers: LogHandlers | null = null;
  #startedAt: LocalTime | null = null;
  #leaderSince: ClusterTime | null = null;
  #lastSlot = 0;
  #lastStampNs = 0n;
  #pending: Pending[] = [];
  #applying = false;

  constructor(components: { readonly time: Time }, init: MemoryLogInit) {
    this.#time = components.time;
    this.#init = init;
  }

  async start(handlers: LogHandlers): Promise<void> {
    assert(this.#startedAt === null, 'a log is started once');
    this.#startedAt = this.#time.now();
    this.#handlers = handlers;
    this.#leaderSince = this.now();
    handlers.statusChanged();
    await this.propose(
      handlers.termStart({ epoch: 1, reserveUntilNs: this.#leaderSince + RESERVE_NS, reproposed: [] }),
    );
  }

  propose(payload: Uint8Array): Promise<Slot> {
    return new Promise((resolve, reject) => {
      if (this.#handlers === null) {
        reject(new TuttiError('NO_QUORUM', 'this node takes no part in the cluster: it is starting or stopping'));
        return;
      }
      if (this.#pending.length >= PENDING_MAX) {
        reject(new TuttiError('NO_QUORUM', `${PENDING_MAX} changes wait to be agreed already: ask again in a moment`));
        return;
      }
      this.#pending.push({ payload, resolve, reject });
      if (!this.#applying) {
        this.#applying = true;
        // A turn later, as with any engine: nobody may count on an entry being applied before `propose` returns.
        queueMicrotask(() => this.#applyPending());
      }
    });
  }

  now(): ClusterTime {
    return this.#startedAt === null
      ? clusterTime(FIRST_INSTANT_NS)
      : clusterTime(FIRST_INSTANT_NS + this.#time.now() - this.#startedAt);
  }

  clockLine(): ClockLine {
    assert(this.#startedAt !== null, 'cluster time runs from the start of the log');
    return { localAt: this.#startedAt, clusterAt: clusterTime(FIRST_INSTANT_NS), driftPpm: 0 };
  }

  status(): LogStatus {
    const running = this.#handlers !== null;
    const { node } = this.#init;
    return {
      leader: running ? node : null,
      leaderSince: this.#leaderSince,
      role: running ? 'leader' : 'follower',
      quorum: running,
      needed: 1,
      members: [{ id: node, voter: true, online: true, lastHeardAt: this.now() }],
    };
  }

  stop(): Promise<void> {
    this.#handlers = null;
    this.#leaderSince = null;
    const unanswered = this.#pending;
    this.#pending = [];
    for (const { reject } of unanswered) reject(new TuttiError('NO_QUORUM', 'this node is stopping'));
    return Promise.resolve();
  }

  #applyPending(): void {
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      const handlers = this.#handlers;
      assert(handlers !== null, 'what waits is refused when the log stops');
      const taken = slot(++this.#lastSlot);
      const now = this.now();
      this.#lastStampNs = now > this.#lastStampNs ? now : this.#lastStampNs + 1n;
      handlers.apply({
        slot: taken,
        stampNs: this.#lastStampNs,
        leadNs: nanosFromMs(this.#init.leadMs()),
        payload: next.payload,
      });
      next.resolve(taken);
    }
    this.#applying = false;
  }
}
