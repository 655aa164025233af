/**
 * FakePeerLink: connections between members over a FakeNetwork, with what TCP does to them.
 *
 * While a direction is cut its messages wait, as TCP repeats them; heals it in time, they arrive late and in order. Lasts it longer
 * than the time-out, both ends lose the connection, and with it all that was on its way: a sender never learns what arrived. The end
 * that stops or resets knows at once, the other one later, and what it sends meanwhile goes nowhere.
 */
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import { type ClusterId, clusterId, type Incarnation, type NodeId } from '../core/ids.js';
import { addTime, type LocalTime, laterOf, nanosFromMs } from '../core/units.js';
import type { Address } from './datagram.js';
import type { FakeNetwork } from './fake-network.js';
import {
  CHANNELS,
  type Channel,
  checkKnock,
  checkMessage,
  KNOCK_MS_MAX,
  KNOCKS_MAX,
  type Knocker,
  type KnockOptions,
  type PeerLink,
  type PeerLinkHandlers,
  QUEUE_BYTES_MAX,
  type RefusalReason,
} from './peer-link.js';
import type { Timer } from './time.js';

/** How long a lost or refused connection is left alone before the next attempt, milliseconds. */
const RECONNECT_MS = 250;
/** How long a connection outlives a cut path, milliseconds: what keep-alives of the real one come to. */
export const CONNECTION_TIMEOUT_MS = 10_000;
/** The key of whoever does not care about keys. */
const KEY_DEFAULT = new Uint8Array(32);

/** Who a link belongs to, and where it is found. What is left out is the same for all. */
export interface FakePeerLinkInit {
  readonly node: NodeId;
  /** Where it listens; peers are told of it as "host:port". */
  readonly address: Address;
  readonly cluster?: ClusterId;
  readonly incarnation?: Incarnation;
  /** 32 bytes. */
  readonly key?: Uint8Array;
  /** Read anew at each connection. Empty by default. */
  readonly card?: () => Uint8Array;
}

/** A message on its way. */
interface Message {
  readonly bytes: Uint8Array;
  readonly arrivesAt: LocalTime;
}

/** One end of the connections with a peer. */
interface End {
  readonly link: FakePeerLink;
  readonly peer: NodeId;
  /** Between `up` and `down` of this end. */
  isUp: boolean;
  /** What is on its way to this end. */
  readonly arriving: Readonly<Record<Channel, Message[]>>;
  /** Bytes of `arriving`. */
  readonly arrivingBytes: Record<Channel, number>;
}

/** Both connections between two members. */
interface Connection {
  readonly ends: readonly [End, End];
  /** False once nothing gets through any more, which the ends may not know yet. */
  isOpen: boolean;
  /** Runs while a direction is cut. */
  timeout: Timer | undefined;
}

const newEnd = (link: FakePeerLink, peer: NodeId): End => ({
  link,
  peer,
  isUp: true,
  arriving: { control: [], bulk: [] },
  arrivingBytes: { control: 0, bulk: 0 },
});

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));

/** The link of one member. */
export class FakePeerLink implements PeerLink {
  readonly #network: FakeNetwork;
  readonly #node: NodeId;
  readonly #address: Address;
  readonly #cluster: ClusterId;
  readonly #incarnation: Incarnation;
  readonly #key: Uint8Array;
  readonly #card: () => Uint8Array;
  #handlers: PeerLinkHandlers | undefined;
  #peers: ReadonlyMap<NodeId, string> = new Map();
  /** Where peers said that they are found, where that is not what `#peers` says. */
  readonly #moved = new Map<NodeId, string>();
  #knocks = 0;
  readonly #connections = new Map<NodeId, Connection>();
  /** Attempts to connect that are due. */
  readonly #attempts = new Map<NodeId, Timer>();
  /** Whatever else is due at this end. */
  readonly #timers = new Set<Timer>();
  #unlisten: (() => void) | undefined;

  constructor(components: { readonly network: FakeNetwork }, init: FakePeerLinkInit) {
    this.#network = components.network;
    this.#node = init.node;
    this.#address = init.address;
    this.#cluster = init.cluster ?? clusterId('c'.repeat(32));
    this.#incarnation = init.incarnation ?? ('1'.repeat(32) as Incarnation);
    this.#key = init.key ?? KEY_DEFAULT;
    this.#card = init.card ?? (() => new Uint8Array(0));
  }

