/** `npm run demo`: the main job on this machine, from a fresh clone. */
import { build } from './build.mjs';
import { runInForeground } from './lib.mjs';
import { setup } from './setup.mjs';

setup('run');
build();
const args = ['dist/tutti/main.js', 'demo', ...process.argv.slice(2)];
process.exitCode = await runInForeground(process.execPath, args);
