/** Stack traces of compiled and bundled code lead to the sources. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { inSources } from '../../../src/io/log/source-positions.js';

const MARK = 'the only line of this file with a mark on it';

t.test('a position in compiled code is shown as the one in its source', (t) => {
  const lineIn = (path: string) =>
    1 +
    readFileSync(path, 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(MARK));
  const compiled = fileURLToPath(import.meta.url);
  const source = resolve('test', 'io', 'log', 'source-positions.test.ts');
  const stack = `Error: no\n    at go (${import.meta.url}:${lineIn(compiled)}:1)`;
  t.equal(inSources(stack), `Error: no\n    at go (${source}:${lineIn(source)}:1)`);
  t.end();
});

t.test('a position of which no map tells stays as it is', (t) => {
  const stack = 'Error: no\n    at go (file:///nowhere/at-all.js:3:4)\n    at node:internal/timers:1:2';
  t.equal(inSources(stack), stack);
  t.end();
});

t.test('a mistake in what ships is told with the file and line of its source', (t) => {
  // Arguments that are no strings are a mistake of whoever wrote the caller: the parser of the command line trips over them.
  const bundle = fileURLToPath(new URL('../../../tutti/main.js', import.meta.url));
  const script = `process.argv = ['node', 'main', 5]; await import(${JSON.stringify(bundle)});`;
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  t.match(stderr, /\/src\/cli\/[a-z-]+\.ts:\d+:\d+/);
  t.not(status, 0);
  t.end();
});
