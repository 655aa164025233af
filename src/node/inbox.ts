/**
 * InboxTaker: what is copied into the folder becomes tracks.
 *
 * A file takes the same way in as one that comes over HTTP (add-track.ts), one file after another. Then it goes: away, once it is a track on
 * enough nodes; or to `rejected/`, with a text beside it that says what is wrong and what to do.
 *
 * Two kinds of file stay where they are. One that is not whole is listed as that (unfinished-copies.ts), and goes a day after somebody wrote
 * to it last. And one that cannot be taken *now* (no quorum, no room, too much to do) is tried again.
 */
import { WavReader } from '../audio/wav/wav-reader.js';
import type { Origin } from '../cluster/command.js';
import { ERRORS, type ErrorCode, TuttiError } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import type { InboxEnd, InboxTrouble } from '../ports/inbox.js';
import type { Log } from '../ports/log.js';
import type { Time, Timer } from '../ports/time.js';
import type { ArrivedFile, InboxClient } from '../tracks/inbox-client.js';
import type { IncomingTrack } from './add-track.js';
import { UnfinishedCopies } from './unfinished-copies.js';
import type { Uploads } from './uploads.js';

/** What could not be taken is tried again after this long, and then half as often each time, down to once in so long. Milliseconds. */
const AGAIN_MS = 5_000;
const AGAIN_MS_MAX = 300_000;

/** What is said of a file that leaves the folder. */
const TAKEN = 'A file of the inbox has become a track.';
const PUT_BACK = 'A file of the inbox was one that this node had lost, and was put back.';

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
  /** See {@link Wishes.addTrack}. */
  readonly addTrack: (incoming: IncomingTrack, origin: Origin) => Promise<unknown>;
  /** {@link InboxTaker.troubles} are others now. */
  readonly changed: () => void;
}

/** Between `start` and `stop`, each called once, files are taken in. */
export class InboxTaker {
  readonly #parts: InboxTakerComponents;
  readonly #self: NodeId;
  /** One file at a time: the card writes no faster for being asked twice. */
  #turn: Promise<void> = Promise.resolve();
  /** What was told last of each file that is there, by key. */
  readonly #files = new Map<string, ArrivedFile>();
  readonly #copies: UnfinishedCopies;
  readonly #retries = new Map<string, Timer>();
  #troubles: readonly InboxTrouble[] = [];
  #arrivals = 0;

  constructor(components: InboxTakerComponents, init: { readonly self: NodeId }) {
    const { time, uploads } = components;
    this.#parts = components;
    this.#self = init.self;
    this.#copies = new UnfinishedCopies(
      { time, uploads, cutOff: (file, promised) => this.#inTurn(file, () => this.#cutOff(file, promised)) },
      init,
    );
  }

