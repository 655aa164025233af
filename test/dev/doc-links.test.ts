/** What the documents name is there: files and folders of the repository, npm scripts, and suites of benchmarks. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';

// The tests run from the repository's root.
const pages = [...readdirSync('.'), ...readdirSync('docs').map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith('.md'),
);

/** Paths that a page's links lead to, without those to the outside or within a page. */
const linksOf = (page: string, text: string): string[] =>
  Array.from(text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g), ([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => join(dirname(page), target));

/** Paths of files and folders of the repository that stand in code. */
const pathsOf = (text: string): string[] =>
  Array.from(text.matchAll(/`((?:src|test|docs|systemd|firmware-config)\/[\w./-]*)`/g), ([, path]) => path!);

t.test('what documents link to or name is there', (t) => {
  t.ok(pages.includes('README.md') && pages.includes('docs/operations.md'));
  for (const page of pages) {
    const text = readFileSync(page, 'utf8');
    for (const path of [...linksOf(page, text), ...pathsOf(text)]) t.ok(existsSync(path), `${page} names ${path}`);
  }
  t.end();
});

t.test('a broken link and a missing file would be found', (t) => {
  const text = 'See [this](other.md#part), [that](https://example.org) and [here](#part), or `test/none.test.ts`.';
  t.same(linksOf('docs/page.md', text), ['docs/other.md']);
  t.same(pathsOf(text), ['test/none.test.ts']);
  t.end();
});

t.test('every npm script that documents name exists', (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly scripts: Record<string, string> };
  for (const page of pages) {
    for (const [, name] of readFileSync(page, 'utf8').matchAll(/npm run ([\w-]+)/g)) {
      t.hasProp(scripts, name!, `${page} names npm run ${name}`);
    }
  }
  t.end();
});
