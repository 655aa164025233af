/** The judge's own error, on captures of which the truth is known. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Prng } from '../../../src/core/prng.js';
import { CardCapture } from './card-capture.js';
import { offsetNear, offsetsOverTime, soundingStretches, spreadOf, standstills, worstOf } from './judge.js';
import { departure, heardFrom, instantOfMoment, missedNs, returnOf } from './moments.js';
import { makeSong } from './song.js';
import { judgeStart } from './start.js';

/** A sound that is known at every instant: notes of random pitch and phase up to 9 kHz, as bright as music gets. */
function notes(seed: number): (seconds: number) => number {
  const prng = new Prng(seed);
  const all = Array.from({ length: 40 }, () => ({
    turns: 2 * Math.PI * (50 + 9_000 * prng.fraction()),
    phase: 2 * Math.PI * prng.fraction(),
  }));
  return (seconds) => all.reduce((sum, { turns, phase }) => sum + Math.sin(turns * seconds + phase), 0) / 80;
}

/** Any instant of a host that has run for an hour. */
const ORIGIN_NS = 3_600_000_000_123n;
const CHUNK_FRAMES = 480;

interface CardInit {
  readonly ppm: number;
  /** Frame 0 leaves so long after the origin, nanoseconds. */
  readonly startNs: number;
  readonly seconds: number;
  /** What is heard at an instant of the host, seconds after the origin. */
  readonly sound: (seconds: number) => number;
  /** The card stands still for so long after so many frames: a whole number of chunks. */
  readonly standstill?: { readonly afterFrames: number; readonly ns: number };
}

function capture(t: Test, init: CardInit): { readonly path: string; readonly card: CardCapture } {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-judge-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'card');
  const header = Buffer.alloc(64);
  header.write('TUTTI-CARD-1');
  header.writeUInt32LE(2, 16);
  header.writeUInt32LE(48_000, 20);
  header.writeUInt32LE(4, 24);
  const frameNs = 1e9 / (48_000 * (1 + init.ppm / 1e6));
  const chunks: Buffer[] = [header];
  for (let frame = 0; frame < init.seconds * 48_000; frame += CHUNK_FRAMES) {
    const stood = init.standstill !== undefined && frame >= init.standstill.afterFrames ? init.standstill.ns : 0;
    const atNs = init.startNs + stood + frame * frameNs;
    const chunk = Buffer.alloc(16 + CHUNK_FRAMES * 8);
    chunk.writeBigUInt64LE(ORIGIN_NS + BigInt(Math.round(atNs)), 0);
    chunk.writeUInt32LE(CHUNK_FRAMES, 8);
    chunk.writeUInt32LE(frame === 0 || frame === init.standstill?.afterFrames ? 1 : 0, 12);
    for (let i = 0; i < CHUNK_FRAMES; i++) {
      // As a card of 24 bits would have it.
      const sample = Math.round(init.sound((atNs + i * frameNs) / 1e9) * 2 ** 23) * 2 ** 8;
      chunk.writeInt32LE(sample, 16 + i * 8);
      chunk.writeInt32LE(-sample, 20 + i * 8);
    }
    chunks.push(chunk);
  }
  writeFileSync(path, Buffer.concat(chunks));
  const card = new CardCapture(path, ORIGIN_NS);
  t.teardown(() => card.close());
  return { path, card };
}

t.test('offsets between cards of any rate are known to a tenth of a microsecond', (t) => {
  const sound = notes(1);
  const { card: reference } = capture(t, { ppm: 0, startNs: 0, seconds: 2, sound });
  for (const [ppm, lateNs] of [
    [0, 0],
    [80, 3_333],
    [-60, -17_777],
    [80, 10_416],
    [-60, 900_000],
    [0, -45_000_000],
  ] as const) {
    const late = (seconds: number) => sound(seconds - lateNs / 1e9);
    const { card } = capture(t, { ppm, startNs: 1_234_567, seconds: 2, sound: late });
    const offsets = offsetsOverTime(reference, card, { fromNs: 2e8, toNs: 1.8e9 }, 1e8);
    t.equal(offsets.length, 16);
    const worst = Math.max(...offsets.map(({ offsetNs }) => Math.abs(offsetNs - lateNs)));
    t.ok(worst < 100, `${ppm} ppm, ${lateNs} ns late: wrong by ${worst.toFixed(1)} ns at most`);
  }
  t.end();
});

