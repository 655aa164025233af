/**
 * `npm run build -- --release [arm64 | armv7 | x64]...`: what is carried to a Pi, `dist/release/tutti-VERSION-linux-ARCH.tar.gz`.
 *
 * Each holds the bundled program, the packages with native code for its own machine, units, firmware-config and `install.sh`: the Pi
 * needs no compiler and no network for it. Packages come by the lock file, so that the archives of one commit hold the same. What would
 * have to be compiled there stays uncompiled (onoff's `epoll`): GPIO goes by the character device without it.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXTERNAL } from './bundle.mjs';
import { filesBelow, must, ROOT, run, say } from './lib.mjs';

/** How npm and an ELF header (e_machine of elf(5)) call the machines that Tutti is made for. */
const TARGETS = {
  arm64: { cpu: 'arm64', elfMachine: 183 },
  armv7: { cpu: 'arm', elfMachine: 40 },
  x64: { cpu: 'x64', elfMachine: 62 },
};
/** For laptops: it has to be compiled, and a node on a Pi does better without. */
const LEFT_OUT = ['speaker'];
/** Beside the program and its packages. */
const FILES = ['LICENSE', 'README.md', 'CHANGELOG.md', 'docs', 'systemd', 'firmware-config', 'install.sh', 'bin'];
/** Of dist/: `tutti` is the program, `web` the page. */
const BUILT = ['tutti', 'web'];

/** The package file with nothing but what is not bundled, and the lock file to match. */
const productionManifests = () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const isWanted = ([name]) => EXTERNAL.includes(name) && !LEFT_OUT.includes(name);
  const wanted = (dependencies = {}) => Object.fromEntries(Object.entries(dependencies).filter(isWanted));
  const { name, version, license, type, engines, bin } = manifest;
  const kept = {
    dependencies: wanted(manifest.dependencies),
    optionalDependencies: wanted(manifest.optionalDependencies),
  };
  const own = { name, version, license, type, engines, bin, private: true, ...kept };
  lock.packages[''] = { name, version, license, engines, bin, ...kept };
  return { own, lock, version };
};

/** Brings the packages for one machine into `folder`. */
const bringPackages = (folder, { cpu }) => {
  const args = ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const target = ['--os=linux', `--cpu=${cpu}`, '--libc=glibc'];
  must(run('npm', [...args, ...target], { cwd: folder, stdio: ['ignore', 2, 2] }), `bringing packages for ${cpu}`);
  rmSync(join(folder, 'package-lock.json'));
  rmSync(join(folder, 'node_modules', '.package-lock.json'), { force: true });
};

/** Packages with ready-made binaries have them for machines of all kinds. */
const removeForeignBinaries = (folder, { elfMachine }) => {
  for (const file of filesBelow(folder).filter((path) => path.endsWith('.node'))) {
    const machine = readFileSync(join(folder, file)).readUInt16LE(18);
    if (machine !== elfMachine || /musl/.test(file)) rmSync(join(folder, file));
  }
};

/** Packs `folder`; two runs give the same bytes. */
const pack = (parent, folder, file) => {
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--mode=u+rwX,go+rX,go-w'];
  must(run('tar', [...same, '--use-compress-program=gzip -9n', '-cf', file, '-C', parent, folder]), 'packing');
};

/** Makes the archives for `names` of a build that is there already; gives their paths. */
export const release = (names, outdir = join(ROOT, 'dist', 'release')) => {
  const { own, lock, version } = productionManifests();
  mkdirSync(outdir, { recursive: true });
  return names.map((name) => {
    const target = TARGETS[name];
    if (target === undefined) {
      say(`tutti: releases are made for ${Object.keys(TARGETS).join(', ')}, not for ${name}`);
      process.exit(1);
    }
    const work = mkdtempSync(join(tmpdir(), 'tutti-release-'));
    try {
      const top = `tutti-${version}`;
      const folder = join(work, top);
      mkdirSync(join(folder, 'dist'), { recursive: true });
      writeFileSync(join(folder, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);
      writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
      bringPackages(folder, target);
      removeForeignBinaries(folder, target);
      for (const path of FILES) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
      for (const path of BUILT.filter((part) => existsSync(join(ROOT, 'dist', part)))) {
        cpSync(join(ROOT, 'dist', path), join(folder, 'dist', path), { recursive: true });
      }
      // Tells install.sh that this is no checkout, and for which machine it was made.
      writeFileSync(join(folder, 'RELEASE'), `${version} linux-${name}\n`);
      const file = join(outdir, `tutti-${version}-linux-${name}.tar.gz`);
      pack(work, top, file);
      say(`tutti: made ${file}`);
      return file;
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
};

/** The names behind `--release` on the command line: all machines where none is named. */
export const releaseNames = (args) => {
  const names = args.filter((arg) => !arg.startsWith('--'));
  return names.length > 0 ? names : Object.keys(TARGETS);
};

// Of the build that is there, into another folder: for the tests.
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [outdir, ...names] = process.argv.slice(2);
  release(releaseNames(names), outdir);
}
