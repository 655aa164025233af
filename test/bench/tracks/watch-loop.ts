/**
 * Loaded into a process by `--import`: notes in the file that WATCH_LOOP_FILE names, several times a second, for how long its event loop did not come
 * round at most.
 */
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** Between two notes. Milliseconds. */
const EVERY_MS = 100;

/** What was noted. One line of JSON each. */
export interface LoopNote {
  /** Wall-clock time, milliseconds: of one machine, so that notes of processes can be compared. */
  readonly atMs: number;
  /** Since the last note. */
  readonly longestMs: number;
}

const file = process.env.WATCH_LOOP_FILE;
if (file !== undefined && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  setInterval(() => {
    const note: LoopNote = { atMs: Date.now(), longestMs: delay.max / 1e6 };
    delay.reset();
    appendFileSync(file, `${JSON.stringify(note)}\n`);
  }, EVERY_MS).unref();
}
