/**
 * Timekeeper: one node's part of the clock over UDP. Measures the clocks of its peers, and answers when they measure its own.
 *
 * What comes in is looked at from outside in: is it of this format, was it made with the cluster's key, does it answer or ask something for
 * the first time? Whatever fails is dropped and counted, costs a hash at most, and touches nothing.
 */
import { decodeClockMessage, encodeClockMessage, isClockFormat } from '../clock/datagram.js';
import type { PeerLine } from '../clock/peer-line.js';
import { parseHostPort } from '../config/host-port.js';
import type { BootId, NodeId } from '../core/ids.js';
import type { LocalTime } from '../core/units.js';
import type { Address, Datagram } from '../ports/datagram.js';
import type { ClockCounts, ClockPeer } from '../ports/peer-clocks.js';
import type { Random } from '../ports/random.js';
import type { Time, Timer } from '../ports/time.js';
import { Answerer } from './answerer.js';
import { Prober, type ProberComponents } from './prober.js';
import { SEAL_BYTES, Seal } from './seal.js';

/** How often counts are told, where they changed. Milliseconds. */
const COUNTS_EVERY_MS = 1_000;

/** Who hears what was found. */
export interface TimekeeperListener {
  /** After each burst; `line` is null where the peer's clock began anew. */
  peer(node: NodeId, line: PeerLine | null, roundTripNs: number | null): void;
  counts(counts: ClockCounts): void;
}

/** What the timekeeper needs. */
export interface TimekeeperComponents extends Pick<ProberComponents, 'time' | 'random' | 'lookUp'> {
  readonly datagram: Datagram;
  readonly time: Time;
  readonly random: Random;
}

/** Who it is. */
export interface TimekeeperInit {
  readonly node: NodeId;
  readonly boot: BootId;
  /** The cluster's key, 32 bytes. */
  readonly key: Uint8Array;
}

/** The clock over UDP of one node. */
export class Timekeeper {
  readonly #with: TimekeeperComponents;
  readonly #init: TimekeeperInit;
  readonly #seal: Seal;
  readonly #answerer: Answerer;
  readonly #probers = new Map<NodeId, Prober>();
  #peers: readonly ClockPeer[] = [];
  #listener: TimekeeperListener | undefined;
  #counting: Timer | undefined;
  #sequence = 0n;
  #counts: ClockCounts = { malformed: 0, strangers: 0, replayed: 0 };
  #isBound = false;

  constructor(components: TimekeeperComponents, init: TimekeeperInit) {
    this.#with = components;
    this.#init = init;
    this.#seal = new Seal(init.key);
    this.#answerer = new Answerer(init);
  }

  /** Binds; gives the bound address. @throws TuttiError PORT_IN_USE */
  async start(listener: TimekeeperListener): Promise<Address> {
    this.#listener = listener;
    const bound = await this.#with.datagram.start((bytes, from, receivedAt) => this.#received(bytes, from, receivedAt));
    this.#isBound = true;
    let told = this.#counts;
    this.#counting = this.#with.time.every('clock.counts', COUNTS_EVERY_MS, () => {
      if (told !== this.#counts) listener.counts(this.#counts);
      told = this.#counts;
    });
    this.follow(this.#peers);
    return bound;
  }

  /** From now on exactly these are measured. Whose address is none is left out. */
  follow(peers: readonly ClockPeer[]): void {
    this.#peers = peers;
    if (!this.#isBound) return;
    const wanted = new Map<NodeId, Address>();
    for (const { node, address } of peers) {
      const place = parseHostPort(address);
      if (place !== undefined && node !== this.#init.node) wanted.set(node, place);
    }
    for (const [node, prober] of this.#probers) {
      if (wanted.has(node)) continue;
      prober.stop();
      this.#probers.delete(node);
    }
    for (const [node, address] of wanted) {
      const known = this.#probers.get(node);
      if (known === undefined) this.#probe(node, address);
      else known.moveTo(address);
    }
  }

  /** What was dropped so far. */
  counts(): ClockCounts {
    return this.#counts;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#isBound = false;
    this.#listener = undefined;
    this.#counting?.cancel();
    for (const prober of this.#probers.values()) prober.stop();
    this.#probers.clear();
    await this.#with.datagram.stop();
  }

  #probe(node: NodeId, address: Address): void {
    const prober = new Prober(
      {
        ...this.#with,
        send: (nonce, to) => {
          const { node: from, boot } = this.#init;
          const sequence = this.#sequence++;
          return this.#send(encodeClockMessage({ type: 'probe', from, to: node, boot, sequence, nonce }), to);
        },
        measured: (line, roundTripNs) => this.#listener?.peer(node, line, roundTripNs),
        leapt: () => {
          for (const other of this.#probers.values()) if (other !== prober) other.hurry();
        },
      },
      { address, stampSigmaNs: this.#with.datagram.stampSigmaNs },
    );
    this.#probers.set(node, prober);
    prober.start();
  }

  #received(bytes: Uint8Array, from: Address, receivedAt: LocalTime): void {
    if (!isClockFormat(bytes, SEAL_BYTES)) {
      this.#count('malformed');
      return;
    }
    const opened = this.#seal.open(bytes);
    if (opened === null) {
      this.#count('strangers');
      return;
    }
    const message = decodeClockMessage(opened);
    if (message === null) {
      this.#count('malformed');
      return;
    }
    if (message.type === 'probe') {
      const prober = this.#probers.get(message.from);
      const answer = this.#answerer.answer(message, receivedAt, prober?.ownReading(receivedAt, message.boot) ?? null);
      if (answer === null) {
        this.#count('replayed');
        return;
      }
      this.#answerer.answered(message, this.#send(encodeClockMessage(answer), from));
      prober?.noticed();
    } else if (message.to !== this.#init.node || !this.#probers.get(message.from)?.answered(message, receivedAt)) {
      this.#count('replayed');
    }
  }

  #send(bytes: Uint8Array, to: Address): LocalTime {
    return this.#with.datagram.send(this.#seal.close(bytes), to);
  }

  #count(what: keyof ClockCounts): void {
    this.#counts = { ...this.#counts, [what]: this.#counts[what] + 1 };
  }
}
