/** File systems of a process's own: in a namespace in which it may mount what it likes, and nobody else sees it (mount_namespaces(7)). */
import { spawnSync } from 'node:child_process';

/** What becomes, after the shell script `mounts`, the program that the words behind it name. It is the superuser there, and of nobody else. */
export const mounted = (mounts: string): readonly [program: string, ...args: string[]] => [
  'unshare',
  '-Urm',
  'sh',
  '-c',
  `set -e; ${mounts}; exec "$0" "$@"`,
];

/** False where that may be done, else why not. */
export function noOwnMounts(): string | false {
  const [program, ...args] = mounted('mount -t tmpfs none /mnt');
  const { status } = spawnSync(program, [...args, 'true']);
  return status === 0 ? false : 'this user may not mount a file system in a namespace (unshare -Urm)';
}
