/** Loaded into a node by `--import`: its main thread stands still for {@link BUSY_MS} of every second, as if it had too much to do. */
import { isMainThread } from 'node:worker_threads';

/** How long. Milliseconds. */
const BUSY_MS = 200;

if (isMainThread) {
  const never = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => Atomics.wait(never, 0, 0, BUSY_MS), 1_000).unref();
}
