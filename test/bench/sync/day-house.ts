/**
 * A house in simulated time: the clocks, filters, card lines and servos of Tutti as they are, between crystals that age and warm up, a network that
 * queues, and cards that count. No sound is made, so that a day takes a minute.
 *
 * The truth of every crystal is at hand: what is compared is which instant of the song each card lets go at one and the same true instant.
 */
import { CardLine } from '../../../src/audio/card-line.js';
import { Servo } from '../../../src/audio/servo.js';
import { ClusterClock } from '../../../src/clock/cluster-clock.js';
import { BURST_GAP_MS, COLD_GAPS_MS, SAMPLES_PER_BURST } from '../../../src/clock/constants.js';
import { PeerFilter } from '../../../src/clock/peer-filter.js';
import { type Sample, sampleOf } from '../../../src/clock/sample.js';
import { readClock } from '../../../src/core/clock-line.js';
import type { NodeId } from '../../../src/core/ids.js';
import { type LocalTime, localTime } from '../../../src/core/units.js';
import { type Crystal, Draws, SimulatedClock } from '../../clock/simulated-clocks.js';

/** As the player's loop: how often a card is asked and filled, and what it holds. */
const TICK_NS = 19.7e6;
const QUEUE_FRAMES = 2_880;
const RATE = 48_000;
const FRAME_NS = 1e9 / RATE;
/** In ticks: a heartbeat of the leader, with everybody's answers. */
const HEARTBEAT_TICKS = 5;
/** On the way: at least, and what queues add on average. Nanoseconds. */
const WAY_NS = { least: 120_000, queued: 30_000 };
/** How late stamps are, and how far a card's are off, on average. Nanoseconds. */
const STAMP_NS = 700;
/** By how much the day warms a crystal, parts per million either way. */
const WARMTH_PPM = 1.5;
const DAY_NS = 86_400e9;
/** What a leader of a house that never was has reserved. Nanoseconds. */
const RESERVED_NS = 1_000_000_000n;
/** Blocks of which it is remembered when they leave: a queue holds four. */
const BLOCKS_KEPT = 16;

/** Frames that were written at once: which instant of the song the first carries, and how far the song moves on from frame to frame. */
interface Block {
  readonly firstFrame: number;
  readonly frames: number;
  readonly songNs: number;
  readonly perFrameNs: number;
}

/** How a node measures another. */
interface Measured {
  readonly filter: PeerFilter;
  bursts: number;
  nextAtNs: number;
}

/** One node: its two crystals, its clock, its card. */
class SimulatedNode {
  readonly id: NodeId;
  readonly local: SimulatedClock;
  readonly card: SimulatedClock;
  readonly clock: ClusterClock;
  readonly peers = new Map<NodeId, Measured>();
  readonly line = new CardLine(RATE);
  readonly #servo = new Servo(RATE);
  readonly #blocks: Block[] = [];
  readonly #draws: Draws;
  #written = 0;
  #songNs: number | null = null;
  /** What the card's crystal read when it began. */
  #beganAt: LocalTime | null = null;
  snaps = 0;

  constructor(init: { readonly name: string; readonly local: Crystal; readonly card: Crystal; readonly draws: Draws }) {
    this.id = init.name as NodeId;
    this.#draws = init.draws;
    this.local = new SimulatedClock(init.local, init.draws);
    this.card = new SimulatedClock(init.card, init.draws);
    this.clock = new ClusterClock({
      peers: {
        lineOf: (node) => this.peers.get(node)?.filter.line() ?? null,
        roundTripOf: (node) => this.peers.get(node)?.filter.roundTripNs() ?? null,
      },
    });
  }

