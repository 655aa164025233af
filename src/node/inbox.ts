/**
 * InboxTaker: what is copied into the folder becomes tracks.
 *
 * A file takes the same way in as one that comes over HTTP (add-track.ts), one file after another. Then it goes: away, once it is a track on
 * enough nodes; or to `rejected/`, with a text beside it that says what is wrong and what to do.
 *
 * Two kinds of file stay where they are. One that is shorter than its own header says is a copy that is still under way, or was cut off:
 * it is listed as incomplete, and goes after a day. And one that cannot be taken *now* (no quorum, no room, too much to do) is tried again.
 */
import { WavReader } from '../audio/wav/wav-reader.js';
import type { Origin } from '../cluster/command.js';
import { ERRORS, type ErrorCode, TuttiError } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import { cleanTitle, UNTITLED } from '../library/title.js';
import type { Log } from '../ports/log.js';
import type { Time, Timer } from '../ports/time.js';
import type { ArrivedFile, InboxClient } from '../tracks/inbox-client.js';
import type { IncomingTrack } from './add-track.js';
import type { UploadProgress, UploadReport, Uploads } from './uploads.js';

/** An incomplete file goes after this long without a change. Milliseconds: a day. */
const INCOMPLETE_MS = 24 * 3_600_000;
/** What could not be taken is tried again after this long, and then half as often each time, down to once in so long. Milliseconds. */
const AGAIN_MS = 5_000;
const AGAIN_MS_MAX = 300_000;

/** Errors that say nothing against the file. */
const NOT_NOW: ReadonlySet<ErrorCode> = new Set([
  'BUSY',
  'CARD_NOT_TRUSTED',
  'CLUSTER_TOO_OLD',
  'DISK_FAILED',
  'DISK_FULL',
  'NODE_REMOVED',
  'NO_QUORUM',
  'OUTCOME_UNKNOWN',
  'TRACK_NOT_HELD',
]);

/** What the files are taken with. */
export interface InboxTakerComponents {
  readonly inbox: InboxClient;
  readonly time: Time;
  readonly log: Log;
  readonly uploads: Uploads;
  /** See {@link Node.addTrack}. */
  readonly addTrack: (incoming: IncomingTrack, origin: Origin) => Promise<unknown>;
}

/** Between `start` and `stop`, each called once, files are taken in. */
export class InboxTaker {
  readonly #parts: InboxTakerComponents;
  readonly #self: NodeId;
  /** One file at a time: the card writes no faster for being asked twice. */
  #turn: Promise<void> = Promise.resolve();
  /** Copies that are under way or were cut off, by name. */
  readonly #incomplete = new Map<string, { readonly report: UploadReport; readonly timer: Timer }>();
  readonly #retries = new Set<Timer>();
  #arrivals = 0;
  #isOver = false;

  constructor(components: InboxTakerComponents, init: { readonly self: NodeId }) {
    this.#parts = components;
    this.#self = init.self;
  }

  start(): void {
    this.#parts.inbox.start((file) => this.#take(file, AGAIN_MS));
  }

  /** Idempotent: what is under way is given up, and stays in the folder. */
  async stop(): Promise<void> {
    this.#isOver = true;
    for (const timer of this.#retries) timer.cancel();
    for (const name of [...this.#incomplete.keys()]) this.#goesOn(name);
    await this.#parts.inbox.stop();
    await this.#turn;
  }

  #take(file: ArrivedFile, againMs: number): void {
    this.#turn = this.#turn.then(() => this.#inTurn(file, againMs));
  }

  async #inTurn(file: ArrivedFile, againMs: number): Promise<void> {
    if (this.#isOver) return;
    this.#goesOn(file.name);
    try {
      const promised = await promisedBytes(file);
      if (promised > file.bytes) return this.#keepIncomplete(file, promised);
      await this.#add(file);
      const isGone = await file.accept();
      const { log } = this.#parts;
      if (isGone) log.info('A file of the inbox has become a track.', { file: file.name });
      else log.info('A file of the inbox changed while it was taken in, and is looked at anew.', { file: file.name });
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      await this.#failed(file, error, againMs).catch((worse: unknown) => {
        // Whatever is wrong with the folder is said by whoever watches it.
        if (!(worse instanceof TuttiError)) throw worse;
      });
    }
  }

