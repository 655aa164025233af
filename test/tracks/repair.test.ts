/** Damage below the file system: found by the scrub or by who reads, and mended chunk by chunk; and manifests that are made again. */
import t from 'tap';
import { Prng } from '../../src/core/prng.js';
import { FakeDisk, PowerCut } from '../../src/ports/fake-disk.js';
import { trackPath } from '../../src/tracks/paths.js';
import type { ScrubStep } from '../../src/tracks/scrubber.js';
import { descriptionOf } from '../../src/tracks/side-files.js';
import { song } from '../support/house.js';
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
  take,
} from './support.js';

type Store = ReturnType<typeof open>['store'];

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const except = (count: number, ...bad: number[]) => range(count).filter((index) => !bad.includes(index));

/** Stores that hold each of `files`, which other nodes have as well. */
function holding(...files: Elsewhere[]) {
  const { disk } = open(new FakeDisk(), { limits: SMALL });
  for (const file of files) fetchRest(open(disk).store, file);
  return open(disk, { limits: SMALL });
}

/** Scrubs until a round is over; gives what it found, and all steps. */
function scrub(store: Store, bytesMax = 300) {
  const steps: ScrubStep[] = [];
  do steps.push(store.scrubStep(bytesMax));
  while (steps.at(-1)!.bytesDone < steps.at(-1)!.bytesTotal);
  return { steps, damaged: steps.flatMap(({ damaged }) => damaged) };
}

/** Makes a manifest that has to be made. */
function make(store: Store, { track }: Elsewhere): void {
  while (!store.makeBeside(track.id, 300));
}

const write = (disk: FakeDisk, path: string, change: (file: ReturnType<FakeDisk['open']>) => void) => {
  const file = disk.open(path, 'write');
  change(file);
  file.sync();
  file.close();
};

t.test('a bit that flips on the card is found by the scrub, though the system remembers it right', (t) => {
  const files = [1, 2, 3].map((seed) => elsewhere(noise(3_000 + 500 * seed, seed)));
  const { store, disk } = holding(...files);
  t.strictSame(scrub(store).damaged, []);
  const [, bad] = files.toSorted((left, right) => (left.track.id < right.track.id ? -1 : 1));
  const { id } = bad!.track;
  const chunk = Math.floor(2_000 / bad!.track.chunks!.bytes);
  disk.flipBit(trackPath(id), 2_000, 0, { cached: true });
  t.strictSame(scrub(store).damaged, [{ id, chunk }]);
  t.strictSame(scrub(store).damaged, [{ id, chunk }], 'and again, until somebody does something about it');
  store.quarantine(id, null, 100);
  t.strictSame(indexesOf(resume(store, bad!.track)), except(bad!.count, chunk));
  t.strictSame(scrub(store).damaged, [], 'it is not held meanwhile');
  t.throws(() => store.readChunk(id, chunk), { code: 'TRACK_MISSING' });
  t.ok(isSame(store.readChunk(id, 0)!, bad!.chunk(0)), 'what is right of it can be had');
  store.putChunk(id, chunk, bad!.chunk(chunk));
  finish(store, bad!.track);
  t.strictSame(scrub(store).damaged, []);
  t.ok(isSame(bytesOf(store, bad!.track), bad!.file));
  t.equal(store.held().length, 3);
  t.strictSame(namesIn(disk, 'tmp'), []);
  t.end();
});

t.test(
  'a round of the scrub reads every chunk once, in steps of the size that was asked for, and says how far it is',
  (t) => {
    const files = [1, 2, 3].map((seed) => elsewhere(noise(3_000 + 500 * seed, seed)));
    const { store, disk } = holding(...files);
    const total = files.reduce((sum, { file }) => sum + file.length, 0);
    for (const bytesMax of [1, 300, 5_000, 1e9]) {
      const { steps } = scrub(store, bytesMax);
      t.equal(
        steps.reduce((sum, { readBytes }) => sum + readBytes, 0),
        total,
      );
      let done = 0;
      for (const step of steps) {
        done += step.readBytes;
        t.match(step, { bytesDone: done, bytesTotal: total });
        t.ok(step.readBytes <= Math.max(bytesMax, 256));
      }
    }
    const [first] = files.map(({ track }) => track.id).sort();
    const other = open(disk, { scrubFrom: `${first}1` }).store;
    disk.flipBit(trackPath(first!), 0, 0);
    t.strictSame(other.scrubStep(5_000).damaged, [], 'a round may begin behind the first file');
    t.strictSame(scrub(other).damaged, [{ id: first, chunk: 0 }], 'which then comes last');
    t.strictSame(open().store.scrubStep(1), { damaged: [], readBytes: 0, bytesDone: 0, bytesTotal: 0 });
    t.end();
  },
);

