/** The one way to put a small file on a disk so that a power cut leaves the old one or the new one, whole. */
import type { Disk } from '../ports/disk.js';

/**
 * Writes `bytes` to `directory`/`name` by way of `temporary`, a path on the same disk that nobody else uses.
 * @throws TuttiError DISK_FULL, DISK_FAILED; the file at `name` is then as it was
 */
export function writeDurably(disk: Disk, temporary: string, directory: string, name: string, bytes: Uint8Array): void {
  replaceFile(disk, temporary, directory === '' ? name : `${directory}/${name}`, bytes);
  disk.syncDirectory(directory);
}

/**
 * {@link writeDurably} but for the last step: for several files of one directory, whose names become durable together when the caller
 * syncs it. @throws TuttiError DISK_FULL, DISK_FAILED
 */
export function replaceFile(disk: Disk, temporary: string, path: string, bytes: Uint8Array): void {
  const file = disk.open(temporary, 'create');
  try {
    file.truncate(0);
    file.write(bytes, 0);
    file.sync();
    disk.rename(temporary, path);
  } catch (error) {
    disk.remove(temporary);
    throw error;
  } finally {
    file.close();
  }
}
