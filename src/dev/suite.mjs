/**
 * `node src/dev/suite.mjs JOBS SECONDS FILE...`: runs test files, so many at once, each a process of its own that may take so long, and
 * writes what they say as one TAP stream to standard output.
 *
 * Beside `tap run`, which counts coverage: the hooks that it puts into each process for that, through NODE_OPTIONS, double the time of most.
 */
import t from 'tap';

const [jobs, seconds, ...files] = process.argv.slice(2);
t.jobs = Number(jobs);
t.setTimeout(0);
for (const file of files) {
  t.spawn('env', ['--unset=NODE_OPTIONS', process.execPath, '--enable-source-maps', file], {
    name: file,
    timeout: 1_000 * Number(seconds),
    env: { ...process.env, TAP_TIMEOUT: seconds },
    buffered: t.jobs > 1,
  });
}
