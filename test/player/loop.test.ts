/** The player on fake time: what the card played, frame by frame. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { trackId } from '../../src/core/ids.js';
import type { ProgramSegment } from '../../src/player/program.js';
import { FakeAudioOutput } from '../../src/ports/fake-audio-output.js';
import type { FakeTime } from '../../src/ports/fake-time.js';
import { findSource, type Sound } from '../support/capture.js';
import { at, Rig, segmentOf } from './rig.js';

/** Frames of a fade of 5 ms at 48 kHz. */
const FADE = 240;

/** Frames from `from` up to `to` of a sound. */
const cutOut = (sound: Sound, from: number, to: number): Sound => ({
  ...sound,
  samples: sound.samples.slice(from * sound.channels, to * sound.channels),
});
const isSilent = (sound: Sound, from: number, to: number): boolean =>
  cutOut(sound, from, to).samples.every((sample) => sample === 0);
const peak = (samples: Float64Array): number => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);

t.test('a song is played sample for sample, from the frame that is nearest to its instant', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 1 });
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(1_500);
  const match = findSource(rig.played(), song.sound);
  t.equal(match.frame, rig.frameAt(200), 'it begins on the frame that leaves at its instant');
  t.equal(match.comparedFrames, song.frames, 'all of it is there');
  t.equal(match.differing, 0, 'no sample differs');
  const { state, underruns, late, snaps, clipped } = rig.status();
  t.same({ state, underruns, late, snaps, clipped }, { state: 'idle', underruns: 0, late: 0, snaps: 0, clipped: 0 });
  t.ok(isSilent(rig.played(), 0, match.frame), 'silence before');
  t.ok(isSilent(rig.played(), match.frame + song.frames, match.frame + song.frames + 2_000), 'silence after');
  t.end();
});

t.test('the status says playing from the first frame to the last, and never silent in between', (t) => {
  const rig = new Rig();
  const a = segmentOf(rig.track({ seconds: 0.4, seed: 1 }), { item: 'a', start: 200 });
  rig.set([a, segmentOf(rig.track({ seconds: 0.4, seed: 2 }), { item: 'b', start: a })]);
  const seen: string[] = [];
  for (let ms = 100; ms < 1_300; ms++) {
    rig.until(ms);
    const { state, itemId = '' } = rig.status();
    if (seen.at(-1) !== state + itemId) seen.push(state + itemId);
  }
  t.same(seen, ['idle', 'playinga', 'playingb', 'idle']);
  t.end();
});

t.test('songs follow one another without a gap, whatever their channels', (t) => {
  const rig = new Rig();
  const first = rig.track({ frames: 24_001, seed: 1 });
  const second = rig.track({ frames: 12_345, seed: 2 });
  const third = rig.track({ frames: 20_000, seed: 3, channels: 1 });
  const a = segmentOf(first, { item: 'a', start: 200 });
  const b = segmentOf(second, { item: 'b', start: a });
  const c = segmentOf(third, { item: 'c', start: b });
  rig.set([a, b, c]);
  rig.until(2_000);
  const played = rig.played();
  const matchA = findSource(played, first.sound);
  const matchB = findSource(played, second.sound);
  t.equal(matchA.differing + matchB.differing, 0);
  t.equal(matchA.comparedFrames, first.frames);
  t.equal(matchB.frame, matchA.frame + first.frames, 'the second begins on the frame after the last of the first');
  const start = matchB.frame + second.frames;
  const worst = third.sound.samples.reduce(
    (most, sample, i) => Math.max(most, Math.abs(played.samples[2 * (start + i)]! - sample)),
    0,
  );
  t.equal(worst, 0, 'the mono song begins on the frame after that, on both channels');
  t.equal(rig.status().late + rig.status().snaps, 0);
  t.end();
});

t.test('a song that is cut in two files compares with the whole', (t) => {
  const rig = new Rig();
  const whole = rig.describe({ seconds: 1 });
  const parts = [cutOut(whole.sound, 0, 17_777), cutOut(whole.sound, 17_777, whole.frames)].map((sound, i) => {
    const part = { ...whole, file: `part-${i}.wav`, frames: sound.samples.length / 2, sound };
    rig.write(part);
    return part;
  });
  const a = segmentOf(parts[0]!, { item: 'a', start: 200 });
  rig.set([a, segmentOf(parts[1]!, { item: 'b', start: a })]);
  rig.until(1_500);
  const match = findSource(rig.played(), whole.sound);
  t.equal(match.comparedFrames, whole.frames);
  t.equal(match.differing, 0);
  t.end();
});

