/** The player as the node has it: real threads, real files, the simulated card in real time. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { addTime, nanosFromMs } from '../../src/core/units.js';
import { NodeDisk } from '../../src/io/fs/node-disk.js';
import { SystemTime } from '../../src/io/time/system-time.js';
import type { WantedChunk } from '../../src/player/checked-file.js';
import type { PlayerStatus } from '../../src/player/loop.js';
import { Player } from '../../src/player/player.js';
import type { Program, ProgramSegment } from '../../src/player/program.js';
import type { PlayerThreadsHandlers, ToPlayer } from '../../src/player/threads.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { spawnPlayerThreads } from '../../src/workers/spawn.js';
import { passRealTime, until } from '../contract/support.js';
import { CheckedTrackFiles } from '../player/checked-tracks.js';
import { encode, makeSound, ORIGIN, type SegmentInit, segmentOf, type TestTrack } from '../player/rig.js';
import { findSource, readCapture } from '../support/capture.js';

const dataDir = mkdtempSync(join(tmpdir(), 'tutti-'));
t.teardown(() => rmSync(dataDir, { recursive: true }));

const time = new SystemTime();
/** A long queue in the card: a machine that is busy with other things must not be heard here. Milliseconds. */
const QUEUE_MS = 450;
/** What a command takes effect after: the queue, and time for the threads. Milliseconds. */
const LEAD_MS = 900;
/** Frames of a fade of 5 ms at 44.1 kHz. */
const FADE = 221;

function track(name: string, seconds: number, seed: number, isThere = true): TestTrack {
  const sound = makeSound({ rate: 44_100, seconds, seed });
  if (isThere) writeFileSync(join(dataDir, name), encode(sound, 's16'));
  return { file: name, frames: sound.samples.length / 2, sound, sample: 's16' };
}

/** A running player that captures to `name`, and what a test does with it. */
async function begin(name: string) {
  const capture = join(dataDir, name);
  const failures: Error[] = [];
  const wanted: WantedChunk[] = [];
  const player = new Player(
    { spawn: spawnPlayerThreads(new SystemTime()), log: new FakeLog(), failed: (error) => failures.push(error) },
    {
      dataDir,
      output: {
        driver: 'virtual',
        device: 'simulated',
        idleCloseS: 600,
        queueMs: QUEUE_MS,
        virtual: { ppm: 0, capture },
      },
    },
  );
  await player.start({ wanted: (chunk) => wanted.push(chunk) });
  const startedAt = time.now();
  player.setClock({ localAt: startedAt, clusterAt: ORIGIN, driftPpm: 0 }, true);
  let generation = 0;
  return {
    player,
    failures,
    wanted,
    /** Milliseconds since the player was started. */
    now: () => Number(time.now() - startedAt) / 1e6,
    set: (segments: readonly ProgramSegment[]) => {
      const rest = { gains: [], channels: 'stereo', latencyUs: 0 } satisfies Partial<Program>;
      player.set({ generation: ++generation, segments, ...rest });
    },
    reaches: (what: string, condition: (status: PlayerStatus) => boolean) =>
      until(() => condition(player.status()), passRealTime, what),
    captured: () => readCapture(capture),
  };
}

