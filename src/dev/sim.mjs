/** `npm run sim [-- OPTIONS]`: the seeded simulator of the cluster; see test/sim/main.ts for the options. */
import { build } from './build.mjs';
import { run } from './lib.mjs';
import { setup } from './setup.mjs';

setup('run');
build();
process.exitCode = run(process.execPath, ['--enable-source-maps', 'dist/test/sim/main.js', ...process.argv.slice(2)]);
