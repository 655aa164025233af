/**
 * FakeReplicatedLog: the replicated log of a house with one node, in memory: agrees at once, keeps nothing.
 *
 * For tests of what stands on the log. The same contract suite (test/contract/replicated-log.ts) runs against it and the real one.
 */

import type { ClockState } from '../../src/clock/cluster-clock.js';
import { assert } from '../../src/core/assert.js';
import type { ClockLine } from '../../src/core/clock-line.js';
import { TuttiError } from '../../src/core/errors.js';
import { type NodeId, type Slot, slot } from '../../src/core/ids.js';
import { majorityOf } from '../../src/core/majority.js';
import { addTime, type ClusterTime, clusterTime, type LocalTime, NS_PER_S, nanosFromMs } from '../../src/core/units.js';
import type { Time } from '../../src/ports/time.js';
import type {
  LogHandlers,
  LogStatus,
  MemberChange,
  MemberIdentity,
  ReplicatedLog,
  SlotVoter,
} from '../../src/replication/replicated-log.js';

/** Cluster time of a new house. Nanoseconds. */
const FIRST_INSTANT_NS = NS_PER_S;
/** How much cluster time a term reserves. Nanoseconds: a day. */
const RESERVE_NS = 24n * 3_600n * NS_PER_S;
/** Proposals that wait to be applied. */
const PENDING_MAX = 1_024;

const LEADING: ClockState = {
  isRunning: true,
  holdover: false,
  outvoted: false,
  offsetNs: 0,
  errorNs: 0,
  driftPpm: 0,
  ageNs: 0,
  roundTripNs: null,
};

/** Who is alone in the house, and how long its card takes to obey. */
export interface FakeReplicatedLogInit {
  readonly self: MemberIdentity;
  /** What is added to a change of sound for the card to obey in time, milliseconds, 0 to 10,000. */
  readonly leadMs: () => number;
}

interface Pending {
  /** Null for a change of members. */
  readonly payload: Uint8Array | null;
  resolve(slot: Slot): void;
  reject(error: TuttiError): void;
}

/** Leads from `start` to `stop`, unless a test says otherwise. What is not applied by then is refused with NO_QUORUM. */
export class FakeReplicatedLog implements ReplicatedLog {
  readonly #time: Time;
  readonly #init: FakeReplicatedLogInit;
  #handlers: LogHandlers | null = null;
  #startedAt: LocalTime | null = null;
  #leaderSince: ClusterTime | null = null;
  #lastSlot = 0;
  #lastStampNs = 0n;
  #pending: Pending[] = [];
  readonly #elsewhere: Uint8Array[] = [];
  #applying = false;
  #quorum = true;
  #others: (MemberIdentity & { readonly voter: boolean })[] = [];
  /** What this node told the others. */
  readonly told: Uint8Array[] = [];
  clockState: Partial<ClockState> = {};
  /** A test sets it; shown by `status()`. */
  trouble: LogStatus['trouble'] = null;
  /** Nodes whose cards are not trusted: likewise. */
  readonly distrusted = new Set<NodeId>();

