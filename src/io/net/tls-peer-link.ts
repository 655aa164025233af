/**
 * TlsPeerLink: the connections between nodes, over TCP and TLS with the cluster's key.
 *
 * Two connections per pair (peer.ts says which survive where both ends dial). A connection proves the key (psk.ts), then says hello
 * (greeting.ts), then carries frames (frames.ts, connection.ts). Strangers get as far as a closed connection (reception.ts).
 *
 * All work is on the thread that made it, encryption too: a round trip of 200 bytes takes some 40 us in all, and another thread would take as long to be told.
 * What must not wait, waits at most for one piece of a bulk transfer.
 */
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { type HostPort, hostPortText, parseHostPort } from '../../config/host-port.js';
import { assert } from '../../core/assert.js';
import type { ClusterId, Incarnation, NodeId } from '../../core/ids.js';
import type { Log } from '../../ports/log.js';
import { type Channel, checkMessage, type PeerLink, type PeerLinkHandlers } from '../../ports/peer-link.js';
import type { Random } from '../../ports/random.js';
import type { Time, Timer } from '../../ports/time.js';
import { Connection, type ConnectionOwner } from './connection.js';
import { type CloseCounters, type CloseReason, noCounters } from './counters.js';
import { encodeHello, type Hello } from './greeting.js';
import { SWEEP_MS } from './limits.js';
import { Peer } from './peer.js';
import { clientOptions, serverOptions } from './psk.js';
import { Reception, type Rejection } from './reception.js';

/** Whose link it is. */
export interface TlsPeerLinkInit {
  readonly cluster: ClusterId;
  readonly node: NodeId;
  readonly incarnation: Incarnation;
  /** The cluster's key, 32 bytes. */
  readonly key: Uint8Array;
  /** Where to listen; port 0 takes any. */
  readonly listen: HostPort;
  /** Where peers are told to find this node, "host:port". Read anew at each connection. */
  readonly advertise: () => string;
  /** What peers are told of this node's card, at most 8 KiB. Read anew at each connection. */
  readonly card: () => Uint8Array;
}

/** The link of one node. */
export class TlsPeerLink implements PeerLink {
  readonly #time: Time;
  readonly #random: Random;
  readonly #log: Log;
  readonly #init: TlsPeerLinkInit;
  readonly #session: string;
  readonly #clientOptions: ReturnType<typeof clientOptions>;
  readonly #reception: Reception;
  readonly #counters = noCounters();
  /** Whom to hold connections with, before `start`. */
  #named: ReadonlyMap<NodeId, string> = new Map();
  readonly #peers = new Map<NodeId, Peer>();
  /** Each with the promise of its end. */
  readonly #connections = new Map<Connection, Promise<void>>();
  #handlers: PeerLinkHandlers | undefined;
  #starting: Promise<HostPort> | undefined;
  #address: HostPort | undefined;
  #sweeper: Timer | undefined;
  #isStopped = false;
  readonly #admissions = { count: 0 };

