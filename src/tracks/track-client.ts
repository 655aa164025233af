/**
 * The main thread's end of the track store: the same calls as promises, over a message port.
 *
 * The store blocks for as long as the card takes, so it has a thread of its own, and calls to it are answered in the order in which they
 * were sent. Bulk bytes are moved, not copied; a writer waits for the answer to its last piece, so a slow card slows the sender
 * down and memory does not grow.
 */
import type { Transferable } from 'node:worker_threads';
import { type ErrorCode, type ErrorInfo, TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import type { Track } from '../library/track.js';
import { badChunk, type ChunkBytes, type ChunkFiles, type ChunkSet, type FileOutline } from './chunk-files.js';
import { SYNC_BYTES_MAX, type TakenFile } from './intake.js';
import type { ScrubStep } from './scrubber.js';
import type { DescribedTrack } from './side-files.js';
import type { StoredTracks, TrackStore } from './track-store.js';

/** How many bytes of an upload are handed over at a time: few messages, and 8 uploads still fit into 4 MiB. */
const PIECE_BYTES = 256 * 1024;
/** A chunk is the end of a message whose head names it; so much else may be moved along with it. Bytes. */
const MOVED_BESIDE_BYTES_MAX = 128;
/** How much is read back at a time, so that other calls get their turn. Bytes. */
const STEP_BYTES = 1 << 20;

/** What both ends need of a port: a Worker and its parentPort have it as well. */
export interface StorePort {
  postMessage(message: unknown, transfer?: readonly Transferable[]): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

type Method = Exclude<keyof TrackStore, 'constructor'>;
/** Those whose answers are pieces of files, which are moved. */
const PIECES: readonly Method[] = ['write', 'readChunk'];
interface Call {
  readonly call: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}
type Reply =
  | { readonly call: number; readonly value: unknown }
  | {
      readonly call: number;
      readonly error: { readonly code: ErrorCode; readonly detail: string; readonly info: ErrorInfo };
    };

/**
 * The store's end: answers each call in turn. Pieces of files are moved: what was read goes to the asker, and what was written goes back to
 * be filled again. What is not a TuttiError is a bug and ends the thread.
 */
export function serveTrackStore(store: TrackStore, port: StorePort): void {
  port.on('message', (message) => {
    const { call, method, args } = message as Call;
    let reply: Reply;
    try {
      const value = (store[method] as (...given: unknown[]) => unknown).apply(store, [...args]);
      reply = { call, value: method === 'write' ? args[1] : value };
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      const { code, detail, info } = error;
      reply = { call, error: { code, detail, info } };
    }
    const isPiece = 'value' in reply && reply.value instanceof Uint8Array && PIECES.includes(method);
    port.postMessage(reply, isPiece ? [(reply as { value: Uint8Array }).value.buffer as ArrayBuffer] : []);
  });
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: TuttiError): void;
}

/** A chunk that is to be written. */
interface Put extends ChunkBytes {
  readonly id: TrackId;
  resolve(): void;
  reject(error: TuttiError): void;
}

/**
 * Asks the {@link TrackStore} at the other end of a port, and rejects with what it threw. Nothing is answered any more once that thread has
 * died: whoever started it hears of that, and has to end the process.
 */
export class TrackClient implements ChunkFiles {
  readonly #port: StorePort;
  readonly #waiting = new Map<number, Waiting>();
  #nextCall = 1;
  /** Chunks that wait for those that are being written. */
  #puts: Put[] = [];
  #putsUnderWay = 0;
  /** The last of what is being made beside files. */
  #making: Promise<void> = Promise.resolve();

  constructor(components: { readonly port: StorePort }) {
    this.#port = components.port;
    this.#port.on('message', (message) => this.#answered(message as Reply));
  }

  /** See {@link TrackStore.open}. */
  open(): Promise<StoredTracks> {
    return this.#call('open', []);
  }

  /** Begins to take a file in; see {@link TrackStore.begin}. */
  async begin(expectedBytes: number | null): Promise<IncomingFile> {
    const number = await this.#call<number>('begin', [expectedBytes]);
    return new IncomingFile((method, args, transfer) => this.#call(method, [number, ...args], transfer));
  }

  /** See {@link TrackStore.describe}. */
  describe(track: Track): Promise<void> {
    return this.#call('describe', [track]);
  }

  /** See {@link TrackStore.remove}. */
  remove(id: TrackId): Promise<void> {
    return this.#call('remove', [id]);
  }

  /** The outline of a held track, 2,048 bytes. Where it has to be made first, that takes a while. @throws TuttiError TRACK_MISSING, TRACK_DAMAGED */
  peaks(id: TrackId): Promise<Uint8Array> {
    return this.#withBeside(id, 'peaks', [id]);
  }

  /** See {@link TrackStore.held}. */
  held(): Promise<readonly DescribedTrack[]> {
    return this.#call('held', []);
  }

  async beginFetch(track: Track, outline: FileOutline, chunkBytes: number): Promise<ChunkSet> {
    const found = await this.#call<ChunkSet | null>('beginFetch', [track, outline, chunkBytes, STEP_BYTES]);
    return found ?? this.#resumed(track.id);
  }

  /** The bytes are moved: the caller has them no more, where they are the end of their buffer, and nearly all of it. */
  putChunk(id: TrackId, index: number, bytes: Uint8Array): Promise<void> {
    // What is not moved waits for the collector, which looks through all of the main thread's heap for it: tens of milliseconds on a Pi.
    const { byteOffset, length, buffer } = bytes;
    const isMoved = byteOffset <= MOVED_BESIDE_BYTES_MAX && byteOffset + length === buffer.byteLength;
    const moved = isMoved ? bytes : bytes.slice();
    return new Promise((resolve, reject) => {
      this.#puts.push({ id, index, bytes: moved, resolve, reject });
      if (this.#putsUnderWay === 0) this.#sendPuts();
    });
  }

  async finishFetch(id: TrackId): Promise<void> {
    while (!(await this.#call<boolean>('finishFetch', [id, STEP_BYTES])));
  }

  dropFetch(id: TrackId): Promise<void> {
    return this.#call('dropFetch', [id]);
  }

  outline(id: TrackId): Promise<FileOutline> {
    return this.#withBeside(id, 'outline', [id]);
  }

  readChunk(id: TrackId, index: number): Promise<Uint8Array> {
    return this.#withBeside(id, 'readChunk', [id, index]);
  }

  async quarantine(id: TrackId, agreed: Track | null): Promise<ChunkSet> {
    const found = await this.#call<ChunkSet | null>('quarantine', [id, agreed, STEP_BYTES]);
    return found ?? this.#resumed(id);
  }

  /** See {@link TrackStore.idle}. */
  idle(idleMs: number): Promise<readonly TrackId[]> {
    return this.#call('idle', [idleMs]);
  }

  /** See {@link TrackStore.collect}. */
  collect(id: TrackId, idleMs: number): Promise<boolean> {
    return this.#call('collect', [id, idleMs]);
  }

  /** See {@link TrackStore.scrubStep}. */
  scrubStep(bytesMax: number): Promise<ScrubStep> {
    return this.#call('scrubStep', [bytesMax]);
  }

  /** See {@link TrackStore.space}. */
  space(): Promise<{ readonly freeBytes: number; readonly totalBytes: number }> {
    return this.#call('space', []);
  }

  /** Gives up all that is on its way in. */
  close(): Promise<void> {
    return this.#call('close', []);
  }

  async #resumed(id: TrackId): Promise<ChunkSet> {
    for (;;) {
      const found = await this.#call<ChunkSet | null>('resume', [id, STEP_BYTES]);
      if (found !== null) return found;
    }
  }

  /** Asks again once what lies beside the file is made, where that has to be. */
  async #withBeside<T>(id: TrackId, method: Method, args: readonly unknown[]): Promise<T> {
    for (;;) {
      const value = await this.#call<T | null>(method, args);
      if (value !== null) return value;
      await this.#makeBeside(id);
    }
  }

  /** For one file at a time: a scan holds half a megabyte, and a page may ask for the outlines of a whole library. */
  #makeBeside(id: TrackId): Promise<void> {
    const making = this.#making.then(async () => {
      while (!(await this.#call<boolean>('makeBeside', [id, STEP_BYTES])));
    });
    this.#making = making.catch(() => {});
    return making;
  }

  /** Gives the card all chunks that wait, those of a file together. */
  #sendPuts(): void {
    for (let next = this.#puts[0]; next !== undefined; next = this.#puts[0])
      void this.#put(next.id, this.#takePuts(next.id));
  }

  async #put(id: TrackId, together: readonly Put[]): Promise<void> {
    const chunks = together.map(({ index, bytes }) => ({ index, bytes }));
    const transfer = chunks.map(({ bytes }) => bytes.buffer as ArrayBuffer);
    this.#putsUnderWay++;
    try {
      const bad = await this.#call<number[]>('putChunks', [id, chunks], transfer);
      for (const { index, resolve, reject } of together) bad.includes(index) ? reject(badChunk(id, index)) : resolve();
    } catch (error) {
      for (const { reject } of together) reject(error as TuttiError);
    }
    // What has come meanwhile is synced at once.
    if (--this.#putsUnderWay === 0) this.#sendPuts();
  }

  /** The first chunks of this file that wait: as many as are synced at once, and one at least. */
  #takePuts(id: TrackId): readonly Put[] {
    const taken: Put[] = [];
    let left = SYNC_BYTES_MAX;
    for (const put of this.#puts) {
      if (put.id !== id) continue;
      left -= put.bytes.length;
      if (taken.length > 0 && left < 0) break;
      taken.push(put);
    }
    this.#puts = this.#puts.filter((put) => !taken.includes(put));
    return taken;
  }

  #call<T>(method: Method, args: readonly unknown[], transfer: readonly Transferable[] = []): Promise<T> {
    // Nothing but reading overtakes a chunk.
    if (method !== 'putChunks' && method !== 'readChunk') this.#sendPuts();
    return new Promise<T>((resolve, reject) => {
      const call = this.#nextCall++;
      this.#waiting.set(call, { resolve: resolve as (value: unknown) => void, reject });
      const message: Call = { call, method, args };
      this.#port.postMessage(message, transfer);
    });
  }

  #answered(reply: Reply): void {
    const waiting = this.#waiting.get(reply.call);
    this.#waiting.delete(reply.call);
    if ('error' in reply) waiting?.reject(new TuttiError(reply.error.code, reply.error.detail, reply.error.info));
    else waiting?.resolve(reply.value);
  }
}

