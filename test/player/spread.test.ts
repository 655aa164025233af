/** How far rooms are apart, heard at the output of their cards: crystals off, clocks off, for minutes, and through all that happens. */
import t, { type Test } from 'tap';
import { Prng } from '../../src/core/prng.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { cutAt, House, percentile, playing, type Room, type RoomInit, tellingSong } from './rooms.js';

/** Cards as real ones are: whole frames, stamps that are microseconds off. */
const REAL = { wholeFrames: true, stampNoiseUs: 5 };
const PAIR: readonly RoomInit[] = [
  { ...REAL, ppm: 80, seed: 1, wanderPpm: 0.05 },
  { ...REAL, ppm: -60, seed: 2, wanderPpm: 0.05, clockPpm: -20 },
];
/** What the leader gives every card to obey in time. Milliseconds. */
const LEAD_MS = 120;

/** Rooms in which a song of `seconds` starts at 300 ms. */
function house(inits: readonly RoomInit[], seconds: number) {
  const ground = { time: new FakeTime(), disk: new FakeDisk() };
  const song = tellingSong(ground.disk, seconds);
  const built = new House(ground, inits);
  const segment = playing(song, { item: 'a', start: 300 });
  built.set([segment]);
  return { ...ground, house: built, song, segment };
}

const counts = (room: Room) => {
  const { snaps, late, underruns } = room.status();
  return { snaps, late, underruns };
};
const NONE = { snaps: 0, late: 0, underruns: 0 };

t.test('cards of +80 and -60 ppm: median at most 10 us, p99 at most 30 us', (t) => {
  const { house: rooms } = house(PAIR, 95);
  const spreads = rooms.spreadsUs(1_300, 90_000);
  const [median, p99] = [percentile(spreads, 0.5), percentile(spreads, 0.99)];
  t.comment(`median ${median.toFixed(2)} us, p99 ${p99.toFixed(2)} us, most ${Math.max(...spreads).toFixed(2)} us`);
  t.ok(spreads.length > 8_000 && median <= 10 && p99 <= 30, `median ${median} us, p99 ${p99} us`);
  for (const room of rooms.rooms) t.match(room.status(), { ...NONE, state: 'playing' });
  rooms.stop();
  t.end();
});

t.test('crystals that wander by 100 ppm and more, cards at 44.1 and 96 kHz: within 50 us', (t) => {
  const { house: rooms } = house(
    [
      { ...REAL, ppm: 100, wanderPpm: 2, seed: 3 },
      { ...REAL, ppm: -100, wanderPpm: 2, seed: 4, rate: 44_100 },
      { ...REAL, ppm: 30, wanderPpm: 2, seed: 5, rate: 96_000, clockPpm: 100 },
    ],
    42,
  );
  t.ok(rooms.worstUs(1_300, 40_000) < 50, 'of the timeline itself');
  for (const room of rooms.rooms) t.same(counts(room), NONE);
  rooms.stop();
  t.end();
});

t.test('a card that moves in steps of 10 ms is labelled coarse and stays within 200 us', (t) => {
  const { house: rooms } = house([{ ppm: 50, stepMs: 10 }], 42);
  t.ok(rooms.worstUs(1_300, 40_000) < 200);
  t.match(rooms.rooms[0]!.status(), { ...NONE, card: { coarse: true } });
  rooms.stop();
  t.end();
});

