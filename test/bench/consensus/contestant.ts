/**
 * What the benches ask of either side: three processes on this machine that agree, behind HTTP.
 *
 * Everything that differs between the two sides is in their own modules (tutti-house.ts, etcd-cluster.ts); what is measured, and how,
 * knows only this.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** How patient a contestant is with its leader, milliseconds. Undefined: as it comes. */
export interface Timing {
  readonly heartbeatMs: number;
  readonly electionMs: number;
}

/** One of its processes. */
export interface Member {
  /** On which it serves HTTP, on the loopback address. */
  readonly port: number;
  readonly pid: number;
  /** Starts the process, on the data that it left. */
  start(): void;
  /** Sends a signal and waits for the end; nothing where it does not run. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** How far it has applied the log; rejects where it does not answer. */
  appliedIndex(): Promise<number>;
  /** The member that leads, as far as this one knows, or undefined; rejects where it does not answer. */
  leader(): Promise<number | undefined>;
  /** A small write, different for each `n`, that is answered once it is agreed and applied. */
  writeRequest(n: number): Buffer;
  /** A small read that sees every write that was answered before. */
  strongReadRequest(): Buffer;
}

/** A cluster of three (or of as many as its maker was asked for). */
export interface Contestant {
  readonly name: string;
  readonly members: readonly Member[];
  /** Ends all processes and removes what they wrote. */
  stop(): Promise<void>;
}

/** Magic numbers of file systems in memory (statfs(2)): a sync costs nothing there. */
const IN_MEMORY = [0x0102_1994, 0x8584_58f6];

/** A new folder on a disk, for the life of this process: below that of temporary files, or, where that is in memory, the working directory. */
export function folderOnDisk(): string {
  const parent = IN_MEMORY.includes(statfsSync(tmpdir()).type) ? process.cwd() : tmpdir();
  const folder = mkdtempSync(join(parent, 'tutti-bench-'));
  // A bench that fails half-way leaves nothing behind.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** TCP ports that nobody uses at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as { readonly port: number }).port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}

/** A program that can be started again and again; what it wrote last is kept for the message when it ends by itself. */
export class Program {
  readonly #command: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #words = '';

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    this.#command = command;
    this.#env = env;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  start(): void {
    const [program, ...args] = this.#command as [string, ...string[]];
    const child = spawn(program, args, { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (text: string) => {
      this.#words = (this.#words + text).slice(-LAST_WORDS_CHARS);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    // A bench that dies takes its processes with it.
    const alongside = () => child.kill('SIGKILL');
    process.prependOnceListener('exit', alongside);
    child.once('exit', () => {
      process.off('exit', alongside);
      if (this.#child === child) this.#child = undefined;
    });
    this.#child = child;
  }

  /** True from `start` until it ended. */
  get running(): boolean {
    return this.#child !== undefined;
  }

  /** The last of what it wrote. */
  get lastWords(): string {
    return this.#words;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

const LAST_WORDS_CHARS = 4_000;

/** How long anything that is not measured may take, milliseconds. */
const PATIENCE_MS = 60_000;
/** Between two looks, milliseconds. */
const LOOK_MS = 5;

/** A process is gone that should run: there is nothing to wait for any more. */
export class ProcessEnded extends Error {
  constructor(program: Program) {
    super(`a process has ended by itself: ${program.lastWords}`);
  }
}

/**
 * Waits until `look` gives something other than undefined or false; a look that rejects counts as nothing.
 * @throws ProcessEnded at once; Error when it has taken too long
 */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  let last: unknown;
  for (;;) {
    try {
      const value = await look();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      if (error instanceof ProcessEnded) throw error;
      last = error;
    }
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}`, { cause: last });
    await wait(LOOK_MS);
  }
}

/** The member that leads, by the word of all that answer; waits for one. */
export async function leaderOf({ name, members }: Contestant): Promise<Member> {
  return until(`${name} has a leader`, async () => {
    const words = await Promise.all(members.map((member) => member.leader().catch(() => undefined)));
    const leading = words.find((index, at) => index === at);
    return leading !== undefined && words.every((index) => index === leading || index === undefined)
      ? members[leading]
      : undefined;
  });
}
