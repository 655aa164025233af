/** A machine with Tutti on it: installed once of the archive of what is built here, and kept beside the image for the tests that begin there. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Test } from 'tap';
import { temporaryFolder } from '../support/daemon.js';
import { type Image, image, kept } from './image.js';
import { Machine } from './machine.js';

const PROGRAM_BYTES_MAX = 1e9;

/** A machine that was shut down after the installation; its node waits for a house. */
export interface Installed {
  readonly image: Image;
  /** What `install.sh` and the doctor said. */
  readonly report: string;
}

/** Packs what is built in a checkout, in this one by default. @returns the archive's path */
export function archiveOf(t: Test, cwd = '.'): string {
  const releases = temporaryFolder(t);
  const args = ['src/dev/release.mjs', releases, 'x64'];
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`the release ended with ${status}`);
  return join(releases, readdirSync(releases)[0]!);
}

/** All that an archive holds but words for people: new ones need no new machine. */
function programOf(archive: string): Uint8Array {
  const words = ['*/docs', '*.md'].map((pattern) => `--exclude=${pattern}`);
  return execFileSync('tar', ['-xzOf', archive, ...words], { maxBuffer: PROGRAM_BYTES_MAX });
}

/** Made where it is not there for this very program. @throws Error where it cannot be made */
export async function installed(t: Test): Promise<Installed> {
  const base = await image();
  const archive = archiveOf(t);
  const hash = createHash('sha256').update(programOf(archive)).digest('hex').slice(0, 16);
  const folder = join(base.folder, `installed-${hash}`);
  if (!existsSync(folder)) {
    for (const old of readdirSync(base.folder).filter((name) => name.startsWith('installed-'))) {
      rmSync(join(base.folder, old), { recursive: true });
    }
  }
  await kept(folder, async (unfinished) => {
    const machine = Machine.make(t, base);
    t.comment(`from power-on to sshd: ${(await machine.start()).toFixed(1)} s, on ${await machine.processor()}`);
    await machine.copy([archive], '/root/');
    const startedAt = performance.now();
    // Without a network: all there is lies in the archive.
    const report = await machine.must(`tar -xzf ${basename(archive)} && tutti-*/install.sh`);
    t.comment(`installed, started and looked at: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    await machine.powerOff();
    keepDisks(machine, unfinished);
    writeFileSync(join(unfinished, 'report.txt'), report);
  });
  const report = readFileSync(join(folder, 'report.txt'), 'utf8');
  return { image: { ...base, ...withDisks(folder), folder }, report };
}

/** Copies a machine's disks into `folder`: it must be off. */
export function keepDisks({ disks }: Machine, folder: string): void {
  copyFileSync(disks.root, join(folder, 'root.qcow2'));
  copyFileSync(disks.data, join(folder, 'data.qcow2'));
}

/** What {@link keepDisks} has kept, as a part of an image. */
export const withDisks = (folder: string): Pick<Image, 'disks'> => ({
  disks: { root: join(folder, 'root.qcow2'), data: join(folder, 'data.qcow2'), format: 'qcow2' },
});
