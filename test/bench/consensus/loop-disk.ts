/**
 * A file system of its own on a loop device, so that the block device counts what one program writes and nothing else.
 *
 * Further reading: Linux, Documentation/block/stat.rst (the fields of /sys/block/NAME/stat); losetup(8); ext4(5).
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { folderOnDisk } from './contestant.js';

/** Room for three nodes with their preallocated logs and ballast. The file is sparse. Bytes. */
const SIZE_BYTES = 2 * 1024 ** 3;
/** The unit of the counters, whatever the device's own is. */
const SECTOR_BYTES = 512;

/** What a block device has done since it was made. */
export interface DeviceCounters {
  readonly writtenBytes: number;
  /** Commands to empty the device's cache: a sync that finds nothing to write sends one all the same. */
  readonly flushes: number;
}

/** A mounted one. */
export interface LoopDisk {
  readonly folder: string;
  counters(): DeviceCounters;
  /** Writes out all that waits in memory. */
  sync(): void;
  remove(): void;
}

/** Makes and mounts one, or says why it cannot be had here. */
export function makeLoopDisk(): LoopDisk | { readonly missing: string } {
  if (process.getuid?.() !== 0) return { missing: 'a file system of its own takes root' };
  const parent = folderOnDisk();
  const file = join(parent, 'disk.img');
  const folder = join(parent, 'mounted');
  const give = (missing: string) => {
    rmSync(parent, { recursive: true, force: true });
    return { missing };
  };
  writeFileSync(file, '');
  truncateSync(file, SIZE_BYTES);
  mkdirSync(folder);
  // Not lazy: the kernel would go on filling tables in the background, and be counted.
  const made = run('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0,nodiscard', file);
  if (made === undefined) return give('there is no mkfs.ext4 that works');
  const device = run('losetup', '--find', '--show', file)?.trim();
  if (device === undefined) return give('there is no loop device to be had');
  if (run('mount', device, folder) === undefined) {
    run('losetup', '--detach', device);
    return give('the loop device cannot be mounted');
  }
  return {
    folder: mkdtempSync(join(folder, 'data-')),
    counters: () => countersOf(basename(device)),
    sync: () => void run('sync', '--file-system', folder),
    remove() {
      run('umount', folder);
      run('losetup', '--detach', device);
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

/** What a program wrote to standard output; undefined where it failed or is not there. */
function run(program: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}

function countersOf(device: string): DeviceCounters {
  const fields = readFileSync(`/sys/block/${device}/stat`, 'utf8').trim().split(/\s+/).map(Number);
  return { writtenBytes: fields[6]! * SECTOR_BYTES, flushes: fields[15] ?? 0 };
}
