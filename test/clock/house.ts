/** Nodes with crystals of their own, who tell each other the time: what the tests of the cluster clock share. */
import { type ClockState, ClusterClock } from '../../src/clock/cluster-clock.js';
import { type PeerLine, peerTimeAt } from '../../src/clock/peer-line.js';
import type { NodeId } from '../../src/core/ids.js';
import { clusterTime, type LocalTime, localTime } from '../../src/core/units.js';

/** True time between two things that happen; every second time a heartbeat. Milliseconds. */
const STEP_MS = 50;
const BURST_MS = 3_000;
/** What a heartbeat takes through the network. Nanoseconds. */
const DELAY_NS = 300_000n;
/** How far a measured drift is off. Parts per million. */
const DRIFT_ERROR_PPM = 0.3;
const BOUND_NS = 20_000;

interface Reading {
  readonly errorNs?: number;
  /** Added to the drift, parts per million. */
  readonly driftErrorPpm?: number;
}

interface TestNode {
  readonly id: NodeId;
  readonly clock: ClusterClock;
  readonly ratePpm: number;
  readonly zeroNs: bigint;
  /** For so long its machine slept. Nanoseconds. */
  sleptNs: bigint;
  isCut: boolean;
  hasUdp: boolean;
  /** What it adds to its cluster time where it says it. Nanoseconds. */
  lieNs: number;
  readonly lines: Map<NodeId, PeerLine>;
  readonly readings: Map<NodeId, Reading>;
  last: bigint;
  lastAt: LocalTime;
  leaps: number;
  wentBack: boolean;
  fastest: number;
}

/** True time runs by `run`; every node hears what a network would bring it. */
export class House {
  readonly nodes: TestNode[];
  #trueNs = 1_000_000_000n;
  #leader: number | null = null;
  /** Whom each node heard last. */
  readonly #heard = new Map<TestNode, number>();
  #steps = 0;

  /** @param ratesPpm how much faster than true time each node's crystal runs */
  constructor(ratesPpm: readonly number[]) {
    this.nodes = ratesPpm.map((ratePpm, at) => {
      const lines = new Map<NodeId, PeerLine>();
      const peers = { lineOf: (node: NodeId) => lines.get(node) ?? null, roundTripOf: () => 2 * BOUND_NS };
      return {
        id: `node-${at}` as NodeId,
        clock: new ClusterClock({ peers }),
        ratePpm,
        zeroNs: BigInt(at + 1) * 1_000_000_000_000n,
        sleptNs: 0n,
        isCut: false,
        hasUdp: true,
        lieNs: 0,
        lines,
        readings: new Map(),
        last: 0n,
        lastAt: localTime(0n),
        leaps: 0,
        wentBack: false,
        fastest: 0,
      };
    });
  }

