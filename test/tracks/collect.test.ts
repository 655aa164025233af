/** What nobody wants goes, and nothing else: files without a track, parts of files, and what was left out at the start. */
import fc from 'fast-check';
import t from 'tap';
import { Prng } from '../../src/core/prng.js';
import { FakeDisk, PowerCut } from '../../src/ports/fake-disk.js';
import { partPath, trackPath } from '../../src/tracks/paths.js';
import {
  begin,
  bytesOf,
  elsewhere,
  fetchRest,
  fileOf,
  idOf,
  isSame,
  namesIn,
  noise,
  open as openStore,
  SMALL,
  send,
  take,
  trackFrom,
} from './support.js';

const IDLE_MS = 3_600_000;
const open = (disk = new FakeDisk()) => openStore(disk, { limits: SMALL });

t.test(
  'what lies here and nobody has wanted for long is told, held, arriving or left out, and goes when it is told to',
  (t) => {
    const disk = new FakeDisk();
    const before = open(disk);
    const [held, arriving, rotten] = [noise(900, 1), noise(900, 2), noise(900, 3)];
    take(before.store, held, 'Held');
    begin(before.store, elsewhere(arriving));
    take(before.store, rotten, 'Rotten');
    disk.remove(`tracks/${idOf(rotten)}.json`);
    const { store, time } = open(disk);
    time.advance(IDLE_MS - 1);
    t.strictSame(store.idle(IDLE_MS), []);
    t.notOk(store.collect(idOf(held), IDLE_MS));
    time.advance(1);
    const all = [held, arriving, rotten].map(idOf);
    t.strictSame(new Set(store.idle(IDLE_MS)), new Set(all));
    for (const id of all) t.ok(store.collect(id, IDLE_MS));
    t.strictSame(store.idle(0), []);
    t.strictSame([...namesIn(disk, 'tracks'), ...namesIn(disk, 'tmp')], []);
    t.ok(store.collect(all[0]!, IDLE_MS), 'what is not here is gone');
    t.end();
  },
);

t.test('whoever comes for a file while it is about to be collected keeps it', (t) => {
  const source = elsewhere(noise(3_000));
  const { id } = source.track;
  type Made = ReturnType<typeof open>;
  const comes: Record<string, (made: Made) => void> = {
    'an upload of the same bytes': ({ store }) => take(store, source.file, 'Again'),
    'an offer of it': ({ store }) => begin(store, source),
    'a fetch that finds it whole': ({ store }) => t.ok(store.finishFetch(id, 100)),
    'an entry that names it': ({ store }) => store.describe(source.track),
    'a peer that asks for its manifest': ({ store }) => store.outline(id),
    'a peer that asks for a chunk': ({ store }) => store.readChunk(id, 3),
  };
  for (const [who, come] of Object.entries(comes)) {
    const made = open();
    const { store, time, disk } = made;
    fetchRest(store, source);
    time.advance(IDLE_MS);
    t.strictSame(store.idle(IDLE_MS), [id], who);
    come(made);
    t.notOk(store.collect(id, IDLE_MS), who);
    t.strictSame(store.idle(IDLE_MS), [], who);
    t.ok(isSame(bytesOf(store, source.track), source.file), who);
    time.advance(IDLE_MS);
    t.ok(store.collect(id, IDLE_MS), `${who}, once it was long ago`);
    t.notOk(disk.exists(trackPath(id)), who);
  }
  t.end();
});

t.test('a part of a file goes on while chunks come, and its chunks count until it is collected', (t) => {
  const { store, time, disk } = open();
  const source = elsewhere(noise(3_000));
  const { id } = source.track;
  begin(store, source);
  for (const index of [0, 1, 2]) {
    time.advance(IDLE_MS - 1);
    store.putChunk(id, index, source.chunk(index));
    t.notOk(store.collect(id, IDLE_MS));
  }
  time.advance(IDLE_MS);
  t.ok(store.collect(id, IDLE_MS));
  t.throws(() => store.putChunk(id, 3, source.chunk(3)), { code: 'TRACK_MISSING' });
  t.notOk(disk.exists(partPath(id)));
  fetchRest(store, source);
  t.ok(isSame(bytesOf(store, source.track), source.file), 'it is fetched anew');
  t.end();
});

t.test('who scrubs a file does not want it', (t) => {
  const { store, time } = open();
  const source = elsewhere(noise(3_000));
  fetchRest(store, source);
  time.advance(IDLE_MS);
  store.scrubStep(1e9);
  t.ok(store.collect(source.track.id, IDLE_MS));
  t.end();
});

