/**
 * The plainest copies that there can be, to compare with: a file that is written and synced, as many at once as there are nodes; bytes that go over
 * one TCP connection. Nothing is hashed, encrypted, read back or agreed.
 *
 * A program of its own, so that it can run at the end of a cable, and has a processor as a node has.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Wires } from '../../support/wires.js';
import { folderOnDisk, freePorts } from '../consensus/contestant.js';
import { LOOPBACK } from '../consensus/http-client.js';
import { MB } from './songs.js';

/** Between two syncs, as the product does it. Bytes. */
const SYNC_BYTES = 1 << 20;

/** MB a second for each of so many nodes that write a file of `bytes` bytes at once, to disks that are all the same one here: by the last of them. */
export async function plainDiskRate(nodes: number, bytes: number): Promise<number> {
  const folder = folderOnDisk();
  const writers = Array.from({ length: nodes }, (_, index) => new Plain(['write', join(folder, `${index}`), bytes]));
  try {
    for (const writer of writers) await writer.line();
    const startedAt = performance.now();
    for (const writer of writers) writer.begin();
    for (const writer of writers) await writer.line();
    return bytes / MB / ((performance.now() - startedAt) / 1_000);
  } finally {
    for (const writer of writers) writer.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** MB a second of one TCP connection from node 0 to node 1, from connecting until the other end has all. */
export async function plainLinkRate(bytes: number, wires?: Wires): Promise<number> {
  const host = wires?.houseAddress(1) ?? LOOPBACK;
  const [port] = await freePorts(1);
  const wrap = (node: number) => (command: readonly string[]) => wires?.wrap(node, command) ?? command;
  const receiver = new Plain(['receive', host, port!, bytes], wrap(1));
  const sender = new Plain(['send', host, port!, bytes], wrap(0));
  try {
    await receiver.line();
    await sender.line();
    const startedAt = performance.now();
    sender.begin();
    await receiver.line();
    return bytes / MB / ((performance.now() - startedAt) / 1_000);
  } finally {
    for (const end of [receiver, sender]) end.end();
  }
}

/** This program, running: it says `ready`, waits for a line, does its work, says `done`. */
class Plain {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(args: readonly (string | number)[], wrap = (command: readonly string[]) => command) {
    const own = [process.execPath, fileURLToPath(import.meta.url), ...args.map(String)];
    const [program, ...rest] = wrap(own) as [string, ...string[]];
    this.#child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async line(): Promise<void> {
    if ((await this.#lines.next()).done === true) throw new Error('a plain copy has ended by itself');
  }

  begin(): void {
    this.#child.stdin!.write('\n');
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

const say = (word: string) => void process.stdout.write(`${word}\n`);

async function write(folder: string, bytes: number): Promise<void> {
  mkdirSync(folder);
  const piece = new Uint8Array(SYNC_BYTES).fill(1);
  say('ready');
  await once(process.stdin, 'data');
  const file = openSync(join(folder, 'file'), 'w');
  for (let at = 0; at < bytes; ) {
    at += writeSync(file, piece, 0, Math.min(piece.length, bytes - at), at);
    fdatasyncSync(file);
  }
  const directory = openSync(folder, 'r');
  fsyncSync(directory);
  for (const open of [file, directory]) closeSync(open);
  say('done');
}

async function receive(host: string, port: number, bytes: number): Promise<void> {
  const server = createServer((socket) => {
    let received = 0;
    socket.on('data', (part) => {
      received += part.length;
      if (received === bytes) say('done');
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  say('ready');
}

async function send(host: string, port: number, bytes: number): Promise<void> {
  const data = new Uint8Array(bytes);
  say('ready');
  await once(process.stdin, 'data');
  connect(port, host).write(data);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what, first, second, third] = process.argv.slice(2) as [string, string, string, string];
  if (what === 'write') await write(first, Number(second));
  else await { receive, send }[what as 'receive' | 'send'](first, Number(second), Number(third));
}
