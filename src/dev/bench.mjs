/** `npm run bench [-- NAME...]`: figures of speed and memory, as ratios against a peer in the same run. A figure that is missed fails it. */
import { build } from './build.mjs';
import { run } from './lib.mjs';
import { setup } from './setup.mjs';

setup('test');
build();
process.exitCode = run(process.execPath, [
  '--expose-gc',
  '--enable-source-maps',
  'dist/test/bench/bench.js',
  ...process.argv.slice(2),
]);
