/** `npm run check`: all that a machine can say about the code without running it. Warnings are failures. */
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { must, run, runTool, say, secondsSince } from './lib.mjs';
import { setup } from './setup.mjs';

/** Format, lint, types, purity, import directions, dead code. Ends the process at the first that finds something. */
export const check = () => {
  const startedAt = performance.now();
  const colors = process.stdout.isTTY ? 'force' : 'off';
  must(
    runTool('@biomejs/biome/bin/biome', ['ci', '--error-on-warnings', `--colors=${colors}`, '.']),
    'format and lint',
  );
  build();
  must(
    runTool('typescript/bin/tsc', ['-p', 'src/tsconfig.pure.json']),
    'the pure folders, compiled without Node types',
  );
  must(runTool('typescript/bin/tsc', ['-p', 'src/web/tsconfig.json']), 'the page, compiled for browsers');
  must(
    runTool('dependency-cruiser/bin/dependency-cruise.mjs', ['--config', '.dependency-cruiser.cjs', 'src']),
    'import directions',
  );
  must(runTool('knip/bin/knip.js', []), 'dead code');
  must(run(process.execPath, ['dist/src/dev/docs.js', '--check']), 'docs/ (npm run build renders them anew)');
  say(`tutti: check passed in ${secondsSince(startedAt)}`);
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  setup('run');
  check();
}
