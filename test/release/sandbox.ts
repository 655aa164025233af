/**
 * This machine once more, to install things on: its file system under a layer in memory that is thrown away, its own mounts, and no network.
 * Nothing outside of it changes.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { temporaryFolder } from '../support/daemon.js';

/** Lays the layers, and runs `$SCRIPT` in them. Mounts end with the namespace. */
const ENTER = `
set -e
mount -t tmpfs none "$SANDBOX"
cd "$SANDBOX"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
mount --rbind /dev root/dev
mount --rbind /sys root/sys
mount -t proc proc root/proc
mount -t tmpfs none root/run
mount -t tmpfs none root/tmp
mkdir root/tmp/release
mount --bind "$RELEASES" root/tmp/release
# The test runner has every Node load a part of it, which is not there.
unset NODE_OPTIONS
exec chroot root sh -c "$SCRIPT"
`;

/** Whether this user may make such a machine; else why not. */
export function noSandbox(): string | false {
  const tried = spawnSync('unshare', ['--mount', '--net', '--pid', '--fork', 'true']);
  return tried.status === 0
    ? false
    : 'only the superuser may lay a machine over this one (unshare --mount --net --pid)';
}

/** What a script has said and how it ended. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a shell script in a fresh machine that has the folder `releases` as /tmp/release. */
export function inSandbox(t: Test, releases: string, script: string): Ran {
  const sandbox = join(temporaryFolder(t), 'machine');
  mkdirSync(sandbox);
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    SANDBOX: sandbox,
    RELEASES: releases,
    SCRIPT: script,
  };
  const within = ['--mount', '--net', '--pid', '--fork', '--kill-child', 'sh', '-c', ENTER];
  const { status, stdout, stderr } = spawnSync('unshare', within, { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}
