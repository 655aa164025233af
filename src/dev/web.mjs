/**
 * The page: `dist/web/`, made by Vite of `src/web/`. Every file is there three times, plain and compressed by brotli and gzip, so that a Pi
 * compresses nothing; all but the document itself have a hash in their names and never change.
 *
 * A page that grows is opened later, on the weakest phone of the house most of all: the sizes are bounded here, and a build that is over
 * fails. `node src/dev/web.mjs` builds the page alone, and prints the sizes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { filesBelow, ROOT, say } from './lib.mjs';

const OUT = join(ROOT, 'dist', 'web');

/**
 * kB (1,000 bytes) after gzip: what is needed before anything is shown, what the sync screen adds, all that one reader comes by, and what a
 * reader of another language fetches on top.
 */
const BUDGETS = { html: 2, css: 8, js: 30, sync: 28, all: 75, language: 10 };

/**
 * What the document fetches, and in which order. The script and the style sheet stand behind what the document shows by itself, which has its
 * rules with it: a browser draws nothing that stands after a sheet which it waits for, and may draw an empty frame where it meets a script.
 * The page's main part is fetched beside its beginning, which asks for it.
 */
const fetchOrder = {
  name: 'fetch-order',
  transformIndexHtml: {
    order: 'post',
    handler: (html, { bundle }) => {
      const [link] = /\s*<link rel="stylesheet"[^>]*>/.exec(html);
      const [script] = /\s*<script [^>]*><\/script>/.exec(html);
      const page = Object.keys(bundle).find((file) => /\/page-.*\.js$/.test(file));
      const preload = `\n    <link rel="modulepreload" crossorigin href="/${page}">`;
      const withoutThem = html.replace(link, '').replace(script, preload);
      return withoutThem.replace(/\s*<noscript>/, (rest) => `${script}${link}${rest}`);
    },
  },
};

/** Vite has parts of a page bring their style sheets. There is one sheet, which is in the document: a kilobyte that nobody needs. */
const plainImports = {
  name: 'plain-imports',
  enforce: 'pre',
  load: (id) => (id === '\0vite/preload-helper.js' ? 'export const __vitePreload = (load) => load();' : null),
};

/** Builds and compresses. @throws Error where the page is larger than it may be */
export const buildWeb = async () => {
  await build({
    configFile: false,
    root: join(ROOT, 'src', 'web'),
    logLevel: 'warn',
    plugins: [fetchOrder, plainImports],
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: OUT,
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: false,
      // One style sheet: parts that bring their own would need code that fetches it.
      cssCodeSplit: false,
      // An image within a style sheet would need more than 'self' in the policy of the page.
      assetsInlineLimit: 0,
      reportCompressedSize: false,
    },
  });
  const sizes = new Map(filesBelow(OUT).map((file) => [file, compress(join(OUT, file))]));
  const total = (test) =>
    Array.from(sizes, ([file, bytes]) => (test(file) ? bytes : 0)).reduce((sum, bytes) => sum + bytes, 0) / 1_000;
  const html = readFileSync(join(OUT, 'index.html'), 'utf8');
  const isFirst = (file) => html.includes(file);
  const isLanguage = (file) => /\/(de|pseudo)-.*\.js$/.test(file);
  const figures = {
    html: total((file) => file === 'index.html'),
    css: total((file) => isFirst(file) && file.endsWith('.css')),
    js: total((file) => isFirst(file) && file.endsWith('.js')),
    sync: total((file) => !isFirst(file) && /\/ten-minutes-.*\.(js|css)$/.test(file)),
    all: total((file) => !isLanguage(file)),
    language: Math.max(0, ...Array.from(sizes, ([file, bytes]) => (isLanguage(file) ? bytes / 1_000 : 0))),
  };
  const over = Object.entries(BUDGETS).filter(([what, kB]) => figures[what] > kB);
  if (over.length > 0) {
    const list = over.map(([what, kB]) => `${what} ${figures[what].toFixed(1)} kB of ${kB}`);
    throw new Error(`the page is too large after gzip: ${list.join(', ')}`);
  }
  return figures;
};

/** Writes FILE.br and FILE.gz; gives the size of the latter. */
const compress = (path) => {
  const bytes = readFileSync(path);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  const packed = gzipSync(bytes, { level: 9 });
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
  writeFileSync(`${path}.gz`, packed);
  return packed.length;
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const figures = await buildWeb();
  for (const [what, kB] of Object.entries(figures)) {
    say(`${what.padEnd(5)} ${kB.toFixed(1).padStart(5)} kB after gzip, of ${BUDGETS[what]}`);
  }
}