t.test('an offset that changes is followed, and comes to its spread', (t) => {
  const sound = notes(2);
  const lateNs = (seconds: number) => 20_000 * Math.sin(seconds);
  const { card: reference } = capture(t, { ppm: 0, startNs: 0, seconds: 4, sound });
  const { card } = capture(t, { ppm: 80, startNs: 0, seconds: 4, sound: (at) => sound(at - lateNs(at) / 1e9) });
  const offsets = offsetsOverTime(reference, card, { fromNs: 2e8, toNs: 3.8e9 }, 1e8);
  for (const { atNs, offsetNs } of offsets) t.ok(Math.abs(offsetNs - lateNs(atNs / 1e9)) < 200);
  const { medianUs, p99Us, maxUs } = spreadOf(offsets);
  t.ok(medianUs > 5 && medianUs < p99Us && p99Us <= maxUs && Math.abs(maxUs - 20) < 0.5, `${medianUs}, ${maxUs} us`);
  t.end();
});

t.test('what has nothing in common has no offset, and what leaves a gap has none across it', (t) => {
  const { card: one } = capture(t, { ppm: 0, startNs: 0, seconds: 1, sound: notes(3) });
  const { card: other } = capture(t, { ppm: 0, startNs: 0, seconds: 1, sound: notes(4) });
  const { card: silent } = capture(t, { ppm: 0, startNs: 0, seconds: 1, sound: () => 0 });
  t.equal(offsetNear(one, other, 3e8), undefined);
  t.equal(offsetNear(one, silent, 3e8), undefined);
  t.equal(offsetNear(one, one, 9.8e8), undefined, 'past the end');

  const standstill = { afterFrames: 24_000, ns: 3e7 };
  const { card: halting } = capture(t, { ppm: 0, startNs: 0, seconds: 1, sound: notes(3), standstill });
  t.equal(offsetNear(one, halting, 4.9e8), undefined);
  t.ok(Math.abs(offsetNear(one, halting, 6e8)!.offsetNs) < 100, 'afterwards it plays what is due');
  const [stood, ...more] = standstills(halting, { fromNs: 0, toNs: 1e9 });
  t.equal(more.length, 0);
  t.ok(Math.abs(stood!.toNs - stood!.fromNs - 3e7) < 100);
  t.same(standstills(halting, { fromNs: 6e8, toNs: 1e9 }), []);
  t.end();
});

t.test('a room that is silent, or plays something else, is a loss in each window, and in every figure', (t) => {
  const sound = notes(3);
  const { card: reference } = capture(t, { ppm: 0, startNs: 0, seconds: 4, sound });
  const part = (isOut: (seconds: number) => boolean, other: (seconds: number) => number) =>
    capture(t, { ppm: 0, startNs: 0, seconds: 4, sound: (at) => (isOut(at) ? other(at) : sound(at)) }).card;
  for (const other of [() => 0, notes(4)]) {
    const offsets = offsetsOverTime(
      reference,
      part((at) => at >= 1 && at < 1.1, other),
      { fromNs: 2e8, toNs: 3.8e9 },
      1e8,
    );
    t.equal(offsets.length, 36, 'none is left out');
    const { medianUs, p99Us, maxUs, togetherPercent } = spreadOf(offsets);
    t.equal(togetherPercent, (100 * 35) / 36);
    t.ok(medianUs < 1, 'most of the time they were together');
    t.same([p99Us, maxUs], [Infinity, Infinity]);
  }
  const afterwards = offsetsOverTime(
    reference,
    part(
      (at) => at < 2,
      () => 0,
    ),
    { fromNs: 1e9, toNs: 3e9 },
    1e8,
  );
  t.equal(departure(afterwards, 2e9), Infinity, 'what was not followed before cannot be left');
  const before = offsetsOverTime(
    reference,
    part(
      (at) => at > 2,
      () => 0,
    ),
    { fromNs: 1e9, toNs: 3e9 },
    1e8,
  );
  t.equal(departure(before, 2e9), Infinity);
  t.equal(worstOf([]), Infinity, 'where nothing was heard');
  t.end();
});

t.test('a start and a pause are found to the frame', (t) => {
  const isHeard = (seconds: number) => (seconds >= 0.2 && seconds < 0.5) || (seconds >= 0.5015 && seconds < 0.7);
  const { card } = capture(t, { ppm: -60, startNs: 0, seconds: 1, sound: (at) => (isHeard(at) ? notes(5)(at) : 0) });
  const stretches = soundingStretches(card, { fromNs: 0, toNs: 1e9 }, 5e6);
  t.equal(stretches.length, 1, 'a moment of silence is part of the sound');
  const [{ fromNs, toNs }] = stretches as [(typeof stretches)[0]];
  t.ok(Math.abs(fromNs - 2e8) < 45_000 && Math.abs(toNs - 7e8) < 45_000, `${fromNs} to ${toNs}`);
  t.equal(soundingStretches(card, { fromNs: 0, toNs: 1e9 }, 1e6).length, 2);
  t.same(soundingStretches(card, { fromNs: 7.1e8, toNs: 1e9 }, 5e6), []);
  t.end();
});