  /** @throws TuttiError BAD_REQUEST where the key is not 32 bytes */
  constructor(components: { readonly time: Time; readonly random: Random; readonly log: Log }, init: TlsPeerLinkInit) {
    this.#time = components.time;
    this.#random = components.random;
    this.#log = components.log.child('net');
    this.#init = init;
    this.#session = Buffer.from(components.random.bytes(16)).toString('hex');
    this.#clientOptions = clientOptions(init.key);
    this.#reception = new Reception(
      {
        log: this.#log,
        track: (connection, socket) => this.#track(connection, socket),
        count: (reason) => this.#count(reason),
        admit: (connection, hello) => this.#admit(connection, hello),
        knock: (request) => this.#handlers?.knock(request) ?? Promise.reject(new Error('stopped')),
      },
      { options: serverOptions(init.key) },
    );
  }

  /** Where it listens, "host:port"; once `start` has resolved. */
  address(): string {
    assert(this.#address !== undefined, 'the link listens');
    return hostPortText(this.#address);
  }

  /** Connections that ended so far, by reason. */
  counters(): CloseCounters {
    return { ...this.#counters };
  }

  async start(handlers: PeerLinkHandlers): Promise<void> {
    assert(this.#starting === undefined && !this.#isStopped, 'a link is started once');
    this.#starting = this.#reception.start(this.#init.listen);
    const address = await this.#starting;
    if (this.#isStopped) return;
    this.#address = address;
    this.#handlers = handlers;
    this.#sweeper = this.#time.every('pulse of the peer link', SWEEP_MS, () => this.#sweep());
    this.setPeers(this.#named);
  }

  setPeers(peers: ReadonlyMap<NodeId, string>): void {
    this.#named = new Map(peers);
    if (this.#handlers === undefined) return;
    for (const [id, peer] of this.#peers) {
      if (peers.has(id)) continue;
      this.#peers.delete(id);
      const wasUp = peer.isUp;
      peer.stop();
      if (wasUp) process.nextTick(() => this.#handlers?.down(id));
    }
    for (const [id, address] of peers) {
      const peer = this.#peers.get(id);
      if (peer === undefined) this.#addPeer(id, address);
      else peer.rename(address);
    }
  }

  send(to: NodeId, channel: Channel, bytes: Uint8Array): boolean {
    checkMessage(channel, bytes);
    return this.#peers.get(to)?.send(channel, bytes) ?? false;
  }

  queuedBytes(to: NodeId, channel: Channel): number {
    return this.#peers.get(to)?.queuedBytes(channel) ?? 0;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#handlers = undefined;
    this.#sweeper?.cancel();
    for (const peer of this.#peers.values()) peer.stop();
    this.#peers.clear();
    // A server that is about to listen cannot be closed without losing the answer that `start` waits for.
    await this.#starting?.catch(() => {});
    for (const connection of this.#connections.keys()) connection.close();
    await this.#reception.stop();
    await Promise.all(this.#connections.values());
  }

  #addPeer(id: NodeId, address: string): void {
    const peer = new Peer(
      {
        log: this.#log,
        handlers: () => this.#handlers,
        dial: (to, owner) => this.#dial(to, owner),
        hello: (channel, count) => this.#hello(id, channel, count),
        admissions: this.#admissions,
        isOwnCluster: ({ cluster }) => cluster === this.#init.cluster,
        count: (reason) => this.#count(reason),
        later: (name, delayMs, callback) => this.#time.after(name, delayMs, callback),
        draw: () => this.#random.u32() / 2 ** 32,
      },
      { own: this.#init.node, peer: id, address },
    );
    this.#peers.set(id, peer);
    peer.start();
  }

  #dial(address: string, owner: ConnectionOwner): Connection | undefined {
    const place = parseHostPort(address);
    if (place === undefined || place.port === 0) {
      this.#log.warn('a peer’s address is none', { address });
      return undefined;
    }
    const socket = connect({ ...this.#clientOptions, host: place.host, port: place.port });
    const connection = new Connection(socket, { role: 'guest', owner });
    this.#track(connection, socket);
    return connection;
  }

  #hello(to: NodeId, channel: Channel, count: number): Uint8Array {
    const { cluster, node, incarnation } = this.#init;
    return encodeHello({
      cluster,
      node,
      to,
      incarnation,
      session: this.#session,
      channel,
      count,
      address: this.#init.advertise(),
      card: this.#init.card(),
    });
  }

  #admit(connection: Connection, hello: Hello): Rejection | undefined {
    if (hello.cluster !== this.#init.cluster) {
      return {
        reason: 'other-cluster',
        detail: `This node is of cluster ${this.#init.cluster}, not ${hello.cluster}.`,
      };
    }
    if (hello.to !== this.#init.node) {
      return { reason: 'other-node', detail: `This is node ${this.#init.node}, not ${hello.to}.` };
    }
    const peer = this.#peers.get(hello.node);
    if (peer === undefined) {
      return { reason: 'not-a-member', detail: `Node ${this.#init.node} knows no member ${hello.node}.` };
    }
    if (peer.meet(connection, hello)) return undefined;
    return { reason: 'duplicate', detail: 'There is a connection already.' };
  }

  #track(connection: Connection, socket: Socket): void {
    const gone = new Promise<void>((resolve) => {
      socket.once('close', () => {
        this.#connections.delete(connection);
        resolve();
      });
    });
    this.#connections.set(connection, gone);
  }

  #count(reason: CloseReason): void {
    this.#counters[reason]++;
  }

  #sweep(): void {
    this.#reception.sweep();
    for (const connection of this.#connections.keys()) connection.sweep();
    for (const peer of this.#peers.values()) peer.sweep();
  }
}