  constructor(components: { readonly time: Time }, init: FakeReplicatedLogInit) {
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

  /** Loses the others, or finds them again: without a quorum everything is refused. */
  setQuorum(quorum: boolean): void {
    this.#quorum = quorum;
    this.#handlers?.statusChanged();
  }

  propose(payload: Uint8Array): Promise<Slot> {
    return this.#enter(payload);
  }

  async readBarrier(): Promise<Slot> {
    if (this.#handlers === null || !this.#quorum) throw noQuorum();
    await Promise.all(this.#elsewhere.splice(0).map((payload) => this.#enter(payload)));
    return slot(this.#lastSlot);
  }

  /** Proposals that wait for a quorum. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** Another node answers a proposal of its own: known here after the next read barrier. */
  answerElsewhere(payload: Uint8Array): void {
    this.#elsewhere.push(payload);
  }

  changeMembers(change: MemberChange): Promise<Slot> {
    const isKnown = (node: NodeId) =>
      node === this.#init.self.node || this.#others.some((other) => other.node === node);
    const unknown = change.type === 'remove' ? change.node : change.type === 'replace' ? change.old : ('' as const);
    if (unknown !== '' && !isKnown(unknown)) {
      return Promise.reject(new TuttiError('NODE_NOT_FOUND', `No member has the id ${unknown}.`));
    }
    switch (change.type) {
      case 'add':
        if (!isKnown(change.member.node)) this.#others.push({ ...change.member, voter: false });
        break;
      case 'replace':
        this.#others = [...this.#others.filter(({ node }) => node !== change.old), { ...change.member, voter: false }];
        break;
      case 'remove':
        this.#others = this.#others.filter(({ node }) => node !== change.node);
        break;
      case 'voters':
        this.#others = this.#others.map((other) => ({ ...other, voter: change.voters.includes(other.node) }));
        break;
    }
    return this.#enter(null);
  }

  now(): ClusterTime {
    return this.#startedAt === null
      ? clusterTime(FIRST_INSTANT_NS)
      : clusterTime(FIRST_INSTANT_NS + this.#time.now() - this.#startedAt);
  }

  clockLine(): ClockLine | null {
    if (this.#startedAt === null) return null;
    return { localAt: this.#startedAt, clusterAt: clusterTime(FIRST_INSTANT_NS), driftPpm: 0 };
  }

  /** Of a node that leads; a test changes it by {@link clockState}. */
  clock(): ClockState {
    return { ...LEADING, isRunning: this.#startedAt !== null, ...this.clockState };
  }

  tell(bytes: Uint8Array): void {
    this.told.push(bytes);
  }

  /** A peer tells this node something. */
  hear(from: NodeId, bytes: Uint8Array): void {
    this.#handlers?.told(from, bytes);
  }

  status(): LogStatus {
    const leads = this.#handlers !== null && this.#quorum;
    const { self } = this.#init;
    const now = this.now();
    return {
      leader: leads ? self.node : null,
      leaderSince: leads ? this.#leaderSince : null,
      role: leads ? 'leader' : 'follower',
      quorum: leads,
      needed: majorityOf(this.#voters().length),
      members: [
        { ...self, voter: true, online: true, lastHeardAt: now, trusted: true },
        ...this.#others.map((other) => ({
          ...other,
          online: true,
          lastHeardAt: now,
          trusted: !this.distrusted.has(other.node),
        })),
      ],
      ballot: leads ? { configId: 1, round: 1 } : null,
      appliedSlot: slot(this.#lastSlot),
      chosenSlot: slot(this.#lastSlot),
      trouble: this.trouble,
    };
  }

  holdsLease(): boolean {
    return this.#handlers !== null && this.#quorum;
  }

  leaseUntil(): LocalTime | null {
    return this.holdsLease() ? addTime(this.#time.now(), nanosFromMs(450)) : null;
  }

  stop(): Promise<void> {
    this.#handlers = null;
    this.#leaderSince = null;
    const unanswered = this.#pending;
    this.#pending = [];
    for (const { reject } of unanswered) reject(new TuttiError('NO_QUORUM', 'this node is stopping'));
    return Promise.resolve();
  }

  /** This node, and whom a test has made voters. The real log says nobody before its members changed once. */
  #voters(): SlotVoter[] {
    const others = this.#others.filter(({ voter }) => voter);
    return [this.#init.self, ...others].map(({ node, incarnation }) => ({ node, incarnation }));
  }

  #enter(payload: Uint8Array | null): Promise<Slot> {
    return new Promise((resolve, reject) => {
      if (this.#handlers === null || !this.#quorum) {
        reject(noQuorum());
        return;
      }
      if (this.#pending.length >= PENDING_MAX) {
        reject(new TuttiError('BUSY', `${PENDING_MAX} changes wait to be agreed already: ask again in a moment`));
        return;
      }
      this.#pending.push({ payload, resolve, reject });
      if (!this.#applying) {
        this.#applying = true;
        // A turn later, as with the real one: nobody may count on an entry being applied before `propose` returns.
        queueMicrotask(() => this.#applyPending());
      }
    });
  }

  #applyPending(): void {
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      const handlers = this.#handlers;
      assert(handlers !== null, 'what waits is refused when the log stops');
      const taken = slot(++this.#lastSlot);
      if (next.payload === null) {
        handlers.pass(taken, [this.#init.self.node, ...this.#others.map(({ node }) => node)]);
        handlers.statusChanged();
      } else {
        const now = this.now();
        this.#lastStampNs = now > this.#lastStampNs ? now : this.#lastStampNs + 1n;
        handlers.apply({
          slot: taken,
          stampNs: this.#lastStampNs,
          leadNs: nanosFromMs(this.#init.leadMs()),
          voters: this.#voters(),
          payload: next.payload,
        });
      }
      next.resolve(taken);
    }
    this.#applying = false;
  }
}

const noQuorum = () =>
  new TuttiError('NO_QUORUM', 'this node takes no part in the cluster: it is starting or stopping');
