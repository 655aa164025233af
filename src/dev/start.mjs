/** `npm start [-- OPTIONS]`: the daemon from a checkout, `tutti run`. */
import { build } from './build.mjs';
import { runInForeground } from './lib.mjs';
import { setup } from './setup.mjs';

setup('run');
build();
const args = ['dist/tutti/main.js', 'run', ...process.argv.slice(2)];
process.exitCode = await runInForeground(process.execPath, args);
