/**
 * Replica: Multi-Paxos over a durable log, behind the interface of {@link ReplicatedLog}.
 *
 * The decisions are made by the pure core (paxos/step.ts), and carried out in the one safe order by the driver (driver.ts). What the house
 * agreed on is kept here: how far it is applied, in which configuration, and which proposals were in it. Everything else is a part with a
 * file of its own, which sees of this one what self.ts says:
 *
 *     hearing.ts        what comes over the link, and whom it concerns
 *     requests.ts       what this node is asked for: proposals.ts, read-barriers.ts
 *     membership.ts     who takes part: changes.ts, voters.ts, gate.ts, admission.ts; whom the link talks to: peers.ts
 *     leadership.ts     who leads, and what time that makes it: term-clock.ts, time-rounds.ts
 *     snapshots.ts      a short log, and help for those who are far behind
 *     state-repair.ts   a state that is no good: state-hashes.ts
 *     card-watch.ts     whose card is whose: cards.ts
 *     scrub.ts          what the card has lost, before anybody needs it
 *     recovery.ts       what the disk held
 *     status.ts         what people are shown of all this
 *     parts.ts          puts them together
 *
 * A disk that failed, and an invariant that broke, end everything: `failed` is called, once, and from then on this node says and
 * does nothing more. What it holds in memory may be ahead of its disk; only a restart brings the two together again.
 */

import type { ClockState } from '../clock/cluster-clock.js';
import { assert } from '../core/assert.js';
import type { ClockLine } from '../core/clock-line.js';
import { TuttiError } from '../core/errors.js';
import { type ClusterId, type Slot, slot as slotOf } from '../core/ids.js';
import { type ClusterTime, type LocalTime, localTime } from '../core/units.js';
import { encodeConfiguration, PAYLOAD_BYTES_MAX } from '../paxos/codec.js';
import { type Configuration, votersOf } from '../paxos/configuration.js';
import type { Applied } from '../paxos/effects.js';
import { Sessions } from '../paxos/sessions.js';
import type { PaxosState } from '../paxos/state.js';
import { createPaxos, leaseUntilMs, statusOf } from '../paxos/step.js';
import type { PeerLink } from '../ports/peer-link.js';
import type { Timer } from '../ports/time.js';
import { Driver } from './driver.js';
import { encodeFrame } from './frames.js';
import type { StoreRecovered } from './log-store.js';
import { newParts, type Parts, type ReplicaHooks } from './parts.js';
import { readSnapshot, recoveredFor } from './recovery.js';
import type { ReplicaComponents, ReplicaInit } from './replica-init.js';
import type { LogHandlers, LogStatus, MemberChange, ReplicatedLog, SlotVoter } from './replicated-log.js';
import type { Settle } from './requests.js';
import { type Self, serves } from './self.js';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot-form.js';
import { TRY_AGAIN_MS } from './snapshots.js';
import { NOT_RUNNING, statusNow } from './status.js';
import { TermClock } from './term-clock.js';

export type { LinkIdentity, ReplicaComponents, ReplicaInit } from './replica-init.js';

/** What a start is made of before there are parts. */
interface Base {
  readonly handlers: LogHandlers;
  readonly recovered: StoreRecovered;
  readonly link: PeerLink;
  readonly driver: Driver;
}

/** Everything that exists from `start` on. */
interface Running extends Base, Parts {
  readonly timer: Timer;
}

/** One node's part in the replicated log. */
export class Replica implements ReplicatedLog {
  readonly #components: ReplicaComponents;
  readonly #init: ReplicaInit;
  /** What was chosen while a snapshot was on its way to the disk: the state in memory is the snapshot's already. */
  readonly #heldBack: Applied[] = [];
  readonly #clock: TermClock;
  #phase: 'new' | 'starting' | 'running' | 'over' = 'new';
  #running: Running | null = null;
  #sessions = new Sessions();
  #applied: Slot = slotOf(0);
  #lastStampNs = 0n;
  /** The latest configuration that this node knows of. A node that starts, or has come in late, has yet to meet in the log what led to it. */
  #configuration: Configuration | null = null;
  /** The configuration in which the slot after `#applied` stands; the latest one while nothing says which it is. */
  #reached: Configuration | null = null;
  /** Who votes in `#reached`: see {@link LogEntry.voters}. */
  #voters: readonly SlotVoter[] = [];
  /** A snapshot of a peer waits for room on the disk. */
  #retry: Timer | null = null;
  /** A node that votes alone has started once it serves. */
  #alone: (() => void) | null = null;

