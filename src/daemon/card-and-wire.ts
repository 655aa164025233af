/**
 * CardAndWire: the ground that a real daemon stands on. Its log on the disk, the threads beside the main one, and the way to other nodes.
 *
 * A node's ids are made where its store is made, and read from there ever after. While a daemon waits, only the log's thread runs.
 */
import type { Config } from '../config/config.js';
import { hostPortText, parseHostPort } from '../config/host-port.js';
import { TuttiError } from '../core/errors.js';
import { type BootId, type ClusterId, clusterId, type Incarnation, nodeId, slot } from '../core/ids.js';
import { TlsKnocker } from '../io/net/tls-knocker.js';
import { TlsPeerLink } from '../io/net/tls-peer-link.js';
import type { Ground, JoinRequest, OpenedNode } from '../node/house.js';
import { Node } from '../node/node.js';
import { randomId } from '../node/random-id.js';
import { encodeConfiguration } from '../paxos/codec.js';
import type { Configuration, Timing } from '../paxos/configuration.js';
import { Player } from '../player/player.js';
import type { OutputSetup } from '../player/threads.js';
import type { Log } from '../ports/log.js';
import type { Random } from '../ports/random.js';
import type { Time } from '../ports/time.js';
import { join } from '../replication/admission.js';
import type { LogStore } from '../replication/log-store.js';
import { Replica } from '../replication/replica.js';
import type { MemberIdentity } from '../replication/replicated-log.js';
import { TrackClient } from '../tracks/track-client.js';
import { spawnPlayerThreads } from '../workers/spawn.js';
import { spawnIntake } from '../workers/spawn-intake.js';
import { spawnLog } from '../workers/spawn-log.js';
import { peerAddress } from './addresses.js';
import { checkKey, keepKey, keyBytes, loadOrMakeKey, readKey } from './secret-files.js';

/** The port of cluster.listen where an address names none. */
const PEER_PORT = 7_420;
/** A lease is shorter than an election's patience, so that a leader that was cut off has let go before another is chosen: 450 of 500 ms. */
const LEASE_SHARE = 0.9;

/** What the ground is made of. */
export interface CardAndWireComponents {
  readonly time: Time;
  readonly log: Log;
  readonly random: Random;
  /** Ends the process: a thread died, a disk failed, or an invariant broke. */
  readonly fatal: (error: unknown) => void;
}

/** What it is made for. */
export interface CardAndWireInit {
  readonly config: Config;
  /** Of this software. */
  readonly version: string;
}

/** Real disk, real network. `stop` (idempotent) lets go of what no node was given. */
export class CardAndWire implements Ground {
  readonly #components: CardAndWireComponents;
  readonly #config: Config;
  readonly #version: string;
  /** Not given to a node yet; null where there is none. */
  #store: LogStore | null = null;
  /** As whom this daemon knocks, each time anew: one who was let in and did not hear so is let in as the same. */
  #newcomer: Pick<MemberIdentity, 'node' | 'incarnation'> | null = null;

  constructor(components: CardAndWireComponents, { config, version }: CardAndWireInit) {
    this.#components = components;
    this.#config = config;
    this.#version = version;
  }

  async stop(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    await store?.close();
  }

  async hasStore(): Promise<boolean> {
    const found = await this.#logStore().inspect();
    if (found !== 'unreadable') return found === 'formatted';
    throw new TuttiError(
      'STORE_UNREADABLE',
      `the folder consensus in ${this.#config.dataDir} holds what was a node's log, and cannot be read`,
    );
  }

