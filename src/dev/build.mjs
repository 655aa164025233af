/**
 * `npm run build`: compiles src/ and test/ into dist/, removes from dist/ what has no source any more, bundles the program that ships,
 * builds the page, and renders docs/. `npm run build -- --release` packs it for Pis as well (release.mjs).
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesBelow, must, ROOT, run, runTool } from './lib.mjs';
import { setup } from './setup.mjs';

const removeStale = () => {
  for (const part of ['src', 'test']) {
    const folder = join(ROOT, 'dist', part);
    if (!existsSync(folder)) continue;
    for (const file of filesBelow(folder)) {
      const source = join(ROOT, part, file.replace(/\.js(\.map)?$/, '.ts'));
      if (!existsSync(source)) rmSync(join(folder, file));
    }
  }
};

/** Compiles, incrementally, and bundles. Ends the process where the compiler finds a mistake. */
export const build = () => {
  removeStale();
  must(runTool('typescript/bin/tsc', ['-p', '.']), 'the compiler');
  must(run(process.execPath, [join(ROOT, 'src', 'dev', 'bundle.mjs')]), 'the bundler');
  must(run(process.execPath, [join(ROOT, 'src', 'dev', 'web.mjs')]), 'building the page');
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  setup('run');
  build();
  must(run(process.execPath, ['dist/src/dev/docs.js']), 'rendering docs/');
  // After the docs, which the archives hold.
  const args = process.argv.slice(2);
  if (args.includes('--release')) {
    // Only now: it needs packages that set-up has just brought.
    const { release, releaseNames } = await import('./release.mjs');
    release(releaseNames(args));
  }
}