t.test('the first sound of start, seek and skip is within 50 us, whatever instant was agreed', (t) => {
  const ground = { time: new FakeTime(), disk: new FakeDisk() };
  const song = tellingSong(ground.disk, 10);
  const rooms = new House(ground, PAIR);
  const prng = new Prng(5);
  const errors: number[] = [];
  let last = playing(song, { item: 'a', start: 100 });
  rooms.set([last]);
  rooms.until(2_000);
  for (let i = 0; i < 60; i++) {
    const now = 2_000 + i * 400;
    const start = now + LEAD_MS + prng.fraction();
    // Away from the corners of the wave, or nothing could be told.
    const startFrame = 8 * (100 + prng.below(300)) + 8_000 * prng.below(4);
    const next = playing(song, { item: i % 2 === 0 ? `s${i}` : 'a', start, startFrame });
    rooms.set([cutAt(last, start), next]);
    last = next;
    rooms.listen(start + 6, start + 25, (heard) => errors.push(...heard.map(Math.abs)));
    rooms.until(now + 400);
  }
  const p99 = percentile(errors, 0.99);
  t.comment(`p99 ${p99.toFixed(2)} us of ${errors.length}`);
  t.ok(errors.length > 200 && p99 < 50);
  for (const room of rooms.rooms) t.same(counts(room), NONE);
  rooms.stop();
  t.end();
});

t.test('after 200 random commands the rooms are no further apart than after the first', (t) => {
  const ground = { time: new FakeTime(), disk: new FakeDisk() };
  const songs = [
    tellingSong(ground.disk, 40),
    tellingSong(ground.disk, 40, 11_025),
    tellingSong(ground.disk, 40, 44_100),
  ];
  const rooms = new House(ground, PAIR);
  const prng = new Prng(9);
  let last = playing(songs[0]!, { item: 'first', start: 200 });
  rooms.set([last]);
  const first = rooms.spreadsUs(500, 6_000);
  let now = 6_000;
  for (let i = 0; i < 200; i++) {
    now += 60 + prng.below(400);
    rooms.until(now);
    const at = now + LEAD_MS;
    const what = prng.below(4);
    const old = cutAt(last, at);
    if (what === 0) {
      // Paused, and played again a little later.
      rooms.set([old]);
      now += 200 + prng.below(500);
      rooms.until(now);
    }
    const song = what === 1 ? songs[prng.below(3)]! : songs[0]!;
    const start = what === 0 ? now + LEAD_MS : at;
    last = playing(song, { item: `i${i}`, start, startFrame: prng.below(20) * 1_000 });
    rooms.set(what === 0 ? [last] : [old, last]);
  }
  rooms.until(now + 300);
  const after = rooms.spreadsUs(now + 300, now + 6_300);
  t.comment(`p99 ${percentile(first, 0.99).toFixed(2)} us before, ${percentile(after, 0.99).toFixed(2)} us after`);
  t.ok(after.length > 300 && percentile(after, 0.99) <= Math.max(5, percentile(first, 0.99)));
  for (const room of rooms.rooms) t.same(counts(room), NONE);
  rooms.stop();
  t.end();
});

t.test('one node is told 400 ms late: it joins at the frame that is due, under a fade, and counts it', (t) => {
  const ground = { time: new FakeTime(), disk: new FakeDisk() };
  const song = tellingSong(ground.disk, 20);
  const rooms = new House(ground, PAIR);
  const idle = playing(song, { item: 'x', start: 100, cut: 600 });
  rooms.set([idle]);
  rooms.until(2_000);
  const segment = playing(song, { item: 'a', start: 2_120, startFrame: 800 });
  const [early, late] = rooms.rooms as [Room, Room];
  early.set([segment]);
  rooms.until(2_400);
  late.set([segment]);
  const spreads = rooms.spreadsUs(2_520, 6_000);
  t.ok(spreads.length > 300 && Math.max(...spreads) < 50, `most ${Math.max(...spreads)} us`);
  t.same(counts(early), NONE);
  t.same(counts(late), { ...NONE, late: 1 });
  rooms.stop();
  t.end();
});

t.test(
  'constant latency in place of the measured delay, a different lead per node: queues of other lengths start together',
  (t) => {
    const { house: rooms } = house(
      [
        { ...PAIR[0]!, queueMs: 40 },
        { ...PAIR[1]!, queueMs: 100 },
      ],
      6,
    );
    const spreads = rooms.spreadsUs(330, 5_000);
    t.ok(Math.max(...spreads) < 50, `most ${Math.max(...spreads)} us`);
    rooms.stop();
    t.end();
  },
);