  /** This node leads from now on; null: nobody does. */
  lead(node: number | null): void {
    if (this.#leader !== null && this.#leader !== node)
      this.nodes[this.#leader]!.clock.termIsOver(this.localOf(this.#leader));
    this.#leader = node;
    if (node === null) return;
    const { clock } = this.nodes[node]!;
    const at = this.localOf(node);
    const epoch = clock.beginTerm(at, null, 50_000_000_000n);
    for (let i = 0; i < this.nodes.length; i++) this.nodes[i]!.clock.noteApplied(this.localOf(i), 0n, epoch);
    clock.termStands(at);
  }

  /** From the next burst on `node` reads `peer` with this error. */
  measures(node: number, peer: number, reading: Reading): void {
    this.nodes[node]!.readings.set(this.nodes[peer]!.id, reading);
    this.#burst(this.nodes[node]!, node);
  }

  cut(node: number): void {
    this.nodes[node]!.isCut = true;
  }

  heal(node: number): void {
    this.nodes[node]!.isCut = false;
  }

  loseUdp(node: number): void {
    this.nodes[node]!.hasUdp = false;
    this.nodes[node]!.lines.clear();
  }

  lies(node: number, byNs: number): void {
    this.nodes[node]!.lieNs = byNs;
  }

  /** The machine sleeps: its clock stands still, and its peers' go on. */
  sleep(node: number, seconds: number): void {
    const one = this.nodes[node]!;
    one.isCut = true;
    const stoodAt = this.localOf(node);
    for (let passed = 0; passed < seconds; passed += STEP_MS / 1_000) {
      this.#step();
      one.sleptNs += this.localOf(node) - stoodAt;
    }
    one.isCut = false;
  }

  /** Lets true time pass; `look` is called at each step. */
  run(seconds: number, look: () => void = () => {}): void {
    for (let passed = 0; passed < seconds * 1_000; passed += STEP_MS) {
      this.#step();
      look();
    }
  }

  localOf(node: number): LocalTime {
    const { ratePpm, zeroNs, sleptNs } = this.nodes[node]!;
    return localTime(zeroNs + this.#trueNs + (this.#trueNs * BigInt(ratePpm)) / 1_000_000n - sleptNs);
  }

  readOf(node: number): bigint {
    return this.nodes[node]!.clock.readAt(this.localOf(node));
  }

  state(node: number): ClockState {
    return this.nodes[node]!.clock.stateAt(this.localOf(node));
  }

  /** Cluster time as `a` reads it less as `b` does. */
  apartNs(a: number, b: number): number {
    return Number(this.readOf(a) - this.readOf(b));
  }

  spreadNs(): number {
    const all = this.nodes.map((_, node) => this.apartNs(node, 0));
    return Math.max(...all) - Math.min(...all);
  }

  /** Cluster time less true time. */
  offsetNs(node: number): number {
    return Number(this.readOf(node) - this.#trueNs);
  }

  ratePpm(node: number): number {
    return this.nodes[node]!.clock.line()!.driftPpm;
  }

  /** No reading of any node ever went back, or ran away. */
  check(t: {
    ok(value: unknown, message: string): unknown;
    equal(a: unknown, b: unknown, message: string): unknown;
  }): void {
    for (const { id, wentBack, fastest, leaps } of this.nodes) {
      t.equal(wentBack, false, `${id} never went back`);
      t.equal(leaps, 0, `${id} never stepped`);
      t.ok(fastest < 800, `${id} ran ${fastest} ppm off its crystal at most`);
    }
  }

  #step(): void {
    this.#trueNs += BigInt(STEP_MS) * 1_000_000n;
    this.#steps++;
    this.nodes.forEach((node, at) => {
      if (this.#steps % 2 === 0) this.#hear(node, at);
      if (this.#steps === 4 || (this.#steps * STEP_MS) % BURST_MS === 0) this.#burst(node, at);
      node.clock.adjust(this.localOf(at));
      this.#watch(node, at);
    });
  }

  /** A heartbeat of the leader, and everybody's answers. */
  #hear(node: TestNode, at: number): void {
    if (node.isCut) return;
    const local = this.localOf(at);
    this.nodes.forEach((other, from) => {
      if (other === node || other.isCut) return;
      // What left a little while ago comes now.
      const leftAt = localTime(this.localOf(from) - DELAY_NS);
      const said = other.clock.claimAt(leftAt);
      const claim = said && { ...said, clusterAt: clusterTime(said.clusterAt + BigInt(other.lieNs)) };
      if (from === this.#leader && claim !== null) {
        node.clock.noteHeartbeat(local, other.id, claim, this.#heard.get(node) !== from);
        this.#heard.set(node, from);
      } else {
        node.clock.noteClaim(local, other.id, claim);
      }
    });
  }

  #burst(node: TestNode, at: number): void {
    if (node.isCut || !node.hasUdp) return;
    const local = this.localOf(at);
    this.nodes.forEach((other, to) => {
      if (other === node || other.isCut) return;
      const errorNs = BigInt(node.readings.get(other.id)?.errorNs ?? (this.#steps % 3) * 300);
      const driftErrorPpm = node.readings.get(other.id)?.driftErrorPpm ?? DRIFT_ERROR_PPM;
      const driftPpm = other.ratePpm - node.ratePpm + driftErrorPpm;
      const peerAt = localTime(this.localOf(to) + errorNs);
      const known = node.lines.get(other.id);
      // A clock that began anew: for a moment nothing is known of it.
      if (known && Math.abs(Number(peerTimeAt(known, local) - peerAt)) > 1e8) {
        node.lines.delete(other.id);
        node.clock.adjust(local);
      }
      node.lines.set(other.id, { localAt: local, peerAt, driftPpm, boundNs: BOUND_NS, boundPpm: 2 });
    });
    node.clock.adjust(local);
  }

  #watch(node: TestNode, at: number): void {
    const local = this.localOf(at);
    const now = node.clock.readAt(local);
    if (node.last > 0n && node.clock.line() !== null) {
      if (now < node.last) node.wentBack = true;
      const passed = Number(local - node.lastAt);
      const gained = Number(now - node.last) - passed;
      // The first lock leaps, from standing still.
      if (gained > 1e6 && this.#steps > 10) node.leaps++;
      else if (passed > 0 && this.#steps > 10) node.fastest = Math.max(node.fastest, Math.abs(gained / passed) * 1e6);
    }
    node.last = now;
    node.lastAt = local;
  }
}
