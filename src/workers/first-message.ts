/** When a thread has been loaded. */
import type { Worker } from 'node:worker_threads';

/** Resolves when the thread says something for the first time, or ends: each says something as soon as it listens. Node's `online` comes before its modules are loaded. */
export const firstMessage = (worker: Worker): Promise<void> =>
  new Promise((resolve) => {
    worker.once('message', () => resolve()).once('exit', () => resolve());
  });
