/** Replicas over fake time, network and disks: what the tests of replication share. */
import {
  type BootId,
  type ClusterId,
  clusterId,
  type Incarnation,
  type NodeId,
  nodeId,
  type Slot,
  slot,
} from '../../src/core/ids.js';
import { encodeConfiguration } from '../../src/paxos/codec.js';
import { type Configuration, TIMING_DEFAULT } from '../../src/paxos/configuration.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { FakeNetwork } from '../../src/ports/fake-network.js';
import { FakeKnocker, FakePeerLink } from '../../src/ports/fake-peer-link.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import type { PeerClocks } from '../../src/ports/peer-clocks.js';
import type { Channel } from '../../src/ports/peer-link.js';
import type { Time } from '../../src/ports/time.js';
import { join } from '../../src/replication/admission.js';
import { DirectLogStore } from '../../src/replication/direct-log-store.js';
import type { GateQuestion } from '../../src/replication/gate.js';
import { Replica } from '../../src/replication/replica.js';
import type { LogEntry, LogHandlers, TermStart } from '../../src/replication/replicated-log.js';
import type { StoreLimits } from '../../src/storage/limits.js';

export const CLUSTER: ClusterId = clusterId('c'.repeat(32));
/** Of one hexadecimal digit, or two. */
export const id = (letter: string): NodeId => nodeId(letter.repeat(32 / letter.length));

/** A store that is full after some hundred entries. */
export const LIMITS: StoreLimits = {
  segmentBytes: 512 << 10,
  segments: 4,
  ringPages: 64,
  superblockGapBytes: 128 << 10,
  ballastBytes: 0,
};

/** A state machine that keeps all that it was given. */
export class Recorder implements LogHandlers {
  /** `slot:payload`. */
  readonly lines: string[] = [];
  readonly stamps: bigint[] = [];
  /** Who voted in each slot that was applied here, by the first letters of their ids and cards: `aA bB`. */
  readonly voters = new Map<Slot, string>();
  readonly members: (readonly NodeId[])[] = [];
  /** Slots that hold nothing to apply, and no change of members. */
  readonly passed: Slot[] = [];
  slot: Slot = slot(0);
  statusChanges = 0;
  /** `who: what` of all that was told here. */
  readonly heard: string[] = [];
  #epoch = 0;
  #reserveUntilNs = 0n;

