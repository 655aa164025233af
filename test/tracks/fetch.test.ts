/** Files that come chunk by chunk: from the first chunk to a file that is held. */
import fc from 'fast-check';
import t from 'tap';
import { Prng } from '../../src/core/prng.js';
import { CHUNK_LIMITS } from '../../src/library/chunks.js';
import type { Track } from '../../src/library/track.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import type { FileOutline } from '../../src/tracks/chunk-files.js';
import { SYNC_BYTES_MAX } from '../../src/tracks/intake.js';
import { partPath, trackPath } from '../../src/tracks/paths.js';
import { FREE_BYTES_MIN } from '../../src/tracks/track-store.js';
import {
  begin,
  bytesOf,
  type Elsewhere,
  elsewhere,
  fetchRest,
  finish,
  indexesOf,
  isSame,
  namesIn,
  noise,
  open,
  resume,
  SMALL,
  send,
  take,
  trackFrom,
} from './support.js';

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const putAll = (store: ReturnType<typeof open>['store'], source: Elsewhere, indexes = range(source.count)) => {
  for (const index of indexes) store.putChunk(source.track.id, index, source.chunk(index));
};

t.test('a file that came in chunks is there as one that was sent, with what is beside it', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(5_001));
  t.strictSame(indexesOf(begin(store, source)), []);
  t.strictSame(namesIn(disk, 'tracks'), []);
  putAll(store, source);
  t.strictSame(indexesOf(begin(store, source)), range(source.count), 'who begins again hears what is here');
  const { writes } = disk.counts;
  putAll(store, source);
  t.equal(disk.counts.writes, writes, 'what comes twice is not written twice');
  finish(store, source.track);
  finish(store, source.track);
  t.ok(isSame(bytesOf(store, source.track), source.file));
  t.ok(isSame(store.outline(source.track.id)!.manifest, source.outline.manifest));
  t.ok(isSame(store.peaks(source.track.id)!, source.outline.peaks!));
  t.strictSame(namesIn(disk, 'tmp'), []);
  t.strictSame(open(disk).stored, {
    tracks: [source.track],
    arriving: [],
    leftOut: [],
    problems: [],
    removedTemporaries: 0,
  });
  t.strictSame(indexesOf(begin(store, source)), range(source.count), 'of a file that is held, all is here');
  t.strictSame(namesIn(disk, 'tmp'), []);
  t.end();
});

t.test('a chunk is on the medium when it counts, a mebibyte between two syncs, and others may go first', (t) => {
  const { store, disk, paces } = open();
  const source = elsewhere(noise(9 << 20), { bytesMin: 4 << 20, bytesMax: 4 << 20, countAim: 1 });
  begin(store, source);
  const before = disk.counts;
  store.putChunk(source.track.id, 1, source.chunk(1));
  t.equal(disk.counts.writes - before.writes, 4);
  t.equal(disk.counts.syncs - before.syncs, 4);
  t.equal((disk.counts.writtenBytes - before.writtenBytes) / 4, SYNC_BYTES_MAX);
  t.equal(new Set(paces).size, 4);
  disk.crash(new Prng(1));
  t.strictSame(indexesOf(begin(open(disk).store, source)), [1]);
  t.end();
});

t.test('what is not the chunk that its hash says is refused, and does not touch what is there', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(2_000));
  const { id } = source.track;
  begin(store, source);
  store.putChunk(id, 2, source.chunk(2));
  const other = source.chunk(2);
  other[5]! ^= 1;
  const writes = disk.counts.writes;
  const bad: [number, Uint8Array][] = [
    [2, other],
    [3, source.chunk(2)],
    [3, source.chunk(3).subarray(1)],
    [3, new Uint8Array(0)],
    [-1, source.chunk(3)],
    [1.5, source.chunk(3)],
    [source.count, source.chunk(3)],
    [Number.NaN, source.chunk(3)],
  ];
  for (const [index, bytes] of bad) {
    t.throws(() => store.putChunk(id, index, bytes), { code: 'BAD_CHUNK' }, `${index}, ${bytes.length} bytes`);
  }
  t.equal(disk.counts.writes, writes);
  t.strictSame(indexesOf(begin(store, source)), [2]);
  t.ok(isSame(store.readChunk(id, 2)!, source.chunk(2)));
  t.throws(() => store.readChunk(id, 3), { code: 'TRACK_MISSING' });
  t.throws(() => store.readChunk(id, 99), { code: 'TRACK_MISSING' });
  t.throws(() => store.finishFetch(id, 1e9), { code: 'TRACK_MISSING' }, 'it is not whole');
  t.end();
});