t.test('what the next song is may change while this one plays, up to the last moment', (t) => {
  const rig = new Rig();
  const [first, second, third] = [1, 2, 3].map((seed) => rig.track({ seconds: 1, seed })) as [never, never, never];
  const songs = { first, second, third } as unknown as Record<string, ReturnType<Rig['track']>>;
  const a = segmentOf(songs.first!, { item: 'a', start: 200 });
  rig.set([a, segmentOf(songs.second!, { item: 'b', start: a })]);
  rig.until(1_000);
  rig.set([a, segmentOf(songs.third!, { item: 'c', start: a })]);
  rig.until(2_500);
  const matchA = findSource(rig.played(), songs.first!.sound);
  const matchC = findSource(rig.played(), songs.third!.sound);
  t.equal(matchA.differing + matchC.differing, 0);
  t.equal(matchC.frame, matchA.frame + songs.first!.frames, 'the other song follows without a gap');
  t.equal(findSource(rig.played(), songs.second!.sound).frame, -1, 'nothing is heard of the one that was to follow');
  t.end();
});

t.test('pause and resume fade for 5 ms and leave every other sample as it was', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 2 });
  const playing = segmentOf(song, { item: 'a', start: 200 });
  rig.set([playing]);
  rig.until(500);
  // Paused at 700 ms: half a second was played.
  rig.set([{ ...playing, endAt: at(700), complete: false }]);
  rig.until(1_000);
  t.equal(rig.status().state, 'idle');
  const resumed = segmentOf(song, { item: 'a', start: 1_200, startFrame: 24_000 });
  rig.set([resumed]);
  rig.until(3_000);
  const played = rig.played();
  const before = findSource(played, song.sound, { to: 24_000 });
  t.equal(before.frame, rig.frameAt(200));
  t.equal(before.differing, 0, 'untouched up to the pause');
  const pausedAt = rig.frameAt(700);
  t.ok(peak(cutOut(played, pausedAt, pausedAt + FADE).samples) > 0.1, 'it fades out, and does not break off');
  t.ok(isSilent(played, pausedAt + FADE, rig.frameAt(1_200)), 'after 5 ms there is silence');
  const after = findSource(played, song.sound, { from: 24_000 + FADE });
  t.equal(after.frame + 24_000, rig.frameAt(1_200), 'it goes on at the frame that was agreed');
  t.equal(after.differing, 0, 'untouched after the fade');
  t.equal(after.comparedFrames, song.frames - 24_000 - FADE);
  const firstFrame = played.samples[2 * rig.frameAt(1_200)]!;
  t.ok(Math.abs(firstFrame) < 0.01, 'and fades in');
  t.same([rig.status().late, rig.status().snaps], [0, 0]);
  t.end();
});

t.test('skip: the old song fades out while the new one begins, at once and whole', (t) => {
  const rig = new Rig();
  const old = rig.track({ seconds: 3, wave: (s) => 0.2 * Math.sin(2 * Math.PI * 440 * s) });
  const next = rig.track({ seconds: 1, seed: 2 });
  const a = segmentOf(old, { item: 'a', start: 200 });
  rig.set([a, segmentOf(next, { item: 'b', start: a })]);
  rig.until(1_000);
  rig.set([{ ...a, endAt: at(1_120), complete: false }, segmentOf(next, { item: 'b', start: 1_120 })]);
  rig.until(2_500);
  const match = findSource(rig.played(), next.sound, { from: FADE });
  t.equal(match.frame, rig.frameAt(1_120));
  t.equal(match.differing, 0, 'the new song is whole after the fade of the old one');
  const startA = rig.frameAt(200);
  const sum = cutOut(rig.played(), match.frame, match.frame + FADE).samples;
  const fades = sum.map((sample, i) => sample - next.sound.samples[i]!);
  const expected = cutOut(old.sound, match.frame - startA, match.frame - startA + FADE).samples;
  t.ok(Math.abs(fades[0]! - expected[0]!) < 0.001, 'the old one is whole at the first frame of the fade');
  t.ok(peak(fades.slice(-4)) < 0.001, 'and gone at its last');
  t.same([rig.status().late, rig.status().snaps], [0, 0]);
  t.end();
});

