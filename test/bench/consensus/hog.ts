/**
 * Loaded into a node before the program (`node --import`): on SIGUSR2 it fills libuv's thread pool with jobs that take 5 s each.
 *
 * A job is the opening of a pipe that has no writer yet: it holds a thread of the pool as long as one likes and needs no processor, so
 * what is late then is late for the pool and for nothing else. A timer opens the other end. fifo(7): opening for reading
 * waits until somebody opens for writing; UV_THREADPOOL_SIZE is 4 by default.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, open, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** Jobs, and how long each takes: a pool of four needs 20 s for them. */
const JOBS = 16;
const JOB_MS = 5_000;
const POOL = 4;

/** Names of as many pipes as there are jobs; made before the program starts, so that making them delays nothing. */
function makePipes(): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-hog-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const pipes = Array.from({ length: JOBS }, (_, job) => join(folder, String(job)));
  if (spawnSync('mkfifo', pipes).status !== 0) throw new Error('mkfifo failed');
  return pipes;
}

function fillPool(pipes: readonly string[]): void {
  for (const [job, pipe] of pipes.entries()) {
    let writer = -1;
    open(pipe, 'r', (error, reader) => {
      if (error !== null) throw error;
      closeSync(reader);
      closeSync(writer);
    });
    // The pool takes them in order, as many at a time as it has threads.
    const endsMs = JOB_MS * (1 + Math.floor(job / POOL));
    setTimeout(() => {
      writer = openSync(pipe, 'r+');
    }, endsMs);
  }
}

if (isMainThread) {
  const pipes = makePipes();
  process.once('SIGUSR2', () => fillPool(pipes));
}