t.test('files that come and go while a round is under way do not upset it', (t) => {
  const files = range(6).map((seed) => elsewhere(noise(1_000, seed)));
  const { store } = holding(...files.slice(1));
  store.scrubStep(1_500);
  for (const { track } of files.slice(2)) store.remove(track.id);
  fetchRest(store, files[0]!);
  t.strictSame(scrub(store).damaged, []);
  const { steps } = scrub(store);
  t.match(steps.at(-1), { bytesDone: 2_000, bytesTotal: 2_000 });
  t.end();
});

t.test('a file that is gone, of another size, or cannot be read is found, and comes back', (t) => {
  const source = elsewhere(noise(5_000));
  const { id } = source.track;
  const damages: [string, (disk: FakeDisk) => void, number | null, number[]][] = [
    ['gone', (disk) => disk.remove(trackPath(id)), null, []],
    ['short', (disk) => write(disk, trackPath(id), (file) => file.truncate(3_000)), null, range(11)],
    ['long', (disk) => write(disk, trackPath(id), (file) => file.truncate(6_000)), null, range(20)],
    ['unreadable', (disk) => disk.breakPage(trackPath(id), 0), 0, range(20).slice(16)],
  ];
  for (const [what, damage, chunk, left] of damages) {
    const { store, disk } = holding(source);
    damage(disk);
    t.strictSame(scrub(store, 100).damaged[0], { id, chunk }, what);
    store.quarantine(id, null, 100);
    t.strictSame(indexesOf(resume(store, source.track)), left, what);
    fetchRest(store, source);
    t.strictSame(scrub(store).damaged, [], what);
    t.ok(isSame(bytesOf(store, source.track), source.file), what);
  }
  t.end();
});

t.test('who reads a damaged chunk does not get it', (t) => {
  const source = elsewhere(noise(5_000));
  const { id, chunks } = source.track;
  const { store, disk } = holding(source);
  disk.flipBit(trackPath(id), 4_999, 0);
  const last = source.count - 1;
  t.throws(() => store.readChunk(id, last), { code: 'TRACK_DAMAGED', info: { trackId: id, chunk: last } });
  t.ok(isSame(store.readChunk(id, 0)!, source.file.subarray(0, chunks!.bytes)));
  t.throws(() => store.readChunk(id, source.count), { code: 'TRACK_MISSING' });
  disk.remove(trackPath(id));
  t.throws(() => store.readChunk(id, 0), { code: 'TRACK_DAMAGED' });
  t.throws(() => store.readChunk(elsewhere(noise(500)).track.id, 0), { code: 'TRACK_MISSING' });
  t.throws(() => store.quarantine(elsewhere(noise(500)).track.id, null, 100), { code: 'TRACK_MISSING' });
  t.end();
});

