/**
 * The player as the node sees it: two threads behind a small face.
 *
 * The node hands over programs and clock lines whenever they change, and reads the latest status. Sound goes on without it: a main
 * thread that is busy or blocked is not heard.
 */
import { assert } from '../core/assert.js';
import type { ClockLine } from '../core/clock-line.js';
import type { Log } from '../ports/log.js';
import type { PlayerStatus } from './loop.js';
import type { Program } from './program.js';
import type {
  FromPlayer,
  PlayerInit,
  PlayerSetup,
  PlayerThreads,
  PlayerThreadsHandlers,
  SpawnPlayerThreads,
} from './threads.js';

/** How long the threads get to fade out and end, before they are ended. Milliseconds: several times what the loop itself allows. */
const END_MS_MAX = 2_000;

/** What the main thread lends to its player. */
export interface PlayerComponents {
  /** Starts the threads; src/workers/spawn.ts has the real one. */
  readonly spawn: SpawnPlayerThreads;
  readonly log: Log;
  /** Called once where a thread died: nothing sounds from then on, and a new Player has to be made. */
  readonly failed: (error: Error) => void;
}

/** What a player asks of its owner while it runs. */
export type PlayerHandlers = Pick<PlayerThreadsHandlers, 'wanted'>;

/** The main thread's handle on what plays. Started once and stopped for good; every other call returns at once, whatever the threads do. */
export class Player {
  readonly #components: PlayerComponents;
  readonly #setup: PlayerSetup;
  #started = false;
  #threads: PlayerThreads | undefined;
  #status: PlayerStatus;
  #stopping: Promise<void> | undefined;

  constructor(components: PlayerComponents, init: PlayerInit) {
    this.#components = components;
    this.#setup = { ...init, pulse: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) };
    const { driver, device } = init.output;
    this.#status = { driver, device, state: 'closed', errorUs: 0, ppm: 0, underruns: 0, late: 0, snaps: 0, clipped: 0 };
  }

  /** Starts the threads, save for driver `none`, which has nothing to do. What nobody takes `handlers` for goes unheard. */
  async start(handlers: PlayerHandlers = { wanted: () => {} }): Promise<void> {
    assert(!this.#started, 'a player is started once');
    this.#started = true;
    if (this.#setup.output.driver === 'none') return;
    this.#threads = await this.#components.spawn(this.#setup, {
      message: (message) => this.#receive(message),
      wanted: (chunk) => handlers.wanted(chunk),
      died: (error) => this.#died(error),
    });
  }

  /** What is to sound from now on; takes the place of the program before. */
  set(program: Program): void {
    this.#threads?.send({ type: 'program', program });
  }

  /** How cluster time runs from now on, and whether what is silent may begin by it; what sounds goes on in any case. */
  setClock(line: ClockLine, mayStart: boolean): void {
    this.#threads?.send({ type: 'clock', line, mayStart });
  }

  /** The latest that the player's thread has said: at most half a second old. */
  status(): PlayerStatus {
    return this.#status;
  }

  /** Moves for as long as the player's thread turns, at least twice a second; null where none runs. */
  get pulse(): number | null {
    return this.#threads === undefined ? null : Atomics.load(new Int32Array(this.#setup.pulse), 0);
  }

  /** Idempotent: fades out, closes the card, ends the threads. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#threads?.send({ type: 'stop' });
    await this.#threads?.end(END_MS_MAX);
    this.#threads = undefined;
    const { reason: _reason, itemId: _itemId, frame: _frame, ...rest } = this.#status;
    this.#status = { ...rest, state: 'closed' };
  }

  #receive(message: FromPlayer): void {
    if (message.type === 'status') this.#status = message.status;
    else this.#components.log[message.level](message.text, message.fields);
  }

  #died(error: Error): void {
    if (this.#stopping !== undefined) return;
    this.#status = { ...this.#status, state: 'silent', reason: 'INTERNAL' };
    this.#components.failed(error);
  }
}