t.test('a manifest that is not the one agreed on, or of no file that can be, is refused and leaves nothing', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(2_000));
  const { track, outline } = source;
  const old = elsewhere(noise(2_000), SMALL, true).track;
  const flipped = outline.manifest.slice();
  flipped[40]! ^= 1;
  const { peaks } = outline;
  const many = (1 << 16) + 1;
  const huge = { ...old, bytes: many * (4 << 20) };
  const refused: [string, [Track, FileOutline, number]][] = [
    ['another manifest', [track, { manifest: flipped, peaks }, 64]],
    ['a part of it', [track, { manifest: outline.manifest.subarray(32), peaks }, 64]],
    ['none', [track, { manifest: new Uint8Array(0), peaks }, 64]],
    ['an outline of another length', [track, { manifest: outline.manifest, peaks: peaks!.subarray(1) }, 64]],
    ['another size', [{ ...track, bytes: 20_000 }, outline, 64]],
    ['no size', [{ ...track, bytes: 0 }, outline, 64]],
    ['half a byte', [{ ...track, bytes: 1_999.5 }, outline, 64]],
    ['chunks of no size', [old, outline, 0]],
    ['chunks that are too large', [old, { manifest: outline.manifest.subarray(0, 32), peaks }, 1 << 30]],
    ['a path for an id', [{ ...track, id: '../../etc/passwd' as typeof track.id }, outline, 64]],
    ['more than is taken', [huge, { manifest: new Uint8Array(many * 32), peaks }, 4 << 20]],
    ['more than can be counted', [{ ...old, bytes: Number.MAX_SAFE_INTEGER }, outline, 1]],
  ];
  for (const [what, args] of refused) t.throws(() => store.beginFetch(...args, 100), { code: 'BAD_CHUNK' }, what);
  t.strictSame(namesIn(disk, 'tmp'), []);
  t.throws(() => store.putChunk(track.id, 0, source.chunk(0)), { code: 'TRACK_MISSING' });
  t.throws(() => store.resume(track.id, 100), { code: 'TRACK_MISSING' });
  t.throws(() => store.outline(track.id), { code: 'TRACK_MISSING' });
  t.end();
});

t.test('a manifest that is believed until the whole is there, and is of another file, leaves nothing', (t) => {
  const { store, disk } = open();
  const real = elsewhere(noise(2_000, 1), SMALL, true);
  const other = elsewhere(noise(2_000, 2), SMALL, true);
  const forged: Elsewhere = { ...other, track: real.track };
  begin(store, forged);
  putAll(store, forged);
  t.throws(() => finish(store, forged.track), { code: 'BAD_CHUNK' });
  t.strictSame([...namesIn(disk, 'tmp'), ...namesIn(disk, 'tracks')], []);
  fetchRest(store, real);
  t.ok(isSame(bytesOf(store, real.track), real.file));
  t.ok(isSame(store.outline(real.track.id)!.manifest, real.outline.manifest));
  t.end();
});

t.test('who comes with another manifest keeps of what is here only what is right by that one', (t) => {
  const { store } = open();
  const real = elsewhere(noise(2_000, 1), SMALL, true);
  const half = noise(2_000, 2);
  half.set(real.file.subarray(0, 640));
  const forged: Elsewhere = { ...elsewhere(half, SMALL, true), track: real.track };
  begin(store, forged);
  putAll(store, forged);
  t.strictSame(indexesOf(begin(store, real)), range(10), 'the first ten are the same');
  fetchRest(store, real);
  t.ok(isSame(bytesOf(store, real.track), real.file));
  t.end();
});

t.test('in whatever order chunks come, twice, or bad, only right ones count, and the file is right in the end', (t) => {
  const step = fc.record({
    index: fc.nat(20),
    what: fc.constantFrom('good', 'good', 'good', 'bad', 'restart', 'power cut', 'begin', 'drop'),
    seed: fc.nat(1_000),
  });
  fc.assert(
    fc.property(fc.integer({ min: 46, max: 1_300 }), fc.array(step, { maxLength: 60 }), (bytes, steps) => {
      const source = elsewhere(noise(bytes & ~1, bytes));
      const { id } = source.track;
      let { store, disk } = open();
      let here = new Set<number>();
      begin(store, source);
      for (const { what, seed, ...given } of steps) {
        const index = given.index % source.count;
        if (what === 'good') {
          store.putChunk(id, index, source.chunk(index));
          here.add(index);
        } else if (what === 'bad') {
          const chunk = source.chunk(index);
          chunk[seed % chunk.length]! ^= 1 + (seed % 255);
          t.throws(() => store.putChunk(id, index, chunk), { code: 'BAD_CHUNK' });
        } else if (what === 'drop') {
          store.dropFetch(id);
          here = new Set();
          begin(store, source);
        } else {
          if (what === 'restart') disk.killProcess();
          if (what === 'power cut') disk.crash(new Prng(seed));
          if (what !== 'begin') ({ store, disk } = open(disk));
          const found = indexesOf(begin(store, source));
          t.strictSame(
            found,
            [...here].sort((a, b) => a - b),
          );
        }
      }
      fetchRest(store, source);
      t.ok(isSame(bytesOf(store, source.track), source.file));
    }),
    { numRuns: 150 },
  );
  t.end();
});