  /** Asks the card how it stands, and fills its queue. The song's instant 0 is due at `startNs` of cluster time. */
  play(trueNs: number, startNs: bigint): void {
    this.#beganAt ??= this.card.at(trueNs);
    const left = Math.floor(this.#framesLeft(trueNs));
    const at = localTime(this.local.at(trueNs) + BigInt(Math.round(this.#draws.normal() * STAMP_NS)));
    if (this.#written > 0)
      this.line.take({ at, delayFrames: this.#written - left, uncertaintyNs: 0 }, this.#written, at);
    const frames = QUEUE_FRAMES - (this.#written - left);
    const leavesAt = this.line.leavesAt(this.#written);
    const cluster = this.clock.line();
    let perFrameNs = 0;
    if (leavesAt !== undefined && cluster !== null && this.line.isSettled) {
      const dueNs = Number(readClock(cluster, leavesAt) - startNs);
      this.#songNs ??= dueNs;
      const ppm = ((1 + this.line.ppm / 1e6) / (1 + cluster.driftPpm / 1e6) - 1) * 1e6;
      const verdict = this.#servo.update((this.#songNs - dueNs) / 1e3, frames / RATE, { ppm, isNominal: false }, false);
      if (verdict === 'snap') {
        this.snaps += 1;
        this.#songNs = dueNs;
        this.#servo.reset();
      }
      perFrameNs = FRAME_NS * (1 + this.#servo.correctionPpm / 1e6);
      this.#blocks.push({ firstFrame: this.#written, frames, songNs: this.#songNs, perFrameNs });
      if (this.#blocks.length > BLOCKS_KEPT) this.#blocks.shift();
      this.#songNs += frames * perFrameNs;
    }
    this.#written += frames;
  }

  /** Which instant of the song leaves the card now, nanoseconds; null where none does. */
  heard(trueNs: number): number | null {
    const left = this.#framesLeft(trueNs);
    const block = this.#blocks.find(({ firstFrame, frames }) => left >= firstFrame && left < firstFrame + frames);
    return block === undefined ? null : block.songNs + (left - block.firstFrame) * block.perFrameNs;
  }

  #framesLeft(trueNs: number): number {
    return this.#beganAt === null ? 0 : (Number(this.card.at(trueNs) - this.#beganAt) * RATE) / 1e9;
  }
}

/** What a look found, every second. Microseconds, of all pairs the most. */
export interface Look {
  readonly atS: number;
  readonly apartUs: number;
}

/** What a simulation came to. */
export interface DayFound {
  readonly looks: readonly Look[];
  readonly snaps: number;
  /** Of what nodes said of their clocks: how often the truth was outside of the bound, and the widest bound. */
  readonly outOfBound: number;
  readonly widestUs: number;
}

/** Lives through so many hours. Another node leads every `termHours`. */
export function liveThrough(init: {
  readonly hours: number;
  readonly termHours: number;
  readonly seed: number;
}): DayFound {
  const draws = new Draws(init.seed);
  const nodes = [
    { ppm: 0, card: 0 },
    { ppm: 30, card: 80 },
    { ppm: -20, card: -60 },
  ].map(({ ppm, card }, n) => {
    const crystal = (rate: number, zeroNs: bigint) => ({ ppm: rate, wander: 0.008, zeroNs });
    const local = crystal(ppm, 10_000_000_000n * BigInt(n + 1));
    return new SimulatedNode({ name: `node-${n}`, local, card: crystal(card, 0n), draws });
  });
  const house = new DayHouse(nodes, draws);
  const looks: Look[] = [];
  let leader = 0;
  house.lead(leader);
  const ticks = Math.round((init.hours * 3_600e9) / TICK_NS);
  const termTicks = Math.round((init.termHours * 3_600e9) / TICK_NS);
  const lookTicks = Math.round(1e9 / TICK_NS);
  for (let tick = 1; tick <= ticks; tick++) {
    house.tick(tick);
    if (tick % termTicks === 0) {
      leader = (leader + 1) % nodes.length;
      house.lead(leader);
    }
    const apartUs = tick % lookTicks === 0 ? house.apartUs() : null;
    if (apartUs !== null) looks.push({ atS: (tick * TICK_NS) / 1e9, apartUs });
  }
  const { outOfBound, widestUs } = house;
  return { looks, snaps: nodes.reduce((sum, { snaps }) => sum + snaps, 0), outOfBound, widestUs };
}

class DayHouse {
  outOfBound = 0;
  widestUs = 0;
  readonly #nodes: readonly SimulatedNode[];
  readonly #draws: Draws;
  #leader: number | null = null;
  #trueNs = 0;
  #startNs: bigint | null = null;

  constructor(nodes: readonly SimulatedNode[], draws: Draws) {
    this.#nodes = nodes;
    this.#draws = draws;
    for (const node of nodes) {
      for (const { id } of nodes) {
        if (id !== node.id)
          node.peers.set(id, { filter: new PeerFilter({ stampSigmaNs: 2_000 }), bursts: 0, nextAtNs: 0 });
      }
    }
  }

  lead(next: number): void {
    if (this.#leader !== null) this.#nodes[this.#leader]!.clock.termIsOver(this.#localOf(this.#leader));
    this.#leader = next;
    const { clock } = this.#nodes[next]!;
    const at = this.#localOf(next);
    const epoch = clock.beginTerm(at, null, RESERVED_NS);
    for (const [n, node] of this.#nodes.entries()) node.clock.noteApplied(this.#localOf(n), 0n, epoch);
    clock.termStands(at);
    this.#beat(true);
  }

  tick(tick: number): void {
    this.#trueNs = tick * TICK_NS;
    this.#nodes.forEach(({ local, card }, n) => {
      for (const [crystal, phase] of [
        [local, n],
        [card, n + 0.5],
      ] as const) {
        crystal.ppm +=
          WARMTH_PPM * 2 * Math.PI * (TICK_NS / DAY_NS) * Math.cos(2 * Math.PI * (this.#trueNs / DAY_NS + phase / 3));
        crystal.advance(this.#trueNs);
      }
    });
    if (tick % HEARTBEAT_TICKS === 0) this.#beat(false);
    for (const [n, node] of this.#nodes.entries()) this.#measure(node, n);
    // Once everybody knows the time, and the house has settled.
    if (this.#startNs === null && this.#trueNs > 2e9)
      this.#startNs = this.#nodes[this.#leader!]!.clock.readAt(this.#localOf(this.#leader!));
    if (this.#startNs !== null) for (const node of this.#nodes) node.play(this.#trueNs, this.#startNs);
  }

  /** How far any two rooms are apart now; null where one is silent. Also looks whether bounds hold. */
  apartUs(): number | null {
    const reference = this.#nodes[this.#leader!]!.clock.readAt(this.#localOf(this.#leader!));
    this.#nodes.forEach(({ clock }, n) => {
      const at = this.#localOf(n);
      const { errorNs } = clock.stateAt(at);
      if (errorNs === null) return;
      this.widestUs = Math.max(this.widestUs, errorNs / 1e3);
      if (Math.abs(Number(clock.readAt(at) - reference)) > errorNs) this.outOfBound += 1;
    });
    const heard = this.#nodes.map((node) => node.heard(this.#trueNs));
    if (heard.some((ns) => ns === null)) return null;
    const known = heard as number[];
    return (Math.max(...known) - Math.min(...known)) / 1e3;
  }

  /** The leader says the time, and everybody answers. */
  #beat(isFresh: boolean): void {
    const leader = this.#nodes[this.#leader!]!;
    const claims = this.#nodes.map(({ clock }, n) => clock.claimAt(this.#localOf(n)));
    this.#nodes.forEach((node, n) => {
      const at = this.#localOf(n);
      this.#nodes.forEach((other, m) => {
        if (m === n) return;
        const claim = claims[m] ?? null;
        if (other === leader && claim !== null) node.clock.noteHeartbeat(at, other.id, claim, isFresh);
        else node.clock.noteClaim(at, other.id, claim);
      });
      node.clock.adjust(at);
    });
  }

  /** A burst to each peer whose turn it is. */
  #measure(node: SimulatedNode, n: number): void {
    this.#nodes.forEach((other) => {
      const measured = node.peers.get(other.id);
      if (measured === undefined || this.#trueNs < measured.nextAtNs) return;
      const samples = Array.from({ length: SAMPLES_PER_BURST }, (_, k) =>
        this.#exchange(node, other, this.#trueNs + k * 4e6),
      );
      measured.filter.take(samples.filter((sample): sample is Sample => sample !== null));
      const gapMs = COLD_GAPS_MS[++measured.bursts] ?? this.#draws.between(BURST_GAP_MS.least, BURST_GAP_MS.most);
      measured.nextAtNs = this.#trueNs + gapMs * 1e6;
      node.clock.adjust(this.#localOf(n));
    });
  }

  #exchange(node: SimulatedNode, other: SimulatedNode, sentNs: number): Sample | null {
    const way = () => WAY_NS.least + this.#draws.exponential(WAY_NS.queued);
    const late = () => this.#draws.exponential(STAMP_NS);
    const there = sentNs + way();
    const answered = there + this.#draws.between(20_000, 200_000);
    const back = answered + way();
    return sampleOf({
      sentAt: node.local.at(sentNs - late()),
      peerReceivedAt: other.local.at(there + late()),
      peerSentAt: other.local.at(answered - late()),
      receivedAt: node.local.at(back + late()),
    });
  }

  #localOf(node: number): LocalTime {
    return this.#nodes[node]!.local.at(this.#trueNs);
  }
}
