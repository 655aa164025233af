/** What is heard of tracks that are checked as they are read: the right samples in their time, or nothing. */
import t from 'tap';
import { chunkBytesFor } from '../../src/library/chunks.js';
import { findSource } from '../support/capture.js';
import { CheckedTrackFiles, type CheckedTrackInit } from './checked-tracks.js';
import { hear, type Stretch } from './hearing.js';
import { at, Rig, segmentOf, type TestTrack } from './rig.js';

const RATE = 48_000;
const frames = (s: number) => Math.round(s * RATE);
/** Chunks of a third of a second, of which no whole number of frames fits between header and seam. */
const CHUNK_BYTES = 1 << 16;

/** A player, and the files of a track on its disk. */
function begin(init: Partial<CheckedTrackInit> = {}) {
  const rig = new Rig();
  const files = new CheckedTrackFiles(rig.disk, { seconds: 10, chunkBytes: CHUNK_BYTES, ...init });
  return { rig, files, song: files.track };
}

/** Stretches that are told of at most. Where much is wrong there can be a stretch for every other frame, and a comparison of such lists takes for ever. */
const STRETCHES_MAX = 8;

/** What was heard, beside `tracks` one after the other from 200 ms on: the first stretches. Frames count from there. */
const heard = (rig: Rig, ...tracks: TestTrack[]) => {
  const first = rig.frameAt(200);
  let next = first;
  const due = tracks.map(({ sound, frames }) => {
    next += frames;
    return { sound, at: next - frames };
  });
  const { wrong, gaps } = hear(rig.played(), due);
  const fromFirst = (stretches: readonly Stretch[]) =>
    stretches.slice(0, STRETCHES_MAX).map(({ from, to }) => ({ from: from - first, to: to - first }));
  return { wrong: fromFirst(wrong), gaps: fromFirst(gaps) };
};

t.test('a file that is whole is played sample for sample, whatever frames lie across two chunks', (t) => {
  for (const init of [
    { chunkBytes: CHUNK_BYTES },
    { chunkBytes: chunkBytesFor(10 * RATE * 4) },
    { chunkBytes: 64, seconds: 0.5 },
    { chunkBytes: 1 << 10, sample: 's24', seconds: 3 },
    // A frame is wider than a chunk.
    { chunkBytes: 4, channels: 2, sample: 's24', seconds: 0.3 },
  ] as const) {
    const { rig, files, song } = begin(init);
    files.place();
    rig.set([segmentOf(song, { item: 'a', start: 200 })]);
    rig.until(10_500);
    const match = findSource(rig.played(), song.sound);
    const text = `chunks of ${init.chunkBytes} bytes`;
    t.same([match.frame, match.comparedFrames, match.differing], [rig.frameAt(200), song.frames, 0], text);
    t.same([rig.wanted, rig.status().late, rig.status().snaps], [[], 0, 0], text);
    rig.stop();
  }
  t.end();
});

t.test('[row 5] a flipped bit is told while there is sound in stock: repaired by then, nobody hears of it', (t) => {
  const { rig, files, song } = begin({ seconds: 20 });
  files.place();
  const bad = files.chunkOf(frames(12));
  files.flip(bad, 1_000);
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  for (let ms = 0; ms < 12_000 && rig.wanted.length === 0; ms += 10) rig.until(ms);
  t.same(rig.wanted, [{ trackId: song.id, chunk: bad, why: 'damaged' }]);
  const leftS = (files.firstFrameOf(bad) - rig.status().frame!) / RATE;
  t.ok(leftS > 5, `${leftS.toFixed(1)} s before it would be heard`);
  files.quarantine();
  rig.time.advance(4_500);
  t.equal(rig.wanted.length, 1, 'told once, however often it is tried');
  files.put(bad);
  rig.time.advance(200);
  files.settle();
  rig.until(20_500);
  const match = findSource(rig.played(), song.sound);
  t.same([match.frame, match.comparedFrames, match.differing], [rig.frameAt(200), song.frames, 0]);
  t.same([rig.wanted.length, rig.status().late, rig.status().snaps], [1, 0, 0]);
  rig.stop();
  t.end();
});