  constructor(components: ReplicaComponents, init: ReplicaInit) {
    this.#components = components;
    this.#init = init;
    this.#clock = new TermClock({ time: components.time, peers: components.peerClocks ?? null });
  }

  async start(handlers: LogHandlers): Promise<void> {
    assert(this.#phase === 'new', 'a log is started once');
    this.#phase = 'starting';
    const { store, time, log } = this.#components;
    const recovered = this.#init.recovered ?? (await store.open(this.#init.boot, (error) => this.#fail(error)));
    if (this.#isOver) return;
    for (const repair of recovered.repairs) log.warn('the store was repaired', { repair });
    const snapshot = recovered.snapshot === null ? null : await readSnapshot({ store, log }, recovered);
    if (this.#isOver) return;
    if (snapshot !== null) {
      handlers.restore(snapshot.state, snapshot.slot);
      this.#take(handlers, snapshot);
    }
    const { node, cluster, incarnation } = recovered;
    const nowMs = Number(time.now()) / 1e6;
    const state = createPaxos({
      self: node,
      seed: this.#init.seed,
      nowMs,
      recovered: recoveredFor(recovered, snapshot),
    });
    this.#configuration = state.configuration;
    this.#reached ??= state.configuration;
    const link = this.#components.link({ cluster, node, incarnation, card: () => parts.cards.said() });
    const driver = this.#newDriver(state, { recovered, link, cards: () => parts.cards.encodeIfChanged() });
    const base: Base = { handlers, recovered, link, driver };
    const unreadable = snapshot === null ? (recovered.snapshot?.slot ?? null) : null;
    const parts = this.#newParts(base, unreadable);
    await this.#components.peerClocks?.start(() => this.#clock.adjust());
    if (this.#isOver) return;
    // What the link says before everything stands is as if it had been lost on the way.
    await link.start({
      message: (from, channel, bytes) => this.#running?.hearing.message(from, channel, bytes),
      up: (peer, hello) => this.#running?.hearing.up(peer, hello),
      down: (peer) => this.#running?.hearing.down(peer),
      refused: (peer, reason, detail) => this.#running?.hearing.refused(peer, reason, detail),
      moved: (peer, address) => this.#running?.hearing.moved(peer, address),
      knock: async (request) => (await this.#running?.hearing.knock(request)) ?? refuseKnock(),
    });
    if (this.#isOver) {
      await link.stop();
      return;
    }
    const tickMs = state.configuration.timing.heartbeatMs / 2;
    const timer = time.every('consensus.tick', tickMs, () => this.#tick());
    this.#running = { ...base, ...parts, timer };
    this.#phase = 'running';
    await this.#begin(this.#running);
  }

  propose(payload: Uint8Array): Promise<Slot> {
    return this.#ask(({ requests }, settle) => {
      if (payload.length > PAYLOAD_BYTES_MAX) {
        const limit = `A change has at most ${PAYLOAD_BYTES_MAX} bytes, not ${payload.length}.`;
        throw new TuttiError('BAD_REQUEST', limit);
      }
      requests.propose(payload, settle);
    });
  }

  readBarrier(): Promise<Slot> {
    return this.#ask(({ requests }, settle) => requests.read(settle));
  }

  changeMembers(change: MemberChange): Promise<Slot> {
    return this.#ask(({ requests, membership }, settle) => {
      membership.change(change, settle);
      requests.flushSoon();
    });
  }

  now(): ClusterTime {
    return this.#clock.now();
  }

  clockLine(): ClockLine | null {
    return this.#clock.line();
  }

  clock(): ClockState {
    return this.#clock.state();
  }

  tell(bytes: Uint8Array): void {
    const { peers, self } = this.#running ?? {};
    for (const peer of peers?.online ?? []) self?.send(peer, { type: 'told', bytes });
  }

  status(): LogStatus {
    return this.#running === null ? NOT_RUNNING : statusNow(this.#running);
  }

  holdsLease(): boolean {
    return this.leaseUntil() !== null;
  }

  leaseUntil(): LocalTime | null {
    const driver = this.#running?.driver;
    const untilMs = driver === undefined ? null : leaseUntilMs(driver.state, driver.nowMs());
    return untilMs === null ? null : localTime(BigInt(Math.floor(untilMs * 1e6)));
  }

  async stop(): Promise<void> {
    if (this.#phase === 'over') return;
    const running = this.#running;
    this.#end();
    await this.#components.peerClocks?.stop();
    await running?.link.stop();
    await this.#components.store.close();
  }

  get #isOver(): boolean {
    return this.#phase === 'over';
  }

  /** No handler is called and nothing is sent from here on. */
  #end(): void {
    this.#phase = 'over';
    const running = this.#running;
    this.#running = null;
    if (running === null) return;
    running.driver.stop();
    running.timer.cancel();
    this.#retry?.cancel();
    running.peers.stop();
    running.requests.stop();
    running.membership.stop();
    running.snapshots.stop();
    running.scrub.stop();
    this.#alone?.();
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    const { link } = this.#running ?? {};
    this.#end();
    void this.#components.peerClocks?.stop();
    void link?.stop();
    this.#init.failed(error instanceof Error ? error : new Error(String(error)));
  }

  /** What `asking` throws is the answer, where this node takes part at all. */
  #ask(asking: (running: Running, settle: Settle) => void): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const running = this.#running;
      if (running === null) {
        throw new TuttiError('NO_QUORUM', 'This node takes no part in the cluster: it is starting or stopping.');
      }
      if (running.cards.isDoubted) {
        throw new TuttiError(
          'CARD_NOT_TRUSTED',
          'The others do not know the card of this node: it takes part no more.',
        );
      }
      asking(running, { resolve, reject });
    });
  }

  // Starting.

  #newDriver(
    state: PaxosState,
    parts: { readonly recovered: StoreRecovered; readonly link: PeerLink; readonly cards: () => Uint8Array | null },
  ): Driver {
    const { time, store } = this.#components;
    const { recovered, link, cards } = parts;
    return new Driver(
      {
        time,
        store,
        send: (to, bytes) => void link.send(to, 'control', bytes),
        cards,
        clusterTime: {
          // Of a time that is not in the log yet nobody may hear: see clock/cluster-clock.ts.
          heartbeat: () => (serves({ state }) ? this.#clock.claim() : null),
          reply: () => this.#clock.claim(),
          promise: () => this.#clock.live(),
        },
      },
      {
        state,
        lastBatch: recovered.lastBatch,
        handlers: {
          apply: (applied) => this.#apply(applied),
          configurationChanged: (configuration) => this.#follow(configuration),
          declined: (declined, changes) => {
            this.#running!.requests.declined(declined);
            this.#running!.membership.declined(changes);
          },
          read: (id, slot) => this.#running!.requests.readAnswered(id, slot),
          snapshotNeeded: ({ from, base }) => this.#running!.snapshots.need(from, base),
          termWon: (won) => this.#running!.leadership.won(won),
          statusChanged: () => {
            this.#running!.leadership.look();
            // Whoever leads from now on has not been asked yet.
            this.#running!.requests.flushSoon();
            this.#running!.handlers.statusChanged();
          },
          durable: (standing) => {
            this.#afterStep();
            this.#running?.snapshots.consider(standing);
            if (serves({ state })) this.#running?.requests.flush();
          },
          failed: (error) => this.#fail(error),
        },
      },
    );
  }

  /** @param unreadable the slot of the snapshot on this disk, where it cannot be read */
  #newParts({ handlers, recovered, link, driver }: Base, unreadable: Slot | null): Parts {
    const { time, log, store, peerClocks = null } = this.#components;
    const self: Self = {
      node: recovered.node,
      log,
      state: driver.state,
      applied: () => this.#applied,
      configuration: () => this.#configuration!,
      slotOf: (session) => this.#sessions.slotOf(session),
      nowMs: () => driver.nowMs(),
      clusterNow: () => this.#clock.now(),
      handle: (event) => {
        driver.handle(event);
        this.#afterStep();
      },
      send: (to, frame) => this.#running?.link.send(to, 'control', encodeFrame(frame)) ?? false,
      statusChanged: () => this.#running?.handlers.statusChanged(),
    };
    const replica: ReplicaHooks = {
      bootOf: (node) => this.#sessions.bootOf(node),
      lastStampNs: () => this.#lastStampNs,
      snapshot: () => encodeSnapshot(this.#snapshotNow(recovered.cluster)),
      apply: (applied) => this.#apply(applied),
      install: (slot, bytes, done) => this.#install(slot, bytes, done),
      send: (to, channel, bytes) => this.#running?.link.send(to, channel, bytes) ?? false,
      afterStep: () => this.#afterStep(),
      changeMembers: (change) => this.changeMembers(change),
    };
    const clock = this.#clock;
    return newParts(
      { self, replica, time, store, link, driver, clock, peerClocks, handlers },
      { ...this.#init, recovered, unreadable },
    );
  }

  /** Takes part, now that everything stands. */
  async #begin({ self, handlers, peers, repair, cards, snapshots, recovered, scrub }: Running): Promise<void> {
    peers.follow();
    cards.keepMembers();
    const voters = votersOf(self.state.configuration);
    const isAlone = voters.length === 1 && voters[0] === self.node;
    repair.begin();
    cards.lookAtSelf();
    // All that is known to be agreed is applied within this first event.
    self.handle({ type: 'tick' });
    // Where the log is full the next record would end the process again. No peer was heard yet, and the store does one thing after another:
    // a snapshot that is asked for now is kept before any record that follows.
    snapshots.consider(recovered);
    scrub.start();
    handlers.statusChanged();
    // One with a damaged log may wait for a person's word, who has to be able to ask it what is wrong.
    if (isAlone && !serves(self) && statusOf(self.state).damaged === null)
      await new Promise<void>((resolve) => (this.#alone = resolve));
  }

  // What is agreed.

  #apply(applied: Applied): void {
    const { handlers, requests, membership, repair, cards, snapshots } = this.#running!;
    if (repair.holds(applied)) return;
    if (snapshots.isInstalling) {
      this.#heldBack.push(applied);
      return;
    }
    const { slot, entry } = applied;
    this.#applied = slot;
    membership.works();
    switch (entry.type) {
      case 'command': {
        const { session, stampNs, leadNs, payload } = entry;
        const isNew = this.#sessions.take(session, slot);
        this.#lastStampNs = stampNs;
        if (isNew) handlers.apply({ slot, stampNs, leadNs, voters: this.#voters, payload });
        else handlers.pass(slot, undefined);
        this.#clock.noteApplied(stampNs, handlers.epoch());
        requests.applied(session, slot);
        break;
      }
      case 'stop-sign': {
        const { next, session } = entry;
        this.#configuration = next;
        this.#reach(next);
        handlers.pass(
          slot,
          next.members.map(({ node }) => node),
        );
        // Remembered like a command, so that it is not proposed again.
        if (session !== null) this.#sessions.take(session, slot);
        membership.applied(slot, entry);
        break;
      }
      case 'noop':
        handlers.pass(slot, undefined);
        break;
    }
    cards.applied(slot);
    repair.applied(slot);
  }

  /** Another configuration holds. */
  #follow(configuration: Configuration): void {
    this.#configuration = configuration;
    this.#running!.peers.follow();
    this.#running!.cards.keepMembers();
  }

  /** `configuration` is that of the slot after `#applied`. */
  #reach(configuration: Configuration): void {
    this.#reached = configuration;
    // Nothing of the log brought the first one; nor, to a node that has met no stop-sign yet, a later one with which it came in.
    const isInLog = configuration.after > 0 && configuration.after <= this.#applied;
    this.#voters = isInLog ? slotVoters(configuration) : [];
  }

  #snapshotNow(cluster: ClusterId): Snapshot {
    return {
      cluster,
      slot: this.#applied,
      configuration: this.#reached!,
      lastStampNs: this.#lastStampNs,
      sessions: this.#sessions,
      state: this.#running!.handlers.snapshot(),
    };
  }

  /** Goes on from a snapshot that the handlers have taken. */
  #take(handlers: LogHandlers, { slot, configuration, sessions, lastStampNs }: Snapshot): void {
    this.#sessions = sessions;
    this.#applied = slot;
    this.#reach(configuration);
    this.#lastStampNs = lastStampNs;
    this.#clock.noteApplied(lastStampNs, handlers.epoch());
  }

  /** Puts a peer's snapshot in the place of this node's state: in memory, on the disk, then in the core. */
  #install(slot: Slot, bytes: Uint8Array, done: () => void): void {
    const { handlers, recovered, self, repair } = this.#running!;
    let snapshot: Snapshot;
    try {
      snapshot = decodeSnapshot(bytes, recovered.cluster);
      if (snapshot.slot !== slot || !repair.isOfUse(slot)) {
        done();
        return;
      }
      handlers.restore(snapshot.state, slot);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      self.log.warn('a snapshot from a peer cannot be used', { slot, detail: error.detail });
      done();
      return;
    }
    this.#keepInstalled(snapshot, bytes, done);
  }

  /** What the state in memory is already goes to the disk. */
  #keepInstalled(snapshot: Snapshot, bytes: Uint8Array, done: () => void): void {
    const { driver, self, snapshots, repair, requests } = this.#running!;
    const { slot, configuration, lastStampNs } = snapshot;
    // One that fetches an older state, because its own cannot be read, stays in the configuration that it had come to: found in an older
    // one after a restart, it would take what it accepted since for what that one's stop-sign has undone.
    const known = driver.state.configuration;
    const meta = {
      configuration: encodeConfiguration(known.id > configuration.id ? known : configuration),
      promised: driver.state.promised,
      // This node's own snapshot may be as of the same slot, whole, and of a state that the others do not have.
      trusted: repair.trouble === null,
    };
    this.#components.store.installSnapshot(slot, bytes, meta, (refused) => {
      if (this.#isOver) return;
      if (refused instanceof TuttiError && refused.code === 'DISK_FULL') {
        self.log.error('a snapshot of a peer finds no room: the node takes no part until there is some', { slot });
        this.#retry = this.#components.time.after('consensus.install', TRY_AGAIN_MS, () =>
          this.#keepInstalled(snapshot, bytes, done),
        );
        return;
      }
      done();
      if (refused !== null) {
        // The state in memory is another now than the disk's: only a restart brings them together.
        this.#fail(refused);
        return;
      }
      this.#take(this.#running!.handlers, snapshot);
      this.#configuration = configuration;
      snapshots.installed(slot);
      // The core learned of these another way while the snapshot went to the disk; up to its slot the state holds them already.
      for (const applied of this.#heldBack.splice(0)) if (applied.slot > slot) this.#apply(applied);
      if (slot > driver.state.chosenUpTo) driver.handle({ type: 'installed', base: slot, configuration, lastStampNs });
      else driver.handle({ type: 'compacted', base: slot, lastStampNs });
      repair.mended(slot);
      requests.jumped();
      this.#afterStep();
      this.#follow(this.#configuration);
      self.statusChanged();
    });
  }

  /** What follows from every event of the core, whoever it came from. */
  #afterStep(): void {
    const running = this.#running;
    if (running === null) return;
    running.leadership.afterStep();
    running.requests.afterStep();
    running.membership.lookAtGate();
    if (this.#alone !== null && serves(running.self)) {
      this.#alone();
      this.#alone = null;
    }
  }

  #tick(): void {
    this.#clock.adjust();
    this.#running?.self.handle({ type: 'tick' });
    if (this.#running === null) return;
    const { membership, snapshots, repair, requests, timeRounds } = this.#running;
    timeRounds.tick();
    membership.expire();
    membership.lookAtGate();
    snapshots.tick();
    repair.tick();
    requests.tick();
    membership.lookAtVoters();
  }
}

const slotVoters = ({ members }: Configuration): readonly SlotVoter[] =>
  members.filter(({ voter }) => voter).map(({ node, incarnation }) => ({ node, incarnation }));

function refuseKnock(): never {
  throw new TuttiError('NO_QUORUM', 'This node is starting or stopping.');
}
