/** A node with everything around it that is not a disk of its own, a thread or a network: fake time, fake disk, no sound. */

import type { ClockLine } from '../../src/core/clock-line.js';
import type { TuttiError } from '../../src/core/errors.js';
import type { BootId, ClusterId, Incarnation, NodeId } from '../../src/core/ids.js';
import { HttpServer, type HttpServerInit } from '../../src/http/server.js';
import {
  type Ground,
  House,
  type JoinRequest,
  type HouseInit as LifeInit,
  type OpenedNode,
} from '../../src/node/house.js';
import { Node, type NodeComponents } from '../../src/node/node.js';
import type { NodeInit } from '../../src/node/node-init.js';
import type { Playout } from '../../src/node/playing.js';
import type { SoundSettings } from '../../src/node/program.js';
import type { AskLacks } from '../../src/node/track-safety.js';
import type { PlayerStatus } from '../../src/player/loop.js';
import type { Program } from '../../src/player/program.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { FakeRandom } from '../../src/ports/fake-random.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import type { PeerMail } from '../../src/ports/peer-mail.js';
import type { InboxClient } from '../../src/tracks/inbox-client.js';
import { type StorePort, serveTrackStore, TrackClient } from '../../src/tracks/track-client.js';
import { TrackStore } from '../../src/tracks/track-store.js';
import { FakeReplicatedLog } from './fake-replicated-log.js';
import { plainWav } from './wav-files.js';

/** Two ends of a channel within one thread. Messages are cloned and buffers moved, as between threads, and arrive a turn later. */
export function portPair(): [StorePort, StorePort] {
  const listeners: ((message: unknown) => void)[][] = [[], []];
  const end = (own: number): StorePort => ({
    postMessage(message, transfer = []) {
      const copy = structuredClone(message, { transfer: [...transfer] as ArrayBuffer[] });
      queueMicrotask(() => {
        for (const listener of listeners[1 - own]!) listener(copy);
      });
    },
    on: (_event, listener) => listeners[own]!.push(listener),
  });
  return [end(0), end(1)];
}

/** A player that makes no sound and remembers what it was told. */
export class SilentPlayout implements Playout {
  readonly programs: Program[] = [];
  clock: ClockLine | null = null;
  mayStart = false;
  isRunning = false;
  current: PlayerStatus = {
    driver: 'virtual',
    device: 'virtual',
    state: 'idle',
    errorUs: 0,
    ppm: 0,
    underruns: 0,
    late: 0,
    snaps: 0,
    clipped: 0,
  };

  start(): Promise<void> {
    this.isRunning = true;
    return Promise.resolve();
  }
  set(program: Program): void {
    this.programs.push(program);
  }
  setClock(line: ClockLine, mayStart: boolean): void {
    this.clock = line;
    this.mayStart = mayStart;
  }
  status(): PlayerStatus {
    return this.current;
  }
  stop(): Promise<void> {
    this.isRunning = false;
    return Promise.resolve();
  }
  /** What it was told last. */
  get program(): Program {
    return this.programs.at(-1)!;
  }
}

/** Connections of a node that is alone. */
export class QuietMail implements PeerMail {
  start(): void {}
  send(): boolean {
    return false;
  }
  queuedBytes(): number {
    return 0;
  }
  roundTripMs(): null {
    return null;
  }
  stop(): void {}
}

export interface HouseInit {
  readonly disk?: FakeDisk;
  readonly sound?: Partial<SoundSettings>;
  readonly http?: Partial<HttpServerInit>;
  readonly node?: Partial<NodeInit>;
  /** Connections to other nodes; there are none where it is left out. */
  readonly mail?: PeerMail;
  readonly inbox?: InboxClient;
  /** What members say when they are asked what they lack; nobody is asked where it is left out. */
  readonly lacks?: AskLacks;
  readonly machineTroubles?: NodeComponents['machineTroubles'];
  /** False: the card is empty, and the daemon waits. */
  readonly isMember?: boolean;
}

export const NODE_ID = 'a'.repeat(32) as NodeId;
export const CLUSTER_ID = 'd'.repeat(32) as ClusterId;
const INCARNATION = 'b'.repeat(32) as Incarnation;
const SELF: LifeInit = { name: 'kitchen', version: '1.2.3' };