t.test('a song from disk, a gapless next one, a seek: what the card played compares with the files', async (t) => {
  const [first, second] = [track('first.wav', 1, 1), track('second.wav', 6, 2)];
  const { player, failures, now, set, reaches, captured } = await begin('played.wav');
  t.equal(player.status().state, 'closed');
  const pulse = player.pulse;
  const segment = (of: TestTrack, init: SegmentInit) => segmentOf(of, init);
  const a = segment(first, { item: 'a', start: now() + LEAD_MS });
  const b = segment(second, { item: 'b', start: a });
  set([a, b]);
  await reaches('the second song plays', ({ itemId, frame }) => itemId === 'b' && frame! > 10_000);
  const seekAt = now() + LEAD_MS;
  const target = 5 * 44_100;
  set([
    { ...b, endAt: addTime(ORIGIN, nanosFromMs(seekAt)), complete: false },
    segment(second, { item: 'b', start: seekAt, startFrame: target }),
  ]);
  await reaches('the end', ({ state }) => state === 'idle');
  const { late, snaps, underruns, clipped } = player.status();
  t.same({ late, snaps, underruns, clipped }, { late: 0, snaps: 0, underruns: 0, clipped: 0 });
  t.not(player.pulse, pulse, 'a thread that turns has a pulse');
  await player.stop();
  await player.stop();
  t.equal(player.status().state, 'closed');
  t.equal(player.pulse, null);

  const played = captured();
  t.equal(played.rate, 44_100);
  const matchA = findSource(played, first.sound);
  t.same([matchA.comparedFrames, matchA.differing], [first.frames, 0], 'the first song, to the last sample');
  const matchB = findSource(played, second.sound, { to: 10_000 });
  t.same([matchB.frame, matchB.differing], [matchA.frame + first.frames, 0], 'the second follows without a gap');
  const rest = findSource(played, second.sound, { from: target + FADE });
  t.same([rest.comparedFrames, rest.differing], [second.frames - target - FADE, 0], 'all that follows the seek');
  const seekFrame = Math.round((seekAt - Number(a.startAt - ORIGIN) / 1e6) * 44.1);
  t.ok(Math.abs(rest.frame + target - matchA.frame - seekFrame) <= 1, 'the seek is on its frame');
  t.same(failures, []);
});

t.test('a file that is not there: the reason is in the status, and it is played once it comes', async (t) => {
  const missing = track('missing.wav', 2, 3, false);
  const { player, now, set, reaches, captured } = await begin('late.wav');
  set([segmentOf(missing, { item: 'a', start: now() + LEAD_MS })]);
  await reaches('the reason', ({ state, reason }) => state === 'silent' && reason === 'TRACK_MISSING');
  track('missing.wav', 2, 3);
  await reaches('sound', ({ state }) => state === 'playing');
  await reaches('the end', ({ state }) => state === 'idle');
  t.equal(player.status().late, 1);
  await player.stop();
  const match = findSource(captured(), missing.sound, { from: missing.frames - 22_050 });
  t.same([match.comparedFrames, match.differing], [22_050, 0], 'the end of the song is played to the last sample');
});

t.test(
  'a file that is arriving: its owner hears of the chunk that is due, and it is played once that is there',
  async (t) => {
    const disk = new NodeDisk({ root: dataDir });
    const files = new CheckedTrackFiles(disk, { rate: 44_100, seconds: 6, seed: 7, chunkBytes: 1 << 15 });
    const { player, now, set, reaches, wanted, captured } = await begin('arriving.wav');
    files.begin();
    files.put(0);
    set([segmentOf(files.track, { item: 'a', start: now() + LEAD_MS })]);
    await reaches('the reason', ({ state, reason }) => state === 'silent' && reason === 'TRACK_MISSING');
    t.same(wanted[0], { trackId: files.track.id, chunk: 1, why: 'missing' });
    for (let chunk = 1; chunk < files.count; chunk++) files.put(chunk);
    files.settle();
    await reaches('sound', ({ state }) => state === 'playing');
    await reaches('the end', ({ state }) => state === 'idle');
    await player.stop();
    const { sound, frames } = files.track;
    const match = findSource(captured(), sound, { from: frames - 22_050 });
    t.same([match.comparedFrames, match.differing], [22_050, 0], 'the end of the song is played to the last sample');
  },
);

t.test('stop in mid-song fades out and is quick', async (t) => {
  const song = track('long.wav', 30, 4);
  const { player, now, set, reaches, captured } = await begin('stopped.wav');
  set([segmentOf(song, { item: 'a', start: now() + LEAD_MS })]);
  await reaches('sound', ({ frame }) => frame! > 5_000);
  await player.stop();
  const { samples } = captured();
  t.ok(Math.abs(samples.at(-1)!) < 0.001, 'the last sample is silent');
  player.set({ generation: 99, segments: [], gains: [], channels: 'stereo', latencyUs: 0 });
});

