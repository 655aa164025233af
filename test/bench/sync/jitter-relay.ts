/**
 * Stands between nodes as a network with jitter: every datagram is held for a time of its own, in both directions. A program of its own, run by
 * {@link startRelays}, so that it has a processor when a datagram is due.
 *
 * Node's timers are whole milliseconds, so while datagrams are held it looks at the clock in every turn of the event loop. How late it sent
 * them nevertheless is part of the answer: it is jitter too, and must be small beside what is meant. TCP passes as it is.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Prng } from '../../../src/core/prng.js';
import { loadLibc } from '../../../src/io/libc/libc.js';
import { raiseThisThread } from '../../../src/io/libc/realtime.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { percentile } from '../consensus/statistics.js';

const HOST = '127.0.0.1';

/** What a relay is told. */
export interface Way {
  /** Where it listens, and to whom it passes on: ports of this machine. */
  readonly from: number;
  readonly to: number;
}

/** All ways of a run, and what happens on them. */
export interface RelayInit {
  readonly ways: readonly Way[];
  /** The longest that a datagram is held, milliseconds: each time from 0 to this is as likely. */
  readonly heldMsMax: number;
  readonly seed: number;
}

/** How well the relays did what they were told. */
export interface RelayError {
  readonly datagrams: number;
  /** By how much datagrams went on later than they should, microseconds. */
  readonly lateUsP50: number;
  readonly lateUsP99: number;
}

/** Relays that run. */
export interface Relays {
  /** Ends them. */
  stop(): Promise<RelayError>;
}

/** Starts a process that relays along all ways, and waits until it listens. */
export async function startRelays(init: RelayInit): Promise<Relays> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [JSON.stringify(init)], { execArgv: [] });
  const alongside = () => child.kill('SIGKILL');
  process.once('exit', alongside);
  await once(child, 'message');
  return {
    async stop() {
      const answered = once(child, 'message') as Promise<[RelayError]>;
      child.send('stop');
      const [error] = await answered;
      child.disconnect();
      process.off('exit', alongside);
      return error;
    },
  };
}

/** Holds datagrams. */
class Holding {
  readonly #held: { readonly dueMs: number; readonly send: () => void }[] = [];
  readonly #lateUs: number[] = [];
  readonly #prng: Prng;
  readonly #heldMsMax: number;
  #isLooking = false;

  constructor(init: RelayInit) {
    this.#prng = new Prng(init.seed);
    this.#heldMsMax = init.heldMsMax;
  }

  get error(): RelayError {
    const late = this.#lateUs.length === 0 ? [0] : this.#lateUs;
    return { datagrams: this.#lateUs.length, lateUsP50: percentile(late, 0.5), lateUsP99: percentile(late, 0.99) };
  }

  hold(send: () => void): void {
    this.#held.push({ dueMs: performance.now() + this.#prng.fraction() * this.#heldMsMax, send });
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => this.#look());
  }

  #look(): void {
    for (let i = this.#held.length - 1; i >= 0; i--) {
      const { dueMs, send } = this.#held[i]!;
      const lateMs = performance.now() - dueMs;
      if (lateMs < 0) continue;
      this.#held.splice(i, 1);
      send();
      this.#lateUs.push(lateMs * 1_000);
    }
    this.#isLooking = this.#held.length > 0;
    if (this.#isLooking) setImmediate(() => this.#look());
  }
}

async function relay({ from, to }: Way, holding: Holding): Promise<void> {
  const front = createSocket('udp4');
  /** For every sender a socket of its own towards the node, so that answers find their way back. */
  const backs = new Map<number, Socket>();
  front.on('message', (bytes, sender) => {
    let back = backs.get(sender.port);
    if (back === undefined) {
      back = createSocket('udp4');
      back.on('message', (answer) => holding.hold(() => front.send(answer, sender.port, HOST)));
      backs.set(sender.port, back);
    }
    const towards = back;
    holding.hold(() => towards.send(bytes, to, HOST));
  });
  front.bind(from, HOST);
  await once(front, 'listening');
  const server = createServer((caller) => {
    const node = connect(to, HOST);
    for (const [one, other] of [
      [caller, node],
      [node, caller],
    ] as const) {
      one.setNoDelay(true);
      one.pipe(other);
      one.on('error', () => other.destroy());
    }
  });
  server.listen(from, HOST);
  await once(server, 'listening');
}

/** The program of the child. */
async function main(init: RelayInit): Promise<void> {
  // Where that is not allowed it is as late as the machine is busy, and says so.
  raiseThisThread({ libc: loadLibc(), log: new FakeLog() });
  const holding = new Holding(init);
  for (const way of init.ways) await relay(way, holding);
  process.send!('ready');
  process.on('message', () => process.send!(holding.error));
  process.on('disconnect', () => process.exit());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(JSON.parse(process.argv[2]!) as RelayInit);