t.test('[row 5] a flipped bit is never heard: silence with the reason, and what follows it in its time', (t) => {
  const { rig, files, song } = begin({ seconds: 8 });
  files.place();
  const bad = files.chunkOf(frames(3));
  files.flip(bad);
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  const isDue = (frame: number) => 200 + (1_000 * frame) / RATE;
  rig.until(isDue(files.firstFrameOf(bad)) - 100);
  t.equal(rig.status().state, 'playing');
  rig.until(isDue(files.firstFrameOf(bad)) + 200);
  const { state, reason, itemId, late } = rig.status();
  t.same({ state, reason, itemId, late }, { state: 'silent', reason: 'TRACK_DAMAGED', itemId: 'a', late: 1 });
  rig.until(8_500);
  const { wrong, gaps } = heard(rig, song);
  t.same(wrong, [], 'what was heard was right, and in step');
  t.equal(gaps.length, 1);
  t.ok(gaps[0]!.from <= files.firstFrameOf(bad), 'faded out before the chunk');
  const lateMs = (gaps[0]!.to - files.firstFrameOf(bad + 1)) / 48;
  t.ok(lateMs >= 0 && lateMs < 300, `and in again ${lateMs} ms after it`);
  t.same([rig.status().late, rig.status().snaps], [1, 0]);
  rig.stop();
  t.end();
});

t.test('[row 37] a file that is arriving is played from its first chunks, and what is late is joined in step', (t) => {
  const { rig, files, song } = begin();
  files.begin();
  const late = files.chunkOf(frames(1.5));
  for (let chunk = 0; chunk < late; chunk++) files.put(chunk);
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(1_400);
  t.equal(rig.status().state, 'playing', 'a seventh of it is here');
  t.same(rig.wanted, [{ trackId: song.id, chunk: late, why: 'missing' }]);
  rig.until(4_000);
  t.same([rig.status().state, rig.status().reason], ['silent', 'TRACK_MISSING']);
  // What is due by now comes first.
  for (let chunk = files.count - 1; chunk >= late; chunk--) files.put(chunk);
  files.settle();
  rig.until(4_250);
  t.equal(rig.status().state, 'playing', 'a quarter of a second after its chunks came');
  rig.until(10_500);
  const { wrong, gaps } = heard(rig, song);
  t.same(wrong, [], 'what was heard was right, and in step');
  t.equal(gaps.length, 1);
  t.ok(gaps[0]!.from > files.firstFrameOf(late) - 2_000, 'all of the chunks that were there was played');
  t.same([rig.status().late, rig.status().snaps, rig.status().underruns], [1, 0, 0], 'late once');
  rig.stop();
  t.end();
});

t.test('the next song begins in its time while this one waits, and so does the one after it', (t) => {
  for (const isWhole of [false, true]) {
    const rig = new Rig();
    // The last chunk of the first is shorter than what a deck may be behind.
    const [first, second, third] = [3.8, 3, 2].map(
      (seconds, i) => new CheckedTrackFiles(rig.disk, { seconds, seed: 10 + i, chunkBytes: CHUNK_BYTES }),
    ) as [CheckedTrackFiles, CheckedTrackFiles, CheckedTrackFiles];
    first.place();
    first.flip(first.count - 1);
    if (isWhole) second.place();
    third.place();
    const a = segmentOf(first.track, { item: 'a', start: 200 });
    const b = segmentOf(second.track, { item: 'b', start: a });
    rig.set([a, b, segmentOf(third.track, { item: 'c', start: b })]);
    rig.until(5_000);
    t.equal(rig.status().reason, isWhole ? undefined : 'TRACK_MISSING', 'it is said of the song that is due');
    rig.until(9_800);
    const { wrong, gaps } = heard(rig, first.track, second.track, third.track);
    t.same(wrong, []);
    const end = isWhole ? first.track.frames : first.track.frames + second.track.frames;
    t.same(
      gaps.map(({ to }) => to).slice(0, 1),
      [end],
      'silence up to the first frame of the song that is there, and that one is whole',
    );
    t.ok(gaps[0]!.from > first.firstFrameOf(first.count - 1) - 2_000);
    t.equal(rig.status().late, isWhole ? 1 : 2);
    rig.stop();
  }
  t.end();
});

