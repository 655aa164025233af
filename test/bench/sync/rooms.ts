/**
 * Three rooms: real `tutti run` processes on test cards of 0, +80 and -60 ppm, each by a clock of its own, with real UDP between them.
 *
 * What is measured is in the cards' captures; of the nodes only what anybody may ask over HTTP is used.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Queued, State, Track, Transport } from '../../../src/http/schema.js';
import { SystemTime } from '../../../src/io/time/system-time.js';
import { buildTestCard, CardControl, writeCardConfig } from '../../card/card.js';
import type { Wires } from '../../support/wires.js';
import { folderOnDisk, freePorts, ProcessEnded, Program, until } from '../consensus/contestant.js';
import { request } from '../consensus/http-client.js';
import { processorSOf } from '../processes.js';
import { CardCapture } from './card-capture.js';
import { type ClockMaker, CRYSTALS, makeClocks } from './crystals.js';
import type { Song } from './song.js';

/** The program that ships, beside the compiled benches. */
const MAIN = fileURLToPath(new URL('../../../tutti/main.js', import.meta.url));
/** By how much the cards' crystals are faster than nominal. */
export const CARD_PPM = [0, 80, -60] as const;
/** The nodes' names, in the order of their cards and clocks. */
export const ROOM_NAMES = ['kitchen', 'attic', 'hall'] as const;
/** How the configuration of alsa-lib calls the card of each node. */
const CARD_NAME = 'card';

const hostTime = new SystemTime();
/** The host's CLOCK_MONOTONIC_RAW: the time that captures are in. Nanoseconds. */
export const hostNs = (): bigint => hostTime.now();

/** How rooms are set up. */
export interface RoomsInit {
  /** Queued, to be played round and round. */
  readonly songs: readonly Song[];
  /** The program's `main.js` to run: a mutant's; what ships by default. */
  readonly main?: string;
  /** Arguments for node itself, before the program. */
  readonly nodeArgs?: readonly string[];
  /** Further variables for every node, such as TUTTI_OUTPUT_IDLE_CLOSE_S. */
  readonly env?: Readonly<Record<string, string>>;
  /** Likewise, for one node. */
  readonly envOf?: (name: string) => Readonly<Record<string, string>>;
  /** False: the cards write nothing down, and the clocks are the host's: for counting what a node alone costs. */
  readonly watched?: boolean;
  /** Where each peer is reached in place of its own address: a relay's. */
  readonly advertise?: (index: number, own: { readonly port: number }) => { readonly port: number };
  /** Each node at the end of a cable of its own, in place of ports of this machine; the caller removes them. */
  readonly wires?: Wires;
  /** How many of the rooms there are from the beginning; all three where not given. Whoever is later starts with an empty card. */
  readonly atFirst?: number;
  /** Called when all that was decided and nothing runs yet. */
  readonly beforeStart?: () => Promise<void>;
}

/** One node with its card. */
export class Room {
  readonly name: string;
  readonly control: CardControl;
  readonly #program: Program;
  /** host:port of its HTTP. */
  readonly #http: string;
  readonly #folder: string;
  readonly #originNs: bigint;
  #capture: CardCapture | undefined;

