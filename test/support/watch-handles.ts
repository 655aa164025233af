/** Loaded into a node by `--import`: at SIGUSR2 its main thread writes to standard error how many sockets, timers and the like it holds, by their kinds. */
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.on('SIGUSR2', () => {
    const counts: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
    writeSync(2, `handles: ${JSON.stringify(counts)}\n`);
  });
}