  start(handlers: PeerLinkHandlers): Promise<void> {
    assert(this.#handlers === undefined, 'a link is started once');
    const { host, port } = this.#address;
    if (!this.#network.bind(this.#place, this)) {
      return Promise.reject(new TuttiError('PORT_IN_USE', `Another program listens on TCP ${host}:${port}.`));
    }
    this.#handlers = handlers;
    this.#unlisten = this.#network.listen({
      pathsChanged: () => this.#pathsChanged(),
      connectionsReset: (hostA, hostB) => this.#reset(hostA, hostB),
    });
    this.#connectAll();
    return Promise.resolve();
  }

  setPeers(peers: ReadonlyMap<NodeId, string>): void {
    for (const peer of this.#moved.keys()) {
      if (peers.get(peer) !== this.#peers.get(peer)) this.#moved.delete(peer);
    }
    this.#peers = new Map(peers);
    for (const [peer, connection] of this.#connections) {
      if (peers.has(peer)) continue;
      this.#close(connection);
      this.#loseSoon(connection, 0);
    }
    if (this.#handlers !== undefined) this.#connectAll();
  }

  send(to: NodeId, channel: Channel, bytes: Uint8Array): boolean {
    checkMessage(channel, bytes);
    const connection = this.#connections.get(to);
    if (connection === undefined || !this.#end(connection).isUp) return false;
    const receiver = this.#otherEnd(connection);
    if (receiver.arrivingBytes[channel] + bytes.length > QUEUE_BYTES_MAX[channel]) return false;
    if (!connection.isOpen) return true;
    const queue = receiver.arriving[channel];
    const { time } = this.#network;
    const delayNs = nanosFromMs(this.#network.drawDelayMs(this.host, receiver.link.host));
    const arrivesAt = laterOf(addTime(time.now(), delayNs), queue.at(-1)?.arrivesAt ?? time.now());
    queue.push({ bytes, arrivesAt });
    receiver.arrivingBytes[channel] += bytes.length;
    receiver.link.#expect(connection, channel, arrivesAt);
    return true;
  }

  queuedBytes(to: NodeId, channel: Channel): number {
    const connection = this.#connections.get(to);
    // A network without limits of its own takes everything at once: what is on its way stands for what waits.
    return connection === undefined ? 0 : this.#otherEnd(connection).arrivingBytes[channel];
  }

  stop(): Promise<void> {
    if (this.#handlers === undefined) return Promise.resolve();
    this.#handlers = undefined;
    this.#unlisten?.();
    this.#network.unbind(this.#place);
    for (const connection of this.#connections.values()) {
      this.#end(connection).isUp = false;
      this.#close(connection);
    }
    this.#connections.clear();
    for (const timer of [...this.#timers, ...this.#attempts.values()]) timer.cancel();
    this.#timers.clear();
    this.#attempts.clear();
    return Promise.resolve();
  }

  get #place(): string {
    return `tcp ${this.#address.host}:${this.#address.port}`;
  }

  #end(connection: Connection): End {
    const [a, b] = connection.ends;
    return a.link === this ? a : b;
  }

  /**
   * Somebody at `host` knocks: gives what the handler says. For {@link FakeKnocker}. @throws TuttiError as a {@link Knocker} does
   */
  async answerKnock(request: Uint8Array, key: Uint8Array): Promise<Uint8Array> {
    const { host, port } = this.#address;
    if (!sameBytes(key, this.#key)) {
      throw new TuttiError('KEY_REFUSED', `The node at ${host}:${port} has another cluster key.`);
    }
    const handlers = this.#handlers;
    if (handlers === undefined) throw new TuttiError('PEER_UNREACHABLE', `${host}:${port} does not answer.`);
    if (this.#knocks === KNOCKS_MAX) {
      throw new TuttiError('BUSY', `${KNOCKS_MAX} nodes knock at ${host}:${port} already.`);
    }
    this.#knocks++;
    try {
      const answer = await handlers.knock(request.slice());
      checkKnock(answer);
      return answer.slice();
    } finally {
      this.#knocks--;
    }
  }

  /** Where it listens. */
  get host(): string {
    return this.#address.host;
  }

  #otherEnd(connection: Connection): End {
    const [a, b] = connection.ends;
    return a.link === this ? b : a;
  }

  #isCutOff(connection: Connection): boolean {
    const there = this.#otherEnd(connection).link.host;
    return this.#network.isCut(this.host, there) || this.#network.isCut(there, this.host);
  }

  /** Sets a timer that ends with this link. */
  #later(name: string, delayMs: number, callback: () => void): void {
    const timer = this.#network.time.after(name, delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
  }

  /** Tries to connect to each peer that there is no connection with. */
  #connectAll(): void {
    for (const peer of this.#peers.keys()) {
      const host = hostOf(this.#addressOf(peer));
      // A handshake is a round trip.
      if (!this.#connections.has(peer)) this.#connectSoon(peer, 2 * this.#network.drawDelayMs(this.host, host));
    }
  }

  #connectSoon(peer: NodeId, delayMs: number): void {
    if (this.#attempts.has(peer)) return;
    const attempt = () => {
      this.#attempts.delete(peer);
      if (this.#connections.has(peer) || !this.#peers.has(peer)) return;
      if (!this.#connect(peer)) this.#connectSoon(peer, RECONNECT_MS);
    };
    this.#attempts.set(peer, this.#network.time.after(`connect to ${peer}`, delayMs, attempt));
  }

  #addressOf(peer: NodeId): string {
    return this.#moved.get(peer) ?? this.#peers.get(peer) ?? '';
  }

  /** True where the peer is there, lets this node in, and both directions pass. */
  #connect(peer: NodeId): boolean {
    const address = this.#addressOf(peer);
    const link = this.#network.boundTo(`tcp ${address}`);
    if (!(link instanceof FakePeerLink)) {
      // Nobody is found where it said it had moved to: next time it is looked for where it is said to be.
      this.#moved.delete(peer);
      return false;
    }
    const ends = [newEnd(this, peer), newEnd(link, this.#node)] as const;
    const connection: Connection = { ends, isOpen: true, timeout: undefined };
    if (this.#isCutOff(connection)) return false;
    const refusal = link.#refusalOf(this);
    if (refusal !== undefined) {
      this.#handlers?.refused(peer, refusal, `${address} says: ${refusal}.`);
      return false;
    }
    if (link.#node !== peer) return false;
    // The peer has not noticed yet that the process before this one is gone: that it is here again tells it.
    const before = link.#connections.get(this.#node);
    if (before?.isOpen === false) link.#lose(before);
    if (link.#connections.has(this.#node)) return false;
    for (const end of ends) end.link.#connections.set(end.peer, connection);
    const ownAddress = `${this.host}:${this.#address.port}`;
    if (link.#addressOf(this.#node) !== ownAddress) {
      link.#moved.set(this.#node, ownAddress);
      link.#handlers?.moved(this.#node, ownAddress);
    }
    for (const end of ends) {
      const { link: other } = end.link.#otherEnd(connection);
      const hello = { incarnation: other.#incarnation, card: other.#card().slice() };
      if (end.isUp) end.link.#handlers?.up(end.peer, hello);
    }
    return true;
  }

  /** Why `link` is not let in here; undefined where it is. */
  #refusalOf(link: FakePeerLink): RefusalReason | undefined {
    if (!sameBytes(link.#key, this.#key)) return 'wrong-key';
    if (link.#cluster !== this.#cluster) return 'other-cluster';
    return this.#peers.has(link.#node) ? undefined : 'not-a-member';
  }

  /** Nothing gets through any more. The other end notices: soon, or where it is cut off by its time-out. */
  #close(connection: Connection): void {
    if (!connection.isOpen) return;
    connection.isOpen = false;
    connection.timeout?.cancel();
    for (const end of connection.ends) {
      for (const channel of CHANNELS) {
        end.arriving[channel].length = 0;
        end.arrivingBytes[channel] = 0;
      }
    }
    const there = this.#otherEnd(connection).link;
    const delayMs = this.#isCutOff(connection)
      ? CONNECTION_TIMEOUT_MS
      : this.#network.drawDelayMs(this.host, there.host);
    there.#loseSoon(connection, delayMs);
  }

  #loseSoon(connection: Connection, delayMs: number): void {
    this.#later(`connection to ${this.#end(connection).peer} is lost`, delayMs, () => this.#lose(connection));
  }

  /** This end notices that the connection is gone. */
  #lose(connection: Connection): void {
    const end = this.#end(connection);
    if (!end.isUp) return;
    end.isUp = false;
    this.#connections.delete(end.peer);
    if (this.#peers.has(end.peer)) this.#connectSoon(end.peer, RECONNECT_MS);
    this.#handlers?.down(end.peer);
  }

  #expect(connection: Connection, channel: Channel, arrivesAt: LocalTime): void {
    // Half a nanosecond more, so that the way through milliseconds rounds to the very nanosecond.
    const delayMs = (Number(arrivesAt - this.#network.time.now()) + 0.5) / 1e6;
    this.#later(`message from ${this.#end(connection).peer}`, delayMs, () => this.#deliver(connection, channel));
  }

  /** Delivers what has arrived. While the direction is cut it waits for `#pathsChanged`. */
  #deliver(connection: Connection, channel: Channel): void {
    const end = this.#end(connection);
    const queue = end.arriving[channel];
    const next = queue[0];
    if (next === undefined || next.arrivesAt > this.#network.time.now()) return;
    if (this.#network.isCut(this.#otherEnd(connection).link.host, this.host)) return;
    queue.shift();
    end.arrivingBytes[channel] -= next.bytes.length;
    // The very bytes: whoever sends gives them away, and whoever gets them may keep them.
    this.#handlers?.message(end.peer, channel, next.bytes);
  }

  #pathsChanged(): void {
    for (const connection of this.#connections.values()) {
      if (!connection.isOpen) continue;
      if (this.#isCutOff(connection)) {
        connection.timeout ??= this.#network.time.after('connection times out', CONNECTION_TIMEOUT_MS, () => {
          this.#close(connection);
          for (const end of connection.ends) end.link.#lose(connection);
        });
        continue;
      }
      connection.timeout?.cancel();
      connection.timeout = undefined;
      const { time } = this.#network;
      for (const channel of CHANNELS) {
        for (const message of this.#end(connection).arriving[channel]) {
          this.#expect(connection, channel, laterOf(message.arrivesAt, time.now()));
        }
      }
    }
  }

  #reset(hostA: string, hostB: string): void {
    for (const connection of this.#connections.values()) {
      const there = this.#otherEnd(connection).link.host;
      const isConcerned = (this.host === hostA && there === hostB) || (this.host === hostB && there === hostA);
      if (!isConcerned || !connection.isOpen) continue;
      this.#close(connection);
      this.#loseSoon(connection, 0);
    }
  }
}

/** Knocks at FakePeerLinks from a host of its own. */
export class FakeKnocker implements Knocker {
  readonly #network: FakeNetwork;
  readonly #host: string;

  constructor(components: { readonly network: FakeNetwork }, init: { readonly host: string }) {
    this.#network = components.network;
    this.#host = init.host;
  }

  async knock(address: string, request: Uint8Array, { key, signal }: KnockOptions): Promise<Uint8Array> {
    checkKnock(request);
    signal?.throwIfAborted();
    const { time } = this.#network;
    const timers = new Set<Timer>();
    const [here, there] = [this.#host, hostOf(address)];
    const unreachable = () => new TuttiError('PEER_UNREACHABLE', `${address} does not answer.`);
    let giveUp = () => {};
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        const later = (name: string, delayMs: number, callback: () => void) =>
          timers.add(time.after(name, delayMs, callback));
        giveUp = () => reject(signal?.reason);
        signal?.addEventListener('abort', giveUp);
        later('a knock times out', KNOCK_MS_MAX, () => reject(unreachable()));
        // What is lost on the way is waited for in vain.
        const travel = (from: string, to: string, callback: () => void) =>
          later('a knock on its way', this.#network.drawDelayMs(from, to), () => {
            if (!this.#network.isCut(from, to)) callback();
          });
        travel(here, there, () => {
          const link = this.#network.boundTo(`tcp ${address}`);
          const answered =
            link instanceof FakePeerLink ? link.answerKnock(request, key) : Promise.reject<Uint8Array>(unreachable());
          answered.then(
            (answer) => travel(there, here, () => resolve(answer)),
            (error: unknown) => travel(there, here, () => reject(error)),
          );
        });
      });
    } finally {
      signal?.removeEventListener('abort', giveUp);
      for (const timer of timers) timer.cancel();
    }
  }
}
