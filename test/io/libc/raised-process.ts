/**
 * A process with a worker thread that asks for real-time priority and locked memory, and prints what came of it. Run by
 * realtime.test.ts as different users.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { loadLibc } from '../../../src/io/libc/libc.js';
import { MemoryLock, raiseThisThread } from '../../../src/io/libc/realtime.js';
import { FakeLog } from '../../../src/ports/fake-log.js';

/** Sound of a few seconds, as a deck holds it. Bytes. */
const RING_BYTES = 4 * 1024 * 1024;

/** How one thread is scheduled: fields 40 and 41 of /proc/PID/task/TID/stat (proc_pid_stat(5)). */
export interface Scheduled {
  readonly thread: number;
  readonly priority: number;
  /** 0: SCHED_OTHER. 1: SCHED_FIFO. */
  readonly policy: number;
}

/** What the process prints, as JSON. */
export interface Raised {
  readonly granted: boolean;
  readonly worker: number;
  readonly threads: readonly Scheduled[];
  /** A process that the worker's thread started. */
  readonly child: Scheduled;
  /** What was asked for one after the other: a ring, the same again, a ring. */
  readonly locked: readonly boolean[];
  /** VmLck of the process before and after. Kilobytes. */
  readonly lockedKb: readonly [number, number];
  /** Lines of the log. */
  readonly said: readonly { readonly text: string; readonly why: unknown; readonly advice: unknown }[];
}

function scheduled(stat: string): Scheduled {
  // The name in brackets may hold anything; what follows begins with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { thread: Number.parseInt(stat, 10), priority: Number(fields[40 - 3]), policy: Number(fields[41 - 3]) };
}

const lockedKb = () => Number(/^VmLck:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);

function raise(): Raised {
  const log = new FakeLog();
  const libc = loadLibc();
  const granted = raiseThisThread({ libc, log });
  const memory = new MemoryLock({ libc, log });
  const before = lockedKb();
  const [first, second] = [new SharedArrayBuffer(RING_BYTES), new SharedArrayBuffer(RING_BYTES)];
  const locked = [first, first, second].map((each) => memory.lock(each));
  const after = lockedKb();
  // Were they collected before this, their pages would not count any more.
  if (first.byteLength + second.byteLength !== 2 * RING_BYTES) throw new Error('rings have a fixed size');
  return {
    granted,
    worker: libc!.bind('int gettid()')(),
    threads: readdirSync('/proc/self/task').map((id) => scheduled(readFileSync(`/proc/self/task/${id}/stat`, 'utf8'))),
    child: scheduled(spawnSync('cat', ['/proc/self/stat'], { encoding: 'utf8' }).stdout),
    locked,
    lockedKb: [before, after],
    said: log.entries.map(({ text, fields }) => ({ text, why: fields.why, advice: fields.advice })),
  };
}

if (isMainThread) new Worker(new URL(import.meta.url)).once('message', (raised) => console.log(JSON.stringify(raised)));
else parentPort!.postMessage(raise());
