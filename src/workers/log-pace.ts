/**
 * Bulk writes give way to the log's: a press of play must not wait behind a file that is coming in.
 *
 * Both go to one card, which writes what it was given first. So before each mebibyte or so whoever writes in bulk looks at a counter that
 * is above zero while the log has something to write, and waits for it to fall; not for long, since a log that is always busy must not keep
 * files from ever coming in.
 */

/** Longest wait before one write. Milliseconds. */
const WAIT_MS_MAX = 100;

/**
 * A function that returns once nothing waits to be written to the log, or after {@link WAIT_MS_MAX}. It blocks its thread.
 * @param commits one 32-bit number, shared: how many commits are under way; who lowers it to 0 notifies (Atomics.notify)
 * @param now milliseconds, monotonic
 */
export function waitForLog(commits: SharedArrayBuffer, now: () => number): () => void {
  const underWay = new Int32Array(commits);
  return () => {
    const until = now() + WAIT_MS_MAX;
    for (let count = Atomics.load(underWay, 0); count > 0; count = Atomics.load(underWay, 0)) {
      const leftMs = until - now();
      if (leftMs <= 0 || Atomics.wait(underWay, 0, count, leftMs) === 'timed-out') return;
    }
  };
}
