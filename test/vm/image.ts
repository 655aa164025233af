/** The emulated machine's parts, built of Debian's packages once and kept. */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const RECIPE = 'test/vm/build-image.sh';
const GUEST = 'test/vm/guest';
const APT_MS_MAX = 60_000;

/** Files that a machine is started from: nothing is written to them. */
export interface Image {
  /** Where they lie: of another recipe, elsewhere. */
  readonly folder: string;
  readonly kernel: string;
  readonly initrd: string;
  /** What lets the tests in, as root and as pi. */
  readonly key: string;
  readonly disks: Disks;
}

/** The system's disk, and the node's own, both with an ext4 file system. */
export interface Disks {
  readonly root: string;
  readonly data: string;
  readonly format: 'raw' | 'qcow2';
}

/** Debian packages on this side, by a program of each. */
const NEEDED = [
  { program: 'qemu-system-x86_64', package: 'qemu-system-x86' },
  { program: 'qemu-img', package: 'qemu-utils' },
  { program: 'mmdebstrap', package: 'mmdebstrap' },
  { program: 'ssh', package: 'openssh-client' },
];

/** False where machines can be emulated here, else why not. */
export function noMachines(): string | false {
  if (process.arch !== 'x64') return 'the emulated machine is an x64';
  if (process.getuid?.() !== 0) return 'only the superuser can build a file system with owners';
  for (const { program, package: name } of NEEDED) {
    if (!isThere(program)) return `${program} is not installed (apt-get install ${name})`;
  }
  if (!existsSync(imageFolder()) && !packagesAnswer())
    return 'no packages of Debian’s can be reached to build a machine of';
  return false;
}

const isThere = (program: string): boolean => spawnSync(program, ['-V']).error === undefined;

/** Whether this machine reaches where it has its packages from. */
function packagesAnswer(): boolean {
  const strict = ['-o', 'APT::Update::Error-Mode=any', '-o', 'Acquire::Retries=0'];
  return spawnSync('apt-get', ['-qq', 'update', ...strict], { stdio: 'ignore', timeout: APT_MS_MAX }).status === 0;
}

/** Brings what is missing on this side, where that may be done. */
export function bringPrograms(): void {
  const missing = NEEDED.filter(({ program }) => !isThere(program));
  if (missing.length === 0 || process.getuid?.() !== 0 || process.env.TUTTI_NO_APT === '1') return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options: SpawnSyncOptions = { env, stdio: ['ignore', 'ignore', 'inherit'] };
  spawnSync('apt-get', ['-qq', 'update'], options);
  const names = missing.map((one) => one.package);
  const args = ['-qq', '-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', ...names];
  spawnSync('apt-get', args, options);
}

/** Has `make` fill a folder, unless it is there already: what it had begun when it failed counts for nothing. */
export async function kept(folder: string, make: (unfinished: string) => Promise<void> | void): Promise<void> {
  if (existsSync(folder)) return;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    await make(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true });
    throw error;
  }
}

/** Where the image of this recipe is, or would be. */
function imageFolder(): string {
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
  return join(cache, hash.digest('hex').slice(0, 16));
}

/** The image, built where it is not there yet (minutes) or its recipe has changed. @throws Error where it cannot be built */
export async function image(): Promise<Image> {
  const folder = imageFolder();
  await kept(folder, (unfinished) => {
    process.stderr.write('tutti: builds the emulated machine of Debian’s packages (once)\n');
    const { status } = spawnSync('sh', [RECIPE, unfinished], { stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new Error(`${RECIPE} ended with ${status}`);
  });
  const path = (name: string) => join(folder, name);
  const disks = { root: path('root.img'), data: path('data.img'), format: 'raw' } as const;
  return { folder, kernel: path('kernel'), initrd: path('initrd'), key: path('key'), disks };
}
