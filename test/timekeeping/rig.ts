/** A house of timekeepers on a fake network, each with a clock of its own. */
import type { Test } from 'tap';
import { type PeerLine, peerBoundAt, peerTimeAt } from '../../src/clock/peer-line.js';
import { type BootId, type NodeId, nodeId } from '../../src/core/ids.js';
import type { Address, Datagram } from '../../src/ports/datagram.js';
import { FakeDatagram } from '../../src/ports/fake-datagram.js';
import { FakeNetwork } from '../../src/ports/fake-network.js';
import { FakeRandom } from '../../src/ports/fake-random.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import type { ClockCounts } from '../../src/ports/peer-clocks.js';
import { Timekeeper } from '../../src/timekeeping/timekeeper.js';
import { NodeClock } from '../sim/node-clock.js';

/** The port of all nodes. */
export const PORT = 7_420;
export const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);

/** A node's id, host and boot, from a letter a to f. */
export const idOf = (letter: string): NodeId => nodeId(letter.repeat(32));
export const bootOf = (digit: number): BootId => String(digit).repeat(32) as BootId;

/** What was sent over a network, in order. */
export interface Sent {
  readonly from: Address;
  readonly to: Address;
  readonly bytes: Uint8Array;
}

/** One node. */
export interface RigNode {
  readonly id: NodeId;
  readonly host: string;
  readonly clock: NodeClock;
  readonly keeper: Timekeeper;
  /** All findings, latest last. */
  readonly findings: { readonly node: NodeId; readonly line: PeerLine | null; readonly roundTripNs: number | null }[];
  lineOf(letter: string): PeerLine | null;
  counts(): ClockCounts;
  /** Begins to follow those. */
  follow(...letters: readonly string[]): void;
  /** The process is dead. */
  die(): Promise<void>;
}

/** What a node may differ in. */
export interface RigNodeInit {
  readonly ratePpm?: number;
  readonly zeroNs?: bigint;
  readonly boot?: number;
  readonly key?: Uint8Array;
  readonly lookUp?: (host: string, found: (host: string | null) => void) => void;
  /** Puts something between the node and its socket. */
  readonly socket?: (inner: Datagram, clock: NodeClock) => Datagram;
}

/** The whole house. */
export class Rig {
  readonly time = new FakeTime();
  readonly network: FakeNetwork;
  readonly sent: Sent[] = [];
  #seed = 0;

  constructor(t: Test, init: ConstructorParameters<typeof FakeNetwork>[1] = {}) {
    this.network = new FakeNetwork({ time: this.time }, init);
    t.teardown(() => this.time.running());
  }

  /** A node that is up. */
  async node(letter: string, init: RigNodeInit = {}): Promise<RigNode> {
    const { ratePpm = 0, zeroNs = 0n, boot = 1, key = KEY } = init;
    const clock = new NodeClock({ time: this.time, run: (callback) => callback() }, { ratePpm, zeroNs });
    const host = `10.0.0.${letter.charCodeAt(0)}`;
    const inner = new FakeDatagram({ network: this.network, clock }, { host, port: PORT });
    const datagram = this.#tapped(init.socket?.(inner, clock) ?? inner, host);
    const random = new FakeRandom(++this.#seed);
    const lookUp = init.lookUp ?? ((name: string, found: (host: string | null) => void) => found(name));
    const id = idOf(letter);
    const keeper = new Timekeeper({ datagram, time: clock, random, lookUp }, { node: id, boot: bootOf(boot), key });
    const findings: RigNode['findings'] = [];
    await keeper.start({
      peer: (node, line, roundTripNs) => void findings.push({ node, line, roundTripNs }),
      counts: () => {},
    });
    return {
      id,
      host,
      clock,
      keeper,
      findings,
      lineOf: (of) => findings.findLast(({ node }) => node === idOf(of))?.line ?? null,
      counts: () => keeper.counts(),
      follow: (...letters) =>
        keeper.follow(letters.map((of) => ({ node: idOf(of), address: `10.0.0.${of.charCodeAt(0)}:${PORT}` }))),
      die: async () => {
        await keeper.stop();
        clock.stop();
      },
    };
  }

  /** A socket of somebody else in the network. */
  async stranger(host: string, receive: (bytes: Uint8Array) => void = () => {}): Promise<Datagram> {
    const datagram = new FakeDatagram({ network: this.network }, { host, port: PORT });
    await datagram.start(receive);
    return datagram;
  }

  /** By how much the line of `of` at `at` is wrong now, nanoseconds, with its bound. */
  errorOf(at: RigNode, of: RigNode, line: PeerLine): { readonly errorNs: number; readonly boundNs: number } {
    const local = at.clock.now();
    return { errorNs: Number(peerTimeAt(line, local) - of.clock.now()), boundNs: peerBoundAt(line, local) };
  }

  #tapped(datagram: Datagram, host: string): Datagram {
    const send = datagram.send.bind(datagram);
    datagram.send = (bytes, to) => {
      this.sent.push({ from: { host, port: PORT }, to, bytes: Uint8Array.from(bytes) });
      return send(bytes, to);
    };
    return datagram;
  }
}