t.test('after a restart what was arriving is told and goes on; what stands for nothing goes', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(3_000));
  const other = elsewhere(noise(3_000, 2));
  begin(store, source);
  putAll(store, source, [1, 5]);
  begin(store, other);
  disk.remove(`tmp/${other.track.id}.json`);
  store.write(store.begin(null), noise(1_000));
  const again = open(disk);
  t.strictSame(again.stored.arriving, [source.track.id]);
  t.equal(again.stored.removedTemporaries, 4);
  t.ok(isSame(again.store.outline(source.track.id)!.manifest, source.outline.manifest), 'others can have it');
  t.throws(() => again.store.readChunk(source.track.id, 1), { code: 'TRACK_MISSING' }, 'nobody has looked yet');
  t.strictSame(indexesOf(begin(again.store, source)), [1, 5]);
  t.ok(isSame(again.store.readChunk(source.track.id, 1)!, source.chunk(1)));
  again.store.dropFetch(source.track.id);
  again.store.dropFetch(source.track.id);
  t.strictSame(namesIn(disk, 'tmp'), []);
  t.strictSame(open(disk).stored.arriving, []);
  t.end();
});

t.test('a description that rotted stops nothing', (t) => {
  for (const rotten of [
    { bytes: Number.MAX_SAFE_INTEGER },
    { bytes: -1 },
    { bytes: '3000' },
    { chunks: { bytes: 1, root: 'x' }, bytes: 1e9 },
    { chunks: { bytes: 1 << 30, root: 'x' } },
    { chunks: null },
    { chunks: { bytes: 64 } },
    { id: 'other' },
    { title: 7 },
  ]) {
    const { store, disk } = open();
    const source = elsewhere(noise(3_000));
    const { id } = source.track;
    begin(store, source);
    const file = disk.open(`tmp/${id}.json`, 'write');
    file.truncate(0);
    file.write(new TextEncoder().encode(JSON.stringify({ ...source.track, ...rotten })), 0);
    t.strictSame(open(disk).stored.arriving, [], JSON.stringify(rotten));
    t.strictSame(namesIn(disk, 'tmp'), []);
  }
  t.end();
});

t.test('an agreed track that is cut in another way is followed, also while its manifest is being made', (t) => {
  const { store, disk } = open(new FakeDisk(), { limits: SMALL });
  const source = elsewhere(noise(5_000));
  take(store, source.file, 'Sent');
  const { id } = source.track;
  const other = elsewhere(source.file, { ...SMALL, bytesMin: 512 });
  t.not(other.chunkBytes, source.chunkBytes);
  disk.remove(`tracks/${id}.chunks`);
  const { store: again } = open(disk, { limits: SMALL });
  t.equal(again.makeBeside(id, 1_000), false);
  again.describe(other.track);
  while (!again.makeBeside(id, 1_000));
  t.ok(isSame(again.outline(id)!.manifest, other.outline.manifest));
  t.ok(isSame(again.readChunk(id, 2)!, other.chunk(2)));
  t.end();
});

t.test('a long file is looked at in steps, between which others get their turn', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(5_000));
  begin(store, source);
  putAll(store, source);
  const { store: again } = open(disk);
  again.beginFetch(source.track, source.outline, 64, 300);
  let steps = 2;
  for (; again.resume(source.track.id, 300) === null; steps++) take(again, noise(200, steps), `${steps}`);
  t.equal(steps, Math.ceil(source.count / Math.ceil(300 / source.chunkBytes)));
  steps = 1;
  for (; !again.finishFetch(source.track.id, 300); steps++) take(again, noise(200, 100 + steps), `${steps}`);
  t.equal(steps, Math.ceil(source.file.length / 300));
  t.end();
});