t.test('a capture may be read while it grows, and one that was cut short to its last whole chunk', (t) => {
  const { path, card } = capture(t, { ppm: 0, startNs: 5_000_000, seconds: 0.1, sound: notes(6) });
  t.equal(card.frames, 4_800);
  t.same(card.runs(), [{ firstFrame: 0, frames: 4_800, fromNs: 5e6, toNs: 105e6 }]);
  t.equal(card.frameAt(4e6), undefined);
  t.equal(card.frameAt(106e6), undefined);
  t.ok(Math.abs(card.frameAt(card.instantOf(1_234.5))! - 1_234.5) < 1e-6);
  truncateSync(path, 64 + 3 * (16 + CHUNK_FRAMES * 8) - 1);
  const cut = new CardCapture(path, ORIGIN_NS);
  t.teardown(() => cut.close());
  t.equal(cut.frames, 2 * CHUNK_FRAMES);
  t.same(cut.read(-2, 3), Float64Array.from([0, 0, ...card.read(0, 1)]));
  truncateSync(path, 64 + 3 * (16 + CHUNK_FRAMES * 8));
  cut.grow();
  t.equal(cut.frames, 3 * CHUNK_FRAMES);
  writeFileSync(path, 'RIFF');
  t.throws(() => new CardCapture(path, ORIGIN_NS), /is no capture/);
  t.end();
});

t.test('a moment of a song is found to the microsecond, and what is not the song is not', (t) => {
  const song = makeSong(7, 3);
  const samples = song.sound.read(0, 3 * 44_100);
  // The card plays the file's frames at its own rate, one for one: the song as it is on a card of 44.1 kHz, stretched.
  const stretch = 44_100 / 48_000;
  const heard = (seconds: number) => samples[Math.round((seconds - 0.1) * 48_000)] ?? 0;
  const { card } = capture(t, { ppm: 0, startNs: 0, seconds: 2, sound: heard });
  const slow: typeof song = {
    ...song,
    sound: {
      rate: 48_000,
      instantOf: (frame) => song.sound.instantOf(frame) * stretch,
      frameAt: (atNs) => song.sound.frameAt(atNs / stretch),
      read: song.sound.read,
    },
  };
  const at = instantOfMoment(card, slow, 0.5, { fromNs: 3e8, toNs: 9e8 });
  t.ok(at !== undefined && Math.abs(at - 6e8) < 1_000, `${at}`);
  t.equal(instantOfMoment(card, makeSong(8, 3), 0.5, { fromNs: 3e8, toNs: 9e8 }), undefined);
  const course = offsetsOverTime(heardFrom(slow, 1e8), card, { fromNs: 3e8, toNs: 1.2e9 }, 1e8);
  t.equal(course.length, 9);
  t.ok(course.every(({ offsetNs }) => Math.abs(offsetNs) < 1_000));
  t.end();
});

t.test(
  'how a room comes back is told: when it sounds, when it is in step, how it got there, and what was missing',
  (t) => {
    const sound = notes(9);
    const { card: reference } = capture(t, { ppm: 0, startNs: 0, seconds: 2, sound });
    // Back after 0.3 s, 200 us late, in step with one jump after another 0.1 s.
    const late = (seconds: number) => (seconds < 0.9 ? 200e-6 : 0);
    const heard = (seconds: number) =>
      seconds >= 0.5 && seconds < 0.8 ? 0 : sound(seconds - (seconds < 0.5 ? 0 : late(seconds)));
    const { card } = capture(t, { ppm: 80, startNs: 0, seconds: 2, sound: heard });
    const back = returnOf(card, reference, { fromNs: 5.5e8, toNs: 1.9e9 })!;
    t.ok(Math.abs(back.soundsNs - 8e8) < 50_000, `sounds at ${back.soundsNs}`);
    t.ok(Math.abs(back.inStepNs - 9e8) < 12e6, `in step at ${back.inStepNs}`);
    t.ok(Math.abs(back.worstNs - 200_000) < 5_000, `${back.worstNs} ns at worst`);
    t.ok(back.jumps >= 1 && back.jumps <= 2, `${back.jumps} jumps: a window may lie across it`);
    t.ok(Math.abs(missedNs(card, { fromNs: 1e8, toNs: 1.9e9 }) - 3e8) < 1e6);
    t.equal(missedNs(reference, { fromNs: 1e8, toNs: 1.9e9 }), 0);
    t.ok(Math.abs(back.silentNs - 2.5e8) < 1e6, `${back.silentNs} ns of silence`);
    const struck = returnOf(card, reference, { fromNs: 3e8, toNs: 1.9e9 })!;
    t.ok(Math.abs(struck.silentNs - 3e8) < 1e6, 'from an instant at which it still sounds, all that follows counts');
    t.ok(Math.abs(struck.inStepNs - 9e8) < 12e6);
    const { card: silent } = capture(t, { ppm: 0, startNs: 0, seconds: 2, sound: () => 0 });
    t.equal(returnOf(silent, reference, { fromNs: 5e8, toNs: 1.9e9 }), undefined);
    t.end();
  },
);