t.test('an upload that is on its way while the same file is collected finds its place', (t) => {
  const { store, time, disk } = open();
  const file = noise(3_000);
  take(store, file, 'First');
  time.advance(IDLE_MS);
  const { number, taken } = send(store, file);
  t.ok(store.collect(taken.id, IDLE_MS));
  const track = trackFrom(taken, 'Second');
  store.keep(number, track);
  t.notOk(store.collect(taken.id, IDLE_MS));
  t.strictSame(open(disk).stored.tracks, [track]);
  t.end();
});

t.test('a card that fails while a file is collected says so, and the file goes later or is whole', (t) => {
  const source = elsewhere(noise(3_000));
  const { id } = source.track;
  const disk = new FakeDisk();
  const { store, time } = open(disk);
  fetchRest(store, source);
  time.advance(IDLE_MS);
  disk.failNext('remove', { code: 'DISK_FAILED' });
  t.throws(() => store.collect(id, IDLE_MS), { code: 'DISK_FAILED' });
  const again = open(disk);
  again.time.advance(IDLE_MS);
  for (const idle of again.store.idle(IDLE_MS)) t.ok(again.store.collect(idle, IDLE_MS));
  t.strictSame([...namesIn(disk, 'tracks'), ...namesIn(disk, 'tmp')], []);
  t.end();
});

t.test('a power cut while a file is collected leaves it whole or gone', (t) => {
  const source = elsewhere(noise(3_000));
  const { id } = source.track;
  let cuts = 0;
  const cutAt = (at: number, seed: number): boolean => {
    const disk = new FakeDisk();
    const { store, time } = open(disk);
    fetchRest(store, source);
    time.advance(IDLE_MS);
    disk.cutPowerAt(disk.changes + at);
    try {
      store.collect(id, IDLE_MS);
      return false;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
    cuts += 1;
    disk.crash(new Prng(seed));
    const { store: after, stored } = open(disk);
    const where = `change ${at}, seed ${seed}`;
    if (stored.tracks.length === 1 && !isSame(fileOf(disk, id), source.file)) t.fail(`torn at ${where}`);
    fetchRest(after, source);
    if (!isSame(fileOf(disk, id), source.file)) t.fail(`it does not come back after ${where}`);
    if (namesIn(disk, 'tmp').length > 0) t.fail(`left behind at ${where}`);
    return true;
  };
  for (let seed = 0; seed < 8; seed++) for (let at = 0; cutAt(at, seed); at++);
  t.ok(cuts >= 8 * 5, `${cuts} cuts`);
  t.end();
});

t.test('in whatever order files are sent, fetched, asked for and collected, only what nobody wanted goes', (t) => {
  const sources = [1, 2, 3].map((seed) => elsewhere(noise(400, seed)));
  const doing = fc.record({
    which: fc.nat({ max: 2 }),
    what: fc.constantFrom('take', 'begin', 'fetch', 'put', 'outline', 'collect' as const),
    waitMs: fc.constantFrom(0, 1, IDLE_MS / 2, IDLE_MS),
  });
  fc.assert(
    fc.property(fc.array(doing, { maxLength: 40 }), (steps) => {
      const { store, time, disk } = open();
      /** Since when nobody wants what is here. */
      const idleMs = new Map<number, number>();
      const isHere = (which: number) => {
        const { id } = sources[which]!.track;
        return disk.exists(trackPath(id)) || disk.exists(partPath(id));
      };
      for (const { which, what, waitMs } of steps) {
        time.advance(waitMs);
        for (const [other, ms] of idleMs) idleMs.set(other, ms + waitMs);
        const source = sources[which]!;
        const { id } = source.track;
        if (what === 'collect') {
          const expected = idleMs.has(which) && idleMs.get(which)! >= IDLE_MS;
          if (isHere(which) && store.collect(id, IDLE_MS) !== expected) return false;
          if (isHere(which) !== (idleMs.has(which) && !expected)) return false;
          if (expected) idleMs.delete(which);
          continue;
        }
        const isThere = idleMs.has(which);
        if (what === 'take') take(store, source.file, 'Sent');
        else if (what === 'begin') begin(store, source);
        else if (what === 'fetch') fetchRest(store, source);
        else if (isThere && what === 'outline') store.outline(id);
        else if (isThere && disk.exists(partPath(id))) store.putChunk(id, 0, source.chunk(0));
        else continue;
        idleMs.set(which, 0);
      }
      const idle = new Set(store.idle(IDLE_MS));
      return [0, 1, 2].every((which) => idle.has(sources[which]!.track.id) === (idleMs.get(which) ?? -1) >= IDLE_MS);
    }),
    { seed: 5, numRuns: 200 },
  );
  t.pass();
  t.end();
});