t.test('a stale part of another size is cut or grown, and what is right of it is kept', (t) => {
  for (const size of [700, 9_000]) {
    const { store, disk } = open();
    const source = elsewhere(noise(2_000));
    const { id } = source.track;
    begin(store, source);
    putAll(store, source, [0, 1, 2, 12]);
    const part = disk.open(partPath(id), 'write');
    part.truncate(size);
    part.sync();
    const again = open(disk).store;
    t.strictSame(indexesOf(begin(again, source)), size === 700 ? [0, 1, 2] : [0, 1, 2, 12], `${size}`);
    fetchRest(again, source);
    t.equal(disk.list('tracks').find(({ name }) => name === `${id}.wav`)!.size, 2_000);
    disk.crash(new Prng(size));
    t.strictSame(open(disk).stored.tracks, [source.track]);
  }
  t.end();
});

t.test('two who fetch a file and one who sends it at the same time leave one file, and nothing else', (t) => {
  const source = elsewhere(noise(2_000));
  const { track } = source;
  const { id } = track;
  for (const first of ['upload', 'fetch'] as const) {
    const { store, disk } = open(new FakeDisk(), { limits: SMALL });
    begin(store, source);
    const { number, taken } = send(store, source.file);
    putAll(store, source, range(20));
    t.strictSame(indexesOf(begin(store, source)), range(20), 'the other fetch goes on with what this one has');
    store.putChunk(id, 3, source.chunk(3));
    const keep = () => store.keep(number, trackFrom(taken, 'Sent'));
    if (first === 'upload') {
      keep();
      t.throws(() => store.putChunk(id, 20, source.chunk(20)), { code: 'TRACK_MISSING' });
      finish(store, track);
    } else {
      putAll(store, source);
      store.finishFetch(id, 100);
      finish(store, track);
      finish(store, track);
      keep();
    }
    t.ok(isSame(bytesOf(store, track), source.file), first);
    t.strictSame(namesIn(disk, 'tmp'), [], first);
    t.equal(namesIn(disk, 'tracks').length, 4, first);
    disk.crash(new Prng(1));
    t.equal(open(disk).stored.tracks.length, 1, first);
  }
  t.end();
});

t.test('a file that is sent while its read-back is under way is not read on', (t) => {
  const { store } = open(new FakeDisk(), { limits: SMALL });
  const source = elsewhere(noise(2_000));
  begin(store, source);
  putAll(store, source);
  t.equal(store.finishFetch(source.track.id, 100), false);
  take(store, source.file, 'Sent');
  t.equal(store.finishFetch(source.track.id, 100), true);
  t.equal(store.held()[0]!.title, 'Sent');
  t.end();
});

t.test('removing a track takes what is arriving of it too; who goes on with it is told', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(2_000));
  const { id } = source.track;
  begin(store, source);
  putAll(store, source);
  t.equal(store.finishFetch(id, 100), false);
  store.remove(id);
  t.throws(() => store.finishFetch(id, 100), { code: 'TRACK_MISSING' });
  t.throws(() => store.putChunk(id, 0, source.chunk(0)), { code: 'TRACK_MISSING' });
  t.strictSame([...namesIn(disk, 'tmp'), ...namesIn(disk, 'tracks')], []);
  fetchRest(store, source);
  t.ok(isSame(bytesOf(store, source.track), source.file), 'and it can come again');
  store.remove(id);
  t.strictSame([...namesIn(disk, 'tmp'), ...namesIn(disk, 'tracks')], []);
  t.end();
});

t.test('a track that is renamed while it arrives has its new name in the end', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(2_000));
  begin(store, source);
  store.describe({ ...source.track, title: 'Renamed' });
  t.strictSame(indexesOf(resume(store, source.track)), []);
  putAll(store, source);
  finish(store, source.track);
  t.equal(open(disk).stored.tracks[0]!.title, 'Renamed');
  store.describe({ ...elsewhere(noise(500)).track });
  t.equal(namesIn(disk, 'tracks').length, 4, 'a track that is not here needs no description');
  t.end();
});

t.test('a card that loses a chunk after it took it is found out before the file gets its place', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(5_000));
  const { id } = source.track;
  begin(store, source);
  putAll(store, source);
  // Though the system remembers it right.
  disk.flipBit(partPath(id), 1_000, 3, { cached: true });
  disk.flipBit(partPath(id), 4_000, 3, { cached: true });
  t.throws(() => finish(store, source.track), { code: 'TRACK_DAMAGED' });
  t.strictSame(namesIn(disk, 'tracks'), []);
  const bytes = source.chunkBytes;
  const bad = [Math.floor(1_000 / bytes), Math.floor(4_000 / bytes)];
  t.strictSame(
    indexesOf(begin(store, source)),
    range(source.count).filter((index) => !bad.includes(index)),
  );
  putAll(store, source, bad);
  disk.breakPage(partPath(id), 0);
  t.throws(() => finish(store, source.track), { code: 'TRACK_DAMAGED' }, 'one that cannot be read is no better');
  fetchRest(store, source);
  t.ok(isSame(bytesOf(store, source.track), source.file));
  t.end();
});

