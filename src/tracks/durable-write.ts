/** The one way to put a small file on a disk so that a power cut leaves the old one or the new one, whole. */
import type { Disk } from '../ports/disk.js';

/**
 * Writes `bytes` to `directory`/`name` by way of `temporary`, a path on the same disk that nobody else uses.
 * @throws TuttiError DISK_FULL, DISK_FAILED; the file at `name` is then as it was
 */
export function writeDurably(disk: Disk, temporary: string, directory: string, name: string, bytes: Uint8Array): void {
  const file = disk.open(temporary, 'create');
  try {
    file.truncate(0);
    file.write(bytes, 0);
    file.sync();
    disk.rename(temporary, directory === '' ? name : `${directory}/${name}`);
  } catch (error) {
    disk.remove(temporary);
    throw error;
  } finally {
    file.close();
  }
  disk.syncDirectory(directory);
}
