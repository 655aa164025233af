/**
 * Can this bench be lost? Two clocks that must lose it: one that always answers "no difference", which would win wherever all processes share a
 * clock, and one that knows no drift. Each is one line of the compiled program, changed in a copy of it, which is bundled as the real one is.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Row, type Suite, skipped } from '../row.js';
import type { Spread } from './judge.js';
import { listen, startRooms } from './rooms.js';
import { makeSong } from './song.js';
import { APART, pairOffsets, spreadOfRooms } from './spread.bench.js';

/** The compiled `src`, beside the compiled benches. */
const COMPILED = fileURLToPath(new URL('../../../src', import.meta.url));
/** Until a sound clock would have them in step. Seconds. */
const SETTLE_S = 8;
/** Long enough for a clock without drift to show it. Seconds. */
const LISTEN_S = 30;
/** What the real one must stay below, microseconds: see spread.bench.ts. */
const P99_US_MAX = 30;

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const MUTANTS: readonly Mutant[] = [
  {
    name: 'a clock that always answers 0',
    file: 'clock/peer-line.js',
    from: 'export function peerTimeAt(line, local) {',
    to: 'export function peerTimeAt(line, local) { return local;',
  },
  {
    name: 'a clock without drift',
    file: 'clock/peer-line.js',
    from: 'export function peerTimeAt(line, local) {',
    to: 'export function peerTimeAt(line, local) { line = { ...line, driftPpm: 0 };',
  },
];

/** The spread of rooms that run this mutant; infinite where they cannot even be brought to play together. */
async function spreadOfMutant(mutant: Mutant): Promise<Spread | { readonly missing: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-mutant-'));
  try {
    mkdirSync(join(folder, 'dist'));
    cpSync(COMPILED, join(folder, 'dist', 'src'), { recursive: true });
    for (const name of ['node_modules', 'package.json']) symlinkSync(join(process.cwd(), name), join(folder, name));
    const path = join(folder, 'dist', 'src', mutant.file);
    const text = readFileSync(path, 'utf8');
    if (text.split(mutant.from).length !== 2) throw new Error(`${mutant.file} does not hold "${mutant.from}" once`);
    writeFileSync(path, text.replace(mutant.from, mutant.to));
    execFileSync(process.execPath, [join('src', 'dev', 'bundle.mjs'), folder]);
    const songs = [makeSong(1, 60)];
    const rooms = await startRooms({ songs, main: join(folder, 'dist', 'tutti', 'main.js') });
    if ('missing' in rooms) return rooms;
    try {
      await rooms.rooms[0].command('play');
      await listen(SETTLE_S);
      const fromNs = rooms.now();
      await listen(LISTEN_S);
      const toNs = rooms.now() - 250e6;
      // Rooms that do not believe each other's time may never begin to sound.
      if (!rooms.rooms.every((room) => room.hasPlayed)) return APART;
      const captures = rooms.rooms.map((room) => room.capture());
      return spreadOfRooms(pairOffsets(captures, fromNs, toNs), fromNs, toNs);
    } finally {
      await rooms.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const mutant of MUTANTS) {
    const what = `${mutant.name}: spread, p99`;
    const spread = await spreadOfMutant(mutant);
    rows.push(
      'missing' in spread
        ? skipped(what, spread.missing)
        : { what, figure: spread.p99Us, unit: 'us', toReach: `> ${P99_US_MAX}`, met: spread.p99Us > P99_US_MAX },
    );
  }
  return rows;
}

const suite: Suite = { name: 'sync-mutants', run };
export default suite;