t.test('a chunk that went bad is given to nobody, and is missing from then on', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(5_000));
  const { id } = source.track;
  begin(store, source);
  putAll(store, source, [0, 1]);
  disk.flipBit(partPath(id), 10, 3);
  t.throws(() => store.readChunk(id, 0), { code: 'TRACK_DAMAGED', info: { trackId: id, chunk: 0 } });
  t.throws(() => store.readChunk(id, 0), { code: 'TRACK_MISSING' });
  t.strictSame(indexesOf(begin(store, source)), [1]);
  store.putChunk(id, 0, source.chunk(0));
  t.ok(isSame(store.readChunk(id, 0)!, source.chunk(0)));
  t.end();
});

t.test('a chunk that comes again while the file is read back is read again', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(5_000));
  const { id } = source.track;
  begin(store, source);
  putAll(store, source);
  disk.flipBit(partPath(id), 10, 3);
  t.equal(store.finishFetch(id, 1_000), false);
  t.throws(() => store.readChunk(id, 0), { code: 'TRACK_DAMAGED' });
  store.putChunk(id, 0, source.chunk(0));
  finish(store, source.track);
  t.ok(isSame(bytesOf(store, source.track), source.file));
  t.end();
});

t.test('a file has its room from the beginning, beside what others were promised and what stays free', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(40_000));
  const { id } = source.track;
  disk.setFreeBytes(FREE_BYTES_MIN + 39_000);
  t.throws(() => begin(store, source), { code: 'DISK_FULL', detail: /40000 more bytes do not fit/ });
  t.strictSame(namesIn(disk, 'tmp'), []);
  disk.setFreeBytes(FREE_BYTES_MIN + 60_000);
  const upload = store.begin(30_000);
  t.throws(() => begin(store, source), { code: 'DISK_FULL' });
  store.abort(upload);
  begin(store, source);
  t.throws(() => store.begin(30_000), { code: 'DISK_FULL' }, 'it has its room now');
  // Other programs fill the disk to the last byte.
  disk.setFreeBytes(0);
  putAll(store, source);
  t.throws(() => finish(store, source.track), { code: 'DISK_FULL' });
  t.strictSame(namesIn(disk, 'tracks'), []);
  disk.setFreeBytes(FREE_BYTES_MIN);
  finish(store, source.track);
  t.ok(isSame(bytesOf(store, source.track), source.file));
  // A file that lost its end needs the room for it again.
  const wav = disk.open(trackPath(id), 'write');
  wav.truncate(1_000);
  wav.sync();
  disk.setFreeBytes(FREE_BYTES_MIN + 10_000);
  store.quarantine(id, null, 100);
  t.strictSame(indexesOf(resume(store, source.track)), [], 'what is right of it is one chunk less than a whole one');
  t.throws(() => store.putChunk(id, 0, source.chunk(0)), { code: 'DISK_FULL' });
  disk.setFreeBytes(FREE_BYTES_MIN + 100_000);
  t.throws(() => store.begin(70_000), { code: 'DISK_FULL' }, 'it is waited for');
  store.abort(store.begin(60_000));
  putAll(store, source);
  finish(store, source.track);
  store.abort(store.begin(60_000));
  t.end();
});

t.test('a file with a description that was left out at the start is not fetched whole', (t) => {
  const { store, disk } = open();
  const source = elsewhere(noise(5_000));
  const { id } = source.track;
  fetchRest(store, source);
  const wav = disk.open(trackPath(id), 'write');
  wav.truncate(4_000);
  wav.sync();
  const { store: again, stored } = open(disk);
  t.equal(stored.problems.length, 1);
  const whole = Math.floor(4_000 / source.chunkBytes);
  t.strictSame(indexesOf(begin(again, source)), range(whole));
  fetchRest(again, source);
  t.ok(isSame(bytesOf(again, source.track), source.file));
  t.end();
});

t.test('chunks of a real size, with what they are by default', (t) => {
  const { store } = open();
  const source = elsewhere(noise(700_000), CHUNK_LIMITS);
  t.equal(source.count, 3);
  fetchRest(store, source);
  t.strictSame(store.held()[0]!.chunks, { bytes: 256 << 10, root: source.track.chunks!.root });
  t.end();
});
