/** The reader on files that are checked: what it reads, what it waits for, and whom it tells. */
import t from 'tap';
import { addTime, nanosFromMs } from '../../src/core/units.js';
import type { WantedChunk } from '../../src/player/checked-file.js';
import { DeckControl, type DeckMemory, type Piece } from '../../src/player/deck.js';
import { Reader } from '../../src/player/reader.js';
import { allocateRing, RingReader } from '../../src/player/ring.js';
import type { Disk } from '../../src/ports/disk.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import type { Time } from '../../src/ports/time.js';
import { CheckedTrackFiles, type CheckedTrackInit } from './checked-tracks.js';
import type { TestTrack } from './rig.js';

const CHUNK_BYTES = 1 << 14;

/** A reader on fake time, and what it did to the disk. `readTakesMs` passes with each read. */
function begin({ readTakesMs = 0 } = {}) {
  const fakeTime = new FakeTime();
  const inner = new FakeDisk();
  const reads: { readonly path: string; readonly offset: number; readonly bytes: number }[] = [];
  const wanted: WantedChunk[] = [];
  let lostNs = 0n;
  const time: Time = Object.assign(Object.create(fakeTime) as Time, {
    now: () => addTime(fakeTime.now(), lostNs),
    after: fakeTime.after.bind(fakeTime),
  });
  const disk: Disk = Object.assign(Object.create(inner) as Disk, {
    open(path: string, mode: 'read') {
      const file = inner.open(path, mode);
      return Object.assign(Object.create(file), {
        read: (into: Uint8Array, offset: number) => {
          reads.push({ path, offset, bytes: into.length });
          lostNs += nanosFromMs(readTakesMs);
          return file.read(into, offset);
        },
        size: () => file.size(),
        close: () => file.close(),
      });
    },
  });
  const fetches: number[] = [];
  const reader = new Reader({
    disk,
    time,
    fetched: (tookMs) => fetches.push(tookMs),
    wanted: (chunk) => wanted.push(chunk),
  });
  const files = (init: Partial<CheckedTrackInit> = {}) =>
    new CheckedTrackFiles(inner, { chunkBytes: CHUNK_BYTES, ...init });
  let serial = 0;
  const fill = (deck: number, memory: DeckMemory, pieces: Piece[]) =>
    reader.handle({ type: 'fill', deck, serial: ++serial, memory, pieces, askedAt: time.now() });
  return { time: fakeTime, inner, reader, reads, fetches, wanted, files, fill };
}

const pieceOf = ({ id, file, chunks, frames, sound }: TestTrack, fromFrame = 0): Piece => ({
  trackId: id!,
  file,
  chunks: chunks!,
  format: { sampleRate: sound.rate, channels: sound.channels, sample: 's16', dataOffset: 44, channelMask: 0 },
  frames,
  fromFrame,
});
const memoryFor = (samples: number): DeckMemory => ({ ring: allocateRing(samples), control: DeckControl.allocate() });

/** The first sample that is not as expected, or is missing, or one too many; -1 for none. A comparison of long lists may take for ever. */
const firstWrong = (samples: Float64Array, expected: Float64Array): number =>
  Array.from({ length: Math.max(samples.length, expected.length) }).findIndex((_, i) => samples[i] !== expected[i]);

function drain(memory: DeckMemory): Float64Array {
  const ring = new RingReader(memory.ring);
  const into = new Float64Array(ring.buffered);
  ring.read(into, 0, into.length);
  return into;
}

t.test('a manifest is read once for each track, and a chunk once, whole, from the one that is asked for on', (t) => {
  const { time, reader, reads, files, fill } = begin();
  const song = files({ seconds: 1 });
  song.place();
  const memory = memoryFor(200_000);
  fill(0, memory, [pieceOf(song.track, 20_000)]);
  time.advance(1_000);
  t.equal(firstWrong(drain(memory), song.track.sound.samples.subarray(2 * 20_000)), -1);
  const first = song.chunkOf(20_000);
  const chunks = reads.filter(({ path }) => path.endsWith('.wav'));
  t.same(
    chunks.map(({ offset }) => offset / CHUNK_BYTES),
    Array.from({ length: song.count - first }, (_, i) => first + i),
  );
  t.ok(chunks.slice(0, -1).every(({ bytes }) => bytes === CHUNK_BYTES));
  t.equal(reads.length - chunks.length, 1, 'the manifest');
  reads.length = 0;
  const seekTo = song.track.frames - 10;
  fill(0, memory, [pieceOf(song.track, seekTo)]);
  time.advance(1_000);
  t.same(reads, [], 'within the chunk at hand a seek reads nothing');
  t.equal(drain(memory).length, 20);
  reader.stop();
  t.same(time.running(), []);
  t.end();
});

