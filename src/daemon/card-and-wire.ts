/**
 * CardAndWire: the ground that a real daemon stands on. Its log on the disk, the threads beside the main one, and the way to other nodes.
 *
 * A node's ids are made where its store is made, and read from there ever after. While a daemon waits, only the log's thread runs.
 */
import { MessageChannel } from 'node:worker_threads';
import type { Config } from '../config/config.js';
import { hostPortText, parseHostPort } from '../config/host-port.js';
import { TuttiError } from '../core/errors.js';
import { type BootId, type ClusterId, clusterId, slot } from '../core/ids.js';
import { NodeDisk } from '../io/fs/node-disk.js';
import { ThreadLeaseLamp } from '../io/gpio/lease-lamp.js';
import { TlsKnocker } from '../io/net/tls-knocker.js';
import { TlsPeerLink } from '../io/net/tls-peer-link.js';
import type { Ground, JoinRequest, OpenedNode } from '../node/house.js';
import type { MachineTrouble } from '../node/machine-troubles.js';
import { Node } from '../node/node.js';
import { randomId } from '../node/random-id.js';
import { encodeConfiguration } from '../paxos/codec.js';
import type { Configuration, Timing } from '../paxos/configuration.js';
import { Player } from '../player/player.js';
import type { Log } from '../ports/log.js';
import type { Random } from '../ports/random.js';
import type { Time } from '../ports/time.js';
import { join } from '../replication/admission.js';
import type { LogThread } from '../replication/log-thread.js';
import { PeerHub } from '../replication/peer-hub.js';
import { Replica } from '../replication/replica.js';
import type { MemberIdentity } from '../replication/replicated-log.js';
import { STORE_LIMITS } from '../storage/limits.js';
import { InboxClient } from '../tracks/inbox-client.js';
import { TrackClient } from '../tracks/track-client.js';
import { spawnPlayerThreads } from '../workers/spawn.js';
import { spawnClock } from '../workers/spawn-clock.js';
import { spawnIntake } from '../workers/spawn-intake.js';
import { spawnLog } from '../workers/spawn-log.js';
import { clockAddress, peerAddress } from './addresses.js';
import type { Hardware } from './controls.js';
import { Newcomer } from './newcomer.js';
import { outputSetup } from './output-setup.js';
import { checkPeerPort } from './peer-port.js';
import { checkKey, dropKey, keepKey, makeKey, readKey, typedKey } from './secret-files.js';
import type { Vital } from './watchdog.js';

/** The port of cluster.listen where an address names none. */
const PEER_PORT = 7_420;
/** A lease is shorter than an election's patience, so that a leader that was cut off has let go before another is chosen: 450 of 500 ms. */
const LEASE_SHARE = 0.9;
/** A card that has not come back from a sync for so long will not. Cards pause for a second or two when they tidy up. Milliseconds. */
const SYNC_MS_MAX = 30_000;
/** The player's thread says twice a second that it turns; the slowest drivers of sound cards block it for a second. Milliseconds. */
const PLAYER_MS_MAX = 15_000;

/** What of the controls is the node's own. */
type LampHardware = Pick<Hardware, 'leaderLamp' | 'calls'>;

/** What the ground is made of. */
export interface CardAndWireComponents {
  readonly time: Time;
  readonly log: Log;
  readonly random: Random;
  /** Ends the process: a thread died, a disk failed, or an invariant broke. */
  readonly fatal: (error: unknown) => void;
  readonly hardware: LampHardware;
  /** What is wrong with the controls, for the node to show. */
  readonly machineTroubles: () => readonly MachineTrouble[];
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
  #store: LogThread | null = null;
  #vitals: readonly Vital[] = [];
  readonly #newcomer: Newcomer;

  constructor(components: CardAndWireComponents, { config, version }: CardAndWireInit) {
    this.#components = components;
    this.#config = config;
    this.#version = version;
    const disk = new NodeDisk({ root: config.dataDir });
    this.#newcomer = new Newcomer({ disk, random: components.random }, { limits: STORE_LIMITS });
  }

  async stop(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    await store?.close();
  }

