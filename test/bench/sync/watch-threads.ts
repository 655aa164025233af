/**
 * Loaded into a node by `--import`: each of its threads notes, every few seconds, what collecting garbage took and now and then how much lives on its heap, in the file that
 * WATCH_THREADS_FILE names.
 *
 * Threads of Tutti have a loader of their own choosing, so this one is added to theirs. One that never comes back to its event loop, as the log's, notes
 * nothing.
 */
import { appendFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, type WorkerOptions, workerData } from 'node:worker_threads';

/** Between two notes. Milliseconds. */
const EVERY_MS = 5_000;
/** Where WATCH_THREADS_COLLECT is set all garbage is collected before every so many-th note: what is left then lives. */
const COLLECT_EVERY = 12;

/** What a thread noted. One line of JSON each. */
export interface ThreadNote {
  /** `main`, or the name of the worker's file. */
  readonly thread: string;
  /** Since the process was started. */
  readonly atMs: number;
  /** What lives on the heap; null where nobody looked. */
  readonly liveMb: number | null;
  /** Collections since the thread was started, and the milliseconds that they took: together, and at most. */
  readonly collections: number;
  readonly collectionMs: number;
  readonly longestMs: number;
}

/** Where a worker finds its own name, beside what it was started with. */
const NAME = 'tuttiThreadName';

function watch(thread: string, file: string): void {
  let collections = 0;
  let collectionMs = 0;
  let longestMs = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      collections += 1;
      collectionMs += duration;
      longestMs = Math.max(longestMs, duration);
    }
  }).observe({ entryTypes: ['gc'] });
  const collect = process.env.WATCH_THREADS_COLLECT === undefined ? undefined : collector();
  let notes = 0;
  setInterval(() => {
    let liveMb: number | null = null;
    if (collect !== undefined && notes++ % COLLECT_EVERY === 0) {
      collect();
      liveMb = getHeapStatistics().used_heap_size / 1e6;
    }
    const note: ThreadNote = { thread, atMs: performance.now(), liveMb, collections, collectionMs, longestMs };
    appendFileSync(file, `${JSON.stringify(note)}\n`);
  }, EVERY_MS).unref();
}

/** V8's own collector, which scripts see only where they ask for it. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** Has every worker that is made from now on load this file too. */
function watchWorkers(): void {
  const threads = createRequire(import.meta.url)('node:worker_threads') as typeof import('node:worker_threads');
  threads.Worker = class extends threads.Worker {
    constructor(path: string | URL, options: WorkerOptions = {}) {
      const name = String(path).replace(/^.*\/|\.js$/g, '');
      const execArgv = [...(options.execArgv ?? []), '--import', import.meta.url];
      super(path, { ...options, execArgv, workerData: { ...options.workerData, [NAME]: name } });
    }
  };
  syncBuiltinESMExports();
}

const file = process.env.WATCH_THREADS_FILE;
if (file !== undefined) {
  watch(isMainThread ? 'main' : ((workerData as Record<string, string>)[NAME] ?? 'worker'), file);
  if (isMainThread) watchWorkers();
}
