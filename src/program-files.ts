/**
 * Where the files of the running program are: `dist/tutti/`, which src/dev/bundle.mjs makes, with one file for each thread.
 *
 * This module is as deep below `dist/` in a bundle as it is compiled (`dist/src/`), so that both find the same files: a test that starts a
 * thread starts the one that ships.
 */

/** The URL of a thread's code. */
export const programFile = (name: 'clock' | 'intake' | 'log' | 'player' | 'reader'): URL =>
  new URL(`../tutti/${name}.js`, import.meta.url);

/** The URL of the folder with the page, which src/dev/web.mjs makes. */
export const webFolder = (): URL => new URL('../web/', import.meta.url);