/** One daemon, built and not started. `ground` says what init and join came to. */
export function buildHouse(init: HouseInit = {}) {
  const time = new FakeTime();
  const disk = init.disk ?? new FakeDisk();
  const log = new FakeLog();
  const [near, far] = portPair();
  const store = new TrackStore({ disk, time, pace: () => {} });
  serveTrackStore(store, far);
  const files = new TrackClient({ port: near });
  const playout = new SilentPlayout();
  const address = '192.0.2.1:7420';
  const consensus: FakeReplicatedLog = new FakeReplicatedLog(
    { time },
    { self: { node: NODE_ID, incarnation: INCARNATION, address, name: SELF.name }, leadMs: () => node.leadMs },
  );
  const node: Node = new Node(
    {
      time,
      random: new FakeRandom(),
      log,
      consensus,
      files,
      playout,
      mail: init.mail ?? new QuietMail(),
      ...(init.inbox && { inbox: init.inbox }),
      ...(init.lacks && { lacks: init.lacks }),
      ...(init.machineTroubles && { machineTroubles: init.machineTroubles }),
    },
    {
      ...SELF,
      id: NODE_ID,
      incarnation: INCARNATION,
      bootId: 'c'.repeat(32) as BootId,
      clusterId: CLUSTER_ID,
      address: () => address,
      sound: { channels: 'stereo', latencyUs: 0, queueMs: 60, volumeLimit: 100, level: 'off', ...init.sound },
      clockErrorUs: 500,
      resumeAfterOutage: 'paused',
      ...init.node,
    },
  );
  const ground = new FakeGround(node, init.isMember ?? true);
  const house = new House(
    { ground, time, log, ...(init.machineTroubles && { machineTroubles: init.machineTroubles }) },
    SELF,
  );
  const http = new HttpServer(
    { house, time, log },
    {
      host: '127.0.0.1',
      port: 0,
      addresses: () => ['192.0.2.1', 'fe80::1'],
      publicHost: () => '127.0.0.1',
      token: null,
      ...init.http,
    },
  );
  return { time, disk, log, store, files, playout, consensus, node, ground, house, http };
}

/** A card and a wire that do as a test says. */
export class FakeGround implements Ground {
  readonly #node: Node;
  isFormatted: boolean;
  /** What joining comes to, each time that it is tried; done where there is none. */
  readonly failures: TuttiError[] = [];
  readonly joins: JoinRequest[] = [];
  closed = 0;

  constructor(node: Node, isFormatted: boolean) {
    this.#node = node;
    this.isFormatted = isFormatted;
  }

  hasStore(): Promise<boolean> {
    return Promise.resolve(this.isFormatted);
  }
  async init(): Promise<void> {
    await this.#make();
  }
  async join(request: JoinRequest): Promise<void> {
    this.joins.push(request);
    await this.#make();
  }
  open(): Promise<OpenedNode> {
    const close = () => {
      this.closed += 1;
      return Promise.resolve();
    };
    return Promise.resolve({ node: this.#node, close });
  }
  async #make(): Promise<void> {
    await Promise.resolve();
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.isFormatted = true;
  }
}

export type TestHouse = ReturnType<typeof buildHouse>;

/** One daemon, running until the test ends. */
export async function startHouse(
  t: { teardown(callback: () => unknown): unknown },
  init: HouseInit = {},
): Promise<TestHouse> {
  const house = buildHouse(init);
  await house.house.start();
  t.teardown(async () => {
    await house.http.stop();
    await house.house.stop();
  });
  return house;
}

/** Waits until it is so, while time passes: 100 s of it at most. */
export async function until({ time }: Pick<TestHouse, 'time'>, isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries > 1_000) throw new Error('it is still not so');
    time.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A WAV of `ms` milliseconds at 48 kHz, mono, 16 bits, whose samples depend on `seed`. */
export function song(ms: number, seed = 1): Uint8Array {
  const data = new Uint8Array(ms * 48 * 2);
  for (let i = 0; i < data.length; i++) data[i] = (i * 31 * seed + (i >> 7) * seed) & 0xff;
  return plainWav({ channels: 1, sampleRate: 48_000, bits: 16 }, data);
}

/** Bytes as they come from a network, in pieces. */
export async function* pieces(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

/** Puts a song into the library by way of the node. */
export async function addSong(node: Node, fileName: string, file: Uint8Array, key?: string) {
  const incoming = { fileName, uploadId: fileName, via: 'http', totalBytes: file.length, body: pieces(file) } as const;
  return node.wishes.addTrack(incoming, { node: NODE_ID, via: 'api', ...(key !== undefined && { key }) });
}