t.test('a room that sounds in step and then breaks off again is in step only after the last time', (t) => {
  const sound = notes(10);
  const { card: reference } = capture(t, { ppm: 0, startNs: 0, seconds: 2, sound });
  const heard = (seconds: number) =>
    (seconds >= 0.5 && seconds < 0.6) || (seconds >= 1 && seconds < 1.05) ? 0 : sound(seconds);
  const { card } = capture(t, { ppm: 0, startNs: 0, seconds: 2, sound: heard });
  const back = returnOf(card, reference, { fromNs: 4e8, toNs: 1.9e9 })!;
  t.ok(Math.abs(back.inStepNs - 1.05e9) < 6e6, `in step at ${back.inStepNs}`);
  t.ok(Math.abs(back.silentNs - 1.5e8) < 1e6, `${back.silentNs} ns of silence`);
  const untouched = returnOf(reference, reference, { fromNs: 4e8, toNs: 1.9e9 })!;
  t.equal(untouched.inStepNs, 4e8, 'nothing happened to this one');
  t.equal(untouched.silentNs, 0);
  t.end();
});

t.test('a start is judged from its first sample: a room that begins later is late, though it is in step then', (t) => {
  const sound = notes(11);
  const room = (beginsAt: number, before: (seconds: number) => number = () => 0) => {
    const fade = (seconds: number) => Math.max(0, Math.min(1, (seconds - beginsAt) / 0.005));
    const heard = (seconds: number) => fade(seconds) * sound(seconds) + (1 - fade(seconds)) * before(seconds);
    return capture(t, { ppm: 0, startNs: 0, seconds: 2, sound: heard }).card;
  };
  const play = { kind: 'play', sentNs: 4e8, answeredNs: 4.1e8 } as const;
  const [one, other, late] = [room(0.5), room(0.5), room(0.508)];
  const together = judgeStart([one, other], play);
  t.ok(
    Math.abs(together.afterMs - 100) < 0.1 && together.apartUs < 1,
    `${together.afterMs} ms, ${together.apartUs} us`,
  );
  for (const pair of [
    [one, late],
    [late, one],
  ] as const) {
    const { afterMs, apartUs } = judgeStart(pair, play);
    t.ok(Math.abs(apartUs - 8_000) <= 2_000, `${apartUs} us`);
    t.ok(afterMs > 107);
  }
  t.equal(judgeStart([one, room(5)], play).apartUs, Infinity, 'one that never begins');
  t.equal(judgeStart([one, room(0)], play).afterMs, Infinity, 'one that never paused');

  const song = makeSong(12, 3);
  const from = (seconds: number, startNs: number) => {
    const at = song.sound.frameAt(seconds * 1e9 - startNs);
    return at === undefined ? 0 : song.sound.read(Math.round(at), 1)[0]!;
  };
  const skips = (atS: number) => {
    const heard = (seconds: number) => (seconds < atS ? from(seconds, -1e9) : from(seconds, 5e8));
    return capture(t, { ppm: 0, startNs: 0, seconds: 2, sound: heard }).card;
  };
  const skip = { kind: 'skip', sentNs: 4e8, answeredNs: 4.1e8, moment: { song, seconds: 0 } } as const;
  t.ok(judgeStart([skips(0.5), skips(0.5)], skip).apartUs < 1);
  const apart = judgeStart([skips(0.5), skips(0.506)], skip).apartUs;
  t.ok(Math.abs(apart - 6_000) <= 2_000, `went on with the song before: ${apart} us`);
  t.end();
});

t.test('a departure is measured from the line that was followed before', (t) => {
  const course = (leapNs: number) =>
    Array.from({ length: 20 }, (_, i) => ({
      atNs: i * 1e8,
      offsetNs: 500 + 30_000 * i + (i >= 10 ? leapNs : 0),
      likeness: 1,
    }));
  t.ok(departure(course(0), 1e9) < 1e-3);
  t.ok(Math.abs(departure(course(-70_000), 1e9) - 70_000) < 1e-3);
  t.end();
});
