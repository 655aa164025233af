/** A real `tutti run` in a process of its own, on a free port, with a simulated card that writes down what it plays. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../../src/cli/exit-codes.js';

/** The program that ships, beside the compiled tests. */
const MAIN = fileURLToPath(new URL('../../tutti/main.js', import.meta.url));
/** How long anything may take before a test gives up: the machine may be busy. Milliseconds. */
const PATIENCE_MS = Number(process.env.TUTTI_TEST_PATIENCE_MS ?? 30_000);
/** From one look to the next: the slower the machine, the dearer a look. Milliseconds. */
const LOOK_EVERY_MS = PATIENCE_MS / 1_500;

/** Waits until `condition` gives something other than undefined, null or false. `seen`: how it looked last, for whoever waited in vain. */
export async function until<T>(
  what: string,
  condition: () => Promise<T> | T,
  seen: () => unknown = () => '',
): Promise<NonNullable<T>> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what} ${JSON.stringify(seen())}`);
    await wait(LOOK_EVERY_MS);
  }
}

/** A test, or whatever else ends some time: what was begun for it is ended with it. */
export interface Ends {
  teardown(callback: () => unknown): unknown;
}

/** A folder that is removed with all that is in it when the test is over; once more, where something was still written into it. */
export function temporaryFolder(t: Ends): string {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

export interface DaemonInit {
  readonly dataDir: string;
  /** Another build's `main.js`. */
  readonly program?: string;
  /** What it does on an empty data directory: forms a cluster, unless a test says otherwise. */
  readonly first?: readonly string[];
  /** Where the simulated card writes what it played. */
  readonly capture?: string;
  /** Further variables, such as TUTTI_HTTP_ACCESS. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that becomes the program that the words behind it name, such as `unshare --mount`: where it is to run. */
  readonly within?: readonly string[];
}

/** Where the node of each data directory listens for others: the same after a restart, for they look for it there. */
const peerPorts = new Map<string, number>();

/** The port at which the node of this data directory listens for others, whether it runs or not. */
export async function peerPortOf(dataDir: string): Promise<number> {
  const known = peerPorts.get(dataDir);
  if (known !== undefined) return known;
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  peerPorts.set(dataDir, port);
  return port;
}

/** What a command came to. */
export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real `tutti` with these arguments, in a process of its own. */
export async function runTutti(...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, ...output };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array;
  /** Whatever the contract says that it is. */
  readonly json: never;
}

export class Daemon {
  readonly process: ChildProcess;
  readonly url: string;
  /** Where it listens for other nodes. */
  readonly peerPort: number;
  /** All that it wrote to standard error. */
  readonly errors: string[];

  private constructor(process: ChildProcess, url: string, peerPort: number, errors: string[]) {
    this.process = process;
    this.url = url;
    this.peerPort = peerPort;
    this.errors = errors;
  }

  /** Starts one and waits until it serves. Ended with the test, at the latest. */
  static async start(t: Ends, init: DaemonInit): Promise<Daemon> {
    const peerPort = await peerPortOf(init.dataDir);
    const run = [process.execPath, init.program ?? MAIN, 'run', '--data', init.dataDir, ...(init.first ?? ['--init'])];
    const [program, ...args] = [...(init.within ?? []), ...run];
    const child = spawn(program!, args, {
      env: {
        PATH: process.env.PATH,
        TUTTI_NAME: 'kitchen',
        TUTTI_HTTP_LISTEN: '127.0.0.1:0',
        TUTTI_CLUSTER_LISTEN: `127.0.0.1:${peerPort}`,
        TUTTI_OUTPUT_DRIVER: init.capture === undefined ? 'none' : 'virtual',
        // The machine that runs the tests is busy: the card must not run dry.
        TUTTI_OUTPUT_QUEUE_MS: '500',
        ...(init.capture !== undefined && { TUTTI_OUTPUT_VIRTUAL_CAPTURE: init.capture }),
        ...init.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    });
    const errors: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
    child.once('exit', (code) => {
      // By a mistake of ours: which, is what whoever reads the failed test wants to know.
      if (code === EXIT.internal) process.stderr.write(errors.join(''));
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^Tutti serves (http:\S+)$/.exec(line)?.[1];
      if (url !== undefined) return new Daemon(child, url, peerPort, errors);
    }
    throw new Error(`the daemon ended before it served: ${errors.join('')}`);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Sends a signal and waits for the end. @returns the exit code */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const exited = once(this.process, 'exit');
    this.process.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }

  /** A call under /api/v1 with a JSON body, if any. */
  call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return this.#exchange(method, path, headers, bytes);
  }

  /** Sends a file. */
  upload(name: string, file: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#exchange('PUT', `/tracks/${encodeURIComponent(name)}`, headers, file);
  }

  /** A connection for each exchange: none stays open to be counted. */
  async #exchange(method: string, path: string, headers: Record<string, string>, body?: Uint8Array): Promise<Answer> {
    const request = httpRequest(`${this.url}/api/v1${path}`, { method, headers, agent: false });
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    request.end(body);
    const [response] = await answered;
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece as Buffer);
    const bytes = Buffer.concat(pieces);
    const isJson = response.headers['content-type']?.includes('json') === true;
    const json = (isJson ? JSON.parse(bytes.toString()) : undefined) as never;
    return { status: response.statusCode!, headers: response.headers, bytes, json };
  }

  /** Open descriptors (proc(5)), without those of the kernel's own bookkeeping. */
  descriptors(): number {
    return readdirSync(`/proc/${this.process.pid}/fd`).length;
  }

  /** Resident memory, bytes (proc(5), VmRSS). */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.process.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(status)?.[1]) * 1_024;
  }
}