t.test('a chunk is told once where it is missing, and once more where it turns out to be damaged', (t) => {
  const { time, reader, wanted, files, fill } = begin();
  const song = files({ seconds: 1 });
  const { id } = song.track;
  const memory = memoryFor(200_000);
  const control = new DeckControl(memory.control);
  fill(0, memory, [pieceOf(song.track)]);
  fill(1, memoryFor(200_000), [pieceOf(song.track)]);
  time.advance(1_000);
  t.same(wanted, [{ trackId: id, chunk: 0, why: 'missing' }], 'though two decks wait for it');
  t.same([control.waitingIn, control.waitingFor, control.failure(0)], [0, 'TRACK_MISSING', undefined]);
  song.begin();
  time.advance(1_000);
  t.equal(wanted.length, 1);
  song.settle();
  time.advance(1_000);
  t.same(wanted[1], { trackId: id, chunk: 0, why: 'damaged' });
  t.equal(control.waitingFor, 'TRACK_DAMAGED');
  song.quarantine();
  time.advance(1_000);
  t.equal(control.waitingFor, 'TRACK_MISSING', 'a file that is being repaired is one that is arriving');
  song.put(0);
  time.advance(1_000);
  t.same(
    wanted.slice(2).map(({ chunk, why }) => [chunk, why]),
    [[1, 'missing']],
  );
  for (let chunk = 1; chunk < song.count; chunk++) song.put(chunk);
  time.advance(1_000);
  t.equal(control.waitingIn, Number.POSITIVE_INFINITY);
  t.equal(firstWrong(drain(memory), song.track.sound.samples), -1, 'all of it in the end, and nothing else');
  song.spoil(0);
  fill(0, memory, [pieceOf(song.track)]);
  time.advance(1_000);
  t.equal(wanted.length, 4, 'one that was right in between is told again');
  reader.stop();
  t.end();
});

t.test('a file in its place that is short is missing there; one that cannot be read is damaged', (t) => {
  const { time, inner, reader, wanted, files, fill } = begin();
  const [short, broken] = [files({ seconds: 1 }), files({ seconds: 1, seed: 2 })];
  short.place();
  const last = short.count - 1;
  inner.open(short.track.file, 'write').truncate(last * CHUNK_BYTES + 5);
  fill(0, memoryFor(200_000), [pieceOf(short.track)]);
  time.advance(100);
  t.same(wanted, [{ trackId: short.track.id, chunk: last, why: 'missing' }]);
  broken.place();
  inner.breakPage(broken.track.file, 0);
  fill(1, memoryFor(200_000), [pieceOf(broken.track)]);
  time.advance(100);
  t.same(wanted[1], { trackId: broken.track.id, chunk: 0, why: 'damaged' });
  reader.stop();
  t.end();
});

t.test('while one deck waits the other is served, and its own songs follow one another', (t) => {
  const { time, reader, files, fill } = begin();
  const [missing, first, second] = [1, 2, 3].map((seed) => files({ seconds: 0.5, seed })) as [never, never, never];
  const songs = { missing, first, second } as unknown as Record<string, CheckedTrackFiles>;
  songs.first!.place();
  songs.second!.place();
  const [waiting, served] = [memoryFor(200_000), memoryFor(200_000)];
  fill(0, waiting, [pieceOf(songs.missing!.track)]);
  time.advance(50);
  fill(1, served, [pieceOf(songs.first!.track), pieceOf(songs.second!.track)]);
  time.advance(20);
  t.equal(drain(served).length, 2 * 2 * 24_000);
  songs.missing!.place();
  time.advance(100);
  t.equal(drain(waiting).length, 2 * 24_000, 'a tenth of a second after it came');
  reader.stop();
  t.end();
});