t.test('a manifest that is lost or damaged is made again from the file, by the scrub or when it is asked for', (t) => {
  const source = elsewhere(noise(5_000));
  const { id } = source.track;
  const path = `tracks/${id}.chunks`;
  for (const damage of [
    (disk: FakeDisk) => disk.remove(path),
    (disk: FakeDisk) => disk.flipBit(path, 33, 0),
    (disk: FakeDisk) => write(disk, path, (file) => file.truncate(32)),
    (disk: FakeDisk) => write(disk, path, (file) => file.truncate(5_000)),
  ]) {
    const { disk } = holding(source);
    damage(disk);
    const copy = disk.copy();
    const asked = open(disk).store;
    t.equal(asked.outline(id), null);
    t.equal(asked.readChunk(id, 0), null);
    make(asked, source);
    t.ok(isSame(asked.outline(id)!.manifest, source.outline.manifest));
    t.ok(isSame(asked.readChunk(id, 7)!, source.chunk(7)));
    const scrubbed = open(copy).store;
    t.strictSame(scrub(scrubbed).damaged, []);
    t.ok(isSame(scrubbed.outline(id)!.manifest, source.outline.manifest));
    t.strictSame(open(copy).stored, {
      tracks: [source.track],
      arriving: [],
      leftOut: [],
      problems: [],
      removedTemporaries: 0,
    });
  }
  t.end();
});

t.test('where the file and its manifest are damaged both, a peer’s manifest shows what is right', (t) => {
  const source = elsewhere(noise(5_000));
  const { id } = source.track;
  const { store, disk } = holding(source);
  disk.remove(`tracks/${id}.chunks`);
  disk.flipBit(trackPath(id), 1_000, 1);
  t.throws(() => make(store, source), { code: 'TRACK_DAMAGED', info: { trackId: id, chunk: null } });
  t.strictSame(scrub(store).damaged, [{ id, chunk: null }]);
  store.quarantine(id, null, 100);
  t.strictSame(indexesOf(resume(store, source.track)), [], 'nothing can be told without it');
  t.throws(() => store.outline(id), { code: 'TRACK_MISSING' });
  t.throws(() => store.putChunk(id, 0, source.chunk(0)), { code: 'TRACK_MISSING' });
  t.strictSame(open(disk).stored.arriving, [id], 'it is not forgotten');
  const bad = Math.floor(1_000 / source.chunkBytes);
  t.strictSame(indexesOf(begin(store, source)), except(source.count, bad));
  fetchRest(store, source);
  t.ok(isSame(bytesOf(store, source.track), source.file));
  t.end();
});

t.test('a file that was put aside although it is right gets its place back with what lay beside it', (t) => {
  const source = elsewhere(noise(5_000));
  const { id } = source.track;
  for (const lost of ['nothing', 'chunks', 'json', 'peaks']) {
    const { store, disk } = holding(source);
    disk.remove(`tracks/${id}.${lost}`);
    store.quarantine(id, null, 100);
    t.strictSame(namesIn(disk, 'tracks'), []);
    t.strictSame(indexesOf(resume(store, source.track)), range(source.count), lost);
    finish(store, source.track);
    t.ok(isSame(bytesOf(store, source.track), source.file));
    t.strictSame(namesIn(disk, 'tmp'), []);
    const again = open(disk).store;
    t.match(again.held(), [{ id, title: source.track.title, bytes: 5_000, chunks: source.track.chunks }], lost);
    t.ok(again.outline(id) !== null, lost);
  }
  t.end();
});

t.test('a track of the first command set gets its manifest when it is first needed, and keeps it', (t) => {
  const source = elsewhere(noise(5_000), SMALL, true);
  const { id } = source.track;
  const { disk } = holding(elsewhere(source.file));
  // As an earlier version left it.
  disk.remove(`tracks/${id}.chunks`);
  write(disk, `tracks/${id}.json`, (file) => {
    file.truncate(0);
    file.write(new TextEncoder().encode(JSON.stringify(source.track)), 0);
  });
  const { store, stored } = open(disk, { limits: SMALL });
  t.strictSame(stored.tracks, [source.track]);
  t.equal(store.outline(id), null);
  make(store, source);
  t.ok(isSame(store.outline(id)!.manifest, source.outline.manifest));
  store.describe({ ...source.track, title: 'Renamed' });
  const again = open(disk, { limits: SMALL });
  t.strictSame(again.stored.tracks, [
    { ...source.track, title: 'Renamed', chunks: elsewhere(source.file).track.chunks },
  ]);
  t.ok(isSame(again.store.readChunk(id, 3)!, source.chunk(3)));
  disk.flipBit(`tracks/${id}.chunks`, 100, 1);
  disk.flipBit(trackPath(id), 100, 1);
  const bad = open(disk, { limits: SMALL }).store;
  bad.quarantine(id, null, 100);
  resume(bad, source.track);
  fetchRest(bad, source);
  t.ok(isSame(bytesOf(bad, source.track), source.file));
  t.end();
});

