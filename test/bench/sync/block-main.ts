/**
 * Loaded into a node by `--import`: at SIGUSR2 its main thread stands still for 400 ms, as if its card, its processor or its network had.
 * Whatever was on its way to the node comes so much later; its player is not told.
 */
import { isMainThread } from 'node:worker_threads';

/** How long. Milliseconds. */
const BLOCKED_MS = 400;

if (isMainThread) {
  const never = new Int32Array(new SharedArrayBuffer(4));
  process.on('SIGUSR2', () => Atomics.wait(never, 0, 0, BLOCKED_MS));
}