t.test('two skips in a row: no deck is filled anew while its sound still fades', (t) => {
  for (let cutMs = 1_120; cutMs < 1_130; cutMs++) {
    const rig = new Rig();
    const old = rig.track({ seconds: 3, wave: () => 0.2 });
    const next = rig.track({ seconds: 1, wave: () => 0 });
    const last = rig.track({ seconds: 1, seed: 3 });
    const a = segmentOf(old, { item: 'a', start: 200 });
    rig.set([a]);
    rig.until(1_000);
    rig.set([
      { ...a, endAt: at(cutMs), complete: false },
      segmentOf(next, { item: 'b', start: cutMs, cut: cutMs + 100 }),
      segmentOf(last, { item: 'c', start: cutMs + 100 }),
    ]);
    rig.until(1_600);
    const first = rig.frameAt(cutMs);
    const fade = [...cutOut(rig.played(), first, first + FADE).samples];
    const largestStep = Math.max(...fade.slice(2).map((sample, i) => Math.abs(sample - fade[i]!)));
    t.ok(largestStep < 0.002, `cut at ${cutMs} ms: the fade is whole, its largest step is ${largestStep}`);
    t.equal(findSource(rig.played(), last.sound, { from: FADE }).frame, rig.frameAt(cutMs + 100));
  }
  t.end();
});

t.test('on a card that counts whole frames nothing that was cut comes back', (t) => {
  const rig = new Rig({ rate: 44_100 });
  const song = rig.track({ rate: 44_100, seconds: 30, wave: () => 0.5 });
  for (let i = 0; i < 40; i++) {
    // Instants that fall on every part of a block, and of a frame.
    const start = 200 + i * 201.37;
    const a = segmentOf(song, { item: `${i}`, start, startFrame: 100, cut: start + 99.13 });
    rig.set([a]);
    rig.until(start + 120);
  }
  rig.until(9_000);
  const { samples } = rig.played();
  // Each stretch is 99.13 ms and its fade; between them is silence. What comes back would be a stretch of its own.
  let stretches = 0;
  for (let i = 2; i < samples.length; i += 2) {
    if (samples[i - 2] === 0 && samples[i] !== 0) stretches += 1;
  }
  t.equal(stretches, 40);
  t.same([rig.status().late, rig.status().snaps], [0, 0]);
  t.end();
});

t.test('seek goes straight to the middle of a file, under a fade', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 20 });
  const a = segmentOf(song, { item: 'a', start: 200 });
  rig.set([a]);
  rig.until(1_000);
  const target = 15 * 48_000;
  rig.set([
    { ...a, endAt: at(1_120), complete: false },
    segmentOf(song, { item: 'a', start: 1_120, startFrame: target }),
  ]);
  rig.until(2_000);
  const match = findSource(rig.played(), song.sound, { from: target + FADE, to: target + 30_000 });
  t.equal(match.frame + target, rig.frameAt(1_120));
  t.equal(match.differing, 0);
  t.same([rig.status().late, rig.status().snaps], [0, 0]);
  t.end();
});

t.test('a seek to where the song is changes nothing that is heard', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 2 });
  const a = segmentOf(song, { item: 'a', start: 200 });
  rig.set([a]);
  rig.until(900);
  rig.set([
    { ...a, endAt: at(1_200), complete: false },
    segmentOf(song, { item: 'a', start: 1_200, startFrame: 48_000 }),
  ]);
  rig.until(3_000);
  const match = findSource(rig.played(), song.sound);
  t.same([match.comparedFrames, match.differing], [song.frames, 0]);
  t.end();
});

for (const [rate, channels] of [
  [44_100, 2],
  [22_050, 1],
  [96_000, 2],
] as const) {
  t.test(`${rate} Hz, ${channels} channels on a card of 48 kHz: the right length, the right sound`, (t) => {
    const rig = new Rig();
    const wave = (s: number) => 0.5 * Math.sin(2 * Math.PI * 1_000 * s + 1);
    const song = rig.track({ rate, channels, seconds: 2, wave });
    rig.set([segmentOf(song, { item: 'a', start: 200 })]);
    rig.until(2_600);
    const played = rig.played();
    const first = rig.frameAt(200);
    let worst = 0;
    for (let i = 100; i < 2 * 48_000 - 100; i++) {
      const expected = wave(i / 48_000);
      worst = Math.max(
        worst,
        Math.abs(played.samples[2 * (first + i)]! - expected),
        Math.abs(played.samples[2 * (first + i) + 1]! - expected),
      );
    }
    t.ok(worst < 1e-4, `each frame is the sound at its instant (worst ${worst})`);
    t.ok(isSilent(played, 0, first - 40) && isSilent(played, first + 2 * 48_000 + 40, first + 2 * 48_000 + 2_000));
    t.ok(peak(cutOut(played, first + 2 * 48_000 - 2, first + 2 * 48_000).samples) > 0.02, 'to its last frame');
    t.end();
  });
}