  start(): void {
    this.#parts.inbox.start({
      seen: (file) => {
        this.#retry(file.key, null);
        this.#files.set(file.key, file);
        this.#inTurn(file, () => this.#take(file, AGAIN_MS));
      },
      left: (key) => this.#left(key),
      troubled: (troubles) => {
        this.#troubles = troubles;
        this.#parts.changed();
      },
    });
  }

  /** What is wrong with the folder. */
  troubles(): readonly InboxTrouble[] {
    return this.#troubles;
  }

  /** Idempotent: what is under way is given up, and stays in the folder. */
  async stop(): Promise<void> {
    for (const key of [...this.#retries.keys()]) this.#retry(key, null);
    this.#copies.stop();
    this.#files.clear();
    await this.#parts.inbox.stop();
    await this.#turn;
  }

  /** When the files before it are done with, and unless something else has been told of the file by then. */
  #inTurn(file: ArrivedFile, work: () => Promise<void>): void {
    this.#turn = this.#turn.then(async () => {
      if (this.#isCurrent(file)) await work();
    });
  }

  /** False where something else was told of the file since, and after `stop`. */
  #isCurrent(file: ArrivedFile): boolean {
    return this.#files.get(file.key) === file;
  }

  async #take(file: ArrivedFile, againMs: number): Promise<void> {
    try {
      if (file.isUnderWay) return this.#keep(file, await this.#promisedSoFar(file));
      const promised = await promisedBytes(file);
      // An empty file is one of which nothing has come yet.
      if (file.bytes === 0 || (promised ?? 0) > file.bytes) return this.#keep(file, promised);
      this.#copies.drop(file.key);
      await this.#add(file);
      this.#ended(file, await file.accept());
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      await this.#failed(file, error, againMs);
    }
  }

  #ended(file: ArrivedFile, end: InboxEnd, text = TAKEN): void {
    const { log } = this.#parts;
    if (end === 'changed') {
      log.info('A file of the inbox changed while it was taken in, and is looked at anew.', { file: file.name });
      return;
    }
    const stays = end === 'stays';
    log.info(text, { file: file.name, ...(stays && { stays }) });
    if (!stays) this.#forget(file);
  }

  #keep(file: ArrivedFile, promised: number | null): void {
    if (this.#isCurrent(file)) this.#copies.keep(file, promised);
  }

  async #failed(file: ArrivedFile, error: TuttiError, againMs: number): Promise<void> {
    const { code, detail, info } = error;
    // Gone, or changed: it is told of.
    if (!this.#isCurrent(file) || code === 'NOT_FOUND') return;
    if (code === 'INCOMPLETE_AUDIO') return this.#keep(file, null);
    if (NOT_NOW.has(code)) return this.#retry(file.key, () => this.#again(file, againMs), againMs);
    const { log } = this.#parts;
    if (info.isPutBack === true) return this.#ended(file, await file.accept(), PUT_BACK);
    log.warn('A file of the inbox was refused.', { file: file.name, code, detail });
    await this.#reject(file, error);
  }

  async #reject(file: ArrivedFile, error: TuttiError): Promise<void> {
    if ((await file.reject(reasonOf(error))) === 'gone') this.#forget(file);
  }

  async #cutOff(file: ArrivedFile, promised: number | null): Promise<void> {
    const what = promised === null ? 'it ends in the middle' : `its header promises ${promised} bytes`;
    await this.#reject(file, new TuttiError('INCOMPLETE_AUDIO', `${file.bytes} bytes came within a day, and ${what}`));
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

  /** What the header of a file says that is still written: null where it has not come yet, or says nothing. */
  async #promisedSoFar(file: ArrivedFile): Promise<number | null> {
    try {
      return await promisedBytes(file);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      return this.#copies.promisedBytes(file.key);
    }
  }

  #again(file: ArrivedFile, againMs: number): void {
    this.#inTurn(file, () => this.#take(file, Math.min(AGAIN_MS_MAX, 2 * againMs)));
  }

  /** Tries a file again after a while, in place of what was going to be tried with it; null: not at all. */
  #retry(key: string, again: (() => void) | null, afterMs = 0): void {
    this.#retries.get(key)?.cancel();
    this.#retries.delete(key);
    if (again === null) return;
    const timer = this.#parts.time.after('inbox.again', afterMs, () => {
      this.#retries.delete(key);
      again();
    });
    this.#retries.set(key, timer);
  }

  /** It was done with, unless another has taken its name. */
  #forget(file: ArrivedFile): void {
    if (this.#isCurrent(file)) this.#left(file.key);
  }

  #left(key: string): void {
    this.#files.delete(key);
    this.#retry(key, null);
    this.#copies.drop(key);
  }
}

/** What stands beside a refused file. */
const reasonOf = ({ code, detail }: TuttiError): string =>
  `${code}: ${ERRORS[code].title}\n${detail}\n\nWhat to do: ${ERRORS[code].advice}`;

/** Bytes that a file must have by its own header; null where that does not say, or is none. */
async function promisedBytes(file: ArrivedFile): Promise<number | null> {
  const reader = new WavReader(() => {});
  try {
    reader.push(await file.read(0));
  } catch (error) {
    // Whoever takes it in says so as well.
    if (error instanceof TuttiError && error.code === 'UNSUPPORTED_AUDIO') return null;
    throw error;
  }
  return reader.header?.fileBytes ?? null;
}

async function* bytesOf(file: ArrivedFile): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < file.bytes; ) {
    const bytes = await file.read(offset);
    if (bytes.length === 0) return;
    offset += bytes.length;
    yield bytes;
  }
}
