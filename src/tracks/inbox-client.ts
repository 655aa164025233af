/**
 * The main thread's end of the inbox: the same folder as promises, over a message port.
 *
 * Reading the folder blocks for as long as the card takes, so it is done in the thread of the track files; what is read is moved over and
 * comes back to the same thread as any other upload does, so a file takes one way in, whoever brought it.
 */
import type { Transferable } from 'node:worker_threads';
import { type ErrorCode, type ErrorInfo, TuttiError } from '../core/errors.js';
import type { Inbox, InboxFile } from '../ports/inbox.js';
import type { Log, LogLine } from '../ports/log.js';
import type { StorePort } from './track-client.js';

/** What is read at a time. Bytes. */
const PIECE_BYTES = 256 * 1024;

type Ask =
  | { readonly type: 'start' }
  | {
      readonly type: 'read';
      readonly call: number;
      readonly file: number;
      readonly offset: number;
      readonly bytes: number;
    }
  | { readonly type: 'accept'; readonly call: number; readonly file: number }
  | { readonly type: 'reject'; readonly call: number; readonly file: number; readonly reason: string }
  | { readonly type: 'forget'; readonly file: number }
  | { readonly type: 'stop'; readonly call: number };

type Told =
  | LogLine
  | { readonly type: 'arrived'; readonly file: number; readonly name: string; readonly bytes: number }
  | { readonly type: 'value'; readonly call: number; readonly value: unknown }
  | {
      readonly type: 'error';
      readonly call: number;
      readonly error: { readonly code: ErrorCode; readonly detail: string; readonly info: ErrorInfo };
    };

/** The folder's end. What is not a TuttiError is a bug and ends the thread. */
export function serveInbox(inbox: Inbox, port: StorePort): void {
  const files = new Map<number, InboxFile>();
  let arrivals = 0;
  const answer = (call: number, work: () => unknown): void => {
    let told: Told;
    try {
      told = { type: 'value', call, value: work() };
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      const { code, detail, info } = error;
      told = { type: 'error', call, error: { code, detail, info } };
    }
    const isPiece = told.type === 'value' && told.value instanceof Uint8Array;
    port.postMessage(told, isPiece ? [(told as { value: Uint8Array }).value.buffer as ArrayBuffer] : []);
  };
  const fileOf = (number: number): InboxFile => {
    const file = files.get(number);
    if (file === undefined) throw new TuttiError('NOT_FOUND', 'that file was done with');
    return file;
  };
  port.on('message', (message) => {
    const ask = message as Ask;
    switch (ask.type) {
      case 'start':
        void inbox.start((file) => {
          const number = ++arrivals;
          files.set(number, file);
          port.postMessage({ type: 'arrived', file: number, name: file.name, bytes: file.bytes } satisfies Told);
        });
        break;
      case 'read':
        answer(ask.call, () => {
          const into = new Uint8Array(ask.bytes);
          return into.subarray(0, fileOf(ask.file).read(into, ask.offset));
        });
        break;
      case 'accept':
        answer(ask.call, () => inbox.accept(fileOf(ask.file)));
        files.delete(ask.file);
        break;
      case 'reject':
        answer(ask.call, () => inbox.reject(fileOf(ask.file), ask.reason));
        files.delete(ask.file);
        break;
      case 'forget':
        files.delete(ask.file);
        break;
      case 'stop':
        files.clear();
        void inbox.stop().then(() => answer(ask.call, () => null));
        break;
    }
  });
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: TuttiError): void;
}

/** A file that has come to rest in the folder. It is done with by `accept`, `reject` or `forget`, once. */
export interface ArrivedFile {
  /** A label, never a path. */
  readonly name: string;
  readonly bytes: number;
  /** Bytes from `offset` on, at most 256 KiB; none behind the end. @throws TuttiError NOT_FOUND, FILE_NOT_READABLE, DISK_FAILED */
  read(offset: number): Promise<Uint8Array>;
  /** See {@link Inbox.accept}. */
  accept(): Promise<boolean>;
  /** See {@link Inbox.reject}. */
  reject(reason: string): Promise<void>;
  /** Leaves it where it is: it arrives anew when it changes. */
  forget(): void;
}

/** Asks the {@link Inbox} at the other end of a port. */
export class InboxClient {
  readonly #port: StorePort;
  readonly #log: Log;
  readonly #waiting = new Map<number, Waiting>();
  #nextCall = 1;
  #arrived: ((file: ArrivedFile) => void) | null = null;

  constructor(components: { readonly port: StorePort; readonly log: Log }) {
    this.#port = components.port;
    this.#log = components.log;
    this.#port.on('message', (message) => this.#told(message as Told));
  }

  /** Calls `arrived` for each file that has come to rest, from now until `stop` is called. */
  start(arrived: (file: ArrivedFile) => void): void {
    this.#arrived = arrived;
    this.#tell({ type: 'start' });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    if (this.#arrived === null) return;
    this.#arrived = null;
    await this.#call((call) => ({ type: 'stop', call }));
  }

  #arrivedAs(file: number, name: string, bytes: number): ArrivedFile {
    return {
      name,
      bytes,
      read: (offset) => this.#call<Uint8Array>((call) => ({ type: 'read', call, file, offset, bytes: PIECE_BYTES })),
      accept: () => this.#call<boolean>((call) => ({ type: 'accept', call, file })),
      reject: async (reason) => void (await this.#call((call) => ({ type: 'reject', call, file, reason }))),
      forget: () => this.#tell({ type: 'forget', file }),
    };
  }

  #tell(ask: Ask, transfer: readonly Transferable[] = []): void {
    this.#port.postMessage(ask, transfer);
  }

  #call<T>(ask: (call: number) => Ask): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const call = this.#nextCall++;
      this.#waiting.set(call, { resolve: resolve as (value: unknown) => void, reject });
      this.#tell(ask(call));
    });
  }

  #told(told: Told): void {
    if (told.type === 'log') {
      this.#log[told.level](told.text, told.fields);
      return;
    }
    if (told.type === 'arrived') {
      this.#arrived?.(this.#arrivedAs(told.file, told.name, told.bytes));
      return;
    }
    const waiting = this.#waiting.get(told.call);
    this.#waiting.delete(told.call);
    if (told.type === 'value') waiting?.resolve(told.value);
    else waiting?.reject(new TuttiError(told.error.code, told.error.detail, told.error.info));
  }
}
