/** Uploads: from the first byte to a file that is held. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { Prng } from '../../src/core/prng.js';
import { type DiskChange, FakeDisk, PowerCut } from '../../src/ports/fake-disk.js';
import { SYNC_BYTES_MAX } from '../../src/tracks/intake.js';
import { trackPath } from '../../src/tracks/paths.js';
import { FREE_BYTES_MIN, INTAKES_MAX } from '../../src/tracks/track-store.js';
import { song } from '../support/house.js';
import { chunk, fmtBody, wavOf } from '../support/wav-files.js';
import { bytesOf, elsewhere, idOf, isSame, namesIn, noise, open, SMALL, send, take, trackFrom } from './support.js';

t.test('a file that was taken in is there with its facts, its outline and its bytes', (t) => {
  const { disk, store } = open();
  const file = song(2_000);
  const track = take(store, file, 'Song');
  t.equal(track.id, idOf(file));
  t.match(track, { bytes: file.length, frames: 96_000, format: { sampleRate: 48_000, channels: 1 } });
  t.equal(store.peaks(track.id)?.length, 2_048);
  t.ok(isSame(bytesOf(store, track), file));
  t.strictSame(namesIn(disk, 'tmp'), []);
  t.strictSame(open(disk).stored.tracks, [track]);
  t.end();
});

t.test('the chunks of an upload are those of what the card gives back, and their manifest is kept', (t) => {
  const { store, disk } = open(new FakeDisk(), { limits: SMALL });
  const file = noise(5_001);
  const track = take(store, file, 'Song');
  const { track: expected, outline } = elsewhere(file);
  t.strictSame(track.chunks, expected.chunks);
  t.ok(isSame(store.outline(track.id)!.manifest, outline.manifest));
  t.ok(isSame(store.readChunk(track.id, 3)!, elsewhere(file).chunk(3)));
  t.strictSame(
    namesIn(disk, 'tracks'),
    ['chunks', 'json', 'peaks', 'wav'].map((ending) => `${track.id}.${ending}`),
  );
  t.end();
});

t.test('before each sync of an upload, and before each piece that is read back, others may go first', (t) => {
  const { store, paces } = open();
  const file = song(40_000);
  const number = store.begin(file.length);
  store.write(number, file);
  store.finish(number);
  t.equal(paces.length, Math.ceil(file.length / SYNC_BYTES_MAX));
  t.equal(new Set(paces).size, paces.length, 'once each');
  paces.length = 0;
  while (store.verify(number, SYNC_BYTES_MAX) === null);
  t.equal(paces.length, Math.ceil(file.length / SYNC_BYTES_MAX));
  store.abort(number);
  t.end();
});

t.test('what is held is listed, with its size and how it was described last', (t) => {
  const { store, disk } = open();
  const first = take(store, song(100), 'First');
  const second = take(store, song(200), 'Second');
  store.describe({ ...first, title: 'New' });
  const { id, bytes, chunks } = first;
  t.strictSame(
    store.held().find((file) => file.id === id),
    { id, title: 'New', bytes, chunks },
  );
  t.strictSame(
    new Set(
      open(disk)
        .store.held()
        .map((file) => file.id),
    ),
    new Set([id, second.id]),
  );
  t.end();
});

t.test('at most a mebibyte is written between two syncs', (t) => {
  let unsynced = 0;
  let most = 0;
  const disk = new FakeDisk();
  const { store } = open(disk);
  const file = song(40_000);
  const number = store.begin(file.length);
  const before = disk.counts.syncs;
  for (let at = 0; at < file.length; at += 300_000) {
    const synced = disk.counts.syncs;
    store.write(number, file.subarray(at, at + 300_000));
    unsynced = disk.counts.syncs > synced ? 0 : unsynced + 300_000;
    most = Math.max(most, unsynced);
  }
  t.equal(disk.counts.syncs - before, Math.floor(file.length / SYNC_BYTES_MAX));
  t.ok(most <= SYNC_BYTES_MAX);
  t.end();
});

t.test('whenever the power is cut, a track is there whole or not at all, and one that was kept is there', (t) => {
  const file = song(300);
  const id = idOf(file);
  let cuts = 0;
  /** Takes the file in on a disk whose power goes at change `at`, and looks at what is left. True where it was kept before. */
  const survives = (at: number, seed: number): boolean => {
    const disk = new FakeDisk();
    const { store } = open(disk);
    disk.cutPowerAt(disk.changes + at);
    let kept = false;
    try {
      take(store, file, 'Song');
      kept = true;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      cuts += 1;
    }
    disk.crash(new Prng(seed));
    const where = `change ${at}, seed ${seed}`;
    const { stored, store: again } = open(disk);
    if (kept && stored.tracks.length !== 1) t.fail(`lost at ${where}`);
    if (stored.problems.length > 0) t.fail(`at ${where}: ${stored.problems}`);
    if (namesIn(disk, 'tmp').length > 0) t.fail(`a temporary stays at ${where}`);
    if (stored.tracks.length === 1) {
      if (!isSame(bytesOf(again, stored.tracks[0]!), file)) t.fail(`torn at ${where}`);
      if (again.peaks(id)?.length !== 2_048) t.fail(`no outline at ${where}`);
      if (again.outline(id) === null) t.fail(`no manifest at ${where}`);
    }
    return kept;
  };
  for (let seed = 1; seed <= 5; seed++) {
    let at = 0;
    while (!survives(at, seed)) at += 1;
  }
  t.ok(cuts > 50, `${cuts} cuts`);
  t.end();
});

