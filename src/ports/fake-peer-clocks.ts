/**
 * FakePeerClocks: the clocks of other nodes as they are, but for the error and the bound that a test gives them.
 *
 * Reads a peer's clock and this node's at the same instant, so a line is exact where it begins; its drift is what the test says (nothing
 * unless told). A peer is heard `lockMs` after it is followed and every `periodMs` from then on, as over UDP; between two hearings its line
 * stays as it was. A peer that is cut off keeps its last line: that is holdover.
 */
import { type PeerLine, peerTimeAt } from '../clock/peer-line.js';
import { assert } from '../core/assert.js';
import type { NodeId } from '../core/ids.js';
import { localTime } from '../core/units.js';
import type { ClockCounts, ClockPeer, PeerClocks } from './peer-clocks.js';
import type { Time, Timer } from './time.js';

/** What a test may change of how a peer is read. */
export interface FakeReading {
  /** The line is wrong by so much, nanoseconds: its peer time is too high. */
  readonly errorNs: number;
  /** What the line says of its error, nanoseconds. */
  readonly boundNs: number;
  /** By how much that grows, parts per million. */
  readonly boundPpm: number;
  /** What the line says of the peer's crystal, parts per million faster than this node's. */
  readonly driftPpm: number;
  /** Shortest round trip, nanoseconds. */
  readonly roundTripNs: number;
}

const READING_DEFAULT: FakeReading = { errorNs: 0, boundNs: 20_000, boundPpm: 1, driftPpm: 0, roundTripNs: 30_000 };

/** What the fake needs. */
export interface FakePeerClocksComponents {
  /** This node's clock and timers. */
  readonly time: Time;
  /** The clock of another node at this instant; null while it is down. */
  readonly clockOf: (node: NodeId) => Pick<Time, 'now'> | null;
}

/** When peers are heard. */
export interface FakePeerClocksInit {
  /** From `follow` to the first line, milliseconds. */
  readonly lockMs?: number;
  /** From one line to the next, milliseconds. */
  readonly periodMs?: number;
}

/** The clocks of peers, by fiat. */
export class FakePeerClocks implements PeerClocks {
  readonly #time: Time;
  readonly #clockOf: (node: NodeId) => Pick<Time, 'now'> | null;
  readonly #lockMs: number;
  readonly #periodMs: number;
  #changed: ((node: NodeId) => void) | undefined;
  #peers: readonly ClockPeer[] = [];
  readonly #timers = new Map<NodeId, Timer>();
  readonly #lines = new Map<NodeId, PeerLine>();
  readonly #readings = new Map<NodeId, FakeReading>();
  readonly #cut = new Set<NodeId>();

  constructor({ time, clockOf }: FakePeerClocksComponents, init: FakePeerClocksInit = {}) {
    this.#time = time;
    this.#clockOf = clockOf;
    this.#lockMs = init.lockMs ?? 300;
    this.#periodMs = init.periodMs ?? 2_000;
  }

  start(changed: (node: NodeId) => void): Promise<void> {
    assert(this.#changed === undefined, 'the clocks are started once');
    this.#changed = changed;
    this.follow(this.#peers);
    return Promise.resolve();
  }

  follow(peers: readonly ClockPeer[]): void {
    this.#peers = peers;
    if (this.#changed === undefined) return;
    const wanted = new Set(peers.map(({ node }) => node));
    for (const [node, timer] of this.#timers) {
      if (wanted.has(node)) continue;
      timer.cancel();
      this.#timers.delete(node);
      this.#lines.delete(node);
    }
    for (const node of wanted) if (!this.#timers.has(node)) this.#hearAfter(node, this.#lockMs);
  }

  lineOf(node: NodeId): PeerLine | null {
    return this.#lines.get(node) ?? null;
  }

  roundTripOf(node: NodeId): number | null {
    return this.#lines.has(node) ? this.#reading(node).roundTripNs : null;
  }

  counts(): ClockCounts {
    return { malformed: 0, strangers: 0, replayed: 0 };
  }

  stop(): Promise<void> {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#changed = undefined;
    return Promise.resolve();
  }

  /** From the next hearing on the peer is read so; what is left out stays as it was. */
  read(node: NodeId, as: Partial<FakeReading>): void {
    this.#readings.set(node, { ...this.#reading(node), ...as });
  }

  /** The peer is not heard any more, and its line stays as it is. */
  cut(node: NodeId): void {
    this.#cut.add(node);
  }

  /** The peer is heard again. */
  heal(node: NodeId): void {
    this.#cut.delete(node);
  }

  /** Hears a peer now. Nothing happens where it is cut off, down or not followed. */
  hear(node: NodeId): void {
    const clock = this.#clockOf(node);
    if (!this.#timers.has(node) || this.#cut.has(node) || clock === null) return;
    const { errorNs, boundNs, boundPpm, driftPpm } = this.#reading(node);
    const peerAt = localTime(clock.now() + BigInt(Math.round(errorNs)));
    const localAt = this.#time.now();
    const known = this.#lines.get(node);
    // As the real ones do: a clock that leaps has begun anew, and for one call there is no line.
    if (known && Math.abs(Number(peerTimeAt(known, localAt) - peerAt)) > LEAP_NS) {
      this.#lines.delete(node);
      this.#changed?.(node);
    }
    this.#lines.set(node, { localAt, peerAt, driftPpm, boundNs, boundPpm });
    this.#changed?.(node);
  }

  #hearAfter(node: NodeId, delayMs: number): void {
    const timer = this.#time.after(`clock of ${node}`, delayMs, () => {
      this.#hearAfter(node, this.#periodMs);
      this.hear(node);
    });
    this.#timers.set(node, timer);
  }

  #reading(node: NodeId): FakeReading {
    return this.#readings.get(node) ?? READING_DEFAULT;
  }
}

/** A peer's clock that is so far from its line began anew, nanoseconds: above all errors that tests give. */
const LEAP_NS = 1e9;