t.test('across sample rates a sound goes on without gap or overlap', (t) => {
  const rig = new Rig();
  const wave = (s: number) => 0.5 * Math.sin(2 * Math.PI * 500 * s);
  const rates = [44_100, 48_000, 96_000, 88_200, 48_000, 44_100];
  let previous: ReturnType<typeof segmentOf> | undefined;
  let offset = 0;
  const segments = rates.map((rate, i) => {
    const start = offset;
    // Each file goes on where the one before ended.
    const frames = Math.round(rate * 0.5) + i;
    offset += frames / rate;
    const track = rig.track({ rate, frames, wave: (s) => wave(s + start), sample: 's24' });
    previous = segmentOf(track, { item: `${i}`, start: previous ?? 200 });
    return previous;
  });
  rig.set(segments);
  rig.until(3_500);
  const played = rig.played();
  const first = rig.frameAt(200);
  let worst = 0;
  for (let i = 200; i < Math.floor(offset * 48_000) - 200; i++) {
    worst = Math.max(worst, Math.abs(played.samples[2 * (first + i)]! - wave(i / 48_000)));
  }
  // Half a frame of place at each seam is the grid's; a gap of one frame would be 0.065 here.
  t.ok(worst < 0.04, `worst ${worst}`);
  t.same([rig.status().late, rig.status().snaps], [0, 0]);
  t.end();
});

t.test('the volume moves at its instant, over 20 ms', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 1, wave: () => 0.5 });
  rig.set([segmentOf(song, { item: 'a', start: 200 })], {
    gains: [
      { at: at(-5_000), gain: 1 },
      { at: at(603.3), gain: 0.25 },
    ],
  });
  rig.until(1_500);
  const played = rig.played();
  const change = rig.frameAt(603.3);
  t.ok(Math.abs(played.samples[2 * (change - 1)]! - 0.5) < 2 ** -21, 'as it was up to the frame before');
  t.ok(played.samples[2 * (change + 1)]! < 0.5, 'from that frame on it moves');
  t.ok(Math.abs(played.samples[2 * (change + 480)]! - 0.5 * 0.625) < 0.001, 'half way after 10 ms');
  t.ok(Math.abs(played.samples[2 * (change + 960)]! - 0.125) < 2 ** -20, 'there after 20 ms');
  t.ok(Math.abs(played.samples[2 * (change + 5_000)]! - 0.125) < 2 ** -20, 'and it stays');
  t.end();
});

t.test('a volume that holds from before the start is there from the first sample', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 0.5, wave: () => 0.5 });
  const gains = [
    { at: at(-9_000), gain: 1 },
    { at: at(-5_000), gain: 0.5 },
  ];
  rig.set([segmentOf(song, { item: 'a', start: 65 })], { gains });
  rig.until(1_000);
  const first = rig.frameAt(65);
  for (const i of [0, 1, 500]) t.ok(Math.abs(rig.played().samples[2 * (first + i)]! - 0.25) < 2 ** -20);
  t.end();
});

t.test('left, right and mono play that side of the stereo image on all channels', (t) => {
  for (const [channels, expected] of [
    ['left', 0.5],
    ['right', -0.25],
    ['mono', 0.125],
  ] as const) {
    const rig = new Rig();
    const song = rig.track({ seconds: 0.5, wave: (_, channel) => (channel === 0 ? 0.5 : -0.25) });
    rig.set([segmentOf(song, { item: 'a', start: 200 })], { channels });
    rig.until(1_000);
    const middle = 2 * (rig.frameAt(200) + 9_000);
    const pair = [...rig.played().samples.slice(middle, middle + 2)];
    t.ok(
      pair.every((sample) => Math.abs(sample - expected) < 2 ** -21),
      `${channels}: ${pair}`,
    );
  }
  t.end();
});

t.test('channels that change while a song plays change under a fade, and are not counted as a fault', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 1, wave: (_, channel) => (channel === 0 ? 0.5 : -0.25) });
  const a = segmentOf(song, { item: 'a', start: 200 });
  rig.set([a]);
  rig.until(600);
  rig.set([a], { channels: 'right' });
  rig.until(1_500);
  const { samples } = rig.played();
  let step = 0;
  for (let i = 2 * rig.frameAt(500); i < 2 * rig.frameAt(1_100); i++)
    step = Math.max(step, Math.abs(samples[i + 2]! - samples[i]!));
  t.ok(step < 0.01, `no click: the largest step is ${step}`);
  t.ok(Math.abs(samples[2 * rig.frameAt(1_000)]! + 0.25) < 2 ** -21);
  t.same([rig.status().late, rig.status().snaps], [0, 0]);
  t.end();
});

