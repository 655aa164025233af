/**
 * Can this bench be lost? Two clocks that must lose it: one that always answers "no difference", which would win wherever all processes share a
 * clock, and one that knows no drift. Each is one line of the compiled program, changed in a copy of it, which is bundled as the real one is.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atMost, type Row, type Suite, skipped } from '../row.js';
import type { Spread } from './judge.js';
import { missedNs } from './moments.js';
import { listen, startRooms } from './rooms.js';
import { makeSong } from './song.js';
import { spreadOfRooms } from './spread.bench.js';

/** The compiled `src`, beside the compiled benches. */
const COMPILED = fileURLToPath(new URL('../../../src', import.meta.url));
/** Until a sound clock would have them in step. Seconds. */
const SETTLE_S = 8;
/** Long enough for a clock without drift to show it. Seconds. */
const LISTEN_S = 30;
/** What the real one must stay below, microseconds: see spread.bench.ts. */
const P99_US_MAX = 30;
/** A room that gives sound for this share of the time plays. */
const PLAYS_SHARE = 0.9;

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const READING = 'export function peerTimeAt(line, local) {';

/** The program as it is, by the same way: what it shows, no mutant shows of itself. */
const UNCHANGED: Mutant = {
  name: 'the clock as it is',
  file: 'clock/peer-line.js',
  from: READING,
  to: READING,
};

const MUTANTS: readonly Mutant[] = [
  {
    name: 'a clock that always answers 0',
    file: 'clock/peer-line.js',
    from: READING,
    to: `${READING} return local;`,
  },
  {
    name: 'a clock without drift',
    file: 'clock/peer-line.js',
    from: READING,
    to: `${READING} line = { ...line, driftPpm: 0 };`,
  },
];

/** What was heard of rooms that run a mutant: how many played, and how far apart those were where all did. */
interface Heard {
  readonly playing: number;
  readonly spread?: Spread;
}

async function hear(mutant: Mutant): Promise<Heard | { readonly missing: string }> {
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
      const within = { fromNs, toNs: rooms.now() - 250e6 };
      // Rooms that do not believe each other's time may never begin to sound.
      const captures = rooms.rooms.filter((room) => room.hasPlayed).map((room) => room.capture());
      const silentMost = (1 - PLAYS_SHARE) * (within.toNs - within.fromNs);
      const playing = captures.filter((card) => missedNs(card, within) <= silentMost).length;
      return playing < rooms.rooms.length ? { playing } : { playing, spread: spreadOfRooms(captures, within) };
    } finally {
      await rooms.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Caught where rooms play and are apart. Where they do not even play, that is what is said, and no figure of a spread. */
function verdict({ name }: Mutant, { playing, spread }: Heard): Row {
  if (spread === undefined)
    return {
      what: `${name}: never heard apart, for so many rooms play`,
      figure: playing,
      unit: '',
      toReach: '< 3',
      met: true,
    };
  const { p99Us } = spread;
  return {
    what: `${name}: spread, p99`,
    figure: p99Us,
    unit: 'us',
    toReach: `> ${P99_US_MAX}`,
    met: p99Us > P99_US_MAX,
  };
}

async function run(): Promise<Row[]> {
  const sound = await hear(UNCHANGED);
  if ('missing' in sound) return [skipped('mutants', sound.missing)];
  const rows = [
    atMost(P99_US_MAX, {
      what: `${UNCHANGED.name}: spread, p99`,
      figure: sound.spread?.p99Us ?? Infinity,
      unit: 'us',
    }),
  ];
  for (const mutant of MUTANTS) {
    const heard = await hear(mutant);
    rows.push('missing' in heard ? skipped(mutant.name, heard.missing) : verdict(mutant, heard));
  }
  return rows;
}

const suite: Suite = { name: 'sync-mutants', run };
export default suite;
