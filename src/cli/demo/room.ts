/** A room of the demo: a real node in a process of its own, with a simulated sound card that writes down what it plays, and when. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { TuttiError } from '../../core/errors.js';
import { StateEvent } from '../../http/schema.js';
import type { Time } from '../../ports/time.js';
import type { TextOutput } from '../components.js';
import type { HttpTransport } from '../http-transport.js';
import { NodeClient, nodeUrl } from '../node-client.js';
import { type Recording, readRecording } from './recording.js';

/** How long anything may take that takes a second on a machine with nothing else to do. Milliseconds. */
const PATIENCE_MS = 30_000;
/** How often a node is asked how far it is. Milliseconds. */
const POLL_MS = 100;

/** What rooms are made with. */
export interface RoomComponents {
  readonly time: Time;
  readonly http: HttpTransport;
  readonly uniqueKey: () => string;
  readonly stderr: TextOutput;
  /** The program that runs the node. */
  readonly mainFile: string;
}

/** One room. */
export interface RoomInit {
  readonly name: string;
  /** How much faster than nominal its card's crystal runs, parts per million. */
  readonly ppm: number;
  /** Where everything of the demo lies. */
  readonly folder: string;
  readonly httpPort: number;
  readonly peerPort: number;
}

/** `start` and `kill`, in turns; `end` for good. */
export class Room {
  readonly name: string;
  readonly url: string;
  readonly client: NodeClient;
  readonly #components: RoomComponents;
  readonly #init: RoomInit;
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #starts = 0;
  #isOver = false;

  constructor(components: RoomComponents, init: RoomInit) {
    this.name = init.name;
    this.url = `http://127.0.0.1:${init.httpPort}`;
    this.client = new NodeClient(components, { node: nodeUrl(this.url), token: undefined });
    this.#components = components;
    this.#init = init;
  }

  get dataDir(): string {
    return join(this.#init.folder, this.name);
  }

  /** Of the simulated card since the last start. */
  get captureFile(): string {
    return join(this.#init.folder, `${this.name}-${this.#starts}.wav`);
  }

  /** Resolves once the node answers. @throws TuttiError NODE_UNREACHABLE where it never does, or the room is at its end */
  async start(): Promise<void> {
    if (this.#isOver) throw new TuttiError('NODE_UNREACHABLE', `${this.name} is not started again: the demo is over.`);
    const { mainFile, stderr } = this.#components;
    const { name, ppm, httpPort, peerPort } = this.#init;
    this.#starts += 1;
    // Settings of the person's own nodes are not for these.
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('TUTTI_')));
    const child = spawn(process.execPath, [mainFile, 'run', '--data', this.dataDir], {
      env: {
        ...env,
        TUTTI_NAME: name,
        TUTTI_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
        TUTTI_CLUSTER_LISTEN: `127.0.0.1:${peerPort}`,
        TUTTI_OUTPUT_DRIVER: 'virtual',
        // Compilers and browsers may run beside it: no card must run dry because the machine is busy.
        TUTTI_OUTPUT_QUEUE_MS: '500',
        TUTTI_OUTPUT_VIRTUAL_PPM: String(ppm),
        TUTTI_OUTPUT_VIRTUAL_CAPTURE: this.captureFile,
        TUTTI_OUTPUT_VIRTUAL_CAPTURE_TIMES: `${this.captureFile}.times`,
        TUTTI_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (text) => stderr.write(`${name}: ${text}`));
    this.#process = child;
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    await this.until('answers', () => this.state().then(() => true));
  }

  /** The view of this node. @throws TuttiError */
  state(): Promise<StateEvent> {
    return this.client.read('/state', StateEvent);
  }

  /** What to open in a browser: its page, or its view where it serves none. @throws TuttiError */
  async page(): Promise<string> {
    const { node } = await this.state();
    return `${this.url}${node.webBuild === '' ? '/api/v1/state' : '/'}`;
  }

  /**
   * Resolves once `condition` gives true; what the node refuses meanwhile counts as not yet.
   * @param what in words, for the error. @throws TuttiError NODE_UNREACHABLE where that never comes, or the node ended
   */
  async until(what: string, condition: () => Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
    const { time } = this.#components;
    const giveUpAt = performance.now() + patienceMs;
    let why: unknown;
    for (;;) {
      try {
        if (await condition()) return;
      } catch (error) {
        if (!(error instanceof TuttiError)) throw error;
        why = error;
      }
      const hasEnded = this.#process?.exitCode !== null || this.#process.signalCode !== null;
      if (hasEnded || performance.now() > giveUpAt) {
        const said = why instanceof TuttiError ? ` It says: ${why.detail}` : '';
        const fate = hasEnded ? 'it ended' : `not within ${patienceMs / 1_000} s: this machine may be too busy`;
        throw new TuttiError('NODE_UNREACHABLE', `${this.name} was waited for until it ${what}, but ${fate}.${said}`);
      }
      await new Promise<void>((resolve) => time.after('demo.poll', POLL_MS, resolve));
    }
  }

  /** What its card has played since the last start. */
  recording(originNs: bigint): Promise<Recording> {
    return readRecording(this.captureFile, `${this.captureFile}.times`, originNs);
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await this.#ended;
  }

  /** Resolves when its process has ended, by itself or not. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** In order, and for good. Idempotent. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#process?.kill('SIGTERM');
    await this.#ended;
  }
}

/** Resolves once each of these has sound leaving its card. */
export async function sound(rooms: readonly Room[]): Promise<void> {
  for (const room of rooms) {
    await room.until('sounds', async () => {
      const { node, nodes } = await room.state();
      return nodes.find(({ id }) => id === node.id)?.output.state === 'playing';
    });
  }
}
