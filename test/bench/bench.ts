/**
 * Runs benchmark suites and prints their rows: `npm run bench [-- NAME... --idle-minutes N --sync-minutes N]`, all without a name.
 *
 * A name stands for the suite that is called so, and for those whose names go on from it: `consensus` for `consensus-commits` and more.
 * Exit code 0: every target met. 1: at least one row says MISSED. 2: there is no such suite or option. Speed is judged against a peer in the same
 * run, so that the verdict does not depend on the machine.
 */
import { parseArgs } from 'node:util';
import clusterDark from './cluster/dark.bench.js';
import clusterJoins from './cluster/joins.bench.js';
import clusterKills from './cluster/kills.bench.js';
import clusterNine from './cluster/nine.bench.js';
import clusterScale from './cluster/scale.bench.js';
import catchUp from './consensus/catch-up.bench.js';
import commits from './consensus/commits.bench.js';
import failover from './consensus/failover.bench.js';
import idle from './consensus/idle.bench.js';
import pool from './consensus/pool.bench.js';
import slowDisk from './consensus/slow-disk.bench.js';
import controls from './controls.bench.js';
import pageHands from './page/hands.bench.js';
import page from './page/page.bench.js';
import pageServing from './page/serving.bench.js';
import player from './player.bench.js';
import resampler from './resampler.bench.js';
import type { Options, Row, Suite } from './row.js';
import scan from './scan.bench.js';
import syncBusy from './sync/busy.bench.js';
import syncClosed from './sync/closed.bench.js';
import syncCost from './sync/cost.bench.js';
import syncCut from './sync/cut.bench.js';
import syncDay from './sync/day.bench.js';
import syncFaults from './sync/faults.bench.js';
import syncJitter from './sync/jitter.bench.js';
import syncLong from './sync/long.bench.js';
import syncMutants from './sync/mutants.bench.js';
import syncSpread from './sync/spread.bench.js';
import syncStarts from './sync/starts.bench.js';
import tracksClients from './tracks/clients.bench.js';
import tracksControl from './tracks/control.bench.js';
import tracksFanOut from './tracks/fan-out.bench.js';
import tracksMemory from './tracks/memory.bench.js';

const SUITES: readonly Suite[] = [
  resampler,
  player,
  scan,
  controls,
  page,
  pageHands,
  pageServing,
  commits,
  failover,
  catchUp,
  slowDisk,
  pool,
  idle,
  clusterKills,
  clusterDark,
  clusterJoins,
  syncSpread,
  syncStarts,
  syncFaults,
  syncClosed,
  syncCut,
  syncBusy,
  syncLong,
  syncDay,
  syncCost,
  syncJitter,
  syncMutants,
  tracksClients,
  tracksFanOut,
  tracksControl,
  tracksMemory,
  clusterNine,
  clusterScale,
];

const number = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

const cells = (row: Row) => [
  row.what,
  row.skipped === undefined ? `${number(row.figure)} ${row.unit}` : `skipped: ${row.skipped}`,
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

/** What was asked for, or what is wrong with it. */
function read(args: readonly string[]): { readonly suites: readonly Suite[]; readonly options: Options } | string {
  let parsed: { values: { 'idle-minutes': string; 'sync-minutes': string }; positionals: string[] };
  try {
    const options = {
      'idle-minutes': { type: 'string', default: '1' },
      'sync-minutes': { type: 'string', default: '2' },
    } as const;
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const names = parsed.positionals;
  const isMeant = (suite: Suite, name: string) => suite.name === name || suite.name.startsWith(`${name}-`);
  const unknown = names.filter((name) => !SUITES.some((suite) => isMeant(suite, name)));
  if (unknown.length > 0) {
    return `No such suite: ${unknown.join(', ')}. There are: ${SUITES.map((suite) => suite.name).join(', ')}.`;
  }
  for (const name of ['idle-minutes', 'sync-minutes'] as const) {
    if (!(Number(parsed.values[name]) > 0))
      return `--${name}: found ${parsed.values[name]}; right is a number above 0.`;
  }
  const options = {
    idleMinutes: Number(parsed.values['idle-minutes']),
    syncMinutes: Number(parsed.values['sync-minutes']),
  };
  const suites = SUITES.filter((suite) => names.length === 0 || names.some((name) => isMeant(suite, name)));
  return { suites, options };
}

// Every process of a house, every folder and cable is cleared away at the end, come what may.
process.setMaxListeners(64);

const asked = read(process.argv.slice(2));
if (typeof asked === 'string') {
  console.error(asked);
  process.exitCode = 2;
} else {
  let missed = 0;
  for (const suite of asked.suites) {
    console.log(`\n${suite.name}`);
    const rows = await suite.run(asked.options);
    print(rows);
    missed += rows.filter((row) => !row.met).length;
  }
  console.log(missed === 0 ? '\nEvery target met.' : `\n${missed} MISSED.`);
  if (missed > 0) process.exitCode = 1;
}