type IntakeCall = <T>(
  method: 'write' | 'finish' | 'verify' | 'keep' | 'abort',
  args: readonly unknown[],
  transfer?: readonly Transferable[],
) => Promise<T>;

/** One file on its way in. After any error only `abort` is left. */
export class IncomingFile {
  readonly #call: IntakeCall;
  /** Two pieces take turns: one is filled while the other is being written. */
  #piece: Uint8Array<ArrayBuffer> = new Uint8Array(PIECE_BYTES);
  #filled = 0;
  #other: Promise<Uint8Array<ArrayBuffer>> = Promise.resolve(new Uint8Array(PIECE_BYTES));

  constructor(call: IntakeCall) {
    this.#call = call;
  }

  /**
   * Takes the next bytes, of which it keeps a copy. Resolves when there is room for more.
   * @throws TuttiError UNSUPPORTED_AUDIO, DISK_FULL, DISK_FAILED: possibly of bytes that were given earlier
   */
  async write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + PIECE_BYTES - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === PIECE_BYTES) await this.#handOver();
    }
  }

  /** All bytes are there: waits until all are written, and says which file it is. See {@link TrackStore.finish}. */
  async finish(): Promise<TrackId> {
    if (this.#filled > 0) await this.#handOver();
    await this.#other;
    return this.#call('finish', []);
  }

  /** Reads everything back, and says what it is. See {@link TrackStore.verify}. */
  async verify(): Promise<TakenFile> {
    for (;;) {
      const taken = await this.#call<TakenFile | null>('verify', [STEP_BYTES]);
      if (taken !== null) return taken;
    }
  }

  /** Gives a file that was verified its place: durable when this resolves. */
  keep(track: Track): Promise<void> {
    return this.#call('keep', [track]);
  }

  /** Idempotent: gives up, and leaves nothing behind. */
  abort(): Promise<void> {
    return this.#call('abort', []);
  }

  async #handOver(): Promise<void> {
    const other = await this.#other;
    const full = this.#piece.subarray(0, this.#filled);
    this.#other = this.#call<Uint8Array<ArrayBuffer>>('write', [full], [full.buffer]).then(
      ({ buffer }) => new Uint8Array(buffer),
    );
    // Whoever waits next hears of the error; until then it is nobody's.
    this.#other.catch(() => {});
    this.#piece = new Uint8Array(other.buffer);
    this.#filled = 0;
  }
}