t.test('two who need a manifest at once make it together, and a rename meanwhile does not upset them', (t) => {
  const source = elsewhere(noise(5_000));
  const { store, disk } = holding(source);
  disk.remove(`tracks/${source.track.id}.chunks`);
  const fresh = open(disk).store;
  let steps = 0;
  while (!fresh.makeBeside(source.track.id, 500)) {
    steps += 1;
    fresh.scrubStep(1);
    if (steps === 2) fresh.describe({ ...source.track, title: 'Renamed' });
  }
  t.ok(steps < 10, `${steps} steps of 10`);
  t.equal(fresh.held()[0]!.title, 'Renamed');
  t.equal(open(disk).stored.tracks[0]!.title, 'Renamed');
  store.close();
  t.end();
});

t.test('an outline that was lost is drawn again, in steps, from chunks that are checked', (t) => {
  const { store, disk } = open(new FakeDisk(), { limits: SMALL });
  const track = take(store, song(50), 'Song');
  const before = store.peaks(track.id)!;
  t.ok(before.some((peak) => peak > 0));
  const path = `tracks/${track.id}.peaks`;
  disk.remove(path);
  const fresh = open(disk, { limits: SMALL }).store;
  t.equal(fresh.peaks(track.id), null);
  t.equal(fresh.outline(track.id)!.peaks, null, 'whoever fetches the file meanwhile draws one, too');
  let steps = 1;
  while (!fresh.makeBeside(track.id, 500)) steps += 1;
  t.ok(steps > 3, `${steps} steps`);
  t.ok(isSame(fresh.peaks(track.id)!, before));
  t.ok(isSame(fresh.outline(track.id)!.peaks!, before));
  disk.remove(path);
  write(disk, trackPath(track.id), (file) => file.write(new Uint8Array([1, 2, 3]), 2_000));
  const harmed = open(disk, { limits: SMALL }).store;
  t.throws(() => harmed.makeBeside(track.id, 1e9), { code: 'TRACK_DAMAGED' });
  t.equal(harmed.peaks(track.id), null, 'nothing is drawn of what is wrong');
  t.end();
});

t.test('an outline of bytes that nothing can be made of is flat, and drawn once', (t) => {
  const source = elsewhere(new TextEncoder().encode('no music at all, and yet a file'.repeat(99)));
  const { disk } = holding(source);
  disk.remove(`tracks/${source.track.id}.peaks`);
  const fresh = open(disk).store;
  while (!fresh.makeBeside(source.track.id, 500));
  t.strictSame([...new Set(fresh.peaks(source.track.id))], [0]);
  t.end();
});

t.test('a file that is not what it was, and has no manifest, is not offered to anybody', (t) => {
  const { store, disk } = open(new FakeDisk(), { limits: SMALL });
  const track = take(store, noise(2_000), 'Song');
  disk.remove(trackPath(track.id));
  disk.remove(`tracks/${track.id}.chunks`);
  const fresh = open(disk).store;
  t.throws(() => fresh.makeBeside(track.id, 1e9), { code: 'TRACK_MISSING' }, 'it is not held');
  t.throws(() => store.makeBeside(elsewhere(noise(500)).track.id, 1), { code: 'TRACK_MISSING' });
  t.end();
});

t.test('a disk without room for a manifest does not hold the scrub up', (t) => {
  const files = [1, 2].map((seed) => elsewhere(noise(2_000, seed)));
  const { disk } = holding(...files);
  const [first] = files.map(({ track }) => track.id).sort();
  disk.remove(`tracks/${first}.chunks`);
  const { store } = open(disk);
  disk.failNext('write', { code: 'DISK_FULL' });
  t.throws(() => scrub(store), { code: 'DISK_FULL' });
  t.match(scrub(store).steps[0], { bytesTotal: 4_000, damaged: [] });
  t.equal(store.outline(first!), null);
  scrub(store);
  t.ok(store.outline(first!) !== null, 'it is made in the next round');
  t.end();
});

