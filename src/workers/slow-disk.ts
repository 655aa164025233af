/**
 * A disk whose syncs take longer, as an SD card's do: for measurements on machines with faster ones.
 *
 * Set from outside, by the environment variable TUTTI_TEST_SYNC_DELAY_MS: what is measured is the whole daemon as it ships.
 */
import { TuttiError } from '../core/errors.js';
import type { Disk, DiskFile } from '../ports/disk.js';

/** The name that config/schema.ts lets pass as one of the tests' own. */
const VARIABLE = 'TUTTI_TEST_SYNC_DELAY_MS';
/** The slowest that makes sense: cards have been seen to stall for seconds. Milliseconds. */
const DELAY_MS_MAX = 10_000;

/** Gives `disk` back; where the environment says so, every sync of its files takes longer from now on. @throws TuttiError BAD_CONFIG */
export function slowDisk(disk: Disk, env: Readonly<Record<string, string | undefined>>): Disk {
  const text = env[VARIABLE];
  if (text === undefined || text === '') return disk;
  const delayMs = Number(text);
  if (!(delayMs >= 0 && delayMs <= DELAY_MS_MAX)) {
    throw new TuttiError('BAD_CONFIG', `${VARIABLE}: found ${JSON.stringify(text)}; right is 0 to ${DELAY_MS_MAX}`);
  }
  const open = disk.open.bind(disk);
  disk.open = (path, mode) => slowFile(open(path, mode), delayMs);
  return disk;
}

function slowFile(file: DiskFile, delayMs: number): DiskFile {
  const sync = file.sync.bind(file);
  // Blocks this thread and no other, as a slow sync does.
  const gate = new Int32Array(new SharedArrayBuffer(4));
  file.sync = () => {
    Atomics.wait(gate, 0, 0, delayMs);
    sync();
  };
  return file;
}
