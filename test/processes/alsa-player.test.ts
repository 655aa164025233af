/** The player's threads on an ALSA card: real threads, real alsa-lib, a card of the test's own. What is exact is measured elsewhere. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SystemTime } from '../../src/io/time/system-time.js';
import type { PlayerStatus } from '../../src/player/loop.js';
import { Player } from '../../src/player/player.js';
import type { OutputSetup } from '../../src/player/threads.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { spawnPlayerThreads } from '../../src/workers/spawn.js';
import { readCardCapture } from '../card/capture.js';
import { buildTestCard, CardControl, useCards, writeCardConfig } from '../card/card.js';
import { passRealTime, until } from '../contract/support.js';
import { encode, makeSound, ORIGIN, segmentOf } from '../player/rig.js';

const time = new SystemTime();
const card = await buildTestCard();
const skip = 'missing' in card && card.missing;
/** Until sound begins: threads, card and reader are ready by then. Milliseconds. */
const LEAD_MS = 900;
/** Sound that is wanted. Seconds. */
const SOUND_S = 60;

/** Threads of this process that run under SCHED_FIFO: field 41 of proc_pid_stat(5). */
const realtimeThreads = () =>
  readdirSync('/proc/self/task').filter((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[41 - 3] === '1';
  }).length;

const lockedKb = () => Number(/^VmLck:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);

/** A player that is to play noise to `output`, on the card `card`. */
async function begin(t: Test, output: Pick<OutputSetup, 'driver' | 'device'>) {
  if ('missing' in card) throw new Error('skipped');
  const directory = t.testdir({});
  const [capture, control] = [join(directory, 'capture'), join(directory, 'control')];
  useCards(writeCardConfig(card, { path: join(directory, 'asound.conf'), cards: { card: { capture, control } } }));
  const hand = new CardControl(control);
  const sound = makeSound({ rate: 44_100, seconds: SOUND_S, seed: 1 });
  writeFileSync(join(directory, 'song.wav'), encode(sound, 's16'));
  const log = new FakeLog();
  const failures: Error[] = [];
  const player = new Player(
    { spawn: spawnPlayerThreads(time), log, failed: (error) => failures.push(error) },
    {
      dataDir: directory,
      output: { idleCloseS: 600, queueMs: 150, mixer: 'unmute', virtual: { ppm: 0, capture: '' }, ...output },
    },
  );
  t.teardown(() => hand.close());
  return {
    player,
    log,
    failures,
    hand,
    captured: () => readCardCapture(capture),
    play: () => {
      player.setClock({ localAt: time.now(), clusterAt: ORIGIN, driftPpm: 0 }, true);
      const track = { file: 'song.wav', frames: sound.samples.length / 2, sound, sample: 's16' } as const;
      const segments = [segmentOf(track, { item: 'a', start: LEAD_MS })];
      player.set({ generation: 1, segments, gains: [], channels: 'stereo', latencyUs: 0 });
    },
    reaches: (what: string, condition: (status: PlayerStatus) => boolean) =>
      until(() => condition(player.status()), passRealTime, what),
  };
}

t.test(
  'driver alsa: a song from disk leaves the card; its thread comes first, its rings stay in memory',
  { skip },
  async (t) => {
    const { player, log, failures, captured, play, reaches } = await begin(t, { driver: 'alsa', device: 'card' });
    const before = lockedKb();
    await player.start();
    play();
    await reaches('it plays', ({ state, frame }) => state === 'playing' && frame! > 22_050);
    t.match(player.status(), { driver: 'alsa', device: 'card' });
    if (spawnSync('chrt', ['--fifo', '15', 'true']).status === 0) {
      t.equal(realtimeThreads(), 1, "the player's thread, and no other");
      t.ok(lockedKb() - before >= 4_096, 'a ring is locked');
    } else {
      t.match(log.entries, [{ level: 'warn', fields: { advice: /LimitRTPRIO/ } }]);
    }
    await player.stop();
    t.equal(realtimeThreads(), 0);
    const { samples, rate } = captured();
    t.equal(rate, 44_100);
    t.ok(samples.some((sample) => sample !== 0));
    t.same(failures, []);
  },
);

t.test('a card that goes and comes back: the status says so, and the sound goes on', { skip }, async (t) => {
  const { player, failures, hand, play, reaches } = await begin(t, { driver: 'alsa', device: 'card' });
  hand.pullOut();
  await player.start();
  play();
  await reaches('silent', ({ state, reason }) => state === 'silent' && reason === 'OUTPUT_UNAVAILABLE');
  hand.plugIn();
  await reaches('it plays', ({ state }) => state === 'playing');
  hand.pullOut();
  await reaches('silent again', ({ reason }) => reason === 'OUTPUT_UNAVAILABLE');
  hand.plugIn();
  await reaches('it plays again', ({ state }) => state === 'playing');
  await player.stop();
  t.same(failures, []);
});

for (const [driver, device] of [
  ['alsa', 'hw:CARD=none,DEV=0'],
  ['alsa', 'auto'],
  // Read from a file that somebody edited, or from a newer version: nothing that ends a thread.
  ['gramophone' as OutputSetup['driver'], 'auto'],
] as const) {
  t.test(
    `no card behind ${driver} ${device}: a status with the reason, a line in the log, and no dead thread`,
    { skip },
    async (t) => {
      const { player, log, failures, play, reaches } = await begin(t, { driver, device });
      await player.start();
      play();
      await reaches('silent', ({ state, reason }) => state === 'silent' && reason === 'OUTPUT_UNAVAILABLE');
      const told = () => log.entries.filter(({ fields }) => fields.code === 'OUTPUT_UNAVAILABLE').length;
      await until(() => told() === 1, passRealTime, 'the log tells of it, once');
      await player.stop();
      t.same(failures, []);
    },
  );
}
