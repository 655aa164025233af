/** Files of this machine keep the contract of Disk, do what FakeDisk does, and fail with codes of the catalogue. */
import { spawnSync } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { TuttiError } from '../../../src/core/errors.js';
import { diskError, NodeDisk } from '../../../src/io/fs/node-disk.js';
import type { Disk } from '../../../src/ports/disk.js';
import { FakeDisk } from '../../../src/ports/fake-disk.js';
import { get, put, runDiskContract } from '../../contract/disk.js';
import { codeOf } from '../../contract/support.js';

/** A disk on an empty directory, which `close` removes. */
function freshDisk() {
  const root = mkdtempSync(join(tmpdir(), 'tutti-disk-'));
  return { root, disk: new NodeDisk({ root }), close: () => rmSync(root, { recursive: true }) };
}

await runDiskContract(t, 'NodeDisk', freshDisk);

t.test('any calls in any order do on FakeDisk what they do here', (t) => {
  const path = fc.constantFrom('a', 'b', 'd', 'd/a', 'd/b', 'd/e', 'd/e/a', 'x/y');
  const offset = fc.constantFrom(0, 1, 511, 4_095, 4_096, 9_000);
  const length = fc.constantFrom(0, 1, 512, 4_097, 10_000);
  const data = fc.tuple(fc.integer({ min: 1, max: 255 }), length);
  const use = (disk: Disk, path: string, mode: 'write' | 'create' | 'exclusive', size: number) => {
    const file = disk.open(path, mode);
    file.truncate(size);
    file.sync();
    file.close();
  };
  const call = fc.oneof(
    fc
      .record({ path, mode: fc.constantFrom('write', 'create', 'exclusive') })
      .chain(({ path, mode }) =>
        offset.map(
          (size) => [`truncate ${path} ${mode} ${size}`, (disk: Disk) => use(disk, path, mode, size)] as const,
        ),
      ),
    fc.tuple(path, offset, data).map(([path, at, [value, count]]) => {
      const write = (disk: Disk) => {
        const file = disk.open(path, 'create');
        file.write(new Uint8Array(count).fill(value), at);
        file.close();
      };
      return [`write ${path} ${at} ${count}`, write] as const;
    }),
    path.map((path) => [`read ${path}`, (disk: Disk) => get(disk, path)] as const),
    path.map((path) => [`remove ${path}`, (disk: Disk) => disk.remove(path)] as const),
    path.map((path) => [`exists ${path}`, (disk: Disk) => disk.exists(path)] as const),
    path.map((path) => [`make ${path}`, (disk: Disk) => disk.makeDirectory(path)] as const),
    path.map((path) => [`sync ${path}`, (disk: Disk) => disk.syncDirectory(path)] as const),
    path.map((path) => [`list ${path}`, (disk: Disk) => JSON.stringify(disk.list(path))] as const),
  );
  fc.assert(
    fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
      const { disk, close } = freshDisk();
      const fake = new FakeDisk();
      try {
        for (const [sentence, doIt] of calls) {
          const [real, faked] = [disk, fake].map((either) => codeOf(() => doIt(either)));
          if (real !== faked) throw new Error(`${sentence} gave ${real}, and on FakeDisk ${faked}`);
        }
      } finally {
        close();
      }
    }),
    { seed: 1, numRuns: 150 },
  );
  t.end();
});

t.test('a link is not followed, and what is no regular file is not opened', (t) => {
  const { root, disk, close } = freshDisk();
  t.teardown(close);
  symlinkSync('/etc/passwd', join(root, 'link'));
  t.equal(
    codeOf(() => disk.open('link', 'read')),
    'DISK_FAILED',
  );
  t.notOk(disk.exists('link'));
  t.match(disk.list(''), [{ name: 'link', kind: 'other', size: 0 }]);
  const devices = new NodeDisk({ root: '/dev' });
  t.equal(
    codeOf(() => devices.open('null', 'write')),
    'DISK_FAILED',
  );
  t.end();
});

