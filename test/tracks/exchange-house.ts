/**
 * A house of exchanges: real ones, over hubs and connections of a fake network, with files on fake cards. A test owns the time, the
 * network, the cards, and what gets lost on the way.
 */
import type { Test } from 'tap';
import { type Incarnation, type NodeId, nodeId, type Slot, type TrackId } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import type { ChunkLimits } from '../../src/library/chunks.js';
import { stands } from '../../src/library/holding.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { FakeNetwork, type PathConditions } from '../../src/ports/fake-network.js';
import { FakePeerLink } from '../../src/ports/fake-peer-link.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import type { Channel } from '../../src/ports/peer-link.js';
import type { PeerMail } from '../../src/ports/peer-mail.js';
import { PeerHub } from '../../src/replication/peer-hub.js';
import { TrackExchange } from '../../src/tracks/exchange.js';
import { FakeCard, FakeChunkFiles } from '../../src/tracks/fake-chunk-files.js';
import type { Release } from '../../src/tracks/leaving.js';
import { decodeMessage, encodeMessage, type Message } from '../../src/tracks/messages.js';
import { QUIET_HANDLERS } from '../contract/peer-link.js';
import { type ChunkedFile, type ChunkedFileInit, chunkedFile } from '../support/chunked-file.js';

/** Small chunks, so that files of some kilobytes have many. */
export const CHUNK_BYTES = 256;
const LIMITS: ChunkLimits = { bytesMin: CHUNK_BYTES, bytesMax: CHUNK_BYTES, countAim: 1_024 };

/** What a test does to messages on their way: another message, the same, or null for none. */
export type Meddler = (from: NodeId, to: NodeId, message: Message) => Message | null;

/** One node. */
export interface Station {
  readonly id: NodeId;
  readonly host: string;
  readonly card: FakeCard;
  readonly log: FakeLog;
  files: FakeChunkFiles;
  exchange: TrackExchange;
  hub: PeerHub;
  isOn: boolean;
  /** Such as `arrived 1a2b`, of all starts. */
  readonly events: string[];
  /** What it was told that may go, at all starts. */
  readonly releases: Release[];
  /** Chunks that it sent on the bulk channel, and the most bytes that waited there for one peer. */
  chunksSent: number;
  queuedBytesMost: number;
}

/** Several nodes on one network. */
export class House {
  readonly time = new FakeTime();
  readonly network: FakeNetwork;
  readonly stations: Station[] = [];
  meddle: Meddler = (_from, _to, message) => message;
  /** In which slot each last took its words back. */
  readonly retractedIn = new Map<NodeId, Slot>();
  readonly #prng: Prng;
  #files = 0;

