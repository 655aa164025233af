/** What is carried to a Pi: every archive holds the binaries of its own machine and no others, and installs without a network. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../support/daemon.js';
import { inSandbox, noSandbox } from './sandbox.js';

/** e_machine of elf(5). */
const MACHINES: Readonly<Record<string, number>> = { arm64: 183, armv7: 40, x64: 62 };

const folder = temporaryFolder(t);
const made = spawnSync(process.execPath, ['src/dev/release.mjs', folder], { encoding: 'utf8' });
const noRelease = made.status === 0 ? false : `packages of other machines could not be brought: ${made.stderr}`;
const archives = noRelease === false ? readdirSync(folder).sort() : [];
const isThisMachine = (archive: string) => archive.endsWith(`-linux-${process.arch}.tar.gz`);

t.test('there is an archive for each kind of Pi, and for PCs', { skip: noRelease }, (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  t.same(
    archives,
    Object.keys(MACHINES).map((machine) => `tutti-${version}-linux-${machine}.tar.gz`),
  );
  t.end();
});

t.test('each holds binaries of its own machine and of no other', { skip: noRelease }, (t) => {
  for (const archive of archives) {
    const unpacked = join(temporaryFolder(t), archive);
    mkdirSync(unpacked);
    t.equal(spawnSync('tar', ['-xzf', join(folder, archive), '-C', unpacked]).status, 0);
    const binaries = readdirSync(unpacked, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.node'),
    );
    t.ok(binaries.length > 0, `${archive} has some`);
    for (const file of binaries) {
      const bytes = readFileSync(join(unpacked, file));
      t.equal(bytes.toString('latin1', 0, 4), '\x7fELF', file);
      const machine = bytes.readUInt16LE(18);
      t.comment(`${archive}: ${file}, ELF machine ${machine}`);
      t.equal(machine, MACHINES[/-linux-(.*)\.tar\.gz$/.exec(archive)![1]!], `${archive}: ${file}`);
    }
  }
  t.end();
});

t.test('two archives of one build are the same to the byte', { skip: noRelease }, (t) => {
  const again = temporaryFolder(t);
  const [name] = archives;
  const { status } = spawnSync(process.execPath, ['src/dev/release.mjs', again, 'arm64'], { stdio: 'ignore' });
  t.equal(status, 0);
  t.ok(readFileSync(join(again, name!)).equals(readFileSync(join(folder, name!))));
  t.end();
});

const own = archives.find(isThisMachine);
const skip = noRelease || noSandbox() || (own === undefined && 'no release is made for this machine') || false;

/** Unpacks the release for this machine; `release` is where it lies then. */
const UNPACK = `set -eu; cd /tmp; tar -xzf /tmp/release/${own}; release=$(echo /tmp/tutti-*)`;

t.test('the release for this machine installs with the network off, and the doctor looks at it', { skip }, (t) => {
  const { status, stdout, stderr } = inSandbox(
    t,
    folder,
    `${UNPACK}
     grep -c : /proc/net/dev
     $release/install.sh
     tutti --version
     readlink -f /opt/tutti/bin/node
     stat -c '%a %U:%G' /var/lib/tutti/inbox
     readlink /etc/systemd/system/multi-user.target.wants/tutti.service`,
  );
  t.equal(status, 0, stderr);
  const [interfaces, doctor] = [stdout.split('\n')[0], stdout];
  t.equal(interfaces, '1', 'the loop-back interface is all there is');
  t.match(stderr, /is installed/);
  t.match(doctor, /Node\.js.*v\d+/, 'the doctor speaks');
  t.notMatch(stderr, /\btutti: [a-z].*could not/);
  const rest = stdout.trimEnd().split('\n').slice(-4);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  t.equal(rest[0], version);
  t.match(rest[1], /node$/);
  t.equal(rest[2], '2770 tutti:tutti');
  t.equal(rest[3], '/usr/local/lib/systemd/system/tutti.service');
  t.end();
});