  async init(): Promise<void> {
    loadOrMakeKey(this.#config.cluster.keyFile);
    const self = this.#self();
    const { heartbeatMs, electionMs } = this.#config.cluster;
    const timing: Timing = { heartbeatMs, electionMs, leaseMs: Math.floor(LEASE_SHARE * electionMs) };
    const cluster = clusterId(randomId(this.#components.random));
    await this.#format(cluster, self, { id: 1, after: slot(0), members: [{ ...self, voter: true }], timing });
  }

  async join(request: JoinRequest, signal: AbortSignal): Promise<void> {
    const { addresses, key: given, replace = null } = request;
    const { keyFile } = this.#config.cluster;
    const key = given === null ? readKey(keyFile) : keyBytes(given, 'the key');
    if (key === null) {
      throw new TuttiError('BAD_REQUEST', `no key was given, and ${keyFile} is not there; tutti invite prints the key`);
    }
    checkKey(keyFile, key);
    const member = this.#self();
    const knocker = new TlsKnocker({ time: this.#components.time });
    const places = addresses.map(peerPlace);
    const { cluster, configuration } = await join({ knocker }, { member, replace, addresses: places, key, signal });
    // Only now it is known to be the right one. The store comes last: a card that has one is a node, and needs its key.
    keepKey(keyFile, key);
    await this.#format(cluster, member, configuration);
  }

  async open(): Promise<OpenedNode> {
    const { time, log, random, fatal } = this.#components;
    const { dataDir, name, output, cluster, resumeAfterOutage } = this.#config;
    const key = readKey(cluster.keyFile);
    if (key === null) {
      throw new TuttiError(
        'BAD_CONFIG',
        `cluster.key_file: ${cluster.keyFile} is not there; right is the key of the cluster that this node belongs to`,
      );
    }
    const setup = outputSetup(this.#config, log);
    const boot = randomId(random) as BootId;
    const store = this.#logStore();
    const recovered = await store.open(boot, fatal);
    // From here on it is the replica's to close.
    this.#store = null;
    const consensus: Replica = new Replica(
      {
        time,
        log: log.child('consensus'),
        store,
        link: (identity) =>
          new TlsPeerLink(
            { time, random, log },
            { ...identity, key, listen: cluster.listen, advertise: () => peerAddress(this.#config) },
          ),
      },
      { boot, recovered, seed: random.u32(), leadMs: () => node.leadMs, failed: fatal },
    );
    const intake = spawnIntake(dataDir, fatal);
    const files = new TrackClient({ port: intake.port });
    const playout = new Player(
      { spawn: spawnPlayerThreads(time), log: log.child('player'), failed: fatal },
      { dataDir, output: setup },
    );
    const { channels, latencyUs, queueMs, volumeLimit, level } = output;
    const node: Node = new Node(
      { time, random, log: log.child('node'), consensus, files, playout },
      {
        id: recovered.node,
        incarnation: recovered.incarnation,
        bootId: boot,
        clusterId: recovered.cluster,
        name,
        version: this.#version,
        address: () => peerAddress(this.#config),
        sound: { channels, latencyUs, queueMs, volumeLimit, level },
        resumeAfterOutage,
      },
    );
    return { node, close: () => intake.end() };
  }

  #logStore(): LogStore {
    const store = this.#store ?? spawnLog(this.#config.dataDir, this.#components.fatal);
    this.#store = store;
    return store;
  }

  #self(): MemberIdentity {
    const { random } = this.#components;
    this.#newcomer ??= { node: nodeId(randomId(random)), incarnation: randomId(random) as Incarnation };
    return { ...this.#newcomer, address: peerAddress(this.#config), name: this.#config.name };
  }

  #format(cluster: ClusterId, self: MemberIdentity, configuration: Configuration): Promise<void> {
    const { node, incarnation } = self;
    return this.#logStore().format({
      cluster,
      node,
      incarnation,
      bootId: randomId(this.#components.random) as BootId,
      configuration: encodeConfiguration(configuration),
      leaseMs: configuration.timing.leaseMs,
    });
  }
}

/** An address as a person wrote it, with its port. @throws TuttiError BAD_REQUEST */
function peerPlace(text: string): string {
  const place = parseHostPort(text.trim(), PEER_PORT);
  if (place !== undefined) return hostPortText(place);
  throw new TuttiError(
    'BAD_REQUEST',
    `address: found ${JSON.stringify(text)}; right is host or host:port, such as kitchen.local or 10.0.0.2:${PEER_PORT}`,
  );
}

/** How sound leaves the node. There is no ALSA yet: `auto` finds no card. @throws TuttiError BAD_CONFIG */
function outputSetup({ output }: Config, log: Log): OutputSetup {
  const { driver, device, idleCloseS, queueMs, virtual } = output;
  if (driver === 'alsa' || driver === 'speaker') {
    throw new TuttiError(
      'BAD_CONFIG',
      `output.driver: this version has no driver "${driver}" yet; right is virtual, none or auto`,
    );
  }
  if (driver === 'auto') log.info('This version knows no sound card yet: the node is silent.', { driver: 'none' });
  return {
    driver: driver === 'auto' ? 'none' : driver,
    device: driver === 'virtual' ? 'virtual' : device === 'auto' ? '' : device,
    idleCloseS,
    queueMs,
    virtual: { ppm: virtual.ppm, capture: virtual.capture ?? '' },
  };
}