  constructor(
    t: Test,
    names: string,
    { seed = 1, ...conditions }: Partial<PathConditions> & { readonly seed?: number } = {},
  ) {
    this.network = new FakeNetwork({ time: this.time }, { seed, jitterMs: 2, ...conditions });
    this.#prng = new Prng(seed);
    for (const name of names) this.stations.push(this.#newStation(nodeId(name.repeat(32))));
    t.teardown(() => {
      for (const station of this.stations) this.kill(station);
    });
  }

  /** A file that no other has the bytes of. */
  newFile(init: Partial<ChunkedFileInit> = {}): ChunkedFile {
    return chunkedFile({ seed: ++this.#files, bytes: 20 * CHUNK_BYTES + 7, chunkBytes: CHUNK_BYTES, ...init });
  }

  /** Puts a file in its place, as an upload does. */
  hold(station: Station, file: ChunkedFile): void {
    station.card.hold(file.track, file.outline, file.bytes);
    if (station.isOn) station.exchange.took(file.track.id);
  }

  /** The library of each of these nodes has this track. */
  want(file: ChunkedFile, ...stations: readonly Station[]): void {
    for (const { exchange } of stations.length > 0 ? stations : this.stations) exchange.want(file.track);
  }

  async start(...stations: readonly Station[]): Promise<void> {
    for (const station of stations.length > 0 ? stations : this.stations) {
      this.#boot(station);
      const others = this.stations.filter((other) => other !== station);
      station.hub.link.setPeers(new Map(others.map(({ id, host }) => [id, `${host}:7420`])));
      await station.hub.link.start(QUIET_HANDLERS);
    }
  }

  /** Ends the process: what the card has done stays. */
  kill(station: Station): void {
    if (!station.isOn) return;
    station.isOn = false;
    station.files.kill();
    station.exchange.stop();
    void station.hub.link.stop();
  }

  /** Lets `ms` milliseconds pass. */
  async pass(ms = 1): Promise<void> {
    this.time.advance(ms);
    await new Promise(setImmediate);
  }

  /** Lets time pass until `isSo`; fails where it is not after `msMax`. */
  async until(isSo: () => boolean, what: string, msMax = 60_000): Promise<void> {
    const endMs = this.nowMs() + msMax;
    while (!isSo()) {
      if (this.nowMs() > endMs) throw new Error(`still not so after ${msMax} ms: ${what}`);
      await this.pass(2);
    }
  }

  /** Lets so much time pass that all nodes that are on are connected, and have said what they hold. */
  async allUp(): Promise<void> {
    await this.pass(500);
  }

  nowMs(): number {
    return Number(this.time.now()) / 1e6;
  }

  /** True where all of these hold the file, and all of all nodes know it. */
  isEverywhere({ track: { id } }: ChunkedFile, stations: readonly Station[] = this.stations): boolean {
    const ids = stations.map((station) => station.id).toSorted();
    return stations.every((station) => {
      const known = station.exchange.holders(id).map(({ node }) => node);
      return station.card.held.has(id) && ids.every((node) => known.includes(node));
    });
  }

  /** True with a probability. */
  chance(share: number): boolean {
    return this.#prng.fraction() < share;
  }

  #newStation(id: NodeId): Station {
    const card = new FakeCard();
    const host = `10.0.0.${id.charCodeAt(0)}`;
    const log = new FakeLog();
    const base = { id, host, card, log, events: [], releases: [], isOn: false, chunksSent: 0, queuedBytesMost: 0 };
    return { ...base, ...this.#newProcess(base) };
  }

  #newProcess({ id, host, card, log }: Pick<Station, 'id' | 'host' | 'card' | 'log'>) {
    const link = new FakePeerLink({ network: this.network }, { node: id, address: { host, port: 7_420 } });
    const hub = new PeerHub({ time: this.time });
    hub.over(link);
    const files = new FakeChunkFiles({ time: this.time, card });
    const exchange = new TrackExchange(
      {
        mail: this.#mail(id, hub.mail),
        files,
        time: this.time,
        log,
        stillCounts: (holder) => stands(holder, this.retractedIn.get(holder.node)),
      },
      { self: id, incarnation: id as string as Incarnation, chunkLimits: LIMITS },
    );
    return { hub, files, exchange };
  }

  /** A process that was killed is followed by another. */
  #boot(station: Station): void {
    const { card, events } = station;
    if (events.includes('started')) Object.assign(station, this.#newProcess(station));
    events.push('started');
    station.isOn = true;
    const note = (what: string, id: TrackId) => events.push(`${what} ${id.slice(0, 4)}`);
    const { exchange } = station;
    exchange.start(
      { held: [...card.held.keys()], arriving: [...card.arriving.keys()], leftOut: [...card.leftOut.keys()] },
      {
        arrived: ({ id }) => note('arrived', id),
        withdrawn: (id) => note('withdrawn', id),
        released: (release) => {
          station.releases.push(release);
          for (const id of release.ids) note('released', id);
        },
        kept: () => {},
        changed: () => {},
      },
    );
  }

  #mail(from: NodeId, mail: PeerMail): PeerMail {
    return {
      start: (handlers) => mail.start(handlers),
      queuedBytes: (to, channel) => mail.queuedBytes(to, channel),
      roundTripMs: (peer) => mail.roundTripMs(peer),
      stop: () => mail.stop(),
      send: (to, channel, bytes) => this.#sent(from, mail, to, channel, bytes),
    };
  }

  #sent(from: NodeId, mail: PeerMail, to: NodeId, channel: Channel, bytes: Uint8Array): boolean {
    const message = this.meddle(from, to, decodeMessage(bytes));
    if (message === null) return true;
    const isSent = mail.send(to, channel, encodeMessage(message));
    const station = this.stations.find(({ id }) => id === from)!;
    if (message.type === 'chunk') station.chunksSent++;
    station.queuedBytesMost = Math.max(station.queuedBytesMost, mail.queuedBytes(to, 'bulk'));
    return isSent;
  }
}

/** How events name a file. */
export const short = ({ track }: ChunkedFile): string => track.id.slice(0, 4);

/** The card's file is what it should be. */
export const isRight = (station: Station, file: ChunkedFile): boolean => {
  const held = station.card.held.get(file.track.id);
  return held !== undefined && Buffer.from(held.bytes).equals(file.bytes);
};

/** Who holds a file as one node knows it, such as `ac`. */
export const holdersOf = (station: Station, file: ChunkedFile): string =>
  station.exchange
    .holders(file.track.id)
    .map(({ node }) => node[0])
    .toSorted()
    .join('');

/** What a promise comes to, while time passes. */
export async function settled<T>(house: House, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const done = promise.finally(() => {
    isSettled = true;
  });
  await house.until(() => isSettled, 'it is settled');
  return done;
}
