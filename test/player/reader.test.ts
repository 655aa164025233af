import t from 'tap';
import { trackId } from '../../src/core/ids.js';
import { DeckControl, type DeckMemory, FILL_AHEAD_S, type Piece } from '../../src/player/deck.js';
import { Reader } from '../../src/player/reader.js';
import { allocateRing, RingReader } from '../../src/player/ring.js';
import type { Disk } from '../../src/ports/disk.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { encode, makeSound, Rig, segmentOf, type TrackInit } from './rig.js';

interface Read {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

/** A reader on fake time, and what it did to the disk. */
function begin() {
  const time = new FakeTime();
  const inner = new FakeDisk();
  const reads: Read[] = [];
  let openFiles = 0;
  const disk: Disk = Object.assign(Object.create(inner) as Disk, {
    open(path: string, mode: 'read' | 'create') {
      const file = inner.open(path, mode);
      openFiles += 1;
      let isOpen = true;
      return {
        read: (into: Uint8Array, offset: number) => {
          reads.push({ path, offset, bytes: into.length });
          return file.read(into, offset);
        },
        close: () => {
          if (isOpen) openFiles -= 1;
          isOpen = false;
          file.close();
        },
      };
    },
  });
  const fetches: number[] = [];
  const reader = new Reader({ disk, time, fetched: (tookMs) => fetches.push(tookMs), wanted: () => {} });
  const write = (path: string, init: TrackInit): Piece & { readonly samples: Float64Array } => {
    const sound = makeSound(init);
    const file = inner.open(path, 'create');
    file.write(encode(sound, 's16'), 0);
    const { rate, channels, samples } = sound;
    const format = { sampleRate: rate, channels, sample: 's16' as const, dataOffset: 44, channelMask: 0 };
    const frames = samples.length / channels;
    return { trackId: trackId('0'.repeat(64)), file: path, format, frames, fromFrame: 0, samples };
  };
  return { time, inner, reader, reads, fetches, write, openFiles: () => openFiles };
}

const memoryFor = (samples: number): DeckMemory => ({ ring: allocateRing(samples), control: DeckControl.allocate() });

/** Reads all that is in a ring. */
function drain(memory: DeckMemory): Float64Array {
  const ring = new RingReader(memory.ring);
  const into = new Float64Array(ring.buffered);
  ring.read(into, 0, into.length);
  return into;
}

t.test('of each filling it is told once how long after the question its first sound was there', (t) => {
  const { time, reader, fetches, write } = begin();
  const memory = memoryFor(400_000);
  const ask = (serial: number, pieces: Piece[]) => {
    const askedAt = time.now();
    time.advance(12);
    reader.handle({ type: 'fill', deck: 0, serial, memory, pieces, askedAt });
    time.advance(1_000);
  };
  ask(1, [write('a.wav', { seconds: 3 })]);
  ask(2, [{ ...write('b.wav', { seconds: 1 }), file: 'missing.wav' }]);
  t.same(fetches, [12], 'and nothing of what is not there');
  t.end();
});

t.test('files are read bit by bit, from the frame that is asked for, and closed at their ends', (t) => {
  const { time, reader, reads, write, openFiles } = begin();
  const piece = write('a.wav', { seconds: 3 });
  const memory = memoryFor(400_000);
  reader.handle({
    type: 'fill',
    deck: 0,
    serial: 7,
    memory,
    pieces: [{ ...piece, fromFrame: 100_000 }],
    askedAt: time.now(),
  });
  t.equal(new DeckControl(memory.control).serial, 7);
  t.ok(drain(memory).length > 10_000, 'a first part is there at once');
  time.advance(100);
  t.equal(reads[0]?.offset, 44 + 4 * 100_000);
  t.ok(reads.every(({ bytes }) => bytes <= 64 * 1024));
  t.equal(openFiles(), 0);
  t.same(time.running(), [], 'nothing is left to do');
  t.end();
});

t.test('samples come out as they are in the files, one piece after the other, also across the end of the ring', (t) => {
  const { time, reader, write } = begin();
  const pieces = [write('a.wav', { seconds: 1, seed: 1 }), write('b.wav', { seconds: 1.5, seed: 2, channels: 1 })];
  const memory = memoryFor(40_000);
  reader.handle({ type: 'fill', deck: 1, serial: 1, memory, pieces: [pieces[0]!], askedAt: time.now() });
  reader.handle({ type: 'extend', deck: 1, serial: 1, piece: pieces[1]! });
  const got: number[] = [];
  for (let i = 0; i < 100; i++) {
    got.push(...drain(memory));
    time.advance(100);
  }
  t.same(got.length, 96_000 + 72_000);
  const expected = [...pieces[0]!.samples, ...pieces[1]!.samples];
  t.ok(got.every((sample, i) => sample === expected[i]));
  reader.stop();
  t.end();
});

t.test('five seconds are in stock, whatever the format', (t) => {
  for (const init of [
    { rate: 8_000, channels: 1, seconds: 12 },
    { rate: 44_100, channels: 2, seconds: 8 },
    { rate: 48_000, channels: 2, seconds: 8 },
    { rate: 96_000, channels: 6, seconds: 7 },
  ]) {
    const rig = new Rig();
    rig.set([segmentOf(rig.track({ ...init, wave: () => 0.1 }), { item: 'a', start: 3_000 })]);
    rig.until(2_500);
    rig.isReaderHeld = true;
    rig.reader.stop();
    rig.until(3_000 + FILL_AHEAD_S * 1_000 - 100);
    t.equal(rig.status().late, 0, `${init.rate} Hz, ${init.channels} channels: the reader may be away that long`);
    t.equal(rig.status().state, 'playing');
  }
  t.end();
});

t.test('the deck with the least in stock is served first', (t) => {
  const { time, reader, reads, write } = begin();
  const [long, near] = [write('a.wav', { seconds: 10, seed: 1 }), write('b.wav', { seconds: 10, seed: 2 })];
  const [first, second] = [memoryFor(500_000), memoryFor(500_000)];
  reader.handle({ type: 'fill', deck: 0, serial: 1, memory: first, pieces: [long], askedAt: time.now() });
  time.advance(1);
  // There is room for two seconds, and three are left.
  new RingReader(first.ring).skip(2 * 96_000);
  reads.length = 0;
  reader.handle({ type: 'fill', deck: 1, serial: 1, memory: second, pieces: [near], askedAt: time.now() });
  time.advance(1);
  const files = reads.map(({ path }) => path);
  const until = files.indexOf('a.wav');
  const seconds = (until * 16_384) / 48_000;
  t.ok(seconds > 2.5 && seconds < 4, `the new one was brought to ${seconds} s before the other had its turn`);
  t.ok(files.lastIndexOf('b.wav') > until, 'then both in turn');
  reader.stop();
  t.end();
});

t.test('a new filling takes the place of the old one, and what was meant for that is dropped', (t) => {
  const { time, reader, write, openFiles } = begin();
  const [a, b] = [write('a.wav', { seconds: 10, seed: 1 }), write('b.wav', { seconds: 0.1, seed: 2 })];
  const memory = memoryFor(50_000);
  reader.handle({ type: 'fill', deck: 0, serial: 1, memory, pieces: [a], askedAt: time.now() });
  reader.handle({ type: 'fill', deck: 0, serial: 2, memory, pieces: [b], askedAt: time.now() });
  reader.handle({ type: 'extend', deck: 0, serial: 1, piece: a });
  time.advance(1_000);
  t.same([...drain(memory)], [...b.samples]);
  t.equal(openFiles(), 0);
  t.end();
});

t.test('a piece that is missing or broken says so, and from which frame on; the next piece follows', (t) => {
  const { time, inner, reader, write } = begin();
  const last = write('c.wav', { seconds: 0.1, seed: 3 });
  const cut = write('b.wav', { seconds: 0.2, seed: 2 });
  inner.open('b.wav', 'write').truncate(44 + 4 * 1_000 + 3);
  const memory = memoryFor(50_000);
  const control = new DeckControl(memory.control);
  reader.handle({
    type: 'fill',
    deck: 0,
    serial: 1,
    memory,
    askedAt: time.now(),
    pieces: [{ ...cut, file: 'a.wav', fromFrame: 5 }, cut, last],
  });
  time.advance(500);
  t.same([control.failure(0), control.end(0)], ['TRACK_MISSING', 5]);
  t.same([control.failure(1), control.end(1)], ['TRACK_UNREADABLE', 1_000]);
  t.equal(control.failure(2), undefined);
  t.same([...drain(memory)], [...cut.samples.slice(0, 2_000), ...last.samples]);
  inner.failNext('read');
  reader.handle({ type: 'fill', deck: 0, serial: 2, memory, pieces: [last], askedAt: time.now() });
  t.same([control.failure(0), control.end(0)], ['TRACK_UNREADABLE', 0]);
  t.equal(control.failure(1), undefined, 'failures of the filling before are forgotten');
  t.end();
});

t.test('stop closes files and leaves no timer', (t) => {
  const { time, reader, write, openFiles } = begin();
  const memory = memoryFor(50_000);
  reader.handle({
    type: 'fill',
    deck: 0,
    serial: 1,
    memory,
    pieces: [write('a.wav', { seconds: 10 })],
    askedAt: time.now(),
  });
  t.equal(openFiles(), 1);
  reader.stop();
  reader.stop();
  t.equal(openFiles(), 0);
  t.same(time.running(), []);
  t.end();
});
