/**
 * Ours: three `tutti run`, or as many as one likes, formed with --init and --join, with TLS between them, real syncs and no sound card; over the
 * loopback interface, or each at the end of a cable of its own.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Wires } from '../../support/wires.js';
import {
  type Contestant,
  folderOnDisk,
  freePorts,
  leaderOf,
  type Member,
  ProcessEnded,
  Program,
  type Timing,
  until,
} from './contestant.js';
import { askOnce, LOOPBACK, request } from './http-client.js';

/** The compiled program, beside the compiled benches. */
const MAIN = fileURLToPath(new URL('../../../tutti/main.js', import.meta.url));

/** How a house is set up. */
export interface HouseInit {
  /** How many nodes. */
  readonly nodes?: number;
  readonly timing?: Timing;
  /** Each sync of the log takes this much longer, milliseconds: as an SD card's. */
  readonly syncDelayMs?: number;
  /** Arguments for node itself, before the program. */
  readonly nodeArgs?: readonly string[];
  /** Holds the data directories; made by the house and removed with it where not given. */
  readonly folder?: string;
  /** Further variables for every node. */
  readonly env?: Readonly<Record<string, string>>;
  /** Likewise, for one node. */
  readonly envOf?: (index: number) => Readonly<Record<string, string>>;
  /** Each node at the end of a cable of its own; the caller removes them. */
  readonly wires?: Wires;
}

/** A house of ours. */
export interface House extends Contestant {
  readonly members: readonly TuttiMember[];
}

/** What the benches read of GET /state. */
interface State {
  readonly node: { readonly id: string };
  readonly cluster: {
    readonly id: string | null;
    readonly leader: string | null;
    readonly quorum: boolean;
    readonly voters: number;
    readonly votersOnline: number;
    readonly appliedSlot: number;
  };
}

/** One of its nodes. */
export class TuttiMember implements Member {
  readonly port: number;
  /** Where its HTTP is. */
  readonly host: string;
  /** Its data directory. */
  readonly folder: string;
  readonly #program: Program;
  readonly #state: Buffer;
  /** Node ids of all, by index: known once the house runs. */
  readonly #ids: string[];

  constructor(
    program: Program,
    init: { readonly host: string; readonly port: number; readonly folder: string; readonly ids: string[] },
  ) {
    const { host, port, folder, ids } = init;
    this.#program = program;
    this.host = host;
    this.port = port;
    this.folder = folder;
    this.#state = request('GET', '/api/v1/state', port);
    this.#ids = ids;
  }

  get pid(): number {
    return this.#program.pid;
  }

  start(): void {
    this.#program.start();
  }

  end(signal: NodeJS.Signals): Promise<void> {
    return this.#program.end(signal);
  }

  async state(): Promise<State> {
    if (!this.#program.running) throw new ProcessEnded(this.#program);
    const { status, body } = await askOnce(this.port, this.#state, this.host);
    if (status !== 200) throw new Error(`the node answers ${status}: ${body}`);
    return JSON.parse(body) as State;
  }

  async appliedIndex(): Promise<number> {
    return (await this.state()).cluster.appliedSlot;
  }

  async leader(): Promise<number | undefined> {
    const index = this.#ids.indexOf((await this.state()).cluster.leader ?? '');
    return index < 0 ? undefined : index;
  }

  writeRequest(n: number): Buffer {
    return request('PUT', '/api/v1/volume', this.port, JSON.stringify({ volume: n % 101 }));
  }

  strongReadRequest(): Buffer {
    return request('GET', '/api/v1/queue?consistency=strong', this.port);
  }
}

/** Starts the nodes one after another and waits until all take part, and as many vote as ever will. */
export async function startHouse(init: HouseInit = {}): Promise<House> {
  const { nodes = 3, timing, syncDelayMs, nodeArgs = [], wires } = init;
  const folder = init.folder ?? folderOnDisk();
  const ports = await freePorts(2 * nodes);
  const peerAddress = (index: number) => `${wires?.houseAddress(index) ?? LOOPBACK}:${ports[nodes + index]}`;
  const keyFile = join(folder, 'cluster.key');
  writeFileSync(keyFile, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  const ids: string[] = [];
  const members = Array.from({ length: nodes }, (_, index) => {
    const dataDir = join(folder, `node-${index}`);
    mkdirSync(dataDir);
    const role = index === 0 ? ['--init'] : ['--join', peerAddress(0)];
    const plain = [process.execPath, ...nodeArgs, MAIN, 'run', '--data', dataDir, ...role];
    const command = wires?.wrap(index, plain) ?? plain;
    const host = wires?.benchAddress(index) ?? LOOPBACK;
    const port = ports[index]!;
    const env = {
      PATH: process.env.PATH,
      TUTTI_NAME: `node-${index}`,
      TUTTI_CLUSTER_KEY_FILE: keyFile,
      TUTTI_CLUSTER_LISTEN: peerAddress(index),
      TUTTI_CLUSTER_ADVERTISE: peerAddress(index),
      TUTTI_HTTP_LISTEN: `${host}:${port}`,
      TUTTI_OUTPUT_DRIVER: 'none',
      TUTTI_LOG_LEVEL: 'warn',
      ...(timing && {
        TUTTI_CLUSTER_HEARTBEAT_MS: String(timing.heartbeatMs),
        TUTTI_CLUSTER_ELECTION_MS: String(timing.electionMs),
      }),
      ...(syncDelayMs !== undefined && { TUTTI_TEST_SYNC_DELAY_MS: String(syncDelayMs) }),
      ...init.env,
      ...init.envOf?.(index),
    };
    return new TuttiMember(new Program(command, env), { host, port, folder: dataDir, ids });
  });
  for (const member of members) {
    member.start();
    const { node } = await until('the node has joined', async () => {
      const state = await member.state();
      return state.cluster.id !== null && state.cluster.leader !== null && state;
    });
    ids.push(node.id);
  }
  const house: House = {
    name: 'tutti',
    members,
    async stop() {
      await Promise.all(members.map((member) => member.end('SIGTERM')));
      if (init.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
  await until('every node votes', async () => {
    const { cluster } = await members[0]!.state();
    return cluster.quorum && cluster.votersOnline === votersOf(nodes);
  });
  await leaderOf(house);
  return house;
}

/** The product keeps an odd number of voters, five at the most. */
const votersOf = (nodes: number): number => (nodes >= 5 ? 5 : nodes >= 3 ? 3 : 1);
