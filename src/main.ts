#!/usr/bin/env node
/**
 * `tutti`: from the command line to what is wanted. The commands are in cli/; what runs on this machine itself is put together in daemon/.
 */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { demo } from './cli/demo/demo.js';
import { runCli } from './cli/run-cli.js';
import { systemComponents } from './cli/system.js';
import { runDaemon } from './daemon/daemon.js';
import { switchLampsOff } from './daemon/lamp-off.js';
import { repairStore } from './daemon/repair.js';
import { endingSignal } from './daemon/signals.js';
import { SystemTime } from './io/time/system-time.js';

const packageFile = new URL('../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { readonly version: string };

const own = systemComponents({
  version,
  run: (config, first) => runDaemon(config, { first, version }),
  lampOff: switchLampsOff,
  repair: (config, options) => repairStore(config, options),
  demo: (options) =>
    demo(
      {
        ...own,
        time: new SystemTime(),
        mainFile: fileURLToPath(import.meta.url),
        isWatched: process.stdout.isTTY === true,
        enough: endingSignal().signal.then((name) => 128 + constants.signals[name]),
      },
      options,
    ),
});
process.exitCode = await runCli(process.argv.slice(2), own);
