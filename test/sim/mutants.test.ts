/** The simulator finds bugs that are put in on purpose; `npm run sim -- --mutants` runs all of them, here is one. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { MUTANTS } from './mutants.js';
import { hunt, patched } from './mutate.js';

t.test('every change of a mutant finds its place in the source, once', (t) => {
  for (const { name, patches } of MUTANTS) {
    for (const patch of patches) {
      t.doesNotThrow(() => patched(readFileSync(patch.file, 'utf8'), patch), `${name}: ${patch.file}`);
    }
  }
  t.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length, 'names are unique');
  t.end();
});

t.test('a place that is not there, or there twice, is a mistake', (t) => {
  t.throws(() => patched('a b c', { file: 'x.ts', find: 'd', replace: '' }), /x\.ts holds 0 times: d/);
  t.throws(() => patched('a b a', { file: 'x.ts', find: 'a', replace: '' }), /x\.ts holds 2 times: a/);
  t.equal(
    patched('a b c', { file: 'x.ts', find: 'b', replace: '$&' }),
    'a $& c',
    'what takes its place is taken as it is',
  );
  t.end();
});

t.test('a node that answers before its disk has it is found out', async (t) => {
  const mutant = MUTANTS.find(({ name }) => name === 'reply-before-sync')!;
  const { seeds, found } = await hunt(mutant, {
    jobs: 1,
    excused: ({ name }) => t.fail(`seed ${name.seed} fails without it too`),
  });
  t.ok(seeds <= 10, `after ${seeds} seeds`);
  t.equal(found?.violation?.checker, 'promises hold');
});