  async #failed(file: ArrivedFile, error: TuttiError, againMs: number): Promise<void> {
    const { code, detail, info } = error;
    if (this.#isOver) return;
    // Gone, or changed: in that case it arrives anew.
    if (code === 'NOT_FOUND') return file.forget();
    if (code === 'INCOMPLETE_AUDIO') return this.#keepIncomplete(file, null);
    if (NOT_NOW.has(code)) return this.#again(file, againMs);
    const { log } = this.#parts;
    if (info.isPutBack === true) {
      log.info('A file of the inbox was one that this node had lost, and was put back.', { file: file.name });
      await file.accept();
      return;
    }
    log.warn('A file of the inbox was refused.', { file: file.name, code, detail });
    await file.reject(reasonOf(error));
  }

  async #add(file: ArrivedFile): Promise<void> {
    const incoming: IncomingTrack = {
      fileName: file.name,
      uploadId: `inbox-${this.#self.slice(0, 8)}-${++this.#arrivals}`,
      via: 'inbox',
      totalBytes: file.bytes,
      body: bytesOf(file),
    };
    await this.#parts.addTrack(incoming, { node: this.#self, via: 'node' });
  }

  #again(file: ArrivedFile, againMs: number): void {
    const timer = this.#parts.time.after('inbox.again', againMs, () => {
      this.#retries.delete(timer);
      this.#take(file, Math.min(AGAIN_MS_MAX, 2 * againMs));
    });
    this.#retries.add(timer);
  }

  /** Lists a file as not whole yet. `promised`: bytes that its header says it has; null where that does not say. */
  #keepIncomplete(file: ArrivedFile, promised: number | null): void {
    const { time, uploads } = this.#parts;
    const { name, bytes } = file;
    const report = uploads.begin({
      id: `inbox-${this.#self.slice(0, 8)}-${++this.#arrivals}`,
      title: cleanTitle(name) || UNTITLED,
      via: 'inbox',
      totalBytes: promised,
      key: null,
    });
    report({ receivedBytes: bytes });
    const timer = time.after('inbox.incomplete', INCOMPLETE_MS, () => {
      this.#goesOn(name, { stage: 'failed', code: 'INCOMPLETE_AUDIO' });
      const what = promised === null ? 'it ends in the middle' : `its header promises ${promised} bytes`;
      const error = new TuttiError('INCOMPLETE_AUDIO', `${bytes} bytes came within a day, and ${what}`);
      this.#turn = this.#turn.then(() => this.#failedForGood(file, error));
    });
    this.#incomplete.set(name, { timer, report });
  }

  async #failedForGood(file: ArrivedFile, error: TuttiError): Promise<void> {
    await file.reject(reasonOf(error)).catch((worse: unknown) => {
      if (!(worse instanceof TuttiError)) throw worse;
    });
  }

  /** A file of this name is not listed as incomplete any more: it goes on, or (`end`) that was its end. */
  #goesOn(name: string, end: UploadProgress | null = null): void {
    const incomplete = this.#incomplete.get(name);
    this.#incomplete.delete(name);
    incomplete?.timer.cancel();
    incomplete?.report(end);
  }
}

/** What stands beside a refused file. */
const reasonOf = ({ code, detail }: TuttiError): string =>
  `${code}: ${ERRORS[code].title}\n${detail}\n\nWhat to do: ${ERRORS[code].advice}`;

/** Bytes that a file must have by its own header; 0 where that does not say, or is none. */
async function promisedBytes(file: ArrivedFile): Promise<number> {
  const reader = new WavReader(() => {});
  // An empty file is one of which nothing has come yet.
  if (file.bytes === 0) return 1;
  try {
    reader.push(await file.read(0));
  } catch (error) {
    // Whoever takes it in says so as well.
    if (error instanceof TuttiError && error.code === 'UNSUPPORTED_AUDIO') return 0;
    throw error;
  }
  return reader.header?.fileBytes ?? 0;
}

async function* bytesOf(file: ArrivedFile): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < file.bytes; ) {
    const bytes = await file.read(offset);
    if (bytes.length === 0) return;
    offset += bytes.length;
    yield bytes;
  }
}