t.test('what is no music, or cut short, is told as soon as it can be known, and leaves nothing', (t) => {
  const { disk, store } = open();
  const film = store.begin(1_000_000);
  t.throws(() => store.write(film, Buffer.from('ID3\x04not a wav at all, by any means')), {
    code: 'UNSUPPORTED_AUDIO',
  });
  store.abort(film);
  const promising = store.begin(1_000);
  const header = wavOf([chunk('fmt ', fmtBody({ channels: 1 })), chunk('data', new Uint8Array(900), 5_000)], 5_036);
  t.throws(() => store.write(promising, header), { code: 'INCOMPLETE_AUDIO', detail: /promises 5044 bytes, and 1000/ });
  store.abort(promising);
  const short = store.begin(null);
  store.write(short, song(100).subarray(0, 1_000));
  t.throws(() => store.finish(short), { code: 'INCOMPLETE_AUDIO' });
  store.abort(short);
  store.abort(short);
  t.strictSame(namesIn(disk, 'tmp'), []);
  t.strictSame(namesIn(disk, 'tracks'), []);
  t.end();
});

t.test('a file that will not fit beside all that is announced is refused before a byte of it is written', (t) => {
  const disk = new FakeDisk();
  const { store } = open(disk);
  disk.setFreeBytes(FREE_BYTES_MIN + 1_000_000);
  const first = store.begin(600_000);
  t.throws(() => store.begin(600_000), { code: 'DISK_FULL', detail: /600000 more bytes do not fit/ });
  store.abort(first);
  store.abort(store.begin(600_000));
  const unannounced = store.begin(null);
  const file = song(20_000);
  t.throws(
    () => {
      for (let at = 0; at < file.length; at += 100_000) store.write(unannounced, file.subarray(at, at + 100_000));
    },
    { code: 'DISK_FULL' },
  );
  store.close();
  t.strictSame(namesIn(disk, 'tmp'), []);
  t.end();
});

t.test(
  'a disk that is full, or fails, at any moment of an upload leaves nothing half done, and the next try succeeds',
  (t) => {
    const file = noise(3 * 100_000);
    let failures = 0;
    /** Takes the file in on a disk on which the change of number `at` fails once. True where the life was over before. */
    const survives = (at: number, code: 'DISK_FULL' | 'DISK_FAILED', changes: readonly DiskChange[]): boolean => {
      let seen = 0;
      let isArmed = false;
      const disk: FakeDisk = new FakeDisk({
        onChange: ({ change }) => {
          if (isArmed && changes.includes(change) && seen++ === at) disk.failNext(change, { code });
        },
      });
      const { store } = open(disk, { limits: SMALL });
      isArmed = true;
      try {
        take(store, file, 'Song');
      } catch (error) {
        if (!(error instanceof TuttiError) || error.code !== code) throw error;
        failures += 1;
        store.close();
        const left = [...namesIn(disk, 'tmp'), ...namesIn(disk, 'tracks')];
        if (left.length > 0) t.fail(`change ${at} of ${code} leaves ${left}`);
      }
      const isOver = seen <= at;
      isArmed = false;
      const track = take(store, file, 'Song');
      disk.crash(new Prng(at));
      const { store: again, stored } = open(disk, { limits: SMALL });
      if (stored.tracks.length !== 1 || !isSame(bytesOf(again, track), file))
        t.fail(`change ${at} of ${code}: it is not kept`);
      return isOver;
    };
    const full: readonly DiskChange[] = ['create', 'write', 'truncate'];
    for (let at = 0; !survives(at, 'DISK_FULL', full); at++);
    for (let at = 0; !survives(at, 'DISK_FAILED', [...full, 'sync', 'rename', 'syncDirectory']); at++);
    t.ok(failures > 30, `${failures} failures`);
    t.end();
  },
);

t.test('only so many files come in at once', (t) => {
  const { store } = open();
  for (let i = 0; i < INTAKES_MAX; i++) store.begin(null);
  t.throws(() => store.begin(null), { code: 'BUSY' });
  store.close();
  t.equal(store.begin(null), INTAKES_MAX + 1);
  t.throws(() => store.finish(1), { code: 'INCOMPLETE_AUDIO' }, 'what was given up is gone');
  t.end();
});