t.test('levelling multiplies by the gain of the segment', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 0.5, wave: () => 0.5 });
  rig.set([segmentOf(song, { item: 'a', start: 200, levelGain: 0.5 })]);
  rig.until(1_000);
  t.ok(Math.abs(rig.played().samples[2 * (rig.frameAt(200) + 1_000)]! - 0.25) < 2 ** -21);
  t.end();
});

t.test('what is beyond full scale is clipped and counted', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 0.1, wave: () => 0.75 });
  rig.set([segmentOf(song, { item: 'a', start: 200, levelGain: 2 })]);
  rig.until(1_000);
  t.equal(rig.status().clipped, 2 * 4_800);
  t.end();
});

t.test('latency_us: the player is early by as much', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 0.5 });
  rig.set([segmentOf(song, { item: 'a', start: 300 })], { latencyUs: 25_000 });
  rig.until(1_000);
  t.equal(findSource(rig.played(), song.sound).frame, rig.frameAt(275));
  t.end();
});

t.test('a program that comes late: silence, then the frame that is due, under a fade, counted', (t) => {
  const rig = new Rig();
  const idle = rig.track({ seconds: 0.05, seed: 9 });
  const song = rig.track({ seconds: 2 });
  rig.set([segmentOf(idle, { item: 'x', start: 100 })]);
  rig.until(1_000);
  rig.set([segmentOf(song, { item: 'a', start: 600 })]);
  rig.until(3_000);
  const match = findSource(rig.played(), song.sound, { from: Math.round(0.48 * 48_000) + FADE });
  t.equal(match.frame, rig.frameAt(600), 'in step with those who were in time');
  t.equal(match.differing, 0);
  t.same([rig.status().late, rig.status().snaps], [1, 0]);
  t.end();
});

t.test('a reader that is late: silence, then the frame that is due, under a fade, counted once', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 2 });
  rig.isReaderHeld = true;
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(600);
  t.same([rig.status().state, rig.status().itemId], ['silent', 'a']);
  rig.releaseReader();
  rig.until(3_000);
  const match = findSource(rig.played(), song.sound, { from: Math.round(0.48 * 48_000) + FADE });
  t.equal(match.frame, rig.frameAt(200));
  t.equal(match.differing, 0);
  t.ok(isSilent(rig.played(), 0, rig.frameAt(600)));
  t.same([rig.status().late, rig.status().snaps], [1, 0]);
  t.end();
});

t.test('a file that is not there: silence with the reason; when it comes the song is joined in step', (t) => {
  const rig = new Rig();
  const song = rig.describe({ seconds: 3 });
  const next = rig.track({ seconds: 0.5, seed: 2 });
  const a = segmentOf(song, { item: 'a', start: 200 });
  rig.set([a, segmentOf(next, { item: 'b', start: a })]);
  rig.until(1_000);
  const { state, reason, itemId } = rig.status();
  t.same({ state, reason, itemId }, { state: 'silent', reason: 'TRACK_MISSING', itemId: 'a' });
  rig.write(song);
  rig.until(2_000);
  t.equal(rig.status().state, 'playing');
  rig.until(4_500);
  const match = findSource(rig.played(), song.sound, { from: 2 * 48_000 });
  t.same([match.frame, match.differing], [rig.frameAt(200), 0]);
  const matchNext = findSource(rig.played(), next.sound);
  t.same([matchNext.frame, matchNext.differing], [match.frame + song.frames, 0], 'what follows is not harmed');
  t.equal(rig.status().late, 1);
  t.end();
});

t.test('a song that stays missing does not keep the next one from its time', (t) => {
  const rig = new Rig();
  const [first, last] = [rig.track({ seconds: 0.5 }), rig.track({ seconds: 0.5, seed: 2 })];
  const a = segmentOf(first, { item: 'a', start: 200 });
  const b = segmentOf(rig.describe({ seconds: 1 }), { item: 'b', start: a });
  rig.set([a, b, segmentOf(last, { item: 'c', start: b })]);
  rig.until(3_000);
  t.same(findSource(rig.played(), first.sound).differing, 0);
  const match = findSource(rig.played(), last.sound);
  t.same([match.frame, match.differing, match.comparedFrames], [rig.frameAt(1_700), 0, last.frames]);
  t.end();
});

