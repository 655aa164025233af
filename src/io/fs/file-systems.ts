/** Which file system a path lies on, and whether other machines write to it. */
import { statfsSync } from 'node:fs';

/** `f_type` of statfs(2), by name (linux/magic.h, and the file systems' own headers). */
const NAMES: Readonly<Record<number, string>> = {
  61267: 'ext4',
  16914836: 'tmpfs',
  2240043254: 'ramfs',
  2035054128: 'overlay',
  2435016766: 'btrfs',
  1481003842: 'xfs',
  4076150800: 'f2fs',
  801189825: 'zfs',
  19780: 'vfat',
  538032816: 'exfat',
  26985: 'nfs',
  // SMB1; SMB2 and later.
  4283649346: 'cifs',
  4266872130: 'cifs',
};

const ON_NETWORK: readonly string[] = ['nfs', 'cifs'];

/** The name of the file system that `path` lies on; its number in hexadecimal where that is none of the known ones. Throws as statfs(2) fails. */
export function fileSystemOf(path: string | Buffer): string {
  const type = statfsSync(path).type >>> 0;
  return NAMES[type] ?? `0x${type.toString(16)}`;
}

/** True where `path` lies on a file system that other machines write to. Throws as statfs(2) fails. */
export const isOnNetwork = (path: string | Buffer): boolean => ON_NETWORK.includes(fileSystemOf(path));