t.test('after stop nothing keeps the process: it ends by itself', (t) => {
  track('child.wav', 1, 5);
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const child = `
    import { Player } from ${url('../../src/player/player.js')};
    import { spawnPlayerThreads } from ${url('../../src/workers/spawn.js')};
    import { SystemTime } from ${url('../../src/io/time/system-time.js')};
    import { FakeLog } from ${url('../../src/ports/fake-log.js')};
    import { ORIGIN, segmentOf } from ${url('../player/rig.js')};
    const output = { driver: 'virtual', device: '', idleCloseS: 1, queueMs: 60, virtual: { ppm: 0, capture: '' } };
    const failed = (error) => console.log(error);
    const player = new Player({ spawn: spawnPlayerThreads(new SystemTime()), log: new FakeLog(), failed }, { dataDir: ${JSON.stringify(dataDir)}, output });
    await player.start();
    player.setClock({ localAt: new SystemTime().now(), clusterAt: ORIGIN, driftPpm: 0 }, true);
    const track = { file: 'child.wav', frames: 44100, sample: 's16', sound: { rate: 44100, channels: 2, samples: [] } };
    const segments = [segmentOf(track, { item: 'a', start: 100 })];
    player.set({ generation: 1, segments, gains: [], channels: 'stereo', latencyUs: 0 });
    while (player.status().state !== 'playing') await new Promise((resolve) => setTimeout(resolve, 5));
    await player.stop();
    console.log('stopped');`;
  const script = join(dataDir, 'child.mjs');
  writeFileSync(script, child);
  const run = spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 20_000 });
  t.equal(run.stderr, '');
  t.equal(run.stdout, 'stopped\n');
  t.equal(run.status, 0, 'not ended by the time limit');
  t.end();
});

t.test('a mistake of ours ends the player, and its owner hears of it', async (t) => {
  const failures: Error[] = [];
  const player = new Player(
    { spawn: spawnPlayerThreads(new SystemTime()), log: new FakeLog(), failed: (error) => failures.push(error) },
    {
      dataDir,
      output: { driver: 'virtual', device: 'x', idleCloseS: 1, queueMs: 60, virtual: { ppm: 0, capture: '' } },
    },
  );
  await player.start();
  player.set({ segments: 'no list' } as unknown as Program);
  await until(() => failures.length > 0, passRealTime, 'the failure');
  t.equal(failures.length, 1);
  t.same([player.status().state, player.status().reason], ['silent', 'INTERNAL']);
  await player.stop();
  t.equal(failures.length, 1);
});

t.test('driver none starts no thread and is closed', async (t) => {
  const player = new Player(
    { spawn: () => Promise.reject(new Error('no thread is wanted')), log: new FakeLog(), failed: () => {} },
    { dataDir, output: { driver: 'none', device: '', idleCloseS: 1, queueMs: 60, virtual: { ppm: 0, capture: '' } } },
  );
  await player.start();
  t.equal(player.pulse, null, 'no thread, no pulse');
  player.set({ generation: 1, segments: [], gains: [], channels: 'stereo', latencyUs: 0 });
  t.same(player.status().state, 'closed');
  await player.stop();
});

t.test('what the threads say goes to the log, what dies while stopping is no failure', async (t) => {
  const log = new FakeLog();
  const failures: Error[] = [];
  const sent: ToPlayer[] = [];
  let handlers: PlayerThreadsHandlers | undefined;
  const player = new Player(
    {
      spawn: (_, given) => {
        handlers = given;
        return Promise.resolve({ send: (message) => sent.push(message), end: () => Promise.resolve() });
      },
      log,
      failed: (error) => failures.push(error),
    },
    {
      dataDir,
      output: { driver: 'virtual', device: '', idleCloseS: 1, queueMs: 60, virtual: { ppm: 0, capture: '' } },
    },
  );
  await player.start();
  handlers!.message({ type: 'log', level: 'warn', text: 'The sound card is gone.' });
  t.equal(log.entries[0]?.text, 'The sound card is gone.');
  const stopping = player.stop();
  handlers!.died(new Error('too late'));
  await stopping;
  t.same(
    sent.map(({ type }) => type),
    ['stop'],
  );
  t.same(failures, []);
});
