/**
 * The program that ships: `dist/tutti/`, one file for each thread and process, made of what the compiler left in `dist/src/`.
 *
 * A node that starts in mid-song has no time to look for 500 modules in each of its threads, nor a Pi the memory to hold what one thread
 * needs in all of them. A bundle holds what its entry point reaches and nothing else. It is not minified, so that a stack trace can be
 * read where no map is at hand; the maps lead on to the TypeScript. What has native code stays a package and is found in node_modules.
 *
 * `node src/dev/bundle.mjs FOLDER` does it for the build in another folder.
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ROOT } from './lib.mjs';

/** Entry points below `dist/src/`. */
const ENTRIES = {
  main: 'main.js',
  'lamps-off': 'lamps-off.js',
  clock: 'workers/clock.js',
  intake: 'workers/intake.js',
  log: 'workers/log.js',
  player: 'workers/player.js',
  reader: 'workers/reader.js',
  'speaker-process': 'io/speaker/speaker-process.js',
};
/** With native code, or optional: they are looked for when they are needed. */
export const EXTERNAL = ['koffi', 'onoff', 'serialport', 'speaker'];
/** CommonJS packages ask for Node's modules by `require`, which a module does not have. */
const BANNER = "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);";

/** Bundles the build in `folder`. @throws Error where an import leads nowhere */
export const bundle = async (folder = ROOT) => {
  const outdir = join(folder, 'dist', 'tutti');
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: folder,
    entryPoints: Object.fromEntries(
      Object.entries(ENTRIES).map(([name, file]) => [name, join(folder, 'dist', 'src', file)]),
    ),
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: EXTERNAL,
    banner: { js: BANNER },
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'eof',
    logLevel: 'warning',
  });
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) await bundle(resolve(process.argv[2] ?? ROOT));
