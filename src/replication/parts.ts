/**
 * Parts: what a running replica is made of, put together.
 *
 * Who knows whom can be read off here: a part is given those that it needs, and they are made before it. The exceptions are snapshots and
 * the repair of the state, which need each other (a state that is no good is mended by a snapshot, and gives none), and requests, which
 * wait for a snapshot while the log has no room.
 */
import type { NodeId, Slot } from '../core/ids.js';
import { decodeMessage } from '../paxos/codec.js';
import type { Applied } from '../paxos/effects.js';
import type { Message } from '../paxos/message.js';
import type { PeerClocks } from '../ports/peer-clocks.js';
import type { Channel, PeerLink } from '../ports/peer-link.js';
import type { Time } from '../ports/time.js';
import { CardWatch, type CardWatchComponents } from './card-watch.js';
import type { Driver } from './driver.js';
import { Hearing } from './hearing.js';
import { Leadership } from './leadership.js';
import type { LogStore, StoreRecovered } from './log-store.js';
import { Membership } from './membership.js';
import { Peers } from './peers.js';
import { Proposals } from './proposals.js';
import type { ReplicaInit } from './replica-init.js';
import type { LogHandlers, MemberChange } from './replicated-log.js';
import { Requests } from './requests.js';
import { Scrub } from './scrub.js';
import type { Self } from './self.js';
import { Snapshots } from './snapshots.js';
import { StateRepair } from './state-repair.js';
import type { TermClock } from './term-clock.js';
import { TimeRounds } from './time-rounds.js';

/** Every so many slots all nodes compare their states: hashing one takes as long as a snapshot, some tens of milliseconds. */
const HASH_EVERY_SLOTS = 4_096;

/** What does a replica's work. */
export interface Parts {
  readonly self: Self;
  readonly peers: Peers;
  readonly cards: CardWatch;
  readonly leadership: Leadership;
  readonly membership: Membership;
  readonly requests: Requests;
  readonly repair: StateRepair;
  readonly snapshots: Snapshots;
  readonly hearing: Hearing;
  readonly scrub: Scrub;
  readonly timeRounds: TimeRounds;
}

/** What single parts ask of the replica, beside what all of them may. */
export interface ReplicaHooks {
  readonly bootOf: CardWatchComponents['bootOf'];
  /** Of what is applied, the highest; 0 before the first. Nanoseconds. */
  readonly lastStampNs: () => bigint;
  /** The state with all that belongs to it, as bytes. */
  readonly snapshot: () => Uint8Array;
  readonly apply: (applied: Applied) => void;
  /** Puts a peer's snapshot in the place of the state, and calls `done` when that is over, well or not. */
  readonly install: (slot: Slot, bytes: Uint8Array, done: () => void) => void;
  readonly send: (to: NodeId, channel: Channel, bytes: Uint8Array) => boolean;
  /** What follows from every event of the core. */
  readonly afterStep: () => void;
  readonly changeMembers: (change: MemberChange) => Promise<unknown>;
}

/** What parts are made of. */
export interface PartsComponents {
  readonly self: Self;
  readonly replica: ReplicaHooks;
  readonly time: Time;
  readonly store: LogStore;
  readonly link: PeerLink;
  readonly driver: Driver;
  readonly clock: TermClock;
  /** The clocks of the other nodes, where they are measured. */
  readonly peerClocks: PeerClocks | null;
  readonly handlers: LogHandlers;
}

/** How they behave. */
export interface PartsInit extends Omit<ReplicaInit, 'recovered'> {
  readonly recovered: StoreRecovered;
  /** The snapshot on this disk, as of this slot, cannot be read; null where it can, or there is none. */
  readonly unreadable: Slot | null;
}

/** What would be put into the log. */
const hasEntries = (message: Message): boolean =>
  (message.type === 'accept' || message.type === 'learned') && message.entries.length > 0;

/** The parts of one start of a replica. Nothing happens before one of them is called. */
export function newParts(components: PartsComponents, init: PartsInit): Parts {
  const { self, replica, time, store, link, driver, clock, peerClocks, handlers } = components;
  const { recovered, unreadable, boot, leadMs, voters = 'auto', gate, hashEverySlots = HASH_EVERY_SLOTS } = init;
  const { defer = queueMicrotask } = init;
  const { node, log } = self;
  const proposals = new Proposals({ node, boot, start: recovered.starts });
  const peers = new Peers({ self, time, link, clocks: peerClocks });
  const cards = new CardWatch(
    { self, store, proposals, bootOf: replica.bootOf, batch: () => driver.batch },
    { boot, recovered },
  );
  const leadership = new Leadership({ self, clock, handlers, proposals, leadMs });
  const membership = new Membership({ self, peers, proposals, thawed: () => requests.flushSoon() }, { voters, gate });
  const requests: Requests = new Requests({
    self,
    proposals,
    membership,
    leadership,
    outstanding: () => driver.outstanding,
    isLogFull: () => snapshots.isLogFull,
    defer,
  });
  const repair: StateRepair = new StateRepair(
    {
      self,
      peers,
      cards,
      encoded: replica.snapshot,
      apply: replica.apply,
      fetch: (from, least) => snapshots.need(from, least),
      defer,
    },
    { unreadable, hashEverySlots },
  );
  const snapshots = new Snapshots(
    {
      log,
      store,
      send: replica.send,
      nowMs: self.nowMs,
      applied: self.applied,
      take: () => (repair.trouble === null ? { slot: self.applied(), bytes: replica.snapshot() } : null),
      saved: (slot) => driver.handle({ type: 'compacted', base: slot, lastStampNs: replica.lastStampNs() }),
      fullChanged: self.statusChanged,
      install: replica.install,
    },
    { base: recovered.base },
  );
  const scrub = new Scrub({
    self,
    time,
    store,
    outstanding: () => driver.outstanding,
    renew: () => snapshots.renew(),
  });
  const receive = (from: NodeId, bytes: Uint8Array) => {
    const message = decodeMessage(bytes);
    if (snapshots.refusesEntries && hasEntries(message)) return message;
    driver.handle({ type: 'message', from, message });
    replica.afterStep();
    return message;
  };
  const { changeMembers } = replica;
  const nameOf = (of: NodeId) => handlers.nameOf(of);
  const told = (from: NodeId, bytes: Uint8Array) => handlers.told(from, bytes);
  const parts = { peers, cards, leadership, membership, requests, repair, snapshots };
  const hearing = new Hearing({ self, ...parts, receive, told, nameOf, changeMembers }, { cluster: recovered.cluster });
  return { self, ...parts, hearing, scrub, timeRounds: new TimeRounds({ self, peers, clock }) };
}
