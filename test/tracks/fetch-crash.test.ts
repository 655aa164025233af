/**
 * Power cuts, full disks and failing ones at every change of a fetched file's life: afterwards it is held whole and right, or arriving with
 * only right chunks and all of those that had counted, or absent where nothing was promised yet; and it can be fetched to its end.
 */
import t, { type Test } from 'tap';
import { type ErrorCode, TuttiError } from '../../src/core/errors.js';
import { Prng } from '../../src/core/prng.js';
import { type DiskChange, FakeDisk, PowerCut } from '../../src/ports/fake-disk.js';
import { trackPath } from '../../src/tracks/paths.js';
import type { TrackStore } from '../../src/tracks/track-store.js';
import {
  begin,
  bytesOf,
  elsewhere,
  fetchRest,
  fileOf,
  finish,
  indexesOf,
  isSame,
  namesIn,
  noise,
  open as openStore,
  resume,
  SMALL,
  take,
  trackFrom,
} from './support.js';

/** Four chunks of 1,024 bytes to a page, so that what is torn of one page is of several chunks. */
const SOURCE = elsewhere(noise(20_000));
const { id } = SOURCE.track;
/** Power cuts at each change, each leaving something else of what was not synced. */
const SEEDS = 12;

const open = (disk = new FakeDisk()) => openStore(disk, { limits: SMALL });

/** What was promised so far. */
interface Promised {
  has: 'nothing' | 'begun' | 'held';
  chunks: Set<number>;
}

/** One call of a life, and what holds once it has returned. */
type Step = (store: TrackStore, promised: Promised) => void;

const put =
  (index: number): Step =>
  (store, { chunks }) => {
    store.putChunk(id, index, SOURCE.chunk(index));
    chunks.add(index);
  };

const beginFetch: Step = (store, promised) => {
  begin(store, SOURCE);
  promised.has = 'begun';
};

const finishFetch: Step = (store, promised) => {
  finish(store, SOURCE.track);
  promised.has = 'held';
};

const shuffled = new Prng(7);
const ORDER = Array.from({ length: SOURCE.count }, (_, index) => ({ index, at: shuffled.u32() }))
  .toSorted((left, right) => left.at - right.at)
  .map(({ index }) => index);

/** In random order, with one that comes twice and a second fetch on the way. */
const FETCH: readonly Step[] = [
  beginFetch,
  ...ORDER.slice(0, 8).map(put),
  beginFetch,
  put(ORDER[3]!),
  ...ORDER.slice(8).map(put),
  finishFetch,
];

/** A held file is found damaged in two places, and mended. */
const REPAIR: readonly Step[] = [
  (store, promised) => {
    store.quarantine(id, null, 100);
    promised.has = 'begun';
    promised.chunks = new Set(indexesOf(resume(store, SOURCE.track)));
  },
  put(3),
  put(11),
  finishFetch,
];

/** A held file, damaged below the file system. */
function damagedDisk(): FakeDisk {
  const { disk, store } = open();
  fetchRest(store, SOURCE);
  disk.flipBit(trackPath(id), 3 * 1_024 + 5, 1);
  disk.flipBit(trackPath(id), 11 * 1_024 + 500, 7);
  return disk;
}

function wrongAfter(disk: FakeDisk, promised: Promised, isRepair: boolean): string[] {
  const { store, stored } = open(disk);
  const wrong = [...stored.problems];
  const isHeld = store.held().length > 0;
  const isArriving = stored.arriving.length > 0;
  if (isHeld && isArriving) wrong.push('held and arriving at once');
  if (promised.has === 'held' && !isHeld) wrong.push('it is not held any more');
  if (promised.has === 'begun' && !isHeld && !isArriving) wrong.push('it is not here any more');
  const isRight = isHeld && isSame(fileOf(disk, id), SOURCE.file);
  if (isHeld && !isRight && !(isRepair && promised.has === 'nothing')) wrong.push('held and wrong');
  if (isHeld && store.outline(id) === null) wrong.push('held without its manifest');
  if (isArriving) {
    const found = new Set(indexesOf(begin(store, SOURCE)));
    for (const index of promised.chunks) if (!found.has(index)) wrong.push(`chunk ${index} is lost`);
    for (const index of found) {
      if (!isSame(store.readChunk(id, index)!, SOURCE.chunk(index))) wrong.push(`chunk ${index} is wrong`);
    }
  }
  if (isHeld && !isRight) store.quarantine(id, null, 100);
  fetchRest(store, SOURCE);
  if (!isSame(bytesOf(store, SOURCE.track), SOURCE.file)) wrong.push('it cannot be fetched to its end');
  const left = namesIn(disk, 'tmp');
  if (left.length > 0) wrong.push(`left behind: ${left}`);
  return wrong;
}