t.test('chasing a start error with speed: from the first block on the speed is that of the crystals', (t) => {
  const { house: rooms, time } = house(PAIR, 6);
  rooms.until(330);
  for (const room of rooms.rooms) {
    const { card, ppm } = room.status();
    t.ok(Math.abs(card!.correctionPpm + ppm) < 60, `${card!.correctionPpm} ppm for ${ppm}`);
  }
  time.setWallClockMs(0);
  const spreads = rooms.spreadsUs(330, 5_000);
  t.ok(Math.max(...spreads) < 50, 'NTP step: the wall clock is no clock of ours');
  rooms.stop();
  t.end();
});

t.test('resume after a long pause is primed anew: the card ran on, and its line with it', (t) => {
  const { house: rooms, song, segment } = house(PAIR, 12);
  rooms.until(2_000);
  rooms.set([cutAt(segment, 2_200)]);
  rooms.until(120_000);
  rooms.set([playing(song, { item: 'a', start: 120_120, startFrame: 15_000 })]);
  const spreads = rooms.spreadsUs(120_130, 124_000);
  t.ok(spreads.length > 200 && Math.max(...spreads) < 20, `most ${Math.max(...spreads)} us`);
  for (const room of rooms.rooms) t.same(counts(room), NONE);
  rooms.stop();
  t.end();
});

t.test('one node is not anchored anew on skip: nobody moves against the others', (t) => {
  const { house: rooms, song, segment } = house(PAIR, 12);
  rooms.until(3_000);
  rooms.set([cutAt(segment, 3_120.3), playing(song, { item: 'b', start: 3_120.3 })]);
  const spreads = rooms.spreadsUs(3_000, 8_000);
  t.ok(Math.max(...spreads) < 20, `most ${Math.max(...spreads)} us`);
  rooms.stop();
  t.end();
});

t.test('rate change between tracks: they follow without a gap and in step, however long the queue', (t) => {
  for (const queueMs of [40, 60, 85, 100]) ratesChange(t, queueMs);
  t.end();
});

function ratesChange(t: Test, queueMs: number): void {
  const ground = { time: new FakeTime(), disk: new FakeDisk() };
  const rooms = new House(
    ground,
    PAIR.map((init) => ({ ...init, queueMs })),
  );
  let previous = playing(tellingSong(ground.disk, 2, 44_100), { item: '0', start: 300 });
  const segments = [previous];
  for (const [i, rate] of [48_000, 8_000, 96_000, 44_100].entries()) {
    previous = playing(tellingSong(ground.disk, 2, rate), { item: `${i + 1}`, start: previous });
    segments.push(previous);
  }
  rooms.set(segments);
  const spreads = rooms.spreadsUs(400, 10_200);
  t.ok(spreads.length > 1_000 && Math.max(...spreads) < 30, `most ${Math.max(...spreads)} us`);
  for (const room of rooms.rooms) t.same(counts(room), NONE);
  rooms.stop();
}

t.test('telemetry: the error that a node shows is the error that its room hears', (t) => {
  const { house: rooms } = house([{ ...PAIR[0]! }], 12);
  const [room] = rooms.rooms as [Room];
  rooms.until(3_000);
  // The node is told another time, 600 us later, by a clock that was corrected: it says so, and the room hears just that.
  room.setClock({ errorUs: 600 });
  let averageUs = 0;
  let worst = 0;
  rooms.listen(3_065, 3_900, ([heardUs]) => {
    averageUs += (heardUs! - 600 - averageUs) * 0.0073;
    worst = Math.max(worst, Math.abs(room.status().errorUs - averageUs));
  });
  t.ok(averageUs < -150 && worst < 50, `${averageUs} us, shown with ${worst} us of difference at most`);
  rooms.listen(9_000, 9_500, ([heardUs]) => {
    worst = Math.abs(heardUs! - 600 - room.status().errorUs);
  });
  t.ok(worst < 5);
  rooms.stop();
  t.end();
});