t.test('an outline that is lost or damaged is made again from the file, and keeps nobody from having it', (t) => {
  const file = noise(5_000);
  const paths: [string, (disk: FakeDisk, path: string) => void][] = [
    ['lost', (disk, path) => disk.remove(path)],
    ['short', (disk, path) => write(disk, path, (opened) => opened.truncate(100))],
    ['without its hash', (disk, path) => write(disk, path, (opened) => opened.truncate(2_048))],
    ['long', (disk, path) => write(disk, path, (opened) => opened.truncate(3_000))],
    ['flipped', (disk, path) => disk.flipBit(path, 77, 4)],
    ['unreadable', (disk, path) => disk.breakPage(path, 0)],
  ];
  for (const [what, damage] of paths) {
    const { disk, store } = open(new FakeDisk(), { limits: SMALL });
    const { id } = take(store, file, 'Song');
    const right = store.peaks(id)!;
    damage(disk, `tracks/${id}.peaks`);
    const copy = disk.copy();
    const asked = open(disk, { limits: SMALL }).store;
    t.strictSame(asked.outline(id), { manifest: elsewhere(file).outline.manifest, peaks: null }, what);
    t.equal(asked.peaks(id), null, what);
    while (!asked.makeBeside(id, 300));
    t.ok(isSame(asked.peaks(id)!, right), what);
    t.ok(isSame(asked.outline(id)!.peaks!, right), what);
    const scrubbed = open(copy, { limits: SMALL }).store;
    t.strictSame(scrub(scrubbed).damaged, [], what);
    t.ok(isSame(scrubbed.peaks(id)!, right), `${what}: the scrub makes it`);
  }
  t.end();
});

t.test('no outline is made of a file that is damaged, nor kept of one that was', (t) => {
  const file = noise(5_000);
  const source = elsewhere(file);
  const { disk, store } = open(new FakeDisk(), { limits: SMALL });
  const { id } = take(store, file, 'Song');
  const right = store.peaks(id)!;
  disk.remove(`tracks/${id}.peaks`);
  disk.flipBit(trackPath(id), 4_000, 7);
  t.throws(() => make(store, source), { code: 'TRACK_DAMAGED' });
  t.strictSame(scrub(store).damaged, [{ id, chunk: Math.floor(4_000 / source.chunkBytes) }]);
  store.quarantine(id, source.track, 100);
  const have = resume(store, source.track);
  t.strictSame(indexesOf(have), except(source.count, Math.floor(4_000 / source.chunkBytes)));
  fetchRest(store, { ...source, outline: { ...source.outline, peaks: null } });
  t.equal(store.peaks(id), null);
  make(store, source);
  t.ok(isSame(store.peaks(id)!, right));
  t.end();
});

t.test(
  'a file that was left out is whole again by what the cluster says of it, also after a power cut in between',
  (t) => {
    const source = elsewhere(noise(5_000));
    const { id } = source.track;
    const lost: [string, (disk: FakeDisk) => void][] = [
      ['its description', (disk) => disk.remove(`tracks/${id}.json`)],
      ['a bit of it', (disk) => disk.flipBit(`tracks/${id}.json`, 1, 1)],
      [
        'all that lay beside it',
        (disk) => ['json', 'chunks', 'peaks'].map((what) => disk.remove(`tracks/${id}.${what}`)),
      ],
    ];
    for (const [what, lose] of lost) {
      let cuts = 0;
      for (let at = 0; ; at++) {
        const { disk } = holding(source);
        lose(disk);
        const { store, stored } = open(disk, { limits: SMALL });
        t.strictSame(stored.leftOut, [id]);
        t.throws(() => store.quarantine(id, null, 100), { code: 'TRACK_MISSING' }, 'nobody knows what it is');
        disk.cutPowerAt(disk.changes + at);
        try {
          store.quarantine(id, source.track, 100);
          const have = resume(store, source.track);
          if (indexesOf(have).length !== source.count) t.fail(`${what}: ${indexesOf(have)}`);
          finish(store, source.track);
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error;
          cuts++;
        }
        const isOver = store.held().length > 0;
        disk.crash(new Prng(at));
        const again = open(disk, { limits: SMALL });
        const { arriving, leftOut, tracks } = again.stored;
        if (tracks.length + arriving.length + leftOut.length !== 1) t.fail(`${what}: it is somewhere after cut ${at}`);
        if (isOver && tracks.length === 0) t.fail(`${what}: it is held`);
        if (leftOut.length > 0) again.store.quarantine(id, source.track, 100);
        if (tracks.length === 0) {
          while (again.store.outline(id) === null) again.store.makeBeside(id, 300);
          const outline = again.store.outline(id)!;
          const have = indexesOf(begin(again.store, { ...source, outline }));
          if (have.length !== source.count) t.fail(`${what}: ${have} after cut ${at}`);
          finish(again.store, source.track);
        }
        if (!isSame(bytesOf(again.store, source.track), source.file)) t.fail(`${what}: its bytes after cut ${at}`);
        if (isOver) break;
      }
      t.ok(cuts > 10, `${what}: ${cuts} cuts`);
    }
    t.end();
  },
);