t.test('opening a pipe with no other end does not wait for it', (t) => {
  const { root, disk, close } = freshDisk();
  t.teardown(close);
  const made = spawnSync('mkfifo', [join(root, 'pipe')]);
  t.equal(made.status, 0);
  for (const mode of ['read', 'write'] as const) {
    t.equal(
      codeOf(() => disk.open('pipe', mode)),
      'DISK_FAILED',
    );
  }
  t.end();
});

t.test('a read that the kernel fails with EIO is DISK_FAILED, and says which file', (t) => {
  // Reading a process's memory at address 0 is refused with EIO: a regular file that always fails.
  const file = new NodeDisk({ root: '/proc/self' }).open('mem', 'read');
  t.teardown(() => file.close());
  t.throws(() => file.read(new Uint8Array(16), 0), { code: 'DISK_FAILED', info: { path: 'mem' }, detail: /EIO/ });
  t.end();
});

t.test('every failure of Linux has its code, and mistakes of ours stay what they are', (t) => {
  const failure = (code: string) => Object.assign(new Error(`${code}: it failed`), { code, errno: -1, syscall: 'x' });
  const codes: Record<string, string> = {
    ENOENT: 'NOT_FOUND',
    ENOTDIR: 'NOT_FOUND',
    EEXIST: 'FILE_EXISTS',
    ENAMETOOLONG: 'BAD_NAME',
    ENOSPC: 'DISK_FULL',
    EDQUOT: 'DISK_FULL',
    EIO: 'DISK_FAILED',
    EROFS: 'DISK_FAILED',
    EACCES: 'DISK_FAILED',
    EMFILE: 'BUSY',
    ENFILE: 'BUSY',
    ENOMEM: 'BUSY',
  };
  for (const [linux, code] of Object.entries(codes)) {
    const error = diskError(failure(linux), 'a');
    t.match(error, { code, info: { path: 'a' } });
    t.ok(error instanceof TuttiError && error.detail.includes(linux), 'and says what Linux said');
  }
  const mistake = new TypeError('not a number');
  t.equal(diskError(mistake, 'a'), mistake);
  t.end();
});

t.test('files are not for everybody', (t) => {
  const { root, disk, close } = freshDisk();
  t.teardown(close);
  disk.makeDirectory('d');
  put(disk, 'd/a', 'x');
  const modes = spawnSync('stat', ['-c', '%a', join(root, 'd'), join(root, 'd/a')], { encoding: 'utf8' });
  t.notMatch(modes.stdout, /[1-7]$/m, 'others may do nothing');
  t.end();
});

t.test('reading a file is not noted on the disk, and who may not ask for that can read all the same', (t) => {
  const { root, disk, close } = freshDisk();
  t.teardown(close);
  const path = join(root, 'a');
  writeFileSync(path, 'x');
  const readLast = () => statSync(path).atimeMs;
  const longAgo = () => utimesSync(path, 1, 2);
  longAgo();
  readFileSync(path);
  const isNoted = readLast() !== 1_000;
  longAgo();
  t.equal(get(disk, 'a'), 'x');
  t.equal(readLast(), 1_000, isNoted ? 'it would be noted otherwise' : 'this file system notes nothing anyway');
  // A file of somebody else's: for nobody it is.
  const module = JSON.stringify(new URL('../../../src/io/fs/node-disk.js', import.meta.url).href);
  const script = `const { NodeDisk } = await import(${module});
    const file = new NodeDisk({ root: '/etc' }).open('passwd', 'read');
    console.log(file.size());`;
  const nobody = process.getuid!() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    ...nobody,
  });
  t.equal(Number(stdout), statSync('/etc/passwd').size);
  t.end();
});

t.test('no descriptor is left open, also where opening failed', (t) => {
  const { root, disk, close } = freshDisk();
  t.teardown(close);
  writeFileSync(join(root, 'a'), 'x');
  disk.makeDirectory('d');
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  for (let i = 0; i < 20; i++) {
    get(disk, 'a');
    codeOf(() => disk.open('d', 'read'));
    codeOf(() => disk.open('a', 'exclusive'));
    disk.syncDirectory('d');
    disk.list('');
  }
  t.equal(descriptors(), before);
  t.end();
});
