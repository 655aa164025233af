/**
 * A small world in memory around the real core: nodes with modelled disks, and a bag of messages that are under way. Nothing happens by
 * itself: a script, a random walk or a search says what is delivered, lost, written, when a node crashes, and how time passes.
 *
 * The disk takes writes in order, and each becomes durable by itself when it is told to. A crash keeps what is durable, and as many of the
 * rest, from the first on, as is asked for. A restart builds what recovery would find.
 */
import { type BootId, type Incarnation, type NodeId, nodeId, type Slot, slot as slotOf } from '../../src/core/ids.js';
import { type Ballot, NO_BALLOT } from '../../src/paxos/ballot.js';
import { type Configuration, type MemberRecord, sortedMembers, type Timing } from '../../src/paxos/configuration.js';
import type { Effects, PaxosEvent, Persist, Proposal } from '../../src/paxos/effects.js';
import type { Entry } from '../../src/paxos/entry.js';
import type { DurableMessage, Message, Outgoing } from '../../src/paxos/message.js';
import { becomeFollower, hasEntered, noEffects, type PaxosState, type Role, votes } from '../../src/paxos/state.js';
import { createPaxos, holdsLease, step } from '../../src/paxos/step.js';
import { Oracle, Violation } from './oracle.js';

/** When every world begins, milliseconds. */
const START_MS = 1_000;

/** What is durable on one node. */
export interface Disk {
  promised: Ballot;
  configuration: Configuration;
  base: Slot;
  baseStampNs: bigint;
  /** The configuration of the slot after `base`. */
  baseConfiguration: Configuration;
  chosenUpTo: Slot;
  readonly records: Map<Slot, { readonly ballot: Ballot; readonly entry: Entry }>;
  /** Damaged records: the ballot that their identifiers name, or null. */
  readonly unknown: Map<Slot, Ballot | null>;
}

/** One node of the world. */
export interface WorldNode {
  readonly id: NodeId;
  disk: Disk;
  /** Null while it is down. */
  state: PaxosState | null;
  /** Asked for, and not durable yet. */
  pending: Persist[];
  /** Messages that wait for a write. */
  waiting: (Outgoing<DurableMessage> & { readonly token: number })[];
  /** Number of the last write that is durable, in this process. */
  durable: number;
  /** Starts so far. */
  boots: number;
  /** Proposals of this process so far. */
  proposals: number;
  /** Everything up to here was handed to its state machine. */
  appliedUpTo: number;
  /** Its local clock runs so much faster than true time. */
  rate: number;
  /** It was told that it needs a snapshot. */
  wants: { readonly from: NodeId; readonly base: Slot } | null;
}

/** A message on its way. */
export interface Envelope {
  readonly id: number;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: Message;
}

/** What a node did, for whoever writes it down. */
export type Look = (node: WorldNode, happening: PaxosEvent, effects: Effects) => void;

/** Heartbeats ten times a second, as in the product. */
export const TIMING: Timing = { heartbeatMs: 100, electionMs: 500, leaseMs: 450 };

/** A member's record by its short name; `(n)` for one that only learns. */
export const memberOf = (name: string): MemberRecord => {
  const node = nodeId(name.replace(/[()]/g, ''));
  return { node, incarnation: node as string as Incarnation, address: '', name: node, voter: !name.startsWith('(') };
};

/** The first configuration of these members. */
export const configurationOf = (names: readonly string[], timing: Timing = TIMING): Configuration => ({
  id: 1,
  after: slotOf(0),
  members: sortedMembers(names.map(memberOf)),
  timing,
});

const freshDisk = (configuration: Configuration, first: Configuration): Disk => ({
  promised: NO_BALLOT,
  configuration,
  base: slotOf(0),
  baseStampNs: 0n,
  baseConfiguration: first,
  chosenUpTo: slotOf(0),
  records: new Map(),
  unknown: new Map(),
});

/** A node that goes on by itself. What is never changed in place is shared. */
function copyNode(node: WorldNode): WorldNode {
  const { disk, state } = node;
  return {
    ...node,
    disk: { ...disk, records: new Map(disk.records), unknown: new Map(disk.unknown) },
    state: state && copyState(state),
    pending: [...node.pending],
    waiting: [...node.waiting],
  };
}