t.test('a file that breaks off fades out, says so, and is joined again when it is whole', (t) => {
  const rig = new Rig();
  const song = rig.describe({ seconds: 3 });
  rig.write(song, 44 + 48_000 * 4);
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(1_600);
  t.same([rig.status().state, rig.status().reason], ['silent', 'TRACK_UNREADABLE']);
  const played = rig.played();
  const match = findSource(played, song.sound, { to: 47_000 });
  t.equal(match.differing, 0);
  t.ok(isSilent(played, match.frame + 48_000, match.frame + 50_000));
  t.ok(peak(cutOut(played, match.frame + 47_990, match.frame + 48_000).samples) < 0.5, 'faded out before its end');
  rig.write(song);
  rig.until(3_500);
  const rest = findSource(rig.played(), song.sound, { from: 120_000 });
  t.same([rest.frame, rest.differing], [match.frame, 0]);
  t.end();
});

t.test('an underrun costs one snap, and the song is in step again', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 3 });
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(1_000);
  // The thread stands still for 300 ms, five times the card's queue.
  rig.time.after('stall', 0, () => rig.time.advance(300));
  rig.until(3_500);
  t.equal(rig.card.runs.length, 2, 'the card ran dry once');
  const match = findSource(rig.played(1), song.sound, { from: 1.4 * 48_000 });
  t.ok(Math.abs(match.frame - rig.frameAt(200, 1)) <= 1, `in step again: ${match.frame} for ${rig.frameAt(200, 1)}`);
  t.equal(match.differing, 0);
  t.same([rig.status().underruns, rig.status().snaps, rig.status().late], [1, 1, 0]);
  t.end();
});

t.test('a leap of the clock is one snap, in either direction', (t) => {
  for (const leapMs of [30, -30]) {
    const rig = new Rig();
    const song = rig.track({ seconds: 3 });
    rig.set([segmentOf(song, { item: 'a', start: 200 })]);
    rig.until(1_000);
    rig.loop.setClock({ localAt: rig.time.now(), clusterAt: at(1_000 + leapMs), driftPpm: 0 }, true);
    rig.until(3_500);
    const match = findSource(rig.played(), song.sound, { from: 2 * 48_000 });
    t.same([match.frame, match.differing], [rig.frameAt(200 - leapMs), 0], `${leapMs} ms`);
    t.same([rig.status().snaps, rig.status().late], [1, 0]);
  }
  t.end();
});

t.test('a clock that leaps back by more than a deck holds: the song is read anew and joined', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 12 });
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(9_000);
  rig.loop.setClock({ localAt: rig.time.now(), clusterAt: at(2_000), driftPpm: 0 }, true);
  rig.until(10_000);
  t.equal(rig.status().state, 'playing');
  const leap = rig.frameAt(9_000);
  const after = cutOut(rig.played(), leap, rig.frameAt(9_900));
  const match = findSource(after, song.sound, { from: 2.5 * 48_000, to: 2.6 * 48_000 });
  t.same([match.frame + leap, match.differing, rig.status().snaps], [rig.frameAt(7_200), 0, 1]);
  t.end();
});

t.test('without a clock nothing sounds, and that is said', (t) => {
  const rig = new Rig();
  const fresh = new Rig();
  const song = rig.track({ seconds: 1 });
  t.same([fresh.status().state, fresh.status().reason], ['closed', undefined]);
  rig.loop.setClock(undefined as never, true);
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(400);
  t.same([rig.status().state, rig.status().reason], ['silent', 'NO_CLOCK']);
  t.end();
});

t.test('the card is let go when nothing was due for a while, and taken again in time', (t) => {
  const rig = new Rig({ idleCloseS: 2 });
  const song = rig.track({ seconds: 0.5 });
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(650);
  t.notOk('closesInMs' in rig.status(), 'the song is not over');
  rig.until(2_600);
  t.equal(rig.status().state, 'idle');
  const { closesInMs } = rig.status();
  t.ok(closesInMs! > 50 && closesInMs! < 200, `in ${closesInMs} ms`);
  rig.until(2_800);
  t.equal(rig.status().state, 'closed');
  rig.set([segmentOf(song, { item: 'b', start: 3_000 })]);
  rig.until(4_000);
  const match = findSource(rig.played(1), song.sound);
  t.same([match.frame, match.differing], [rig.frameAt(3_000, 1), 0]);
  t.end();
});

t.test('it is known how long the reader takes until the first sound of a file is there', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 0.1 });
  const fetch = (ms: number, item: string) => {
    rig.until(ms);
    rig.isReaderHeld = true;
    rig.set([segmentOf(song, { item, start: ms + 200 })]);
    rig.until(ms + 30);
    rig.releaseReader();
  };
  for (const [n, item] of ['a', 'b', 'c'].entries()) fetch(1_000 * n, item);
  t.notOk('fetchMs' in rig.status(), 'three are too few');
  fetch(3_000, 'd');
  t.equal(rig.status().fetchMs, 30);
  rig.stop();
  t.end();
});

