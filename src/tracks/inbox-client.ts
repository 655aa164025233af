/**
 * The main thread's end of the inbox: the same folder as promises, over a message port.
 *
 * Reading the folder blocks for as long as the card takes, so it is done in the thread of the track files; what is read is moved over and
 * comes back to the same thread as any other upload does, so a file takes one way in, whoever brought it.
 */
import type { Transferable } from 'node:worker_threads';
import { type ErrorCode, type ErrorInfo, TuttiError } from '../core/errors.js';
import type { Inbox, InboxEnd, InboxFile, InboxTrouble } from '../ports/inbox.js';
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
  | { readonly type: 'stop'; readonly call: number };

/** What is told of a file, without its bytes. */
type Facts = Omit<InboxFile, 'read'>;

type Told =
  | LogLine
  | { readonly type: 'seen'; readonly file: number; readonly facts: Facts }
  | { readonly type: 'left'; readonly key: string }
  | { readonly type: 'troubled'; readonly troubles: readonly InboxTrouble[] }
  | { readonly type: 'value'; readonly call: number; readonly value: unknown }
  | {
      readonly type: 'error';
      readonly call: number;
      readonly error: { readonly code: ErrorCode; readonly detail: string; readonly info: ErrorInfo };
    };

/** The folder's end. What is not a TuttiError is a bug and ends the thread. */
export function serveInbox(inbox: Inbox, port: StorePort): void {
  const files = new Map<number, InboxFile>();
  /** Which of them each key stands for: what was told before is void. */
  const numbers = new Map<string, number>();
  let told = 0;
  const forget = (key: string): void => {
    files.delete(numbers.get(key) ?? 0);
    numbers.delete(key);
  };
  const answer = (call: number, work: () => unknown): void => {
    let answered: Told;
    try {
      answered = { type: 'value', call, value: work() };
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      const { code, detail, info } = error;
      answered = { type: 'error', call, error: { code, detail, info } };
    }
    const isPiece = answered.type === 'value' && answered.value instanceof Uint8Array;
    port.postMessage(answered, isPiece ? [(answered as { value: Uint8Array }).value.buffer as ArrayBuffer] : []);
  };
  const fileOf = (number: number): InboxFile => {
    const file = files.get(number);
    if (file === undefined) throw new TuttiError('NOT_FOUND', 'that file is not in the inbox any more as it was');
    return file;
  };
  /** What is not gone is told of again when there is news of it. */
  const end = (number: number, how: (file: InboxFile) => InboxEnd): InboxEnd => {
    const file = files.get(number);
    if (file === undefined) return 'changed';
    const ended = how(file);
    if (ended === 'gone') forget(file.key);
    return ended;
  };
  port.on('message', (message) => {
    const ask = message as Ask;
    switch (ask.type) {
      case 'start':
        void inbox.start({
          seen: (file) => {
            const { read: _read, ...facts } = file;
            const number = ++told;
            forget(file.key);
            files.set(number, file);
            numbers.set(file.key, number);
            port.postMessage({ type: 'seen', file: number, facts } satisfies Told);
          },
          left: (key) => {
            forget(key);
            port.postMessage({ type: 'left', key } satisfies Told);
          },
          troubled: (troubles) => port.postMessage({ type: 'troubled', troubles } satisfies Told),
        });
        break;
      case 'read':
        answer(ask.call, () => {
          const into = new Uint8Array(ask.bytes);
          return into.subarray(0, fileOf(ask.file).read(into, ask.offset));
        });
        break;
      case 'accept':
        answer(ask.call, () => end(ask.file, (file) => inbox.accept(file)));
        break;
      case 'reject':
        answer(ask.call, () => end(ask.file, (file) => inbox.reject(file, ask.reason)));
        break;
      case 'stop':
        files.clear();
        numbers.clear();
        void inbox.stop().then(() => answer(ask.call, () => null));
        break;
    }
  });
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: TuttiError): void;
}

/** See {@link InboxFile}. */
export interface ArrivedFile extends Facts {
  /** Bytes from `offset` on, at most 256 KiB; none behind the end. @throws TuttiError NOT_FOUND, FILE_NOT_READABLE, DISK_FAILED */
  read(offset: number): Promise<Uint8Array>;
  /** See {@link Inbox.accept}. */
  accept(): Promise<InboxEnd>;
  /** See {@link Inbox.reject}. */
  reject(reason: string): Promise<InboxEnd>;
}

/** See {@link InboxListener}. */
export interface InboxClientListener {
  seen(file: ArrivedFile): void;
  left(key: string): void;
  troubled(troubles: readonly InboxTrouble[]): void;
}

/** Asks the {@link Inbox} at the other end of a port. */
export class InboxClient {
  readonly #port: StorePort;
  readonly #log: Log;
  readonly #waiting = new Map<number, Waiting>();
  #nextCall = 1;
  #listener: InboxClientListener | null = null;

  constructor(components: { readonly port: StorePort; readonly log: Log }) {
    this.#port = components.port;
    this.#log = components.log;
    this.#port.on('message', (message) => this.#told(message as Told));
  }

  /** Tells of the folder from now until `stop` is called. */
  start(listener: InboxClientListener): void {
    this.#listener = listener;
    this.#tell({ type: 'start' });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    if (this.#listener === null) return;
    this.#listener = null;
    await this.#call((call) => ({ type: 'stop', call }));
  }

  #fileOf(file: number, facts: Facts): ArrivedFile {
    return {
      ...facts,
      read: (offset) => this.#call<Uint8Array>((call) => ({ type: 'read', call, file, offset, bytes: PIECE_BYTES })),
      accept: () => this.#call<InboxEnd>((call) => ({ type: 'accept', call, file })),
      reject: (reason) => this.#call<InboxEnd>((call) => ({ type: 'reject', call, file, reason })),
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
    switch (told.type) {
      case 'log':
        this.#log[told.level](told.text, told.fields);
        break;
      case 'seen':
        this.#listener?.seen(this.#fileOf(told.file, told.facts));
        break;
      case 'left':
        this.#listener?.left(told.key);
        break;
      case 'troubled':
        this.#listener?.troubled(told.troubles);
        break;
      case 'value':
        this.#answered(told.call)?.resolve(told.value);
        break;
      case 'error':
        this.#answered(told.call)?.reject(new TuttiError(told.error.code, told.error.detail, told.error.info));
        break;
    }
  }

  #answered(call: number): Waiting | undefined {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    return waiting;
  }
}