function copyState(state: PaxosState): PaxosState {
  return {
    ...state,
    peers: new Map([...state.peers].map(([id, peer]) => [id, { ...peer }])),
    distrusted: new Set(state.distrusted),
    log: { base: state.log.base, cells: [...state.log.cells] },
    role: copyRole(state.role),
    forwardedReads: new Set(state.forwardedReads),
    outstanding: [...state.outstanding],
  };
}

function copyRole(role: Role): Role {
  if (role.type === 'candidate') {
    const promises = [...role.promises].map(
      ([id, parts]) => [id, { ...parts, answers: new Map(parts.answers) }] as const,
    );
    return { ...role, promises: new Map(promises) };
  }
  if (role.type === 'leader') {
    const progress = [...role.progress].map(([id, one]) => [id, { ...one }] as const);
    return {
      ...role,
      progress: new Map(progress),
      grants: new Map(role.grants),
      reads: [...role.reads],
      confirmed: new Map(role.confirmed),
    };
  }
  return role;
}

/** The world. */
export class World {
  readonly nodes: Map<NodeId, WorldNode>;
  readonly first: Configuration;
  oracle: Oracle;
  bag: Envelope[] = [];
  /** True time, milliseconds. */
  nowMs = START_MS;
  /** Directed links, `from>to`, over which nothing comes. */
  cut = new Set<string>();
  look: Look = () => {};
  #envelopes = 0;
  /** Reads that were asked for: what was applied anywhere at that moment. */
  readonly #reads = new Map<number, number>();
  /** Reads that were answered with a slot. */
  readsAnswered = 0;
  declined = 0;

  /** Begins with the first configuration, all nodes up and their disks empty; or where another world stands, which it shares: see `fork`. */
  constructor(from: Configuration | World) {
    if (from instanceof World) {
      this.first = from.first;
      this.oracle = new Oracle(from.oracle);
      this.nodes = new Map(from.nodes);
      this.bag = [...from.bag];
      this.nowMs = from.nowMs;
      this.#envelopes = from.#envelopes;
      return;
    }
    this.first = from;
    this.oracle = new Oracle(from);
    this.nodes = new Map();
    for (const { node } of from.members) this.add(node, from);
  }

  /** Another world, in which something may happen to `id` that does not happen here. Of reads and cuts it knows nothing. */
  fork(id: NodeId): World {
    const copy = new World(this);
    copy.nodes.set(id, copyNode(this.node(id)));
    return copy;
  }

  /** A new card: it knows the configuration that it was told when it joined, and nothing else. */
  add(id: NodeId, configuration: Configuration): void {
    const node: WorldNode = {
      id,
      disk: freshDisk(configuration, this.first),
      state: null,
      pending: [],
      waiting: [],
      durable: 0,
      boots: 0,
      proposals: 0,
      appliedUpTo: 0,
      rate: 1,
      wants: null,
    };
    this.nodes.set(id, node);
    this.restart(id);
  }

  /** A node that exists. */
  node(id: NodeId): WorldNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** The nodes that are up. */
  get up(): WorldNode[] {
    return [...this.nodes.values()].filter(({ state }) => state !== null);
  }

  /** A node's own clock, now. */
  localMs(node: WorldNode): number {
    return START_MS + (this.nowMs - START_MS) * node.rate;
  }

  /** Makes something happen to a node. Nothing comes of it where that is down. */
  feed(id: NodeId, happening: PaxosEvent): void {
    const node = this.node(id);
    if (node.state === null) return;
    const effects = step(node.state, happening, this.localMs(node));
    this.look(node, happening, effects);
    this.#carryOut(node, effects);
    this.#checkLeases();
    if (effects.termWon) {
      const proposal = this.proposal(node, 'begin');
      this.feed(id, { type: 'begin', ballot: effects.termWon.ballot, proposal });
    }
  }

