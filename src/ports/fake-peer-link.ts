/**
 * FakePeerLink: connections between members over a FakeNetwork, with what TCP does to them.
 *
 * While a direction is cut its messages wait, as TCP repeats them; heals it in time, they arrive late and in order. Lasts it longer
 * than the time-out, both ends lose the connection, and with it all that was on its way: a sender never learns what arrived. The end
 * that stops or resets knows at once, the other one later, and what it sends meanwhile goes nowhere.
 */
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import { addTime, type LocalTime, laterOf, nanosFromMs } from '../core/units.js';
import type { Address } from './datagram.js';
import type { FakeNetwork } from './fake-network.js';
import { type Channel, checkMessage, MESSAGE_BYTES_MAX, type PeerLink, type PeerLinkHandlers } from './peer-link.js';
import type { Timer } from './time.js';

/** How long a lost or refused connection is left alone before the next attempt, milliseconds. */
const RECONNECT_MS = 250;
/** How long a connection outlives a cut path, milliseconds: what keep-alives of the real one come to. */
export const CONNECTION_TIMEOUT_MS = 10_000;
/** How much may wait to be delivered on a channel before `send` says no: some messages of the largest size. Bytes. */
const QUEUE_BYTES_MAX: Readonly<Record<Channel, number>> = {
  control: 4 * MESSAGE_BYTES_MAX.control,
  bulk: 2 * MESSAGE_BYTES_MAX.bulk,
};

const CHANNELS = ['control', 'bulk'] as const;

/** Who a link belongs to, and where it is found. */
export interface FakePeerLinkInit {
  readonly node: NodeId;
  /** Where it listens; peers are told of it as "host:port". */
  readonly address: Address;
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
});

/** The link of one member. */
export class FakePeerLink implements PeerLink {
  readonly #network: FakeNetwork;
  readonly #node: NodeId;
  readonly #address: Address;
  #handlers: PeerLinkHandlers | undefined;
  #peers: ReadonlyMap<NodeId, string> = new Map();
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
    const queue = receiver.arriving[channel];
    const waitingBytes = queue.reduce((sum, message) => sum + message.bytes.length, 0);
    if (waitingBytes + bytes.length > QUEUE_BYTES_MAX[channel]) return false;
    if (!connection.isOpen) return true;
    const { time } = this.#network;
    const delayNs = nanosFromMs(this.#network.drawDelayMs(this.#host, receiver.link.#host));
    const arrivesAt = laterOf(addTime(time.now(), delayNs), queue.at(-1)?.arrivesAt ?? time.now());
    queue.push({ bytes, arrivesAt });
    receiver.link.#expect(connection, channel, arrivesAt);
    return true;
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

  get #host(): string {
    return this.#address.host;
  }

  get #place(): string {
    return `tcp ${this.#address.host}:${this.#address.port}`;
  }

  #end(connection: Connection): End {
    const [a, b] = connection.ends;
    return a.link === this ? a : b;
  }

  #otherEnd(connection: Connection): End {
    const [a, b] = connection.ends;
    return a.link === this ? b : a;
  }

  #isCutOff(connection: Connection): boolean {
    const there = this.#otherEnd(connection).link.#host;
    return this.#network.isCut(this.#host, there) || this.#network.isCut(there, this.#host);
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
    for (const [peer, address] of this.#peers) {
      const host = address.slice(0, address.lastIndexOf(':'));
      // A handshake is a round trip.
      if (!this.#connections.has(peer)) this.#connectSoon(peer, 2 * this.#network.drawDelayMs(this.#host, host));
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

  /** True where the peer is there, names this node too, and both directions pass. */
  #connect(peer: NodeId): boolean {
    const link = this.#network.boundTo(`tcp ${this.#peers.get(peer)}`);
    if (!(link instanceof FakePeerLink) || link.#node !== peer) return false;
    if (!link.#peers.has(this.#node) || link.#connections.has(this.#node)) return false;
    const ends = [newEnd(this, peer), newEnd(link, this.#node)] as const;
    const connection: Connection = { ends, isOpen: true, timeout: undefined };
    if (this.#isCutOff(connection)) return false;
    for (const end of ends) end.link.#connections.set(end.peer, connection);
    for (const end of ends) if (end.isUp) end.link.#handlers?.up(end.peer);
    return true;
  }

  /** Nothing gets through any more. The other end notices: soon, or where it is cut off by its time-out. */
  #close(connection: Connection): void {
    if (!connection.isOpen) return;
    connection.isOpen = false;
    connection.timeout?.cancel();
    for (const end of connection.ends) for (const channel of CHANNELS) end.arriving[channel].length = 0;
    const there = this.#otherEnd(connection).link;
    const delayMs = this.#isCutOff(connection)
      ? CONNECTION_TIMEOUT_MS
      : this.#network.drawDelayMs(this.#host, there.#host);
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
    if (this.#network.isCut(this.#otherEnd(connection).link.#host, this.#host)) return;
    queue.shift();
    this.#handlers?.message(end.peer, channel, Uint8Array.from(next.bytes));
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
      const there = this.#otherEnd(connection).link.#host;
      const isConcerned = (this.#host === hostA && there === hostB) || (this.#host === hostB && there === hostA);
      if (!isConcerned || !connection.isOpen) continue;
      this.#close(connection);
      this.#loseSoon(connection, 0);
    }
  }
}
