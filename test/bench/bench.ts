/**
 * Runs benchmark suites and prints their rows: `npm run bench [NAME...]`, all without a name.
 *
 * Exit code 0: every target met. 1: at least one row says MISSED. 2: there is no such suite. Speed is judged against a peer in the same
 * run, so that the verdict does not depend on the machine.
 */
import resampler from './resampler.bench.js';
import type { Row, Suite } from './row.js';
import scan from './scan.bench.js';

const SUITES: readonly Suite[] = [resampler, scan];

const number = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

const cells = (row: Row) => [
  row.what,
  `${number(row.figure)} ${row.unit}`,
  row.peer === undefined ? '' : `${row.peer.name}: ${number(row.peer.figure)}`,
  row.ratio === undefined ? '' : `${number(row.ratio)} x`,
  row.toReach ?? '',
  row.met ? (row.toReach === undefined ? '' : 'ok') : 'MISSED',
];

function print(rows: readonly Row[]): void {
  const lines = [['what', 'figure', 'peer', 'ratio', 'to reach', ''], ...rows.map(cells)];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`No such suite: ${unknown.join(', ')}. There are: ${SUITES.map((suite) => suite.name).join(', ')}.`);
  process.exitCode = 2;
} else {
  let missed = 0;
  for (const suite of SUITES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    console.log(`\n${suite.name}`);
    const rows = await suite.run();
    print(rows);
    missed += rows.filter((row) => !row.met).length;
  }
  console.log(missed === 0 ? '\nEvery target met.' : `\n${missed} MISSED.`);
  if (missed > 0) process.exitCode = 1;
}
