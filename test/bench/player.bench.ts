/**
 * The player: what share of a core its threads take, with the simulated card in real time.
 *
 * The whole process counts: the threads of player and reader, the compiler, and the collector of garbage. What a machine that does nothing
 * else measures is the figure; on a busy one caches are cold at every waking, and it rises by half.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeDisk } from '../../src/io/fs/node-disk.js';
import { SystemTime } from '../../src/io/time/system-time.js';
import { chunkBytesFor } from '../../src/library/chunks.js';
import { Player } from '../../src/player/player.js';
import type { ProgramSegment } from '../../src/player/program.js';
import type { OutputSetup } from '../../src/player/threads.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { spawnPlayerThreads } from '../../src/workers/spawn.js';
import { CheckedTrackFiles } from '../player/checked-tracks.js';
import { ORIGIN, segmentOf, type TestTrack } from '../player/rig.js';
import { atMost, type Row, type Suite } from './row.js';

/** Until the compiler has seen what is hot, and for how long is measured after that. Milliseconds. */
const WARM_MS = 4_000;
const MEASURE_MS = 15_000;
/** A crystal that is off has every sample resampled, whatever the rates. Parts per million. */
const PPM = 80;

/** A file of a quiet tone, of which every chunk is checked as it is read. */
function toneFile(dataDir: string, rate: number, seconds: number): TestTrack {
  const wave = (s: number) => 0.3 * Math.sin(2 * Math.PI * 440 * s);
  const chunkBytes = chunkBytesFor(4 * rate * seconds);
  const files = new CheckedTrackFiles(new NodeDisk({ root: dataDir }), { rate, seconds, wave, chunkBytes });
  files.place();
  return files.track;
}

const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Per cent of a core that the process takes while a player plays `segments`. */
async function share(dataDir: string, segments: readonly ProgramSegment[], idleCloseS: number): Promise<number> {
  const time = new SystemTime();
  const output: OutputSetup = {
    driver: 'virtual',
    device: '',
    idleCloseS,
    queueMs: 60,
    virtual: { ppm: PPM, capture: '' },
  };
  const failed = (error: Error) => console.error(error);
  const player = new Player({ spawn: spawnPlayerThreads(time), log: new FakeLog(), failed }, { dataDir, output });
  await player.start();
  player.setClock({ localAt: time.now(), clusterAt: ORIGIN, driftPpm: 0 }, true);
  player.set({ generation: 1, segments, gains: [], channels: 'stereo', latencyUs: 0 });
  await pass(WARM_MS);
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await pass(MEASURE_MS);
  const { user, system } = process.cpuUsage(before);
  const elapsedUs = (performance.now() - startedAt) * 1_000;
  await player.stop();
  return (100 * (user + system)) / elapsedUs;
}

async function run(): Promise<Row[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tutti-bench-'));
  try {
    // A card opened for 48 kHz keeps that rate for what comes after.
    const opener = toneFile(dataDir, 48_000, 0.5);
    const song = toneFile(dataDir, 44_100, (WARM_MS + MEASURE_MS) / 1_000 + 5);
    const first = segmentOf(opener, { item: 'a', start: 300 });
    const second = segmentOf(song, { item: 'b', start: first });
    const figure = async (what: string, most: number, segments: readonly ProgramSegment[], idleCloseS: number) =>
      atMost(most, { what, figure: await share(dataDir, segments, idleCloseS), unit: '% of a core' });
    return [
      await figure('playing 44.1 kHz on a card of 48 kHz', 3, [first, second], 600),
      await figure('paused, the card running', 1.5, [first], 600),
      await figure('paused, the card closed', 0.5, [first], 1),
    ];
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export default { name: 'player', run } satisfies Suite;
