/**
 * LogThread: the store on a thread of its own, seen from the main thread; and that thread's loop.
 *
 * The thread owns the disk and only ever blocks: on a sync, or, with nothing to do, on a flag that the main thread raises with each job
 * (Atomics.wait). It takes all jobs that wait at once, so commits that came while the disk was busy go down together: the slower the card,
 * the larger the groups. Waking it by the flag instead of by its event loop is what keeps a commit's way there and back at some 30
 * microseconds, also at the 99th percentile; answers come as messages, which the main thread's event loop must see anyhow.
 */
import { assert } from '../core/assert.js';
import { type ErrorCode, type ErrorInfo, TuttiError } from '../core/errors.js';
import type { BootId, Slot } from '../core/ids.js';
import type { Disk } from '../ports/disk.js';
import type { StoreLimits } from '../storage/limits.js';
import { type ScrubStep, Store, type StoreInit, type StoreRecovered, type StoreWork } from '../storage/store.js';
import { type LogStore, refusalOf, type StoreStanding } from './log-store.js';
import { decodeRecords, decodeWork, encodeRecords, encodeWork } from './work-form.js';

/** What the main thread asks. Both ends count jobs from 1: a job's number is its id, and does not travel. */
type Job =
  /** A commit, in the form of work-form.ts: the commonest, so as little as can be. */
  | Uint8Array
  | { readonly type: 'inspect' }
  | { readonly type: 'format'; readonly init: StoreInit }
  | { readonly type: 'open'; readonly boot: BootId }
  | { readonly type: 'forget-boots'; readonly upTo: BootId }
  | { readonly type: 'save-snapshot'; readonly slot: Slot; readonly bytes: Uint8Array }
  | {
      readonly type: 'install-snapshot';
      readonly slot: Slot;
      readonly bytes: Uint8Array;
      readonly meta: Parameters<Store['installSnapshot']>[2];
    }
  | { readonly type: 'read-snapshot' }
  | { readonly type: 'accept-loss'; readonly slots: readonly Slot[] }
  | { readonly type: 'scrub' }
  | { readonly type: 'close' };

type Call = Exclude<Job, Uint8Array>;

/** An error as it travels. What is no TuttiError is the end of the thread. */
interface SentError {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly info: ErrorInfo;
}

/** What was recovered, with its records in the form of work-form.ts. */
type SentRecovered = Omit<StoreRecovered, 'accepted'> & { readonly accepted: Uint8Array };

/** What the thread answers. */
type Answer =
  /** All commits up to the job `upTo`, from the one after the last answer, are durable. The commonest, so in the form that costs least. */
  | readonly [upTo: number, batch: number, fill: number]
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refused'; readonly id: number; readonly error: SentError }
  /** A write or sync failed: nothing is done any more. */
  | { readonly type: 'failed'; readonly error: SentError };

/** The main thread's end of the channel. */
export interface LogPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

/** The thread's end: takes the next message, undefined where none waits. */
export interface LogThreadPort {
  receive(): unknown;
  postMessage(message: unknown): void;
}

/** Of the flag that wakes the thread: one 32-bit number, which counts jobs. Bytes. */
export const FLAG_BYTES = 4;

type Waiting =
  | { readonly type: 'commit'; readonly done: (standing: StoreStanding) => void }
  | { readonly type: 'call'; done(value: unknown): void; refused(error: Error): void };

/** The store of {@link serveLogStore} at the other end of a channel. */
export class LogThread implements LogStore {
  /** One 32-bit number: commits that were asked for and not answered. Who writes in bulk waits while it is above 0. */
  readonly commits = new SharedArrayBuffer(4);
  readonly #commits = new Int32Array(this.commits);
  readonly #port: LogPort;
  readonly #flag: Int32Array;
  readonly #end: () => Promise<void>;
  /** By job, in the order in which they were asked. */
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  /** Who is to hear that the thread is of no use any more. */
  #failed: (error: Error) => void;
  #isOver = false;
  #isClosing = false;

  /**
   * @param components `flag`: shared with the thread, {@link FLAG_BYTES}; `end` ends the thread once it has closed the store; `died`
   * is called where it ends before a store was opened
   */
  constructor(components: {
    readonly port: LogPort;
    readonly flag: SharedArrayBuffer;
    readonly end: () => Promise<void>;
    readonly died: (error: Error) => void;
  }) {
    this.#port = components.port;
    this.#failed = components.died;
    this.#flag = new Int32Array(components.flag);
    this.#end = components.end;
    this.#port.on('message', (message) => this.#answered(message as Answer));
  }

