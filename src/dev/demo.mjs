/** `npm run demo`: the main job on this machine, from a fresh clone. */
import { build } from './build.mjs';
import { run } from './lib.mjs';
import { setup } from './setup.mjs';

setup('run');
build();
process.exitCode = run(process.execPath, [
  '--enable-source-maps',
  'dist/src/main.js',
  'demo',
  ...process.argv.slice(2),
]);