  #carryOut(node: WorldNode, effects: Effects): void {
    node.pending.push(...effects.persist);
    for (const { to, message } of effects.sendNow) this.#send(node, to, message);
    for (const out of effects.sendAfter) {
      if (out.token <= node.durable) this.#sendDurable(node, out);
      else node.waiting.push(out);
    }
    for (const applied of effects.apply) {
      if (applied.slot !== node.appliedUpTo + 1)
        throw new Violation(`${node.id} passes over slot ${node.appliedUpTo + 1}`);
      node.appliedUpTo = applied.slot;
      this.oracle.applied(node.id, applied);
    }
    for (const { id, slot } of effects.reads) {
      const due = this.#reads.get(id);
      if (due === undefined) throw new Violation(`the read ${id} was answered twice`);
      this.#reads.delete(id);
      if (slot === null) continue;
      this.readsAnswered++;
      if (slot < due)
        throw new Violation(`the read ${id} is told ${slot}, when ${due} was applied before it was asked`);
    }
    this.declined += effects.declined.length + effects.changeDeclined.length;
    if (effects.snapshotNeeded) node.wants = effects.snapshotNeeded;
  }

  #sendDurable(node: WorldNode, { to, message }: Outgoing<DurableMessage>): void {
    this.oracle.told(node.id, message);
    this.#send(node, to, message);
  }

  #send(node: WorldNode, to: NodeId, message: Message): void {
    this.bag.push({ id: ++this.#envelopes, from: node.id, to, message });
  }

  /** No two nodes hold the lease at one instant. */
  #checkLeases(): void {
    const holders = this.up.filter((node) => holdsLease(node.state!, this.localMs(node)));
    if (holders.length > 1) throw new Violation(`${holders.map(({ id }) => id).join(' and ')} hold the lease at once`);
  }

  /** A command by its text, as `node` proposes it. */
  proposal(node: WorldNode, text: string): Proposal {
    return {
      session: { node: node.id, boot: `${node.id}.${node.boots}` as BootId, seq: ++node.proposals },
      stampNs: BigInt(Math.floor(this.nowMs)),
      leadNs: 0n,
      payload: Uint8Array.from(text, (letter) => letter.charCodeAt(0)),
    };
  }

  /** Proposes commands at a node, all at once. */
  propose(id: NodeId, texts: readonly string[]): void {
    const node = this.node(id);
    this.feed(id, { type: 'propose', proposals: texts.map((text) => this.proposal(node, text)) });
  }

  /** Asks a node up to where it must have applied for a read. */
  read(id: NodeId, read: number): void {
    if (this.node(id).state === null) return;
    this.#reads.set(read, this.oracle.appliedUpTo);
    this.feed(id, { type: 'read', id: read });
  }

  /** Makes a voter ask for the lead now, whatever its elector thinks. */
  campaign(id: NodeId): void {
    const { state } = this.node(id);
    if (state === null || !votes(state) || !hasEntered(state) || state.role.type === 'leader') return;
    becomeFollower({ state, effects: noEffects() });
    state.leadsOn = true;
    this.feed(id, { type: 'link', peer: id, up: true });
  }

  /** Asks a node for a change of members. */
  reconfigure(id: NodeId, names: readonly string[]): void {
    this.feed(id, { type: 'reconfigure', session: null, members: names.map(memberOf) });
  }

  /** Takes a message out of the bag and gives it to its receiver; one that stays in the bag comes once more. */
  deliver(envelope: Envelope, stays = false): void {
    if (!stays) this.bag.splice(this.bag.indexOf(envelope), 1);
    const { from, to, message } = envelope;
    if (this.cut.has(`${from}>${to}`) || !this.nodes.has(to)) return;
    this.feed(to, { type: 'message', from, message });
  }

  /** The oldest write of a node becomes durable. */
  sync(id: NodeId): void {
    const node = this.node(id);
    const persist = node.pending.shift();
    if (persist === undefined || node.state === null) return;
    this.#store(node, persist);
    node.durable = persist.token.number;
    const left = node.waiting.filter(({ token }) => token <= node.durable);
    node.waiting = node.waiting.filter(({ token }) => token > node.durable);
    for (const out of left) this.#sendDurable(node, out);
    this.feed(id, { type: 'persisted', token: persist.token });
  }

  #store({ id, disk }: WorldNode, persist: Persist): void {
    this.oracle.stored(id, persist);
    if (persist.promised) disk.promised = persist.promised;
    if (persist.configuration) disk.configuration = persist.configuration;
    for (const { slot, ballot, entry } of persist.records) {
      disk.records.set(slot, { ballot, entry });
      disk.unknown.delete(slot);
    }
    if (persist.chosenUpTo > disk.chosenUpTo) disk.chosenUpTo = persist.chosenUpTo;
  }

  /** The node stops. Of the writes under way the first `kept` reached the disk after all. */
  crash(id: NodeId, kept = 0): void {
    const node = this.node(id);
    for (const persist of node.pending.slice(0, kept)) this.#store(node, persist);
    Object.assign(node, { state: null, pending: [], waiting: [], durable: 0, wants: null });
  }

  /** The node starts, with what is on its disk. */
  restart(id: NodeId): void {
    const node = this.node(id);
    if (node.state !== null) return;
    const { disk } = node;
    node.boots++;
    node.proposals = 0;
    node.appliedUpTo = disk.base;
    const number = [...this.nodes.keys()].indexOf(id);
    node.state = createPaxos({
      self: id,
      seed: 1_000 * number + node.boots,
      nowMs: this.localMs(node),
      recovered: {
        promised: disk.promised,
        // A snapshot says it as well, and may be on the disk before the superblock is.
        configuration: disk.baseConfiguration.id > disk.configuration.id ? disk.baseConfiguration : disk.configuration,
        base: disk.base,
        baseStampNs: disk.baseStampNs,
        accepted: [...disk.records].map(([slot, record]) => ({ slot, ...record })),
        unknown: [...disk.unknown].map(([slot, ballot]) => ({ slot, ballot })),
        chosenUpTo: disk.chosenUpTo,
        leaseMsMax: node.boots === 1 ? 0 : disk.configuration.timing.leaseMs,
      },
    });
  }

  /** The record of `slot` on the disk of a node that is down cannot be read any more; its identifier can where `named`. */
  damage(id: NodeId, slot: Slot, named: boolean): boolean {
    const { disk } = this.node(id);
    const record = disk.records.get(slot);
    if (record === undefined) return false;
    disk.records.delete(slot);
    disk.unknown.set(slot, named ? record.ballot : null);
    return true;
  }

  /** A node keeps a snapshot of everything up to `base`, which it has applied. */
  compact(id: NodeId, base: Slot): void {
    const node = this.node(id);
    const { disk } = node;
    if (base <= disk.base || base > node.appliedUpTo) return;
    for (let slot = disk.base + 1; slot <= base; slot++) {
      const entry = this.oracle.chosenAt(slotOf(slot))!;
      if (entry.type === 'command') disk.baseStampNs = entry.stampNs;
    }
    this.#moveBase(disk, base);
    this.feed(id, { type: 'compacted', base, lastStampNs: disk.baseStampNs });
  }

  #moveBase(disk: Disk, base: Slot): void {
    disk.base = base;
    disk.baseConfiguration = this.oracle.configurationAt(slotOf(base + 1));
    if (base > disk.chosenUpTo) disk.chosenUpTo = base;
    for (const slots of [disk.records, disk.unknown])
      for (const slot of slots.keys()) if (slot <= base) slots.delete(slot);
  }

  /** The node that wants a snapshot gets the one of whoever told it so. */
  install(id: NodeId): void {
    const node = this.node(id);
    const { wants, disk } = node;
    node.wants = null;
    const source = wants === null ? undefined : this.nodes.get(wants.from)?.disk;
    if (node.state === null || source === undefined || source.base <= node.appliedUpTo) return;
    disk.baseStampNs = source.baseStampNs;
    this.#moveBase(disk, source.base);
    const configuration = source.baseConfiguration;
    if (configuration.id > disk.configuration.id) disk.configuration = configuration;
    node.appliedUpTo = source.base;
    this.feed(id, { type: 'installed', base: source.base, configuration, lastStampNs: source.baseStampNs });
  }

  /** True time goes on; whether anybody notices is up to ticks. */
  pass(ms: number): void {
    this.nowMs += ms;
    this.#checkLeases();
  }
}
