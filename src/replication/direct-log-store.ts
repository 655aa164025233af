/**
 * DirectLogStore: the store on the same thread, under a clock that a test moves.
 *
 * One job is under way at a time, as on the log thread, and takes as long as the caller says; what is committed meanwhile waits, and goes
 * down together in the next. The disk's calls are made when the job begins or when it ends: between the two lies everything that a power
 * cut can do to a write that was asked for and not acknowledged.
 */
import { assert } from '../core/assert.js';
import type { BootId, Slot } from '../core/ids.js';
import type { Disk } from '../ports/disk.js';
import type { Time, Timer } from '../ports/time.js';
import type { StoreLimits } from '../storage/limits.js';
import { type ScrubStep, Store, type StoreInit, type StoreRecovered, type StoreWork } from '../storage/store.js';
import { type LogStore, refusalOf, type StoreStanding } from './log-store.js';

/** How the disk behaves. */
export interface DirectLogStoreInit {
  readonly limits: StoreLimits;
  /** How long the next job takes, milliseconds. */
  readonly latencyMs: () => number;
  /** When within a job the disk is called. */
  readonly callsAt?: 'start' | 'end';
}

interface Commit {
  readonly type: 'commit';
  readonly work: StoreWork;
  readonly done: (standing: StoreStanding) => void;
}

interface Other {
  readonly type: 'other';
  /** Calls the disk, and gives what to tell once the job is over. */
  readonly run: (store: Store) => () => void;
}

/** A store behind a queue, on one thread. */
export class DirectLogStore implements LogStore {
  readonly #time: Time;
  readonly #disk: Disk;
  readonly #init: DirectLogStoreInit;
  #store: Store | null = null;
  #failed: ((error: Error) => void) | null = null;
  #queue: (Commit | Other)[] = [];
  #job: Timer | null = null;
  #isOver = false;
  #idle: (() => void) | null = null;
  #commits = 0;

  constructor(components: { readonly time: Time; readonly disk: Disk }, init: DirectLogStoreInit) {
    this.#time = components.time;
    this.#disk = components.disk;
    this.#init = init;
  }

  /** How many commits were asked for. */
  get commits(): number {
    return this.#commits;
  }

  inspect(): Promise<'empty' | 'formatted' | 'unreadable'> {
    return attempt(() => Store.inspect(this.#disk));
  }

  format(init: StoreInit): Promise<void> {
    return attempt(() => Store.format(this.#disk, init, this.#init.limits));
  }

  open(boot: BootId, failed: (error: Error) => void): Promise<StoreRecovered> {
    return attempt(() => {
      assert(this.#store === null, 'a store is opened once');
      this.#store = Store.open(this.#disk, { bootId: boot }, this.#init.limits);
      this.#failed = failed;
      return this.#store.recovered;
    });
  }

  commit(work: StoreWork, done: (standing: StoreStanding) => void): void {
    this.#commits++;
    this.#add({ type: 'commit', work, done });
  }

  forgetBoots(upTo: BootId): void {
    this.#addOther((store) => {
      store.forgetBoots(upTo);
      return () => {};
    });
  }

  saveSnapshot(slot: Slot, bytes: Uint8Array, done: (refused: Error | null) => void): void {
    this.#addOther((store) => {
      const refused = refusalOf(() => store.saveSnapshot(slot, bytes));
      return () => done(refused);
    });
  }

  installSnapshot(
    slot: Slot,
    bytes: Uint8Array,
    meta: Parameters<Store['installSnapshot']>[2],
    done: (refused: Error | null) => void,
  ): void {
    this.#addOther((store) => {
      const refused = refusalOf(() => store.installSnapshot(slot, bytes, meta));
      return () => done(refused);
    });
  }

  readSnapshot(done: (bytes: Uint8Array | null, error: Error | null) => void): void {
    this.#addOther((store) => {
      let bytes: Uint8Array | null = null;
      const refused = refusalOf(() => {
        bytes = store.readSnapshot();
      });
      return () => done(bytes, refused);
    });
  }

  acceptLoss(slots: readonly Slot[], done: () => void): void {
    this.#addOther((store) => {
      store.acceptLoss(slots);
      return done;
    });
  }

  scrub(done: (step: ScrubStep) => void): void {
    this.#addOther((store) => {
      const step = store.scrubStep();
      return () => done(step);
    });
  }

  async close(): Promise<void> {
    if (this.#isOver) return;
    if (this.#job !== null) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.kill();
    this.#store?.close();
  }

  /** The process is killed: no job goes on, nobody is called, the disk is left as it is. */
  kill(): void {
    this.#isOver = true;
    this.#job?.cancel();
    this.#job = null;
    this.#queue = [];
    this.#idle?.();
  }

  #addOther(run: Other['run']): void {
    this.#add({ type: 'other', run });
  }

  #add(job: Commit | Other): void {
    if (this.#isOver) return;
    assert(this.#store !== null, 'a store is opened before it is used');
    this.#queue.push(job);
    if (this.#job === null) this.#begin();
  }

  #begin(): void {
    const jobs = this.#take();
    if (jobs.length === 0) {
      this.#idle?.();
      return;
    }
    const atStart = this.#init.callsAt === 'start' ? this.#run(jobs) : null;
    if (this.#isOver) return;
    this.#job = this.#time.after('log store', this.#init.latencyMs(), () => {
      this.#job = null;
      const tell = atStart ?? this.#run(jobs);
      if (this.#isOver) return;
      // The next job begins first: whoever is told may ask for more.
      this.#begin();
      tell();
    });
  }

  /** The next job: one that stands alone, or all commits up to such a one. */
  #take(): (Commit | Other)[] {
    if (this.#queue[0]?.type === 'other') return this.#queue.splice(0, 1);
    const end = this.#queue.findIndex(({ type }) => type === 'other');
    return this.#queue.splice(0, end === -1 ? this.#queue.length : end);
  }

  #run(jobs: readonly (Commit | Other)[]): () => void {
    const store = this.#store!;
    try {
      const [first] = jobs;
      if (first?.type === 'other') return first.run(store);
      const commits = jobs.filter((job) => job.type === 'commit');
      store.commit(commits.map(({ work }) => work));
      const standing = standingOf(store);
      return () => {
        for (const { done } of commits) if (!this.#isOver) done(standing);
      };
    } catch (error) {
      this.kill();
      this.#failed?.(error instanceof Error ? error : new Error(String(error)));
      return () => {};
    }
  }
}

const standingOf = (store: Store): StoreStanding => ({ batch: store.lastBatch, fill: store.fill });

function attempt<T>(call: () => T): Promise<T> {
  return new Promise((resolve) => resolve(call()));
}