  /** What of the node may hang by itself; nothing before there is a node. */
  vitals(): readonly Vital[] {
    return this.#vitals;
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
    this.#newcomer.checkRoom();
    await checkPeerPort(this.#config.cluster.listen);
    const isKeyNew = makeKey(this.#config.cluster.keyFile);
    const self = this.#self();
    const { heartbeatMs, electionMs } = this.#config.cluster;
    const timing: Timing = { heartbeatMs, electionMs, leaseMs: Math.floor(LEASE_SHARE * electionMs) };
    const cluster = clusterId(randomId(this.#components.random));
    const members = [{ ...self, voter: true }];
    await this.#format({ cluster, self, configuration: { id: 1, after: slot(0), members, timing }, isKeyNew });
  }

  async join(request: JoinRequest, signal: AbortSignal): Promise<void> {
    const { addresses, key: given, replace = null } = request;
    const { keyFile } = this.#config.cluster;
    const key = given === null ? readKey(keyFile) : typedKey(given);
    if (key === null) {
      throw new TuttiError('BAD_REQUEST', `no key was given, and ${keyFile} is not there; tutti invite prints the key`);
    }
    checkKey(keyFile, key);
    this.#newcomer.checkRoom();
    await checkPeerPort(this.#config.cluster.listen);
    const member = this.#self();
    const knocker = new TlsKnocker({ time: this.#components.time });
    const places = addresses.map(peerPlace);
    const { cluster, configuration } = await join({ knocker }, { member, replace, addresses: places, key, signal });
    // Only now it is known to be the right one. The store comes last: a card that has one is a node, and needs its key.
    const isKeyNew = keepKey(keyFile, key);
    await this.#format({ cluster, self: member, configuration, isKeyNew });
  }

  async open(): Promise<OpenedNode> {
    const { time, log, random, fatal, hardware, machineTroubles } = this.#components;
    const { dataDir, name, output, cluster, clock, inbox, resumeAfterOutage } = this.#config;
    const key = readKey(cluster.keyFile);
    if (key === null) {
      throw new TuttiError(
        'BAD_CONFIG',
        `cluster.key_file: ${cluster.keyFile} is not there; right is the key of the cluster that this node belongs to`,
      );
    }
    // A power cut may have come between the store and this.
    this.#newcomer.forget();
    const setup = outputSetup({ log }, output);
    const boot = randomId(random) as BootId;
    const store = this.#logStore();
    const recovered = await store.open(boot, fatal);
    // From here on it is the replica's to close.
    this.#store = null;
    const hub = new PeerHub({ time });
    let link: TlsPeerLink | null = null;
    const lamp = leaderLamp(hardware, log.child('lamp'));
    const peerClocks = spawnClock(
      { node: recovered.node, boot, key, listen: await clockAddress(cluster.listen), lamp: lamp?.far },
      { log: log.child('clock'), died: fatal },
    );
    const consensus: Replica = new Replica(
      {
        time,
        log: log.child('consensus'),
        store,
        link: (identity) => {
          link = new TlsPeerLink(
            { time, random, log },
            { ...identity, key, listen: cluster.listen, advertise: () => peerAddress(this.#config) },
          );
          return hub.over(link);
        },
        peerClocks,
      },
      {
        boot,
        recovered,
        seed: random.u32(),
        leadMs: () => node.leadMs,
        gate: (members) => node.gate(members),
        failed: fatal,
        defer: setImmediate,
      },
    );
    const intake = spawnIntake({ dataDir, inboxDir: inbox.dir, commits: store.commits }, fatal);
    const files = new TrackClient({ port: intake.port });
    const copiedIn = new InboxClient({ port: intake.inbox, log: log.child('inbox') });
    const playout = new Player(
      { spawn: spawnPlayerThreads(time), log: log.child('player'), failed: fatal },
      { dataDir, output: setup },
    );
    this.#vitals = [
      { name: 'disk', patienceMs: SYNC_MS_MAX, sign: () => store.waitsFor },
      { name: 'player', patienceMs: PLAYER_MS_MAX, sign: () => playout.pulse },
    ];
    const { channels, latencyUs, queueMs, volumeLimit, level } = output;
    const node: Node = new Node(
      {
        time,
        random,
        log: log.child('node'),
        consensus,
        files,
        mail: hub.mail,
        inbox: copiedIn,
        playout,
        ...(lamp && { lamp: lamp.near }),
        machineTroubles,
      },
      {
        id: recovered.node,
        incarnation: recovered.incarnation,
        bootId: boot,
        clusterId: recovered.cluster,
        name,
        version: this.#version,
        address: () => peerAddress(this.#config),
        closedConnections: () => ({ ...link?.counters() }),
        refusedDatagrams: () => ({ ...peerClocks.counts() }),
        sound: { channels, latencyUs, queueMs, volumeLimit, level },
        clockErrorUs: clock.maxErrorUs,
        resumeAfterOutage,
      },
    );
    return { node, close: () => intake.end() };
  }

  #logStore(): LogThread {
    const store = this.#store ?? spawnLog(this.#config.dataDir, this.#components.fatal);
    this.#store = store;
    return store;
  }

  #self(): MemberIdentity {
    return { ...this.#newcomer.ids(), address: peerAddress(this.#config), name: this.#config.name };
  }

  /** Makes the store; where that fails, a key that was made for it goes too. */
  async #format(made: {
    readonly cluster: ClusterId;
    readonly self: MemberIdentity;
    readonly configuration: Configuration;
    readonly isKeyNew: boolean;
  }): Promise<void> {
    const { cluster, self, configuration, isKeyNew } = made;
    const { node, incarnation } = self;
    try {
      await this.#logStore().format({
        cluster,
        node,
        incarnation,
        bootId: randomId(this.#components.random) as BootId,
        configuration: encodeConfiguration(configuration),
        leaseMs: configuration.timing.leaseMs,
      });
    } catch (error) {
      if (isKeyNew) dropKey(this.#config.cluster.keyFile);
      throw error;
    }
    this.#newcomer.forget();
  }
}

/** The leader's lamp, and the port by which the clock's thread lights it. */
function leaderLamp({ leaderLamp: wire, calls }: LampHardware, log: Log) {
  if (wire === undefined) return undefined;
  const { port1, port2 } = new MessageChannel();
  return { near: new ThreadLeaseLamp({ port: port1, wire, calls, log }), far: port2 };
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
