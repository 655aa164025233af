/** The emulated machine's parts, built of Debian's packages once and kept. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const RECIPE = 'test/vm/build-image.sh';
const GUEST = 'test/vm/guest';

/** Files that a machine is started from. */
export interface Image {
  readonly kernel: string;
  readonly initrd: string;
  /** An ext4 file system: to be copied, not written to. */
  readonly root: string;
  /** What lets the tests in, as root and as pi. */
  readonly key: string;
}

/** Debian packages on this side, by a program of each. */
const NEEDED = [
  { program: 'qemu-system-x86_64', package: 'qemu-system-x86' },
  { program: 'mmdebstrap', package: 'mmdebstrap' },
  { program: 'ssh', package: 'openssh-client' },
];

/** False where machines can be emulated here, else why not. */
export function noMachines(): string | false {
  if (process.arch !== 'x64') return 'the emulated machine is an x64';
  if (process.getuid?.() !== 0) return 'only the superuser can build a file system with owners';
  for (const { program, package: name } of NEEDED) {
    if (spawnSync(program, ['--version']).error !== undefined && spawnSync(program, ['-V']).error !== undefined) {
      return `${program} is not installed (apt-get install ${name})`;
    }
  }
  return false;
}

/** Brings what is missing on this side, where that may be done. */
export function bringPrograms(): void {
  const missing = NEEDED.filter(({ program }) => spawnSync(program, ['-V']).error !== undefined);
  if (missing.length === 0 || process.getuid?.() !== 0 || process.env.TUTTI_NO_APT === '1') return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, stdio: ['ignore', 'ignore', 'inherit'] as const };
  spawnSync('apt-get', ['-qq', 'update'], { ...options, stdio: ['ignore', 'ignore', 'inherit'] });
  const names = missing.map((one) => one.package);
  const args = ['-qq', '-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', ...names];
  spawnSync('apt-get', args, { ...options, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The image, built where it is not there yet (minutes) or its recipe has changed. @throws Error where it cannot be built */
export function image(): Image {
  const cache = process.env.TUTTI_VM_CACHE ?? join(homedir(), '.cache', 'tutti-vm');
  const hash = createHash('sha256').update(readFileSync(RECIPE));
  for (const file of readdirSync(GUEST, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(GUEST, file);
    hash.update(file);
    try {
      hash.update(readFileSync(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    }
  }
  const folder = join(cache, hash.digest('hex').slice(0, 16));
  if (!existsSync(folder)) {
    const unfinished = `${folder}.${process.pid}`;
    mkdirSync(unfinished, { recursive: true });
    process.stderr.write('tutti: builds the emulated machine of Debian’s packages (once)\n');
    const { status } = spawnSync('sh', [RECIPE, unfinished], { stdio: ['ignore', 2, 2] });
    if (status !== 0) {
      rmSync(unfinished, { recursive: true });
      throw new Error(`${RECIPE} ended with ${status}`);
    }
    renameSync(unfinished, folder);
  }
  const path = (name: string) => join(folder, name);
  return { kernel: path('kernel'), initrd: path('initrd'), root: path('root.img'), key: path('key') };
}
