/**
 * Loaded into a node by `--import`: all of its threads share one card that takes 10 MB a second and 20 ms for a sync, one thing at a time.
 *
 * What waits in the system's memory goes to the card when it is synced, in pieces; whoever else wants the card comes in between, in the order in
 * which they asked. Direct reads and writes take their time at once; reads from memory take none. The real disk does its work besides.
 *
 * Threads of Tutti have a loader of their own choosing, so this one is added to theirs.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { isMainThread, type WorkerOptions, workerData } from 'node:worker_threads';

const BYTES_PER_MS = 10_000;
const SYNC_MS = 20;
/** What the card is given at a time. Bytes. */
const PIECE_BYTES = 128 << 10;
/** Where a worker finds the card, beside what it was started with. */
const CARD = 'tuttiSlowCard';

/** One after another: a number is drawn, and it is the turn of the number that is shown. Both are 32-bit numbers in shared memory. */
class Card {
  readonly #numbers: Int32Array;
  readonly #gate = new Int32Array(new SharedArrayBuffer(4));

  constructor(shared: SharedArrayBuffer) {
    this.#numbers = new Int32Array(shared);
  }

  move(bytes: number): void {
    for (let left = bytes; left > 0; left -= PIECE_BYTES) this.#take(Math.min(left, PIECE_BYTES) / BYTES_PER_MS);
  }

  sync(dirtyBytes: number): void {
    this.move(dirtyBytes);
    this.#take(SYNC_MS);
  }

  #take(ms: number): void {
    const own = Atomics.add(this.#numbers, 0, 1);
    for (let shown = Atomics.load(this.#numbers, 1); shown !== own; shown = Atomics.load(this.#numbers, 1)) {
      Atomics.wait(this.#numbers, 1, shown);
    }
    Atomics.wait(this.#gate, 0, 0, ms);
    Atomics.add(this.#numbers, 1, 1);
    Atomics.notify(this.#numbers, 1);
  }
}

/** Has this thread's blocking calls take as long as the card does. */
function slowDown(card: Card): void {
  const fs = createRequire(import.meta.url)('node:fs') as typeof import('node:fs');
  const { openSync, closeSync, readSync, writeSync, fdatasyncSync, fsyncSync } = fs;
  const direct = new Set<number>();
  const dirty = new Map<number, number>();
  fs.openSync = (path, flags, mode) => {
    const file = openSync(path, flags, mode);
    if (typeof flags === 'number' && (flags & fs.constants.O_DIRECT) !== 0) direct.add(file);
    return file;
  };
  fs.closeSync = (file) => {
    direct.delete(file);
    dirty.delete(file);
    closeSync(file);
  };
  fs.readSync = ((file: number, ...rest: never[]) => {
    const count = (readSync as (file: number, ...rest: never[]) => number)(file, ...rest);
    if (direct.has(file)) card.move(count);
    return count;
  }) as typeof readSync;
  fs.writeSync = ((file: number, ...rest: never[]) => {
    const count = (writeSync as (file: number, ...rest: never[]) => number)(file, ...rest);
    if (direct.has(file)) card.move(count);
    else dirty.set(file, (dirty.get(file) ?? 0) + count);
    return count;
  }) as typeof writeSync;
  const synced = (sync: (file: number) => void) => (file: number) => {
    card.sync(dirty.get(file) ?? 0);
    dirty.delete(file);
    sync(file);
  };
  fs.fdatasyncSync = synced(fdatasyncSync);
  fs.fsyncSync = synced(fsyncSync);
}

/** Has every worker that is made from now on load this file too. */
function slowDownWorkers(): void {
  const shared = new SharedArrayBuffer(8);
  const threads = createRequire(import.meta.url)('node:worker_threads') as typeof import('node:worker_threads');
  threads.Worker = class extends threads.Worker {
    constructor(path: string | URL, options: WorkerOptions = {}) {
      const execArgv = [...(options.execArgv ?? []), '--import', import.meta.url];
      super(path, { ...options, execArgv, workerData: { ...options.workerData, [CARD]: shared } });
    }
  };
}

if (isMainThread) slowDownWorkers();
else slowDown(new Card((workerData as Record<string, SharedArrayBuffer>)[CARD]!));
syncBuiltinESMExports();
