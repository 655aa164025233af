/**
 * One process per data directory: two that shared one would remove each other's uploads.
 *
 * An advisory lock (flock(2)) on a file within it, which the kernel lets go with the process however that ends: nothing is left behind
 * that a person would have to remove after a power cut.
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { TuttiError } from '../../core/errors.js';
import { loadLibc } from '../libc/libc.js';

/** LOCK_EX | LOCK_NB of <sys/file.h>. */
const EXCLUSIVE_WITHOUT_WAITING = 2 | 4;
/** EWOULDBLOCK of Linux: somebody else has it. */
const EWOULDBLOCK = 11;

/**
 * Takes the lock of `directory`, which must be there, until the answered function is called or the process ends. Where libc cannot be
 * reached, or the file system knows no locks, there is none, and the answer does nothing.
 * @throws TuttiError DATA_DIR_IN_USE where another process has it; DISK_FAILED where its file cannot be made
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, 'lock');
  let file: number;
  try {
    file = openSync(path, 'a', 0o600);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TuttiError('DISK_FAILED', `the data directory cannot be written to: ${why}`, {}, error);
  }
  const libc = loadLibc();
  if (libc !== undefined && libc.bind('int flock(int fd, int operation)')(file, EXCLUSIVE_WITHOUT_WAITING) !== 0) {
    const isTaken = libc.errno() === EWOULDBLOCK;
    if (isTaken) {
      closeSync(file);
      throw new TuttiError('DATA_DIR_IN_USE', `another node runs on ${directory}: end it, or name another directory`);
    }
  }
  let isHeld = true;
  return () => {
    if (isHeld) closeSync(file);
    isHeld = false;
  };
}
