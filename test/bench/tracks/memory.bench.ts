/**
 * What a large upload does to the nodes besides: how much memory the one that takes it in needs, and for how long a main thread does not get round to
 * anything else, while files are taken in, copied, hashed, and scrubbed.
 *
 * An event loop also stands still while the machine gives its processor to somebody else. So a process that does nothing notes the same meanwhile.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { TrackClient } from '../../../src/tracks/track-client.js';
import { spawnIntake } from '../../../src/workers/spawn-intake.js';
import { folderOnDisk, Program } from '../consensus/contestant.js';
import { startHouse } from '../consensus/tutti-house.js';
import { residentMb } from '../processes.js';
import { atMost, forInformation, type Row, type Suite } from '../row.js';
import { MB, songsOf } from './songs.js';
import { copyEverywhere } from './uploading.js';
import type { LoopNote } from './watch-loop.js';

const WATCH_LOOP = fileURLToPath(new URL('./watch-loop.js', import.meta.url));
/** An album as one file. Bytes. */
const FILE_BYTES = 200 * MB;
/** How much more memory the node may need for it. MB. */
const GROWTH_MB_MAX = 64;
/** How long the main thread may be at one thing. Milliseconds. */
const STALL_MS_MAX = 20;
/** How often memory is looked at. Milliseconds. */
const LOOK_MS = 20;
/** What a step of scrubbing reads. Bytes. */
const STEP_BYTES = 1 << 20;

const notesIn = (path: string): LoopNote[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LoopNote);

/** Figures of the notes of a time: the longest, and how many a second were above the limit. */
function stallsOf(notes: readonly LoopNote[], fromMs: number, toMs: number) {
  const longest = notes.filter(({ atMs }) => atMs > fromMs && atMs <= toMs).map(({ longestMs }) => longestMs);
  const above = longest.filter((ms) => ms > STALL_MS_MAX).length;
  return { longestMs: Math.max(...longest), share: above / longest.length };
}

/** The longest that this thread stood still while another hashed all files of a node. Milliseconds. */
async function whileScrubbing(dataDir: string): Promise<number> {
  const died = (error: Error) => {
    throw error;
  };
  const inboxDir = join(dataDir, 'inbox');
  const thread = spawnIntake({ dataDir, inboxDir, commits: new SharedArrayBuffer(4) }, died);
  const client = new TrackClient({ port: thread.port });
  await client.open();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (let isOver = false; !isOver; ) {
    const { bytesDone, bytesTotal } = await client.scrubStep(STEP_BYTES);
    isOver = bytesDone === bytesTotal;
  }
  delay.disable();
  await thread.end();
  return delay.max / 1e6;
}

async function run(): Promise<Row[]> {
  const folder = folderOnDisk();
  const notesOf = (who: number | string) => join(folder, `loop-${who}`);
  const idler = new Program(['node', '--import', WATCH_LOOP, '-e', 'setInterval(() => {}, 1_000)'], {
    PATH: process.env.PATH,
    WATCH_LOOP_FILE: notesOf('idle'),
  });
  const house = await startHouse({
    folder,
    nodeArgs: ['--import', WATCH_LOOP],
    envOf: (index) => ({ WATCH_LOOP_FILE: notesOf(index) }),
  });
  const [taker] = house.members as [(typeof house.members)[0]];
  try {
    idler.start();
    const makeSong = songsOf(FILE_BYTES);
    const before = residentMb(taker.pid);
    let most = before;
    const looking = setInterval(() => {
      most = Math.max(most, residentMb(taker.pid));
    }, LOOK_MS);
    const fromMs = Date.now();
    const { everywhereMs } = await copyEverywhere(house, taker, makeSong());
    clearInterval(looking);
    const toMs = Date.now();
    await house.stop();
    await idler.end('SIGTERM');
    const scrubMs = await whileScrubbing(taker.folder);
    const nodes = house.members.map((_, index) => stallsOf(notesIn(notesOf(index)), fromMs, toMs));
    const idle = stallsOf(notesIn(notesOf('idle')), fromMs, toMs);
    const what = `${FILE_BYTES / MB} MB to a house of three`;
    const longestMs = Math.max(...nodes.map((node) => node.longestMs));
    return [
      atMost(GROWTH_MB_MAX, { what: `${what}: memory of who takes it in grows by`, figure: most - before, unit: 'MB' }),
      forInformation({ what: `${what}: its memory before`, figure: before, unit: 'MB' }),
      forInformation({ what: `${what}: until all hold it`, figure: everywhereMs / 1_000, unit: 's' }),
      {
        ...atMost(STALL_MS_MAX, { what: `${what}: longest stall of a main thread`, figure: longestMs, unit: 'ms' }),
        peer: { name: 'an idle process', figure: idle.longestMs },
        ratio: longestMs / idle.longestMs,
      },
      {
        ...forInformation({
          what: `${what}: tenths of a second with a longer stall than ${STALL_MS_MAX} ms`,
          figure: 100 * Math.max(...nodes.map(({ share }) => share)),
          unit: '%',
        }),
        peer: { name: 'an idle process', figure: 100 * idle.share },
      },
      atMost(STALL_MS_MAX, { what: 'scrubbing it at full speed: longest stall', figure: scrubMs, unit: 'ms' }),
    ];
  } finally {
    await house.stop();
    await idler.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

const suite: Suite = { name: 'tracks-memory', run };
export default suite;
