/** What the system tells of who writes to a file, and to whom. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, linkSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { lookForWritersBy } from '../../../src/io/inbox/open-writers.js';
import { loadLibc } from '../../../src/io/libc/libc.js';

const look = lookForWritersBy(loadLibc());
const isRoot = process.getuid?.() === 0;
const module = (path: string) => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);

function fileOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-writers-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const path = join(folder, 'song.wav');
  writeFileSync(path, 'x');
  return path;
}

function lookAt(path: string) {
  const descriptor = openSync(path, 'r');
  const writers = look(descriptor);
  closeSync(descriptor);
  return writers;
}

t.test('whoever has a file open for writing is seen, under whatever name, and readers are not', (t) => {
  const path = fileOf(t);
  t.equal(lookAt(path), 'none');
  const reader = openSync(path, 'r');
  t.equal(lookAt(path), 'none');
  closeSync(reader);
  for (const flags of ['a', 'r+']) {
    const writer = openSync(path, flags);
    t.equal(lookAt(path), 'some', flags);
    closeSync(writer);
    t.equal(lookAt(path), 'none');
  }
  linkSync(path, `${path}.linked`);
  const writer = openSync(`${path}.linked`, 'a');
  t.equal(lookAt(path), 'some', 'by another name');
  closeSync(writer);
  t.end();
});

t.test('without libc nothing is known', (t) => {
  t.equal(lookForWritersBy(undefined)(0), 'unknown');
  t.end();
});

t.test(
  'of other users’ files nothing is known',
  { skip: isRoot ? false : 'only root can become somebody else' },
  (t) => {
    const path = fileOf(t);
    const script = `
      import { openSync } from 'node:fs';
      import { lookForWritersBy } from ${module('io/inbox/open-writers.js')};
      import { loadLibc } from ${module('io/libc/libc.js')};
      process.setgid(65534); process.setuid(65534);
      console.log(lookForWritersBy(loadLibc())(openSync(${JSON.stringify(path)}, 'r')));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    t.equal(stdout.trim(), 'unknown');
    t.end();
  },
);

t.test('somebody who opens the file while it is looked at neither ends the process nor fails', async (t) => {
  const path = fileOf(t);
  const script = `
    import { closeSync, openSync } from 'node:fs';
    process.stdout.write('begun');
    for (;;) closeSync(openSync(${JSON.stringify(path)}, 'a'));`;
  const opener = spawn(process.execPath, ['--input-type=module', '-e', script]);
  const ended = new Promise((resolve) => opener.once('exit', (_code, signal) => resolve(signal)));
  await new Promise((resolve) => opener.stdout.once('data', resolve));
  const seen = new Set<string>();
  for (let i = 0; i < 1_000; i++) seen.add(lookAt(path));
  // A handler of another signal, which test runners put into their children, would never get its turn there.
  opener.kill('SIGKILL');
  t.equal(await ended, 'SIGKILL', 'it went on until now');
  t.notOk(seen.has('unknown'));
});
