/** Failures of files in directories that the store made itself. */
import { TuttiError } from '../core/errors.js';

/** Where something in them is not there, somebody took it away: to a caller that is no NOT_FOUND, but DISK_FAILED. */
export function inOwnDirectories<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TuttiError) || error.code !== 'NOT_FOUND') throw error;
    throw new TuttiError('DISK_FAILED', 'a file or directory of the track store is not there any more', {}, error);
  }
}

/** Does `work` where that can be done: for clearing up, whose own failures are none of the caller's. */
export function unlessFails(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error;
  }
}