t.test('installing twice is installing once; taking it off leaves the music and the settings', { skip }, (t) => {
  const { status, stdout, stderr } = inSandbox(
    t,
    folder,
    `${UNPACK}
     list() { find /opt /usr/local/lib /usr/local/bin /etc/systemd /etc/tutti /var/lib/tutti -name '*tutti*' ! -path '/opt/tutti-*/*' | sed 's/^\\(.opt.tutti-[0-9.]*\\)-.*/\\1/' | sort; }
     mkdir /opt/tutti-music /opt/tutti-0.1.0-backup /opt/tutti-0.1.0-cutoff; touch /opt/tutti-0.1.0-cutoff/.spent
     list >/tmp/before
     $release/install.sh 2>/dev/null >/dev/null
     list >/tmp/once
     echo 'name = "attic"' >/etc/tutti/tutti.toml
     echo song >/var/lib/tutti/inbox/song.wav
     $release/install.sh --onoff 2>/dev/null >/dev/null
     test -f /etc/systemd/system/tutti.service.d/onoff.conf
     rm /etc/systemd/system/tutti.service.d/onoff.conf; rmdir /etc/systemd/system/tutti.service.d
     list >/tmp/twice
     cmp /tmp/once /tmp/twice
     $release/install.sh --uninstall
     $release/install.sh --uninstall
     test -d /opt/tutti-music; test -d /opt/tutti-0.1.0-backup; test ! -e /opt/tutti-0.1.0-cutoff; test -z "$(find /opt -mindepth 1 -maxdepth 1 -type l)"
     list | comm -13 /tmp/before -
     cat /etc/tutti/tutti.toml /var/lib/tutti/inbox/song.wav`,
  );
  t.equal(status, 0, stderr);
  t.same(stdout.trimEnd().split('\n'), [
    '/etc/tutti',
    '/etc/tutti/tutti.toml',
    '/var/lib/tutti',
    'name = "attic"',
    'song',
  ]);
  t.end();
});

t.test('rules that name a group come behind the group: whoever reads them sooner leaves them out', { skip }, (t) => {
  const { status, stderr } = inSandbox(
    t,
    folder,
    `${UNPACK}
     real=$(command -v systemd-sysusers)
     printf '#!/bin/sh\n[ ! -e /etc/udev/rules.d/60-tutti.rules ] || touch /tmp/early\nexec '"$real"' "$@"\n' >/usr/local/sbin/systemd-sysusers
     chmod +x /usr/local/sbin/systemd-sysusers
     $release/install.sh >/dev/null
     test -e /etc/udev/rules.d/60-tutti.rules
     test ! -e /tmp/early`,
  );
  t.equal(status, 0, stderr);
  t.end();
});

t.test('where Node.js is too old it says what to do, and leaves nothing', { skip }, (t) => {
  const { status, stderr } = inSandbox(
    t,
    folder,
    `${UNPACK}
     printf '#!/bin/sh\\necho v18.20.4\\n' >/tmp/node; chmod +x /tmp/node
     rm -f /usr/local/bin/node; cp /tmp/node /usr/bin/node
     printf '#!/bin/sh\\necho "  Candidate: 18.20.4+dfsg-1~deb12u1"\\n' >/usr/local/bin/apt-cache; chmod +x /usr/local/bin/apt-cache
     status=0; PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin $release/install.sh || status=$?
     test ! -e /opt/tutti
     exit $status`,
  );
  t.equal(status, 3, stderr);
  t.match(stderr, /needs Node.js 20\.19 or newer; here is v18\.20\.4, and apt offers 18/);
  t.match(stderr, /Debian 13/);
  t.end();
});

t.test('who is not the superuser is told so', { skip: noRelease || process.getuid?.() !== 0 }, (t) => {
  const { status, stderr } = spawnSync('sh', ['install.sh'], { uid: 65_534, encoding: 'utf8' });
  t.equal(status, 1);
  t.match(stderr, /sudo/);
  t.end();
});