t.test('a card that gives back other bytes than it took is found out', (t) => {
  const { disk, store } = open();
  const file = song(500);
  const number = store.begin(file.length);
  store.write(number, file);
  store.finish(number);
  // Though the system remembers what it was given.
  disk.flipBit('tmp/1.part', 1_000, 3, { cached: true });
  t.throws(() => store.verify(number, 1e9), { code: 'DISK_FAILED', detail: /other bytes/ });
  t.throws(() => store.keep(number, elsewhere(file).track), { code: 'BAD_REQUEST' }, 'it gets no place');
  store.abort(number);
  t.end();
});

t.test('at the start only whole, described tracks are listed; the rest is told and left alone', (t) => {
  const { disk, store } = open();
  const good = take(store, song(100, 3), 'Good');
  const short = take(store, song(100, 5), 'Short');
  const bare = take(store, song(100, 7), 'Bare');
  const wav = disk.open(trackPath(short.id), 'write');
  wav.truncate(1_000);
  wav.close();
  disk.remove(`tracks/${bare.id}.json`);
  disk.makeDirectory(`tracks/${'0'.repeat(64)}.wav`);
  disk.open('tracks/notes.txt', 'create').close();
  disk.open('tmp/7.part', 'create').close();
  const { stored } = open(disk);
  t.strictSame(stored.tracks, [good]);
  t.equal(stored.problems.length, 2);
  t.strictSame([...stored.leftOut].sort(), [short.id, bare.id].sort());
  t.match(stored.problems.join('\n'), /has 1000 bytes and not 9644/);
  t.match(stored.problems.join('\n'), /no description/);
  t.equal(stored.removedTemporaries, 1);
  t.ok(disk.exists(trackPath(bare.id)));
  t.end();
});

t.test('at the start no file is read, however many there are', (t) => {
  const { disk, store } = open(new FakeDisk(), { limits: SMALL });
  const tracks = Array.from({ length: 50 }, (_, seed) => take(store, noise(500, seed), `${seed}`));
  for (const { id } of tracks) {
    disk.breakPage(trackPath(id), 0);
    disk.breakPage(`tracks/${id}.chunks`, 0);
  }
  t.equal(open(disk).stored.tracks.length, 50);
  t.end();
});

t.test('a track that is removed leaves no file, and reading it says so', (t) => {
  const { disk, store } = open();
  const { id } = take(store, song(100), 'Song');
  store.remove(id);
  store.remove(id);
  t.strictSame(namesIn(disk, 'tracks'), []);
  t.throws(() => store.readChunk(id, 0), { code: 'TRACK_MISSING' });
  t.throws(() => store.peaks(id), { code: 'TRACK_MISSING' });
  t.end();
});

t.test('a file that cannot be given its place leaves nothing, and says why without a path', (t) => {
  const file = song(100);
  const failures = [
    ['rename', 0],
    ['rename', 1],
    ['rename', 2],
    ['rename', 3],
    ['syncDirectory', 0],
    ['syncDirectory', 1],
  ] as const;
  for (const [operation, nth] of failures) {
    for (const code of ['NOT_FOUND', 'DISK_FAILED'] as const) {
      let seen = 0;
      let armed = false;
      const disk: FakeDisk = new FakeDisk({
        onChange: ({ change, path }) => {
          if (armed && change === operation && seen++ === nth) throw new TuttiError(code, `gone: /abs/${path}`);
        },
      });
      const { store } = open(disk);
      const { number, taken } = send(store, file);
      const track = trackFrom(taken, 'Song');
      armed = true;
      const where = `${operation} ${nth} ${code}`;
      t.throws(() => store.keep(number, track), { code: 'DISK_FAILED' }, where);
      armed = false;
      t.strictSame([...namesIn(disk, 'tmp'), ...namesIn(disk, 'tracks')], [], where);
    }
  }
  const { disk, store } = open();
  const track = take(store, file, 'Song');
  disk.failNext('rename', { code: 'NOT_FOUND' });
  t.throws(() => store.describe(track), { code: 'DISK_FAILED', detail: /^a file or directory of the track store/ });
  t.strictSame(namesIn(disk, 'tmp'), []);
  t.ok(disk.exists(trackPath(track.id)));
  t.end();
});

t.test('an outline, a manifest and a description without their WAV are removed at the start', (t) => {
  const { disk, store } = open();
  const { id } = take(store, song(100), 'Song');
  disk.remove(trackPath(id));
  disk.open('tracks/notes.json', 'create').close();
  t.equal(open(disk).stored.removedTemporaries, 3);
  t.strictSame(namesIn(disk, 'tracks'), ['notes.json'], 'what is not ours stays');
  t.end();
});
