/**
 * `npm test`: brings what is missing, checks, builds, and runs the suites one after another.
 *
 * `npm test -- WORD...` runs only the test files whose path holds one of the words, without check and coverage. `npm test -- --long`
 * runs the suite of what takes too long for every time, `--vm` that of a whole emulated machine, and nothing else. Closes with the true counts of assertions: `N passed, N failed, N skipped`.
 */
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { check } from './check.mjs';
import { filesBelow, ROOT, run, runTool, say, secondsSince } from './lib.mjs';
import { setup } from './setup.mjs';

/** Folders whose code is all logic: every line and branch of them can be reached by a test. */
const PURE_FOLDERS = ['core', 'library', 'playback', 'cluster', 'audio', 'config', 'paxos', 'clock', 'web/model'];

/**
 * Suites, the last of them runs first; a test file belongs to the first that names a folder which it is in. What paces itself by real time
 * runs alone. Coverage is counted for the pure folders, by their own tests. A suite with an `option` runs only where that is given, or a word
 * names its files.
 */
const SUITES = [
  { name: 'machine', folders: ['vm/'], jobs: 1, coverage: false, option: '--vm', timeoutS: 1_800 },
  { name: 'long', folders: ['long/', 'release/'], jobs: 1, coverage: false, option: '--long', timeoutS: 600 },
  { name: 'processes', folders: ['processes/'], jobs: 1, coverage: false },
  { name: 'cluster', folders: ['cluster/processes/'], jobs: 1, coverage: false },
  { name: 'page', folders: ['web/browser/'], jobs: 1, coverage: false },
  { name: 'simulation', folders: ['sim/'], jobs: 1, coverage: false },
  { name: 'crash points', folders: ['crash/'], jobs: availableParallelism(), coverage: false },
  { name: 'logic', folders: PURE_FOLDERS.map((folder) => `${folder}/`), jobs: availableParallelism(), coverage: true },
  { name: 'unit', folders: [''], jobs: availableParallelism(), coverage: false },
];

/** Per cent of lines and of branches that tests must reach there. */
const PURE_COVERAGE_MIN = 95;

/** How long a test file may take, where its suite says nothing else. Seconds. */
const FILE_S_MAX = 240;

/** Of what TAP says of one failure. */
const FAILURE_LINES_MAX = 40;

const TESTS = join(ROOT, 'dist', 'test');
const REPORT = join(ROOT, '.tap', 'report');

const testFiles = (words) =>
  filesBelow(TESTS)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort();

const suiteOf = (file) => SUITES.find(({ folders }) => folders.some((folder) => file.startsWith(folder)));

const runWithCoverage = (jobs, timeoutS, output, paths) => {
  const reports = ['--coverage-report=json-summary', '--coverage-report=text', '--show-full-coverage'];
  const args = ['run', `--jobs=${jobs}`, `--output-file=${output}`, '--reporter=min', `--timeout=${timeoutS}`];
  return runTool('tap/dist/esm/run.mjs', [...args, ...reports, ...paths]);
};

/** See suite.mjs. */
const runPlainly = (jobs, timeoutS, output, paths) => {
  const written = openSync(output, 'w');
  const args = [join(ROOT, 'src', 'dev', 'suite.mjs'), jobs, timeoutS, ...paths];
  const status = run(process.execPath, args, { stdio: ['ignore', written, 'inherit'] });
  closeSync(written);
  return status;
};

