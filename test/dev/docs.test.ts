import { readFileSync } from 'node:fs';
import t from 'tap';
import { EXIT_CODES } from '../../src/cli/exit-codes.js';
import { CONFIG_KEYS } from '../../src/config/schema.js';
import { ERRORS } from '../../src/core/errors.js';
import { PAGES, stalePages } from '../../src/dev/docs.js';
import { pathOf } from '../../src/http/openapi.js';
import { ROUTES } from '../../src/http/table.js';

t.test('the pages that are made from definitions are current (node dist/src/dev/docs.js makes them)', (t) => {
  t.same(stalePages('.'), []);
  t.end();
});

t.test('a page that is missing or differs is stale', (t) => {
  const root = t.testdir({ docs: { 'errors.md': 'old', 'cli.md': PAGES['docs/cli.md']!() } });
  t.same(stalePages(root), ['docs/errors.md', 'docs/configuration.md', 'docs/http.md', 'docs/metrics.md']);
  t.end();
});

t.test('every error has a row, and every row an error', (t) => {
  const rows = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| <a id="\w+"><\/a>`(\w+)` \| (\d+) /gm)];
  t.same(
    rows.map(([, code, status]) => [code, Number(status)]),
    Object.entries(ERRORS).map(([code, { status }]) => [code, status]),
  );
  t.end();
});

t.test('every key has a row with its variable and its default', (t) => {
  const page = readFileSync('docs/configuration.md', 'utf8');
  for (const { path, variable, schema } of CONFIG_KEYS) {
    const row = page.split('\n').find((line) => line.includes(`\`${variable}\``)) ?? '';
    t.ok(row.startsWith(`| \`${path.split('.').at(-1)}\` |`), path);
    t.ok(row.includes(`\`${JSON.stringify(schema.default)}\``), `default of ${path}`);
    t.ok(row.includes(schema.description!), `meaning of ${path}`);
  }
  t.end();
});

t.test('every exit code has a row', (t) => {
  const page = readFileSync('docs/cli.md', 'utf8');
  for (const { code, meaning } of EXIT_CODES) t.ok(page.includes(`| ${code} | ${meaning} |`), String(code));
  t.end();
});

t.test('every call has a row, with every code that it may answer beside those of all', (t) => {
  const page = readFileSync('docs/http.md', 'utf8');
  for (const route of ROUTES) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${route.method} ${pathOf(route)}\` |`));
    t.ok(row, pathOf(route));
    for (const code of route.refuses ?? []) t.ok(row?.includes(code), `${pathOf(route)} ${code}`);
  }
  t.end();
});
