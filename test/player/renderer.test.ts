/** The renderer alone, told instants that are a frame off: readings of a card's clock are. */
import t from 'tap';
import { addTime, type ClusterTime } from '../../src/core/units.js';
import { Decks } from '../../src/player/decks.js';
import type { GainChange, ProgramSegment } from '../../src/player/program.js';
import { Renderer } from '../../src/player/renderer.js';
import { at, Rig, segmentOf } from './rig.js';

/** Frames of a block of 10 ms at 48 kHz, and of a fade. */
const BLOCK = 480;
const FADE = 240;
/** Two thirds of a frame at 48 kHz: enough to seem to be in the next block or the one before. Nanoseconds. */
const OFF_NS = 14_000n;

/** Renders blocks of 10 ms from 0 to `ms`; `shift` says by how much the instant of each is misread. Gives the left channel, full scale 1. */
function play(
  score: { segments: readonly ProgramSegment[]; gains?: readonly GainChange[] },
  rig: Rig,
  ms: number,
  shift: (ms: number) => bigint,
) {
  const decks = new Decks({ send: (request) => rig.reader.handle(request), time: rig.time });
  const renderer = new Renderer({ decks }, { card: { rate: 48_000, channels: 2, bits: 24 }, seed: 1 });
  renderer.setScore({ gains: [], channels: 'stereo', ...score });
  const left: number[] = [];
  for (let now = 0; now < ms; now += 10) {
    const instant: ClusterTime = addTime(at(now), shift(now));
    const block = renderer.render(instant, BLOCK);
    for (let i = 0; i < BLOCK; i++) left.push(block[2 * i]! / 2 ** 23);
    rig.time.advance(10);
  }
  return { left, renderer };
}

t.test('a cut at the seam of two blocks happens once, whichever block it seems to be in', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 2, wave: () => 0.5 });
  for (const [before, after] of [
    [OFF_NS, -OFF_NS],
    [-OFF_NS, OFF_NS],
    [0n, 0n],
  ] as const) {
    const segments = [segmentOf(song, { item: 'a', start: 100, cut: 500 })];
    const { left, renderer } = play({ segments }, rig, 700, (ms) => (ms < 500 ? before : after));
    const cut = left.findIndex((sample, i) => i > 6_000 && sample < 0.5);
    t.ok(Math.abs(cut - 24_000) <= 2, `cut at frame ${cut}`);
    for (let i = cut; i < cut + FADE; i++) {
      if (left[i + 1]! > left[i]! + 1e-6) t.fail(`the fade rises at frame ${i - cut}`);
    }
    t.ok(
      left.slice(cut + FADE).every((sample) => sample === 0),
      'silence after it',
    );
    t.same([renderer.counts.late, renderer.counts.snaps], [0, 0]);
  }
  t.end();
});

t.test('a start at the seam of two blocks happens once, with the first frame', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 0.2 });
  for (const shift of [OFF_NS, -OFF_NS, 0n]) {
    const segments = [segmentOf(song, { item: 'a', start: 100 })];
    const { left, renderer } = play({ segments }, rig, 400, (ms) => (ms < 100 ? shift : 0n));
    const first = left.findIndex((sample) => sample !== 0);
    t.ok(Math.abs(first - 4_800) <= 2);
    t.ok(
      left.slice(first, first + song.frames).every((sample, i) => sample === song.sound.samples[2 * i]),
      'all of it is there, from the first sample, without a fade',
    );
    t.same([renderer.counts.late, renderer.counts.snaps], [0, 0]);
  }
  t.end();
});

t.test('a change of volume at the seam of two blocks happens once', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 2, wave: () => 0.5 });
  const segments = [segmentOf(song, { item: 'a', start: 100 })];
  const gains = [
    { at: at(-1), gain: 1 },
    { at: at(500), gain: 0.5 },
  ];
  const { left } = play({ segments, gains }, rig, 700, (ms) => (ms === 490 ? OFF_NS : ms === 500 ? -OFF_NS : 0n));
  const change = left.findIndex((sample, i) => i > 6_000 && sample < 0.4999);
  t.ok(Math.abs(change - 24_000) <= 3, `it begins at frame ${change}`);
  for (let i = change; i < 33_000; i++) {
    if (left[i + 1]! > left[i]! + 1e-6) t.fail(`the volume rises at frame ${i - change}`);
  }
  t.ok(Math.abs(left[change + 960]! - 0.25) < 1e-3, 'after 20 ms it is there');
  t.end();
});

t.test('a sound that is taken out of the program falls silent at once, under a fade', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 2, wave: () => 0.5 });
  const { renderer } = play({ segments: [segmentOf(song, { item: 'a', start: 100 })] }, rig, 500, () => 0n);
  renderer.setScore({ segments: [], gains: [], channels: 'stereo' });
  const block = renderer.render(at(500), BLOCK);
  t.ok(block[0]! > 0.49 * 2 ** 23 && block[2 * FADE - 2]! < 0.001 * 2 ** 23 && block[2 * FADE] === 0);
  t.ok(renderer.silent);
  t.end();
});
