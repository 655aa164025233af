/** Preloaded into a node (`--import`): SIGUSR2 keeps its main thread busy for three seconds, as an endless loop would. */
import { isMainThread } from 'node:worker_threads';

const HANGS_MS = 3_000;

if (isMainThread) {
  process.on('SIGUSR2', () => {
    const until = performance.now() + HANGS_MS;
    while (performance.now() < until);
  });
}
