/**
 * `npm run setup`: brings what a command misses, says what and why, and is quick where nothing is missing.
 *
 * npm packages come by the lock file; Debian packages through apt, where there is an apt and we may use it (root, and not forbidden by
 * TUTTI_NO_APT=1). What is optional may stay away: the command that misses it says so and goes on.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, run, runTool, say } from './lib.mjs';

const NODE_MIN = [20, 19];

/** Debian packages by purpose: a file that tells whether one is there, and what for. */
const DEBIAN = {
  test: [
    { name: 'sox', probe: '/usr/bin/sox', why: 'writes test files in every WAV format' },
    {
      name: 'alsa-utils',
      probe: '/usr/share/sounds/alsa/Front_Center.wav',
      why: 'has real WAV files that nobody here made',
    },
    { name: 'gcc', probe: '/usr/bin/gcc', why: 'compiles the test card' },
    { name: 'libc6-dev', probe: '/usr/include/stdio.h', why: 'compiles the test card' },
    { name: 'libasound2-dev', probe: '/usr/include/alsa/asoundlib.h', why: 'brings ALSA, and compiles the test card' },
    { name: 'socat', probe: '/usr/bin/socat', why: 'stands for the serial line of a front panel' },
    { name: 'ffmpeg', probe: '/usr/bin/ffmpeg', why: 'is the reference for loudness' },
    {
      name: 'python3-yaml',
      probe: '/usr/lib/python3/dist-packages/yaml/__init__.py',
      why: 'reads the template for cloud-init',
    },
    {
      name: 'fonts-dejavu-core',
      probe: '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
      why: 'is what pictures of the page are drawn with',
    },
    { name: 'chromium', probe: '/usr/bin/chromium', why: 'opens the page as people do' },
  ],
};

/** npm packages that may be missing, and what the node does without them. */
const OPTIONAL = [
  {
    name: 'onoff',
    without: 'GPIO buttons and lamps through sysfs (it compiles a small addon: needs g++, make, python3)',
  },
  {
    name: 'serialport',
    without: 'a serial front panel',
  },
  {
    name: 'speaker',
    without: 'sound through the portable output (it compiles an addon: needs g++, make, python3, libasound2-dev)',
  },
];

const checkNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  say(
    `tutti: needs Node.js ${NODE_MIN.join('.')} or newer, this is ${process.versions.node}. Debian 13 ships it; for Debian 12 see nodejs.org.`,
  );
  process.exit(1);
};

const bringNpmPackages = (purpose) => {
  const stamp = join(ROOT, 'node_modules', '.tutti-setup');
  const lock = readFileSync(join(ROOT, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).update(`${process.arch} ${process.versions.modules}`).digest('hex');
  const found = existsSync(stamp) ? readFileSync(stamp, 'utf8').split(' ') : [];
  if (found.includes(wanted) && (purpose === 'run' || found.includes('test'))) return;
  say('tutti: bringing the npm packages that package-lock.json names (once, and after it changes)');
  // Not `npm ci`: it refuses a lock file without the entries of optional packages for machines that a registry mirror does not carry.
  // This installs the versions of the lock file just the same, and does not write to it.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const status = run('npm', args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    say('tutti: npm could not bring the packages; see above. Is the npm registry reachable?');
    process.exit(status);
  }
  const require = createRequire(join(ROOT, 'package.json'));
  for (const { name, without } of OPTIONAL) {
    try {
      require.resolve(name);
    } catch {
      say(`tutti: optional package ${name} could not be built here: no ${without}. Everything else works.`);
    }
  }
  // Else the first run of the tests after this would load all that tap can do into each of them.
  if (purpose === 'test') runTool('tap/dist/esm/run.mjs', ['build'], { stdio: ['ignore', 2, 2] });
  writeFileSync(stamp, `${purpose} ${wanted}`);
};

const bringDebianPackages = (purpose) => {
  const missing = (DEBIAN[purpose] ?? []).filter(({ probe }) => !existsSync(probe));
  if (missing.length === 0) return;
  const list = missing.map(({ name, why }) => `${name} (${why})`).join(', ');
  const allowed = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get') && process.env.TUTTI_NO_APT !== '1';
  if (!allowed) {
    say(
      `tutti: goes on without the Debian packages ${list}; what needs them is skipped. As root: apt-get install ${missing.map(({ name }) => name).join(' ')}`,
    );
    return;
  }
  say(`tutti: bringing Debian packages: ${list}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, stdio: ['ignore', 'ignore', 2] };
  run('apt-get', ['-qq', 'update'], options);
  const names = missing.map(({ name }) => name);
  if (run('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', ...names], options) !== 0) {
    say('tutti: apt could not bring them all; what needs the missing ones is skipped.');
  }
};

/** @param purpose `run` for the product alone, `test` for the tests too. */
export const setup = (purpose) => {
  checkNode();
  bringNpmPackages(purpose);
  bringDebianPackages(purpose);
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) setup(process.argv[2] ?? 'test');
