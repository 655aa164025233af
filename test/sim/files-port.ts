/**
 * FilesPort: the way between a process and its hash thread, in one process: calls are answered one after the other, each after a while.
 *
 * The store itself blocks and does all of a call at once. On every other machine that is when the call is taken up, on the rest when it is over:
 * a process that dies in between has then done it, or has not.
 */
import type { Time } from '../../src/ports/time.js';
import { type StorePort, serveTrackStore } from '../../src/tracks/track-client.js';
import type { TrackStore } from '../../src/tracks/track-store.js';

/** What the thread needs. */
export interface FilesPortComponents {
  /** The process's: once that is dead nothing is answered. */
  readonly time: Time;
  readonly store: TrackStore;
}

/** How its disk is. */
export interface FilesPortInit {
  /** What the next call takes, milliseconds. */
  readonly latencyMs: () => number;
  readonly callsAt: 'start' | 'end';
}

/** The client's end of the port. */
export class FilesPort implements StorePort {
  readonly #time: Time;
  readonly #init: FilesPortInit;
  readonly #waiting: unknown[] = [];
  #isBusy = false;
  #reply: unknown = null;
  #serve: (call: unknown) => void = () => {};
  #listener: (message: unknown) => void = () => {};

  constructor({ time, store }: FilesPortComponents, init: FilesPortInit) {
    this.#time = time;
    this.#init = init;
    serveTrackStore(store, {
      on: (_event, listener) => {
        this.#serve = listener;
      },
      postMessage: (reply) => {
        this.#reply = reply;
      },
    });
  }

  on(_event: 'message', listener: (message: unknown) => void): void {
    this.#listener = listener;
  }

  postMessage(call: unknown): void {
    this.#waiting.push(call);
    if (!this.#isBusy) this.#next();
  }

  #served(call: unknown): unknown {
    this.#serve(call);
    return this.#reply;
  }

  #answer(reply: unknown): void {
    this.#isBusy = false;
    this.#next();
    this.#listener(reply);
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const call = this.#waiting.shift();
    const { latencyMs, callsAt } = this.#init;
    this.#isBusy = true;
    // In a turn of its own: what the store throws ends the process, and not whoever called.
    if (callsAt === 'end') this.#time.after('files', latencyMs(), () => this.#answer(this.#served(call)));
    else {
      this.#time.after('files', 0, () => {
        const reply = this.#served(call);
        this.#time.after('files', latencyMs(), () => this.#answer(reply));
      });
    }
  }
}
