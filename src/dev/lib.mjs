/**
 * What the npm commands share. Plain JavaScript without dependencies: it runs on a machine that has Node and nothing else.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's root. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** One line for a person, apart from the results on standard output. */
export const say = (text) => process.stderr.write(`${text}\n`);

/** Runs a program with its output shown; gives its exit status, 127 where it cannot be started. */
export const run = (program, args, options = {}) => {
  const { status, error } = spawnSync(program, args, { cwd: ROOT, stdio: 'inherit', ...options });
  return error ? 127 : (status ?? 1);
};

/**
 * Runs a program that lives until it is told to end: SIGTERM goes on to it, and SIGINT it gets from the terminal itself. Resolves with
 * its exit status.
 */
export const runInForeground = (program, args) =>
  new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit' });
    process.on('SIGTERM', () => child.kill('SIGTERM')).on('SIGINT', () => {});
    child.once('error', () => resolve(127)).once('exit', (status) => resolve(status ?? 1));
  });

/** Runs a program of the development dependencies with this Node. */
export const runTool = (path, args, options) =>
  run(process.execPath, [join(ROOT, 'node_modules', path), ...args], options);

/** Ends the command with a failed step's status. */
export const must = (status, what) => {
  if (status === 0) return;
  say(`tutti: ${what} failed (exit status ${status})`);
  process.exit(status);
};

/** Every file below a folder, as paths relative to it. */
export const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1));

/** Seconds since `startedAt` (of `performance.now()`), for reports. */
export const secondsSince = (startedAt) => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