t.test('a chunk is tried ten times a second; after half a minute, when nobody can be waiting for it, once', (t) => {
  const { time, reader, reads, files, fill } = begin();
  const song = files({ seconds: 1 });
  song.begin();
  fill(0, memoryFor(200_000), [pieceOf(song.track)]);
  const tries = (ms: number) => {
    reads.length = 0;
    time.advance(ms);
    return reads.length;
  };
  tries(1_000);
  t.equal(tries(10_000), 100);
  tries(20_000);
  t.ok(tries(10_000) <= 11);
  reader.stop();
  t.end();
});

t.test('tries cost no more than a twentieth of the time, however many decks are filled anew', (t) => {
  const { time, reader, reads, files, fill } = begin({ readTakesMs: 30 });
  const song = files({ seconds: 1 });
  song.begin();
  const memories = [memoryFor(200_000), memoryFor(200_000)] as const;
  fill(0, memories[0], [pieceOf(song.track)]);
  time.advance(1_000);
  reads.length = 0;
  for (let i = 0; i < 50; i++) {
    fill(i % 2, memories[(i % 2) as 0 | 1], [pieceOf(song.track, i)]);
    time.advance(200);
  }
  t.ok(reads.length > 10 && reads.length * 30 <= 10_000 / 20 + 30, `${reads.length} reads of 30 ms`);
  reader.stop();
  t.end();
});

t.test('a deck that waits and is full as well is left alone until there is room', (t) => {
  const { time, reader, reads, files, fill } = begin();
  const song = files({ seconds: 1 });
  song.begin();
  for (let chunk = 0; chunk < 5; chunk++) song.put(chunk);
  const memory = memoryFor(33_000);
  fill(0, memory, [pieceOf(song.track)]);
  time.advance(1_000);
  t.equal(new DeckControl(memory.control).waitingIn, 0);
  const ring = new RingReader(memory.ring);
  t.ok(ring.buffered > 0 && ring.capacity - ring.buffered < 32_768, 'no room for a read');
  reads.length = 0;
  time.advance(60_000);
  t.same(reads, []);
  for (let chunk = 5; chunk < song.count; chunk++) song.put(chunk);
  let next = 0;
  for (let i = 0; i < 40; i++) {
    const samples = drain(memory);
    t.equal(firstWrong(samples, song.track.sound.samples.subarray(next, next + samples.length)), -1);
    next += samples.length;
    time.advance(500);
  }
  t.equal(next, song.track.sound.samples.length);
  reader.stop();
  t.end();
});

t.test('what was waited for does not count as what the reader takes', (t) => {
  const { time, reader, fetches, files, fill } = begin({ readTakesMs: 2 });
  const [late, there] = [files({ seconds: 1 }), files({ seconds: 1, seed: 2 })];
  there.place();
  fill(0, memoryFor(200_000), [pieceOf(late.track)]);
  time.advance(3_000);
  late.place();
  time.advance(1_000);
  t.same(fetches, []);
  fill(1, memoryFor(200_000), [pieceOf(there.track)]);
  time.advance(1_000);
  t.same(fetches, [12], 'of a file that is there: its manifest, and the five chunks of one read');
  reader.stop();
  t.end();
});

t.test('a chunk that nobody has tried for a minute is told anew: it may have come meanwhile, and gone', (t) => {
  const { time, reader, wanted, files, fill } = begin();
  const [song, other] = [files({ seconds: 1 }), files({ seconds: 1, seed: 2 })];
  other.place();
  const memory = memoryFor(200_000);
  fill(0, memory, [pieceOf(song.track)]);
  time.advance(120_000);
  t.equal(wanted.length, 1, 'not while it is tried');
  fill(0, memory, [pieceOf(other.track)]);
  time.advance(61_000);
  fill(0, memory, [pieceOf(song.track)]);
  t.equal(wanted.length, 2);
  reader.stop();
  t.end();
});

t.test('a track that promises more frames than its file has room for ends there', (t) => {
  const { time, reader, wanted, files, fill } = begin();
  const song = files({ seconds: 0.25 });
  song.place();
  const memory = memoryFor(200_000);
  fill(0, memory, [{ ...pieceOf(song.track), frames: 20_000 }]);
  time.advance(100);
  const control = new DeckControl(memory.control);
  t.same([control.failure(0), control.end(0)], ['TRACK_UNREADABLE', 12_000]);
  t.equal(drain(memory).length, 24_000);
  t.same(wanted, []);
  reader.stop();
  t.end();
});