t.test('a card that is to be let go at once stays for the second in which the other nodes are told', (t) => {
  const rig = new Rig({ idleCloseS: 0 });
  rig.set([segmentOf(rig.track({ seconds: 0.5 }), { item: 'a', start: 200 })]);
  rig.until(1_600);
  t.equal(rig.status().state, 'idle');
  rig.until(1_850);
  t.equal(rig.status().state, 'closed');
  rig.stop();
  t.end();
});

t.test('a card that goes away is opened again when it is back, and the song joined', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 6 });
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(1_000);
  rig.card.pullOut('no such device');
  rig.until(2_000);
  t.same([rig.status().state, rig.status().reason], ['silent', 'OUTPUT_UNAVAILABLE']);
  rig.card.plugIn();
  rig.until(6_000);
  t.equal(rig.status().state, 'playing');
  const match = findSource(rig.played(1), song.sound, { from: 4.5 * 48_000, to: 5 * 48_000 });
  t.same([match.differing, match.frame], [0, rig.frameAt(200, 1)]);
  t.end();
});

t.test('a card that was away for long is playing again 300 ms after it is back', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 15 });
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(1_000);
  rig.card.pullOut();
  // One that is tried after 5 s at last would be tried again 4 s after that.
  rig.until(12_410);
  t.equal(rig.status().state, 'silent');
  rig.card.plugIn();
  rig.until(12_710);
  t.equal(rig.status().state, 'playing');
  rig.stop();
  t.end();
});

t.test('a card that refuses to be opened is tried ever more rarely', (t) => {
  let attempts = 0;
  const refuses = (time: FakeTime) => {
    const card = new FakeAudioOutput({ time });
    card.open = () => {
      attempts += 1;
      throw new TuttiError('OUTPUT_UNAVAILABLE', 'another program plays through it');
    };
    return card;
  };
  const rig = new Rig({ output: refuses });
  rig.set([segmentOf(rig.track({ seconds: 1 }), { item: 'a', start: 30_000 })]);
  rig.until(30_000);
  t.ok(attempts > 5 && attempts < 15, `${attempts} attempts`);
  rig.stop();
  t.end();
});

t.test('stop fades out, closes the card, and leaves no timer', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 3 });
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(1_000);
  let stopped = 0;
  // A card that runs dry plays on, for a moment, what was in its memory a round before.
  const statesAtClose: string[] = [];
  const close = rig.card.close.bind(rig.card);
  rig.card.close = () => {
    statesAtClose.push(rig.card.status().state);
    close();
  };
  rig.loop.stop(() => stopped++);
  rig.until(1_200);
  t.same(statesAtClose, ['running'], 'it had silence to play to the last');
  t.equal(stopped, 1, 'within 200 ms');
  rig.loop.stop(() => stopped++);
  t.equal(stopped, 2, 'again is fine');
  rig.reader.stop();
  t.same(rig.time.running(), []);
  const { samples } = rig.card.runs[0]!;
  const tail = samples.slice(-2 * FADE).map((sample) => Math.abs(sample / 2 ** 23));
  t.ok(tail.at(-1)! < 0.001, 'the last frame is silent');
  t.end();
});

t.test('more songs in a row than a deck takes pieces: they play on, none of them late', (t) => {
  const rig = new Rig({ rate: 8_000 });
  const [songs, songMs] = [300, 200];
  const level = (k: number) => (k + 1) / 512;
  let previous: ProgramSegment | undefined;
  const all = Array.from({ length: songs }, (_, k) => {
    const track = rig.track({ rate: 8_000, channels: 1, seconds: songMs / 1_000, wave: () => level(k) });
    previous = segmentOf(track, { item: `i${k}`, start: previous ?? 200 });
    return previous;
  });
  for (let k = 0; k < songs; k++) {
    rig.set(all.slice(Math.max(0, k - 1), k + 64));
    rig.until(200 + (k + 1) * songMs);
  }
  rig.until(200 + songs * songMs + 500);
  const { samples } = rig.card.runs[0]!;
  const wrong = all.filter(
    (_, k) => samples[2 * rig.frameAt(200 + k * songMs + songMs / 2)] !== Math.round(level(k) * 2 ** 23),
  );
  t.same(wrong, [], 'each of them is heard in its place');
  t.same([rig.status().late, rig.status().snaps, rig.status().underruns], [0, 0, 0]);
  t.end();
});