  apply({ slot, stampNs, voters, payload }: LogEntry): void {
    const text = new TextDecoder().decode(payload);
    this.slot = slot;
    this.stamps.push(stampNs);
    this.voters.set(slot, voters.map(({ node, incarnation }) => `${node[0]}${incarnation[0]}`).join(' '));
    const term = /^begin (\d+) (\d+)/.exec(text);
    if (term !== null) {
      this.#epoch = Number(term[1]);
      this.#reserveUntilNs = BigInt(term[2]!);
    }
    this.lines.push(`${slot}:${text}`);
  }
  pass(slot: Slot, members: readonly NodeId[] | undefined): void {
    this.slot = slot;
    if (members === undefined) this.passed.push(slot);
    else this.members.push(members);
  }
  termStart({ epoch, reserveUntilNs, reproposed }: TermStart): Uint8Array {
    return new TextEncoder().encode(`begin ${epoch} ${reserveUntilNs} [${reproposed.join(' ')}]`);
  }
  snapshot(): Uint8Array {
    const { lines } = this;
    const text = JSON.stringify({ lines, epoch: this.#epoch, reserve: `${this.#reserveUntilNs}` });
    return new TextEncoder().encode(text);
  }
  restore(bytes: Uint8Array, slot: Slot): void {
    const { lines, epoch, reserve } = JSON.parse(new TextDecoder().decode(bytes));
    this.lines.splice(0, this.lines.length, ...lines);
    this.#epoch = epoch;
    this.#reserveUntilNs = BigInt(reserve);
    this.slot = slot;
  }
  reserveUntilNs(): bigint {
    return this.#reserveUntilNs;
  }
  epoch(): number {
    return this.#epoch;
  }
  /** What a node calls itself: what was said last in "call ID NAME". */
  nameOf(node: NodeId): string | null {
    const said = this.texts.findLast((text) => text.startsWith(`call ${node} `));
    return said?.split(' ')[2] ?? null;
  }
  statusChanged(): void {
    this.statusChanges++;
  }
  told(from: NodeId, bytes: Uint8Array): void {
    this.heard.push(`${from[0]}: ${new TextDecoder().decode(bytes)}`);
  }
  /** What was proposed, without slots and terms. */
  get texts(): string[] {
    return this.lines.map((line) => line.slice(line.indexOf(':') + 1)).filter((text) => !text.startsWith('begin'));
  }
}

/** What differs between tests. */
export interface TestInit {
  readonly hashEverySlots?: number;
  /** What is asked before voters change where a node leads; left out: nothing is. */
  readonly gate?: (node: TestNode) => GateQuestion;
  /** Makes what measures the clocks of the other nodes; left out: nothing does. */
  readonly clocks?: (node: TestNode) => PeerClocks;
  /** A node's own clock, made of true time; left out: it is true time. */
  readonly timeOf?: (time: FakeTime, letter: string) => Time;
  /** Hears of every message that leaves a node for another. */
  readonly sent?: (from: NodeId, bytes: number) => void;
}

/** A link that counts. */
class CountingLink extends FakePeerLink {
  count: (bytes: number) => void = () => {};

  override send(to: NodeId, channel: Channel, bytes: Uint8Array): boolean {
    this.count(bytes.length);
    return super.send(to, channel, bytes);
  }
}

/** One node: its disk outlives its processes. */
export class TestNode {
  readonly id: NodeId;
  disk = new FakeDisk();
  readonly host: string;
  /** As this node's machine shows it. */
  readonly time: Time;
  incarnation: Incarnation;
  readonly failures: Error[] = [];
  log = new FakeLog();
  recorder = new Recorder();
  replica!: Replica;
  store!: DirectLogStore;
  /** How long its disk takes for a commit. */
  latencyMs = 2;
  readonly #time: FakeTime;
  readonly #network: FakeNetwork;
  readonly #hashEverySlots: number;
  readonly #gate: TestInit['gate'];
  readonly #sent: TestInit['sent'];
  /** Makes what measures the clocks of the others; undefined where nothing does. */
  readonly #clocks: ((node: TestNode) => PeerClocks) | undefined;
  #boots = 0;

  constructor(
    components: { readonly time: FakeTime; readonly network: FakeNetwork },
    init: { readonly letter: string } & TestInit,
  ) {
    this.#time = components.time;
    this.#network = components.network;
    this.id = id(init.letter);
    this.host = `10.0.0.${init.letter}`;
    this.#hashEverySlots = init.hashEverySlots ?? 1_000_000;
    this.#gate = init.gate;
    this.#sent = init.sent;
    this.#clocks = init.clocks;
    this.time = init.timeOf?.(this.#time, init.letter) ?? this.#time;
    this.incarnation = this.id.toUpperCase() as string as Incarnation;
  }

  get address(): string {
    return `${this.host}:7420`;
  }

  async format(configuration: Configuration): Promise<void> {
    await this.#newStore().format({
      cluster: CLUSTER,
      node: this.id,
      incarnation: this.incarnation,
      bootId: 'first' as BootId,
      configuration: encodeConfiguration(configuration),
      leaseMs: configuration.timing.leaseMs,
    });
  }

  start(): Promise<void> {
    this.build();
    return this.replica.start(this.recorder);
  }

  /** A new process on the same disk, not started. */
  build(): void {
    const { time } = this;
    this.store = this.#newStore();
    this.recorder = new Recorder();
    this.replica = new Replica(
      {
        time,
        log: this.log,
        store: this.store,
        ...(this.#clocks && { peerClocks: this.#clocks(this) }),
        link: ({ cluster, node, incarnation, card }) => {
          const link = new CountingLink(
            { network: this.#network },
            { node, cluster, incarnation, card, address: { host: this.host, port: 7420 } },
          );
          link.count = (bytes) => this.#sent?.(node, bytes);
          return link;
        },
      },
      {
        boot: `boot-${this.host}-${++this.#boots}` as BootId,
        seed: this.host.charCodeAt(this.host.length - 1),
        leadMs: () => 40,
        hashEverySlots: this.#hashEverySlots,
        ...(this.#gate && { gate: this.#gate(this) }),
        failed: (error) => this.failures.push(error),
      },
    );
  }

  #newStore(): DirectLogStore {
    return new DirectLogStore(
      { time: this.#time, disk: this.disk },
      { limits: LIMITS, latencyMs: () => this.latencyMs, callsAt: 'end' },
    );
  }

  /** Its card is lost: an empty one is in its place, with ids of its own. */
  wipe(): void {
    this.disk = new FakeDisk();
  }

  /** The process is gone, with all that it had in memory. */
  async kill(): Promise<void> {
    this.store.kill();
    await this.replica.stop();
  }
}

/** Some nodes on one network. */
export class TestCluster {
  readonly time = new FakeTime();
  readonly network = new FakeNetwork({ time: this.time });
  readonly nodes: TestNode[];

  constructor(letters: Iterable<string>, init: TestInit = {}) {
    this.nodes = [...letters].map((letter) => new TestNode(this, { letter, ...init }));
  }

  configuration(learners: Iterable<string> = ''): Configuration {
    const learning = [...learners].map(id);
    return {
      id: 1,
      after: slot(0),
      timing: TIMING_DEFAULT,
      members: this.nodes.map(({ id, incarnation, address, host }) => ({
        node: id,
        incarnation,
        address,
        name: host,
        voter: !learning.includes(id),
      })),
    };
  }

  async start(learners: Iterable<string> = ''): Promise<this> {
    for (const node of this.nodes) await node.format(this.configuration(learners));
    await Promise.all(this.nodes.map((node) => node.start()));
    return this;
  }

  addNode(letter: string): TestNode {
    const node = new TestNode(this, { letter });
    this.nodes.push(node);
    return node;
  }

  /** `node` knocks at the door of `at`, makes its store, and starts. */
  async admit(node: TestNode, at: TestNode, replace: string | null = null): Promise<void> {
    const member = { node: node.id, incarnation: node.incarnation, address: node.address, name: node.host };
    const knocker = new FakeKnocker({ network: this.network }, { host: node.host });
    const admitted = join({ knocker }, { member, replace, addresses: [at.address], key: new Uint8Array(32) });
    const { configuration } = await this.settle(admitted);
    await node.format(configuration);
    await node.start();
  }

  /** Every node stops as it should, and nothing is left. */
  async stop(): Promise<void> {
    for (const { replica } of this.nodes) {
      const stopped = replica.stop();
      await this.settle(stopped);
    }
    const left = this.time.running();
    if (left.length > 0) throw new Error(`timers are left: ${left.join(', ')}`);
  }

  /** Lets time pass until `condition` holds. `failing` is expected to fail. */
  async until(condition: () => boolean, what: string, limitMs = 20_000, failing?: TestNode): Promise<void> {
    for (let passed = 0; !condition(); passed += 5) {
      for (const node of this.nodes) if (node !== failing && node.failures[0] !== undefined) throw node.failures[0];
      if (passed >= limitMs) throw new Error(`not so after ${limitMs} ms: ${what}`);
      this.time.advance(5);
      await turn();
    }
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 5) {
      this.time.advance(5);
      await turn();
    }
  }

  /** What a promise comes to, as time passes. */
  async settle<T>(promise: Promise<T>, limitMs = 20_000): Promise<T> {
    let outcome: { value: T } | { error: unknown } | undefined;
    promise.then(
      (value) => (outcome = { value }),
      (error) => (outcome = { error }),
    );
    await this.until(() => outcome !== undefined, 'a promise is settled', limitMs);
    if ('error' in outcome!) throw outcome.error;
    return outcome!.value;
  }

  get leader(): TestNode | undefined {
    return this.nodes.find(({ replica }) => replica.status().role === 'leader' && replica.status().quorum);
  }

  async awaitLeader(): Promise<TestNode> {
    await this.until(() => this.leader !== undefined, 'somebody leads');
    return this.leader!;
  }
}

/** A turn of the event loop: everything that waits on settled promises goes on. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
