/** What a benchmark begins is ended with it. */
import type { Ends } from '../support/daemon.js';

/** Runs `measure`, and then, whatever came of it, ends what it left to be ended: the last first. */
export async function withEnds<T>(measure: (bench: Ends) => Promise<T>): Promise<T> {
  const ends: (() => unknown)[] = [];
  try {
    return await measure({ teardown: (end) => ends.push(end) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