for (const isMissing of [false, true]) {
  t.test(
    `an item that turns out to be another track${isMissing ? ' than one that is missing' : ''}: that one sounds`,
    (t) => {
      const rig = new Rig();
      const first = rig.track({ seconds: 1, seed: 1 });
      const foreseen = isMissing ? rig.describe({ seconds: 1, seed: 2 }) : rig.track({ seconds: 1, seed: 2 });
      const added = rig.track({ seconds: 1, seed: 3 });
      const a = segmentOf(first, { item: 'a', start: 200 });
      rig.set([a, segmentOf(foreseen, { item: 'b', start: a })]);
      // Nearer to its start than a file that is missing is tried again.
      rig.until(1_050);
      rig.set([a, { ...segmentOf(added, { item: 'b', start: a }), trackId: trackId('1'.repeat(64)) }]);
      rig.until(2_500);
      const match = findSource(rig.played(), added.sound);
      t.same([match.frame, match.differing, match.comparedFrames], [rig.frameAt(1_200), 0, added.frames]);
      t.equal(findSource(rig.played(), foreseen.sound).frame, -1);
      t.same([rig.status().late, rig.status().snaps], [0, 0]);
      t.end();
    },
  );
}

/** A player with a card that takes any rate. */
function onAnyRate() {
  let card!: FakeAudioOutput;
  const rig = new Rig({
    output: (time) => {
      card = new FakeAudioOutput({ time });
      return card;
    },
  });
  const rates = () => rig.log.entries.filter(({ text }) => text.includes('is open')).map(({ fields }) => fields.rate);
  return { rig, card, rates };
}

t.test('a recording of a low rate does not bring the card down to it', (t) => {
  const { rig, rates } = onAnyRate();
  rig.set([segmentOf(rig.track({ rate: 8_000, seconds: 0.5 }), { item: 'a', start: 200 })]);
  rig.until(1_000);
  t.same(rates(), [44_100]);
  rig.set([segmentOf(rig.track({ rate: 44_100, seconds: 0.5 }), { item: 'b', start: 1_200 })]);
  rig.until(2_000);
  t.same(rates(), [44_100], 'and music after it needs no other');
  t.end();
});

t.test('a song of a higher rate has the card opened anew, once all that sounded has left it', (t) => {
  const { rig, card, rates } = onAnyRate();
  const first = rig.track({ rate: 44_100, seconds: 0.5, wave: () => 0.5 });
  const song = rig.track({ rate: 96_000, seconds: 0.5, seed: 2, sample: 's24' });
  const a = segmentOf(first, { item: 'a', start: 200 });
  rig.set([a, segmentOf(song, { item: 'b', start: 1_000 })]);
  rig.until(2_000);
  t.same(rates(), [44_100, 96_000]);
  card.status();
  const [before, after] = card.runs;
  t.equal(before!.samples.filter((sample) => sample !== 0).length, 2 * first.frames, 'the first is played to its end');
  const match = findSource(
    { rate: 96_000, channels: 2, samples: Float64Array.from(after!.samples, (s) => s / 2 ** 23) },
    song.sound,
  );
  t.same([match.differing, match.comparedFrames], [0, song.frames], 'the second is played bit by bit');
  t.same([rig.status().late, rig.status().snaps], [0, 0]);
  rig.set([segmentOf(rig.track({ rate: 48_000, seconds: 0.2 }), { item: 'c', start: 2_200 })]);
  rig.until(2_600);
  t.same(rates(), [44_100, 96_000], 'a lower rate is no reason');
  t.end();
});

t.test('a song of a higher rate that follows without a gap is played at the rate of the card', (t) => {
  const { rig, rates } = onAnyRate();
  const a = segmentOf(rig.track({ rate: 44_100, seconds: 0.5 }), { item: 'a', start: 200 });
  rig.set([a, segmentOf(rig.track({ rate: 96_000, seconds: 0.5 }), { item: 'b', start: a })]);
  rig.until(1_100);
  t.same([rates(), rig.status().late, rig.status().snaps], [[44_100], 0, 0]);
  t.end();
});

t.test('while it stops the latency stays: what fades out is what was sounding', (t) => {
  const rig = new Rig();
  const song = rig.track({ seconds: 3, wave: (s) => 0.1 + 0.2 * s });
  rig.set([segmentOf(song, { item: 'a', start: 800 })], { latencyUs: 400_000 });
  rig.until(1_000);
  rig.loop.stop(() => {});
  rig.until(2_000);
  t.same([rig.status().late, rig.status().snaps], [0, 0]);
  rig.reader.stop();
  t.end();
});