t.test('a song that is joined late is followed without a gap, also where a block is fed with its last frame', (t) => {
  for (let length = 16_095; length < 16_120; length++) {
    const rig = new Rig({ rate: 8_000 });
    const [first, second] = [length, 8_000].map(
      (frames, seed) => new CheckedTrackFiles(rig.disk, { rate: 8_000, frames, seed: 30 + seed, chunkBytes: 4_096 }),
    ) as [CheckedTrackFiles, CheckedTrackFiles];
    second.place();
    const a = segmentOf(first.track, { item: 'a', start: 200 });
    rig.set([a, segmentOf(second.track, { item: 'b', start: a })]);
    rig.until(1_000);
    first.place();
    rig.until(3_500);
    const { wrong, gaps } = heard(rig, first.track, second.track);
    t.same([wrong, gaps.length], [[], 1]);
    t.ok(gaps[0]!.to < 8_000, 'silence until its file came, and none after that');
    rig.stop();
  }
  t.end();
});

t.test('a song that is damaged after it was read for its start is played from what was read', (t) => {
  const rig = new Rig();
  const [first, second] = [7, 3].map(
    (seconds, i) => new CheckedTrackFiles(rig.disk, { seconds, seed: 40 + i, chunkBytes: CHUNK_BYTES }),
  ) as [CheckedTrackFiles, CheckedTrackFiles];
  first.place();
  second.place();
  first.spoil(first.count - 1);
  const a = segmentOf(first.track, { item: 'a', start: 200 });
  rig.set([a, segmentOf(second.track, { item: 'b', start: a })]);
  rig.until(6_000);
  second.spoil(0);
  first.put(first.count - 1);
  rig.until(10_800);
  t.same(heard(rig, first.track, second.track), { wrong: [], gaps: [] });
  rig.stop();
  t.end();
});

t.test('a song that waits and is repaired in time is followed without a gap', (t) => {
  const rig = new Rig();
  const [first, second] = [7, 3].map(
    (seconds, i) => new CheckedTrackFiles(rig.disk, { seconds, seed: 20 + i, chunkBytes: CHUNK_BYTES }),
  ) as [CheckedTrackFiles, CheckedTrackFiles];
  first.place();
  second.place();
  const last = first.count - 1;
  first.spoil(last);
  const a = segmentOf(first.track, { item: 'a', start: 200 });
  rig.set([a, segmentOf(second.track, { item: 'b', start: a })]);
  rig.until(6_000);
  t.equal(rig.wanted.length, 1);
  first.put(last);
  rig.until(10_800);
  t.same(heard(rig, first.track, second.track), { wrong: [], gaps: [] });
  t.equal(rig.status().late, 0);
  rig.stop();
  t.end();
});

t.test('a file that is moved while it is read, to its place or back, is read on', (t) => {
  const { rig, files, song } = begin();
  files.place();
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  for (let ms = 50, isInPlace = true; ms < 10_000; ms += 50, isInPlace = !isInPlace) {
    rig.until(ms);
    if (isInPlace) files.quarantine();
    else files.settle();
  }
  rig.until(10_500);
  t.same(heard(rig, song), { wrong: [], gaps: [] });
  t.same([rig.wanted, rig.status().late], [[], 0]);
  rig.stop();
  t.end();
});

t.test('a manifest that is damaged: nothing is heard of the file, right as it may be, until the manifest is', (t) => {
  const { rig, files, song } = begin();
  files.place();
  files.spoilManifest();
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(3_000);
  t.same([rig.status().state, rig.status().reason], ['silent', 'TRACK_DAMAGED']);
  t.same(rig.wanted[0], { trackId: song.id, chunk: 0, why: 'damaged' });
  files.repairManifest();
  rig.until(10_500);
  const { wrong, gaps } = heard(rig, song);
  t.same([wrong, gaps.length], [[], 1]);
  t.ok(gaps[0]!.to <= frames(3.1), 'it is joined once the manifest is right');
  rig.stop();
  t.end();
});

t.test('a seek while the song waits goes to what is there', (t) => {
  const { rig, files, song } = begin({ seconds: 20 });
  files.begin();
  for (let chunk = files.chunkOf(frames(10)); chunk < files.count; chunk++) files.put(chunk);
  const a = segmentOf(song, { item: 'a', start: 200 });
  rig.set([a]);
  rig.until(1_000);
  t.same([rig.status().state, rig.status().reason], ['silent', 'TRACK_MISSING']);
  rig.set([
    { ...a, endAt: at(1_150), complete: false },
    segmentOf(song, { item: 'a', start: 1_150, startFrame: frames(11) }),
  ]);
  rig.until(3_000);
  const match = findSource(rig.played(), song.sound, { from: frames(11) + 240, to: frames(12) });
  t.same([match.frame + frames(11), match.differing], [rig.frameAt(1_150), 0]);
  rig.stop();
  t.end();
});
