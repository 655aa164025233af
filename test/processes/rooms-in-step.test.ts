/**
 * Three real nodes on cards and by clocks that differ: do they play as one at all? The bounds are those of a machine that is busy with other
 * tests; how near they come is the bench's to say (`npm run bench -- sync`).
 */
import t, { type Test } from 'tap';
import { until } from '../bench/consensus/contestant.js';
import { median } from '../bench/consensus/statistics.js';
import { offsetsOverTime, soundingStretches, standstills } from '../bench/sync/judge.js';
import { type Room, type Rooms, startRooms } from '../bench/sync/rooms.js';
import { makeSong } from '../bench/sync/song.js';

/** What fuses into one sound, and far more than it takes. Nanoseconds. */
const TOGETHER_NS = 1e6;
/** What is listened to. Nanoseconds. */
const LISTEN_NS = 2e9;
const EVERY_NS = 50e6;

/** How long all of it may take on a busy machine. Milliseconds. */
const PATIENCE_MS = 220_000;

t.setTimeout(PATIENCE_MS);
// The machine that runs the tests is busy: no card must run dry by itself.
const started = await startRooms({ songs: [makeSong(1, 240)], env: { TUTTI_OUTPUT_QUEUE_MS: '500' } });

await t.test('three rooms', { skip: 'missing' in started && started.missing }, async (t) => {
  const rooms = started as Rooms;
  t.teardown(() => rooms.stop());
  for (const note of rooms.notes) t.comment(note);
  const { now } = rooms;

  /** Waits until these rooms have played the same for a while, all after `sinceNs`; gives the median distance of each to the first. */
  const together = (playing: readonly Room[], sinceNs: number) =>
    until('they play as one', async () => {
      const toNs = now() - 100e6;
      const fromNs = toNs - LISTEN_NS;
      if (fromNs < sinceNs) return undefined;
      const [first, ...others] = playing.map((room) => room.capture());
      const courses = others.map((other) => offsetsOverTime(first!, other, { fromNs, toNs }, EVERY_NS));
      // A window that one of them was silent in counts as infinitely apart.
      const isWhole = courses.every(
        (course) =>
          course.filter(({ offsetNs }) => Number.isFinite(offsetNs)).length >= 0.9 * (LISTEN_NS / EVERY_NS - 1),
      );
      return isWhole ? courses.map((course) => median(course.map(({ offsetNs }) => Math.abs(offsetNs)))) : undefined;
    });

  /** The same, as a statement. */
  const areTogether = async (t: Test, playing: readonly Room[], sinceNs: number, words: string) => {
    const apart = await together(playing, sinceNs);
    for (const ns of apart) t.ok(ns < TOGETHER_NS, `${words}: ${(ns / 1e3).toFixed(1)} us apart`);
  };

  await t.test('they begin together, and are together again after every command', async (t) => {
    const [kitchen, attic, hall] = rooms.rooms;
    await kitchen.command('play');
    await until('every card runs', async () => rooms.rooms.every((room) => room.hasPlayed));
    await areTogether(t, rooms.rooms, now(), 'after play');
    await attic.command('seek', { positionMs: 60_000 });
    await areTogether(t, rooms.rooms, now() + 1e9, 'after seek');

    await hall.command('pause');
    const silentFor = (room: Room) => soundingStretches(room.capture(), { fromNs: now() - 500e6, toNs: now() }, 1e6);
    await until('all is silent', async () => rooms.rooms.every((room) => silentFor(room).length === 0));
    const pausedNs = now();
    await kitchen.command('play');
    await areTogether(t, rooms.rooms, pausedNs + 1.5e9, 'after resume');
    const began = rooms.rooms.map(
      (room) => soundingStretches(room.capture(), { fromNs: pausedNs, toNs: now() }, 5e6)[0]!,
    );
    const firstNs = Math.min(...began.map(({ fromNs }) => fromNs));
    const apartNs = Math.max(...began.map(({ fromNs }) => fromNs)) - firstNs;
    t.ok(apartNs < TOGETHER_NS, `their first samples are ${(apartNs / 1e3).toFixed(1)} us apart`);
  });

  await t.test('a card that runs dry is in step again, and nobody else hears of it', async (t) => {
    const [kitchen, attic, hall] = rooms.rooms;
    const fromNs = now();
    attic.control.underrun();
    await areTogether(t, rooms.rooms, fromNs + 500e6, 'after the underrun');
    const toNs = now() - 100e6;
    // Its queue is short until it is settled again, so a busy machine may add one of its own; the bench says once.
    const dry = standstills(attic.capture(), { fromNs, toNs }).length;
    t.ok(dry >= 1 && dry <= 3, `it ran dry ${dry} times`);
    for (const room of [kitchen, hall])
      t.same(standstills(room.capture(), { fromNs, toNs }), [], `${room.name} played on`);
  });
});