  /** The oldest commit that is not durable yet, by a number that rises from commit to commit; null where none waits. */
  get waitsFor(): number | null {
    for (const [id, waiting] of this.#waiting) if (waiting.type === 'commit') return id;
    return null;
  }

  inspect(): Promise<'empty' | 'formatted' | 'unreadable'> {
    return this.#call({ type: 'inspect' });
  }

  format(init: StoreInit): Promise<void> {
    return this.#call({ type: 'format', init });
  }

  async open(boot: BootId, failed: (error: Error) => void): Promise<StoreRecovered> {
    this.#failed = failed;
    const { accepted, ...recovered } = await this.#call<SentRecovered>({ type: 'open', boot });
    return { ...recovered, accepted: decodeRecords(accepted) };
  }

  commit(work: StoreWork, done: (standing: StoreStanding) => void): void {
    Atomics.add(this.#commits, 0, 1);
    this.#ask(encodeWork(work), { type: 'commit', done });
  }

  forgetBoots(upTo: BootId): void {
    this.#tell({ type: 'forget-boots', upTo }, () => {});
  }

  saveSnapshot(slot: Slot, bytes: Uint8Array, done: (refused: Error | null) => void): void {
    this.#tell({ type: 'save-snapshot', slot, bytes }, () => done(null), done);
  }

  installSnapshot(
    slot: Slot,
    bytes: Uint8Array,
    meta: Parameters<Store['installSnapshot']>[2],
    done: (refused: Error | null) => void,
  ): void {
    this.#tell({ type: 'install-snapshot', slot, bytes, meta }, () => done(null), done);
  }

  readSnapshot(done: (bytes: Uint8Array | null, error: Error | null) => void): void {
    this.#tell(
      { type: 'read-snapshot' },
      (bytes) => done(bytes as Uint8Array, null),
      (error) => done(null, error),
    );
  }

  acceptLoss(slots: readonly Slot[], done: () => void): void {
    this.#tell({ type: 'accept-loss', slots }, done);
  }

  scrub(done: (step: ScrubStep) => void): void {
    this.#tell({ type: 'scrub' }, (step) => done(step as ScrubStep));
  }

  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isClosing = true;
    const closed = this.#call({ type: 'close' });
    // What was asked for before is finished, and its callers are told nothing any more.
    for (const [id] of this.#waiting) if (id !== this.#lastId) this.#waiting.delete(id);
    await closed.catch(() => {});
    this.#isOver = true;
    await this.#end();
  }

  /** The thread ended, or something in it broke. */
  died(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    // Who opens or closes is waiting for an answer; everybody else hears by `failed`.
    for (const call of waiting) if (call.type === 'call') call.refused(error);
    // A thread that was told to close ends, and its end may be heard of before its last word.
    if (this.#isClosing) return;
    this.#failed(error);
    void this.#end();
  }

  #call<T>(job: Call): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) {
        reject(new TuttiError('DISK_FAILED', 'The log thread has ended.'));
        return;
      }
      this.#ask(job, { type: 'call', done: (value) => resolve(value as T), refused: reject });
    });
  }

  #tell(job: Call, done: (value: unknown) => void, refused: (error: Error) => void = () => {}): void {
    this.#ask(job, { type: 'call', done, refused });
  }

  #ask(job: Job, waiting: Waiting): void {
    if (this.#isOver) return;
    this.#waiting.set(++this.#lastId, waiting);
    this.#port.postMessage(job);
    Atomics.add(this.#flag, 0, 1);
    Atomics.notify(this.#flag, 0);
  }

  #durable(upTo: number, standing: StoreStanding): void {
    for (const [id, waiting] of this.#waiting) {
      if (id > upTo) break;
      if (waiting.type !== 'commit') continue;
      this.#waiting.delete(id);
      if (Atomics.sub(this.#commits, 0, 1) === 1) Atomics.notify(this.#commits, 0);
      waiting.done(standing);
    }
  }

  #answered(answer: Answer): void {
    if (this.#isOver) return;
    if (!('type' in answer)) {
      const [upTo, batch, fill] = answer;
      this.#durable(upTo, { batch, fill });
      return;
    }
    switch (answer.type) {
      case 'done':
      case 'refused': {
        const waiting = this.#waiting.get(answer.id);
        this.#waiting.delete(answer.id);
        if (waiting?.type !== 'call') break;
        if (answer.type === 'done') waiting.done(answer.value);
        else waiting.refused(received(answer.error));
        break;
      }
      case 'failed':
        this.died(received(answer.error));
        break;
    }
  }
}

/** The thread's loop: returns once the store was closed, or has failed. */
export function serveLogStore(
  components: { readonly disk: Disk; readonly port: LogThreadPort; readonly flag: SharedArrayBuffer },
  init: { readonly limits: StoreLimits },
): void {
  const flag = new Int32Array(components.flag);
  const server = new LogServer(components, init);
  for (;;) {
    // Read before the jobs are: one that comes in between has raised it, and is not slept over.
    const raised = Atomics.load(flag, 0);
    const jobs: Job[] = [];
    for (let job = components.port.receive(); job !== undefined; job = components.port.receive()) jobs.push(job as Job);
    if (jobs.length === 0) Atomics.wait(flag, 0, raised);
    else if (!server.serve(jobs)) return;
  }
}

class LogServer {
  readonly #disk: Disk;
  readonly #port: LogThreadPort;
  readonly #limits: StoreLimits;
  #store: Store | null = null;
  /** Jobs that were begun: the id of the one at hand. */
  #begun = 0;

  constructor(
    components: { readonly disk: Disk; readonly port: LogThreadPort },
    init: { readonly limits: StoreLimits },
  ) {
    this.#disk = components.disk;
    this.#port = components.port;
    this.#limits = init.limits;
  }

  /** False once there is nothing more to serve. */
  serve(jobs: readonly Job[]): boolean {
    try {
      for (let at = 0; at < jobs.length; ) {
        const job = jobs[at]!;
        if (job instanceof Uint8Array) {
          at = this.#commit(jobs, at);
          continue;
        }
        this.#do(job, ++this.#begun);
        at++;
        if (job.type === 'close') return false;
      }
      return true;
    } catch (error) {
      // What is no TuttiError is a bug of ours: it ends the thread, and the main thread hears of that.
      if (!(error instanceof TuttiError)) throw error;
      this.#answer({ type: 'failed', error: sent(error) });
      return false;
    }
  }

  /** Commits all works from `at` up to the next other job, and gives where that is. */
  #commit(jobs: readonly Job[], at: number): number {
    const works: StoreWork[] = [];
    let end = at;
    for (let job = jobs[end]; job instanceof Uint8Array; job = jobs[++end]) works.push(decodeWork(job));
    this.#begun += works.length;
    const store = this.#opened();
    store.commit(works);
    this.#answer([this.#begun, store.lastBatch, store.fill]);
    return end;
  }

  #do(job: Call, id: number): void {
    switch (job.type) {
      case 'inspect':
      case 'format':
      case 'open':
        this.#begin(job, id);
        break;
      case 'forget-boots':
        this.#opened().forgetBoots(job.upTo);
        this.#answer({ type: 'done', id, value: null });
        break;
      case 'save-snapshot':
        this.#tryTo(id, () => this.#opened().saveSnapshot(job.slot, job.bytes));
        break;
      case 'install-snapshot':
        this.#tryTo(id, () => this.#opened().installSnapshot(job.slot, job.bytes, job.meta));
        break;
      case 'read-snapshot':
        this.#tryTo(id, () => this.#opened().readSnapshot());
        break;
      case 'accept-loss':
        this.#opened().acceptLoss(job.slots);
        this.#answer({ type: 'done', id, value: null });
        break;
      case 'scrub':
        this.#answer({ type: 'done', id, value: this.#opened().scrubStep() });
        break;
      case 'close':
        this.#store?.close();
        this.#answer({ type: 'done', id, value: null });
        break;
    }
  }

  /** Before there is a store nothing can be lost: whatever goes wrong is told to who asked. */
  #begin(job: Extract<Call, { readonly type: 'inspect' | 'format' | 'open' }>, id: number): void {
    try {
      this.#answer({ type: 'done', id, value: this.#beginning(job) });
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      this.#answer({ type: 'refused', id, error: sent(error) });
    }
  }

  #beginning(job: Extract<Call, { readonly type: 'inspect' | 'format' | 'open' }>): unknown {
    switch (job.type) {
      case 'inspect':
        return Store.inspect(this.#disk);
      case 'format':
        return Store.format(this.#disk, job.init, this.#limits);
      case 'open':
        assert(this.#store === null, 'a store is opened once');
        this.#store = Store.open(this.#disk, { bootId: job.boot }, this.#limits);
        return sentRecovered(this.#store.recovered);
    }
  }

  #tryTo(id: number, call: () => unknown): void {
    let value: unknown;
    const refused = refusalOf(() => {
      value = call();
    });
    if (refused === null) this.#answer({ type: 'done', id, value });
    else this.#answer({ type: 'refused', id, error: sent(refused) });
  }

  #opened(): Store {
    assert(this.#store !== null, 'a store is opened before it is used');
    return this.#store;
  }

  #answer(answer: Answer): void {
    this.#port.postMessage(answer);
  }
}

const sentRecovered = ({ accepted, ...recovered }: StoreRecovered): SentRecovered => ({
  ...recovered,
  accepted: encodeRecords(accepted),
});

const sent = ({ code, detail, info }: TuttiError): SentError => ({ code, detail, info });
const received = ({ code, detail, info }: SentError): TuttiError => new TuttiError(code, detail, info);