t.test('a description that names other chunks than were agreed does not count', (t) => {
  const source = elsewhere(noise(5_000));
  const { id } = source.track;
  for (const chunks of [
    { bytes: source.chunkBytes, root: '0'.repeat(64) },
    { bytes: 2 * source.chunkBytes, root: source.track.chunks!.root },
  ]) {
    const { disk } = holding(source);
    write(disk, `tracks/${id}.json`, (file) => {
      file.truncate(0);
      file.write(descriptionOf({ ...source.track, chunks }), 0);
    });
    const { store } = open(disk, { limits: SMALL });
    store.quarantine(id, source.track, 100);
    t.strictSame(indexesOf(resume(store, source.track)), range(source.count));
    finish(store, source.track);
    t.strictSame(open(disk).stored.tracks, [source.track]);
    t.ok(isSame(store.outline(id)!.manifest, source.outline.manifest));
  }
  t.end();
});

t.test('a description that is lost or damaged while the file is held is written again by the scrub', (t) => {
  const source = elsewhere(noise(5_000));
  const path = `tracks/${source.track.id}.json`;
  const { id, title, bytes, chunks } = source.track;
  for (const damage of [
    (disk: FakeDisk) => disk.remove(path),
    (disk: FakeDisk) => disk.flipBit(path, 0, 0),
    (disk: FakeDisk) => disk.flipBit(path, 10, 1),
    (disk: FakeDisk) => write(disk, path, (file) => file.truncate(20)),
  ]) {
    const { disk, store } = holding(source);
    damage(disk);
    t.strictSame(scrub(store).damaged, []);
    t.strictSame(open(disk).stored.tracks, [{ id, title, bytes, chunks }]);
    const { writes } = disk.counts;
    scrub(store);
    t.equal(disk.counts.writes, writes, 'once');
  }
  t.end();
});

t.test('a machine that can open no more files for now says nothing against those that are held', (t) => {
  const source = elsewhere(noise(5_000));
  const { id } = source.track;
  const { disk, store } = holding(source);
  t.ok(store.outline(id) !== null, 'the manifest is in memory');
  const fails = () => disk.failNext('open', { code: 'BUSY' });
  fails();
  t.throws(() => store.readChunk(id, 0), { code: 'BUSY' });
  for (let opens = 0; opens < 4; opens++) {
    disk.failNext('open', { code: 'BUSY', times: 1 });
    try {
      t.strictSame(scrub(store).damaged, []);
    } catch (error) {
      t.match(error, { code: 'BUSY' });
    }
  }
  disk.remove(`tracks/${id}.chunks`);
  const fresh = open(disk).store;
  disk.failNext('open', { code: 'BUSY', times: 3 });
  t.throws(() => make(fresh, source), { code: 'BUSY' });
  make(fresh, source);
  t.ok(isSame(fresh.readChunk(id, 1)!, source.chunk(1)));
  t.equal(fresh.held().length, 1);
  t.end();
});