/** Runs one suite; gives its counts and status. */
const runSuite = ({ name, jobs, coverage, timeoutS = FILE_S_MAX }, files) => {
  const startedAt = performance.now();
  const output = join(ROOT, 'dist', `${name.replace(' ', '-')}.tap`);
  rmSync(output, { force: true });
  const paths = files.map((file) => join('dist', 'test', file));
  const status = coverage ? runWithCoverage(jobs, timeoutS, output, paths) : runPlainly(jobs, timeoutS, output, paths);
  const text = existsSync(output) ? readFileSync(output, 'utf8') : '';
  const totals = text.match(/^# \{ (.*) \}$/m)?.[1] ?? '';
  const count = (what) => Number(totals.match(new RegExp(`${what}: (\\d+)`))?.[1] ?? 0);
  const counts = { passed: count('pass'), failed: count('fail'), skipped: count('skip') + count('todo') };
  say(
    `tutti: suite ${name}: ${files.length} files, ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${secondsSince(startedAt)}`,
  );
  for (const [, why] of text.matchAll(/^\s*ok \d+ - (.* # SKIP .*)$/gm)) say(`tutti:   skipped: ${why}`);
  return { ...counts, failures: failuresIn(text), status: status === 0 && counts.passed > 0 ? 0 : status || 1 };
};

/** What failed, with what TAP says of it up to its next line of the same depth: shown last, where a person looks first. */
const failuresIn = (text) => {
  const lines = text.split('\n');
  return lines.flatMap((line, at) => {
    const [, indent] = line.match(/^(\s*)not ok /) ?? [];
    if (indent === undefined) return [];
    const rest = lines.slice(at + 1, at + 1 + FAILURE_LINES_MAX);
    const end = rest.findIndex((next) => next.trim() !== '' && !next.startsWith(`${indent}  `));
    return [line, ...(end < 0 ? rest : rest.slice(0, end))];
  });
};

/** Files of the pure folders that tests do not reach far enough, one complaint each. */
const coverageGaps = () => {
  const summary = JSON.parse(readFileSync(join(REPORT, 'coverage-summary.json'), 'utf8'));
  const reached = new Map(Object.entries(summary).map(([path, figures]) => [path.replace(ROOT, ''), figures]));
  const gaps = [];
  for (const folder of PURE_FOLDERS) {
    let lines = { total: 0, covered: 0 };
    let branches = { total: 0, covered: 0 };
    const add = (sum, part) => ({ total: sum.total + part.total, covered: sum.covered + part.covered });
    for (const file of filesBelow(join(ROOT, 'src', folder)).filter((path) => /(?<!\.d)\.ts$/.test(path))) {
      const compiled = readFileSync(join(ROOT, 'dist', 'src', folder, file.replace(/\.ts$/, '.js')), 'utf8');
      const isTypesOnly = compiled.replace(/\/\/.*|\/\*[\s\S]*?\*\/|export \{\};/g, '').trim() === '';
      const figures = reached.get(`src/${folder}/${file}`);
      if (!figures && !isTypesOnly) gaps.push(`src/${folder}/${file}: no test loads it`);
      if (!figures) continue;
      lines = add(lines, figures.lines);
      branches = add(branches, figures.branches);
    }
    for (const [what, { total, covered }] of Object.entries({ lines, branches })) {
      const share = total === 0 ? 100 : (100 * covered) / total;
      if (share < PURE_COVERAGE_MIN)
        gaps.push(`src/${folder}: ${share.toFixed(1)} % of ${what}, must be ${PURE_COVERAGE_MIN} %`);
    }
  }
  return gaps;
};

const startedAt = performance.now();
const options = process.argv.slice(2).filter((word) => word.startsWith('--'));
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const unknown = options.find((option) => !SUITES.some((suite) => suite.option === option));
if (unknown !== undefined) {
  say(`tutti: no suite has the option ${unknown}`);
  process.exit(1);
}
const isWhole = words.length === 0 && options.length === 0;
setup('test');
if (isWhole) check();
else build();

/** Runs this time: what words name, else the suites of the options, else all that need none. */
const isWanted = (file) => {
  const { option } = suiteOf(file);
  if (options.length > 0) return options.includes(option);
  return words.length > 0 || option === undefined;
};
const files = testFiles(words).filter(isWanted);
if (files.length === 0) {
  say(`tutti: no test file's path holds ${words.join(' or ')}`);
  process.exit(1);
}
const total = { passed: 0, failed: 0, skipped: 0, status: 0 };
const failures = [];
for (const suite of [...SUITES].reverse()) {
  const own = files.filter((file) => suiteOf(file) === suite);
  if (own.length === 0) continue;
  const result = runSuite(isWhole ? suite : { ...suite, coverage: false }, own);
  for (const key of Object.keys(total)) total[key] += result[key];
  failures.push(...result.failures);
  if (suite.coverage && isWhole) {
    for (const gap of coverageGaps()) {
      say(`tutti: coverage: ${gap}`);
      total.failed += 1;
      total.status = 1;
    }
  }
}
if (total.status !== 0 && total.failed === 0) total.failed = 1;
for (const line of failures) say(line);
say(`tutti: tests took ${secondsSince(startedAt)}`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.status === 0 ? 0 : 1;