  constructor(
    program: Program,
    init: { readonly name: string; readonly http: string; readonly folder: string; readonly originNs: bigint },
  ) {
    this.#program = program;
    this.name = init.name;
    this.#http = init.http;
    this.control = new CardControl(join(init.folder, 'control'));
    this.#folder = init.folder;
    this.#originNs = init.originNs;
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Of its HTTP. */
  get port(): number {
    return Number(this.#http.split(':')[1]);
  }

  /** A small write that changes nothing that is heard. */
  writeRequest(): Buffer {
    return request('PUT', '/api/v1/volume', this.port, JSON.stringify({ muted: false }));
  }

  get #capturePath(): string {
    return join(this.#folder, 'capture');
  }

  /** Takes all from its card: while it does not run. */
  wipe(): void {
    rmSync(join(this.#folder, 'data'), { recursive: true, force: true });
  }

  /** Milliseconds of processor time so far. */
  processorMs(): number {
    return processorSOf(this.pid) * 1_000;
  }

  /** Resident memory (proc(5), VmRSS). */
  residentMb(): number {
    return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]) / 1_000;
  }

  /** The last of what the process wrote. */
  get lastWords(): string {
    return this.#program.lastWords;
  }

  start(): void {
    this.#program.start();
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    await this.#program.end(signal);
  }

  /** A signal to a process that goes on: SIGSTOP, SIGCONT, SIGUSR2. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** What the card has written down by now. @throws Error before the card was opened for the first time */
  capture(): CardCapture {
    this.#capture ??= new CardCapture(this.#capturePath, this.#originNs);
    this.#capture.grow();
    return this.#capture;
  }

  /** True once its card was opened. */
  get hasPlayed(): boolean {
    return existsSync(this.#capturePath);
  }

  /** A call under /api/v1. @throws Error with the answer where it is refused */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await this.#fetch(method, path, body === undefined ? undefined : JSON.stringify(body))) as T;
  }

  state(): Promise<State> {
    return this.call('GET', '/state');
  }

  /** Sends it a file; answers with the track's id. */
  async upload(song: Song): Promise<string> {
    return ((await this.#fetch('PUT', `/tracks/${song.name}`, song.wav)) as Track).id;
  }

  /** A command of the transport; answers with what was agreed. */
  command(verb: string, body: object = {}): Promise<Transport> {
    return this.call('POST', `/transport/${verb}`, body);
  }

  close(): void {
    this.#capture?.close();
    this.control.close();
  }

  async #fetch(method: string, path: string, body?: string | Uint8Array): Promise<unknown> {
    if (!this.#program.running) throw new ProcessEnded(this.#program);
    const headers = { ...(typeof body === 'string' && { 'content-type': 'application/json' }), connection: 'close' };
    const init = { method, headers, ...(body !== undefined && { body: body as string }) };
    const response = await fetch(`http://${this.#http}/api/v1${path}`, init).catch(async (error) => {
      // A process that dies closes its connections first.
      await wait(200);
      throw this.#program.running ? error : new ProcessEnded(this.#program);
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${this.name}: ${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }
}

/** The house. */
export interface Rooms {
  readonly rooms: readonly [Room, Room, Room];
  /** Of the songs, in their order. */
  readonly trackIds: readonly string[];
  /** The instant from which captures count; nanoseconds of the host. */
  readonly originNs: bigint;
  /** The host's time as captures have it. */
  now(): number;
  /** What the machine could not give, in words. */
  readonly notes: readonly string[];
  /** Ends all processes and removes what they wrote. */
  stop(): Promise<void>;
}

/** Starts the nodes as one house, or says why it cannot. */
export async function startRooms(init: RoomsInit): Promise<Rooms | { readonly missing: string }> {
  const watched = init.watched ?? true;
  const card = await buildTestCard();
  if ('missing' in card) return card;
  const folder = folderOnDisk();
  const originNs = hostNs();
  const clocks = makeClocks(folder, originNs);
  if ('missing' in clocks) return clocks;
  const { wires } = init;
  const ports = await freePorts(6);
  const own = (index: number) => ({ port: ports[3 + index]! });
  const houseHost = (index: number) => wires?.houseAddress(index) ?? '127.0.0.1';
  const advertised = (index: number) =>
    `${houseHost(index)}:${(init.advertise?.(index, own(index)) ?? own(index)).port}`;
  const http = (index: number) => `${wires?.benchAddress(index) ?? '127.0.0.1'}:${ports[index]}`;
  const keyFile = join(folder, 'cluster.key');
  writeFileSync(keyFile, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  const rooms = ROOM_NAMES.map((name, index) => {
    const home = join(folder, name);
    mkdirSync(home);
    const { env: cardEnv } = writeCardConfig(card, {
      path: join(home, 'asound.conf'),
      cards: {
        [CARD_NAME]: {
          ppm: CARD_PPM[index]!,
          rates: [48_000],
          control: join(home, 'control'),
          ...(watched && { capture: join(home, 'capture') }),
        },
      },
    });
    const role = index === 0 ? ['--init'] : ['--join', advertised(0)];
    const plain = [
      process.execPath,
      ...(init.nodeArgs ?? []),
      init.main ?? MAIN,
      'run',
      '--data',
      join(home, 'data'),
      ...role,
    ];
    const { command, env: clockEnv } = watched
      ? (clocks as ClockMaker).wrap(CRYSTALS[index]!, plain)
      : { command: plain, env: {} };
    const wired = wires?.wrap(index, command) ?? command;
    const further = init.envOf?.(name) ?? {};
    // Of two libraries that are to be preloaded neither takes the other's place.
    const preloads = [clockEnv, further].flatMap(({ LD_PRELOAD }: { LD_PRELOAD?: string }) => LD_PRELOAD ?? []);
    const env = {
      PATH: process.env.PATH,
      TUTTI_NAME: name,
      TUTTI_CLUSTER_KEY_FILE: keyFile,
      TUTTI_CLUSTER_LISTEN: `${houseHost(index)}:${own(index).port}`,
      TUTTI_CLUSTER_ADVERTISE: advertised(index),
      TUTTI_HTTP_LISTEN: http(index),
      TUTTI_OUTPUT_DRIVER: 'alsa',
      TUTTI_OUTPUT_DEVICE: CARD_NAME,
      TUTTI_LOG_LEVEL: 'info',
      ...cardEnv,
      ...clockEnv,
      ...init.env,
      ...further,
      ...(preloads.length > 0 && { LD_PRELOAD: preloads.join(':') }),
    };
    return new Room(new Program(wired, env), { name, http: http(index), folder: home, originNs });
  }) as [Room, Room, Room];
  const tracksOf = (room: Room) => join(folder, room.name, 'data', 'tracks');
  const trackIds: string[] = [];
  const stop = async () => {
    await Promise.all(rooms.map((room) => room.end('SIGTERM')));
    for (const room of rooms) room.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await init.beforeStart?.();
    const { atFirst = rooms.length } = init;
    for (const room of rooms.slice(0, atFirst)) {
      // The files of songs come to every room by themselves one day; until then they are put there.
      if (room !== rooms[0]) cpSync(tracksOf(rooms[0]), tracksOf(room), { recursive: true });
      room.start();
      await until(`${room.name} takes part`, async () => (await room.state()).cluster.leader !== null);
      if (room === rooms[0]) for (const song of init.songs) trackIds.push(await room.upload(song));
    }
    // Two cannot outvote one another: there one votes alone.
    const voters = atFirst < 3 ? 1 : 3;
    await until('all vote that should', async () => (await rooms[0].state()).cluster.votersOnline === voters);
    await rooms[0].call<Queued>('POST', '/queue', { trackIds });
    await rooms[0].command('mode', { repeat: 'all' });
  } catch (error) {
    await stop();
    throw error;
  }
  const notes = clocks.withoutOffsets === undefined ? [] : [clocks.withoutOffsets];
  return { rooms, trackIds, originNs, notes, stop, now: () => Number(hostNs() - originNs) };
}

/** Waits until every node says that it gives sound. */
export async function allSound({ rooms }: { readonly rooms: readonly Room[] }): Promise<void> {
  await until('every room plays', async () => {
    const states = await Promise.all(rooms.map((room) => room.state()));
    return states.every(({ node, nodes }) => nodes.find(({ id }) => id === node.id)?.output.state === 'playing');
  });
}

/** The room that leads, and the others. */
export async function byRank({ rooms }: Pick<Rooms, 'rooms'>): Promise<{ leader: Room; followers: [Room, Room] }> {
  const leader = await until('somebody leads', async () => {
    for (const room of rooms) if ((await room.state()).cluster.role === 'leader') return room;
    return undefined;
  });
  return { leader, followers: rooms.filter((room) => room !== leader) as [Room, Room] };
}

/** Lets time pass: what is heard meanwhile is the measurement. */
export const listen = (seconds: number): Promise<void> => wait(seconds * 1_000);