/** Lives on a disk whose power goes at change `at`, and says what was wrong then; null where the life was over before. */
function cutAt(fresh: FakeDisk, life: readonly Step[], at: number, seed: number): string[] | null {
  const prng = new Prng(seed);
  const disk = fresh.copy();
  const { store } = open(disk);
  const promised: Promised = { has: 'nothing', chunks: new Set() };
  disk.cutPowerAt(disk.changes + at);
  try {
    for (const step of life) step(store, promised);
    return null;
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  disk.crash(prng);
  // Every other time it goes once more while the node comes up.
  if (seed % 2 === 1) {
    disk.cutPowerAt(disk.changes + prng.below(10));
    try {
      begin(open(disk).store, SOURCE);
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
    disk.crash(prng);
  }
  return wrongAfter(disk, promised, life === REPAIR);
}

/**
 * The process is killed at change `at` while the machine lives, so that what it wrote is in the cache; it starts again, and says what is
 * here; then the power goes. What it said must still be so.
 */
function killAt(life: readonly Step[], at: number): string[] | null {
  const disk = new FakeDisk();
  const { store } = open(disk);
  disk.cutPowerAt(disk.changes + at);
  try {
    for (const step of life) step(store, { has: 'nothing', chunks: new Set() });
    return null;
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  disk.killProcess();
  const promised: Promised = { has: 'nothing', chunks: new Set() };
  const again = open(disk);
  if (again.stored.arriving.length > 0) {
    beginFetch(again.store, promised);
    promised.chunks = new Set(indexesOf(resume(again.store, SOURCE.track)));
  }
  if (again.store.held().length > 0) promised.has = 'held';
  const wrong: string[] = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    const dark = disk.copy();
    dark.crash(new Prng(seed));
    wrong.push(...wrongAfter(dark, promised, false));
  }
  return wrong;
}

function cutEverywhere(t: Test, fresh: FakeDisk, life: readonly Step[]): void {
  let cuts = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    for (let at = 0; ; at++) {
      const wrong = cutAt(fresh, life, at, seed);
      if (wrong === null) break;
      cuts += 1;
      for (const what of wrong) t.fail(`change ${at}, seed ${seed}: ${what}`);
    }
  }
  t.ok(cuts > SEEDS * 20, `${cuts} power cuts`);
}

t.test('a power cut at any moment of a fetch loses nothing that had counted', (t) => {
  cutEverywhere(t, new FakeDisk(), FETCH);
  t.end();
});

t.test('what is said to be here after the process was killed is here also when the power goes then', (t) => {
  let kills = 0;
  for (let at = 0; ; at++) {
    const wrong = killAt(FETCH, at);
    if (wrong === null) break;
    kills += 1;
    for (const what of wrong) t.fail(`change ${at}: ${what}`);
  }
  t.ok(kills > 50, `${kills} kills`);
  t.end();
});

t.test('a power cut at any moment of a repair neither', (t) => {
  cutEverywhere(t, damagedDisk(), REPAIR);
  t.end();
});

t.test('a power cut while the same file arrives and is sent leaves what had counted', (t) => {
  const life: Step[] = [
    beginFetch,
    ...ORDER.slice(0, 8).map(put),
    (store, promised) => {
      take(store, SOURCE.file, 'Sent');
      promised.has = 'held';
    },
  ];
  cutEverywhere(t, new FakeDisk(), life);
  t.end();
});

/** Lives on a disk on which the call before change `at` fails once; the step is then taken again. Null where the life was over before. */
function failAt(fresh: FakeDisk, life: readonly Step[], at: number, init: { code: ErrorCode; changes: DiskChange[] }) {
  let seen = 0;
  let isArmed = false;
  const disk: FakeDisk = fresh.copy({
    seed: at,
    onChange: ({ change }) => {
      if (isArmed && init.changes.includes(change) && seen++ === at) disk.failNext(change, { code: init.code });
    },
  });
  const { store } = open(disk);
  const promised: Promised = { has: 'nothing', chunks: new Set() };
  const wrong: string[] = [];
  isArmed = true;
  for (const step of life) {
    try {
      step(store, promised);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      if (error.code !== init.code) wrong.push(`it says ${error.code}`);
      if (promised.has === 'nothing' && life === FETCH && namesIn(disk, 'tmp').length > 0) wrong.push('half begun');
      if (namesIn(disk, 'tracks').length > 0 && life === FETCH) wrong.push('half held');
      step(store, promised);
    }
  }
  if (seen <= at) return null;
  disk.crash(new Prng(at));
  return [...wrong, ...wrongAfter(disk, promised, false)];
}

t.test('a disk that is full at any moment of a fetch leaves nothing half done, and the next try goes on', (t) => {
  for (const [name, fresh, life] of [
    ['fetch', new FakeDisk(), FETCH],
    ['repair', damagedDisk(), REPAIR],
  ] as const) {
    let failures = 0;
    for (let at = 0; ; at++) {
      const changes: DiskChange[] = ['create', 'write', 'allocate', 'truncate'];
      const wrong = failAt(fresh, life, at, { code: 'DISK_FULL', changes });
      if (wrong === null) break;
      failures += 1;
      for (const what of wrong) t.fail(`${name}, change ${at}: ${what}`);
    }
    t.ok(failures > 10, `${failures} failures`);
  }
  t.end();
});

t.test('a disk that fails once at any moment is as good as one that did not, once it is asked again', (t) => {
  let failures = 0;
  for (let at = 0; ; at++) {
    const changes: DiskChange[] = ['create', 'write', 'allocate', 'truncate', 'sync', 'rename', 'syncDirectory'];
    const wrong = failAt(new FakeDisk(), FETCH, at, { code: 'DISK_FAILED', changes });
    if (wrong === null) break;
    failures += 1;
    for (const what of wrong) t.fail(`change ${at}: ${what}`);
  }
  t.ok(failures > 50, `${failures} failures`);
  t.end();
});

t.test('what is held under the name that an upload gave stays so when the power goes after', (t) => {
  const { disk, store } = open();
  const number = store.begin(SOURCE.file.length);
  store.write(number, SOURCE.file);
  store.finish(number);
  store.keep(number, trackFrom(store.verify(number, 1e9)!, 'Sent'));
  disk.crash(new Prng(3));
  t.equal(open(disk).stored.tracks[0]!.title, 'Sent');
  t.end();
});

t.test('a file that was cut short is not held for its size while it is made whole again', (t) => {
  /** A card on which the file lies in its place, described, and half as long as it was: it is left out at the start. */
  const shortened = (): FakeDisk => {
    const { disk, store } = open();
    begin(store, SOURCE);
    fetchRest(store, SOURCE);
    finish(store, SOURCE.track);
    const file = disk.open(trackPath(id), 'write');
    file.truncate(SOURCE.track.bytes / 2);
    file.sync();
    file.close();
    return disk;
  };
  const whole = open(shortened());
  t.same(whole.stored.tracks, [], 'it is left out');
  const before = whole.disk.changes;
  begin(whole.store, SOURCE);
  const changes = whole.disk.changes - before;
  for (let cut = 0; cut <= changes; cut++) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { disk, store } = open(shortened());
      disk.cutPowerAt(disk.changes + cut);
      try {
        begin(store, SOURCE);
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
      }
      disk.crash(new Prng(seed));
      const after = open(disk);
      if (after.stored.tracks.length === 0) continue;
      if (!isSame(bytesOf(after.store, SOURCE.track), SOURCE.file))
        t.fail(`cut ${cut}, seed ${seed}: it is held, and wrong`);
    }
  }
  t.end();
});
