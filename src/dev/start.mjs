/** `npm start [-- OPTIONS]`: the daemon from a checkout, `tutti run`. */
import { build } from './build.mjs';
import { run } from './lib.mjs';
import { setup } from './setup.mjs';

setup('run');
build();
process.exitCode = run(process.execPath, ['--enable-source-maps', 'dist/src/main.js', 'run', ...process.argv.slice(2)]);
