/** Nodes that have too much to do: their main threads stand still for a fifth of every second, and files are taken in all the while. The card never runs dry. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atMost, forInformation, type Options, type Row, type Suite, skipped } from '../row.js';
import { missedNs } from './moments.js';
import { listen, type Rooms } from './rooms.js';
import { makeSong } from './song.js';
import { playingRooms, spreadOfRooms, spreadRows } from './spread.bench.js';
import { collectionRows, notesIn, WATCH_THREADS } from './thread-notes.js';

const BUSY_MAIN = fileURLToPath(new URL('./busy-main.js', import.meta.url));
/** Files that are taken in: so long, one every so often, to each node in turn. Seconds. */
const FILE_SECONDS = 30;
const FILE_EVERY_S = 2;
/** Seed of the first: others play. */
const FIRST_SEED = 100;

/** Gives files to the nodes and takes them away again, for so long. Gives how many. */
async function keepHashing({ rooms }: Rooms, seconds: number): Promise<number> {
  const endAt = performance.now() + seconds * 1_000;
  let files = 0;
  while (performance.now() < endAt) {
    const nextAt = performance.now() + FILE_EVERY_S * 1_000;
    const room = rooms[files % rooms.length]!;
    const id = await room.upload(makeSong(FIRST_SEED + files, FILE_SECONDS));
    await room.call('DELETE', `/tracks/${id}`);
    files += 1;
    await listen(Math.max(0, nextAt - performance.now()) / 1_000);
  }
  return files;
}

/** Times that cards ran dry, by the nodes' own count. */
async function underruns({ rooms }: Rooms): Promise<number> {
  const states = await Promise.all(rooms.map((room) => room.state()));
  return states
    .map(({ node, nodes }) => nodes.find(({ id }) => id === node.id)!.output)
    .reduce((sum, output) => sum + (output?.underruns ?? Infinity), 0);
}

async function run({ syncMinutes }: Options): Promise<Row[]> {
  const what = `main threads blocked 200 ms of each second, files taken in, ${syncMinutes} min`;
  const folder = mkdtempSync(join(tmpdir(), 'tutti-notes-'));
  const notesOf = (name: string) => join(folder, `${name}.jsonl`);
  try {
    const rooms = await playingRooms({
      nodeArgs: ['--import', WATCH_THREADS, '--import', BUSY_MAIN],
      envOf: (name) => ({ WATCH_THREADS_FILE: notesOf(name) }),
    });
    if ('missing' in rooms) return [skipped(what, rooms.missing)];
    try {
      const before = await underruns(rooms);
      const fromNs = rooms.now();
      const files = await keepHashing(rooms, 60 * syncMinutes);
      const toNs = rooms.now() - 500e6;
      const ran = (await underruns(rooms)) - before;
      const captures = rooms.rooms.map((room) => room.capture());
      const missedMs = Math.max(...captures.map((card) => missedNs(card, { fromNs, toNs }))) / 1e6;
      const spread = spreadOfRooms(captures, { fromNs, toNs });
      const { name } = rooms.rooms[1];
      return [
        atMost(0, { what: `${what}: underruns`, figure: ran, unit: '' }),
        atMost(0, { what: `${what}: missing at the cards`, figure: missedMs, unit: 'ms' }),
        forInformation({ what: `${what}: files`, figure: files, unit: '' }),
        ...spreadRows(what, spread, 10, 30),
        ...collectionRows(name, notesIn(notesOf(name)), 0),
      ];
    } finally {
      await rooms.stop();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const suite: Suite = { name: 'sync-busy', run };
export default suite;
