/** The program that ships is what dist/tutti holds: it needs no package beside it but those with native code. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { temporaryFolder } from '../support/daemon.js';

const SHIPPED = fileURLToPath(new URL('../../tutti/', import.meta.url));
/** Brought by npm where they are wanted. */
const NATIVE = ['koffi', 'onoff', 'speaker'];

t.test('the program runs where no package is installed', (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'dist'));
  cpSync(SHIPPED, join(folder, 'dist', 'tutti'), { recursive: true });
  cpSync('package.json', join(folder, 'package.json'));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(folder, 'dist', 'tutti', 'main.js'), '--version'],
    { encoding: 'utf8' },
  );
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  t.equal(stdout.trim(), version);
  t.equal(stderr, '');
  t.equal(status, 0);
  t.end();
});

t.test('no thread imports more than Node, and packages with native code', (t) => {
  const files = readdirSync(SHIPPED).filter((file) => file.endsWith('.js'));
  for (const thread of ['clock', 'intake', 'log', 'main', 'player', 'reader']) t.ok(files.includes(`${thread}.js`));
  for (const file of files) {
    const text = readFileSync(join(SHIPPED, file), 'utf8');
    const imported = [...text.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, from]) => from!);
    const foreign = imported.filter((from) => !isBuiltin(from) && !NATIVE.includes(from));
    t.same(foreign, [], file);
  }
  t.end();
});
