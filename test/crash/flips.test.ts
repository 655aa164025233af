/** What a card does to data at rest: bits that flip, pages that cannot be read, reads that go astray. */
import t from 'tap';
import { Prng } from '../../src/core/prng.js';
import type { FakeDisk } from '../../src/ports/fake-disk.js';
import { PAGE_BYTES } from '../../src/storage/limits.js';
import { Store, type StoreLimits } from '../../src/storage/store.js';
import { ballot, boot, complaints, type Model, SMALL, work } from '../storage/support.js';
import { Run } from './points.js';
import { SCRIPT_GROUPS } from './scripts.js';

interface Scene {
  readonly name: string;
  readonly disk: FakeDisk;
  readonly model: Model;
  readonly limits: StoreLimits;
}

/** What the scripts leave behind, in peace. */
const SCENES: readonly Scene[] = SCRIPT_GROUPS.flat().map(({ name, limits, before, body }) => {
  const run = new Run({ ...SMALL, ...limits });
  if (before) before(run);
  else {
    run.format();
    run.open();
  }
  body(run);
  run.store.close();
  const disk = run.disk.copy();
  return { name, disk, model: run.model, limits: run.limits };
});

/** Pages of log and ring that are not zeros: those in which damage can be seen. */
function livePages(disk: FakeDisk): { readonly path: string; readonly offset: number }[] {
  const pages: { readonly path: string; readonly offset: number }[] = [];
  for (const { name, size } of disk.list('consensus')) {
    if (!/^(log|identifiers)/.test(name)) continue;
    const path = `consensus/${name}`;
    const file = disk.open(path, 'read');
    const page = new Uint8Array(PAGE_BYTES);
    for (let offset = 0; offset < size; offset += PAGE_BYTES) {
      file.read(page, offset);
      if (page.some((byte) => byte !== 0)) pages.push({ path, offset });
    }
    file.close();
  }
  return pages;
}

/** What is wrong with the store on a damaged disk: what is neither there nor unknown. */
function judge({ model, limits }: Scene, disk: FakeDisk, init: { readonly ballots: boolean }): string[] {
  const store = Store.open(disk, { bootId: boot(900) }, limits);
  const wrong = complaints(store, model, null, { mayBeUnknown: true, mayLoseBallots: !init.ballots });
  for (const { slot, ballot } of store.recovered.unknown) {
    const was = model.records.get(slot)?.ballot;
    if (init.ballots && ballot?.round !== was?.round)
      wrong.push(`slot ${slot} unknown at ${ballot?.round}, was ${was?.round}`);
  }
  store.close();
  return wrong;
}

t.setTimeout(120_000);

t.test(
  'a bit that flips in log or ring makes nothing worse than unknown, with the ballot it was accepted under',
  (t) => {
    const wrong: string[] = [];
    let unknown = 0;
    for (const scene of SCENES) {
      for (const [index, { path, offset }] of livePages(scene.disk).entries()) {
        const prng = new Prng(index);
        for (let sample = 0; sample < 10; sample++) {
          const disk = scene.disk.copy();
          // Most of a page can be empty: every other flip is where something surely is.
          disk.flipBit(path, offset + prng.below(sample % 2 === 0 ? 48 : PAGE_BYTES), prng.below(8));
          disk.crash(prng);
          const again = disk.copy();
          for (const complaint of judge(scene, disk, { ballots: true }))
            wrong.push(`${scene.name}: ${path}: ${complaint}`);
          const store = Store.open(again, { bootId: boot(901) }, scene.limits);
          unknown += store.recovered.unknown.length;
          store.close();
        }
      }
    }
    t.same(wrong.slice(0, 5), []);
    t.ok(unknown > 100, `${unknown} slots were unknown: the flips were felt`);
    t.end();
  },
);

t.test('a page that cannot be read is no worse than one that is damaged', (t) => {
  const wrong: string[] = [];
  for (const scene of SCENES) {
    for (const { path, offset } of livePages(scene.disk)) {
      const disk = scene.disk.copy();
      disk.breakPage(path, offset);
      for (const complaint of judge(scene, disk, { ballots: true })) wrong.push(`${scene.name}: ${path}: ${complaint}`);
    }
  }
  t.same(wrong.slice(0, 5), []);
  t.end();
});

t.test('two pages that are damaged at once lose nothing silently', (t) => {
  const wrong: string[] = [];
  for (const scene of SCENES) {
    const pages = livePages(scene.disk);
    for (const [index, first] of pages.entries()) {
      for (const second of pages.slice(index + 1)) {
        const disk = scene.disk.copy();
        for (const { path, offset } of [first, second]) disk.breakPage(path, offset);
        for (const complaint of judge(scene, disk, { ballots: false })) {
          wrong.push(`${scene.name}: ${first.path} ${first.offset}, ${second.path} ${second.offset}: ${complaint}`);
        }
      }
    }
  }
  t.same(wrong.slice(0, 5), []);
  t.end();
});

t.test('a whole file of log or ring that is gone loses nothing silently', (t) => {
  const wrong: string[] = [];
  for (const scene of SCENES) {
    for (const { name } of scene.disk.list('consensus').filter(({ name }) => /^(log|identifiers)/.test(name))) {
      const disk = scene.disk.copy();
      disk.remove(`consensus/${name}`);
      for (const complaint of judge(scene, disk, { ballots: false }))
        wrong.push(`${scene.name}: ${name}: ${complaint}`);
    }
  }
  t.same(wrong.slice(0, 5), []);
  t.end();
});

t.test('one read that goes astray while recovering changes nothing', (t) => {
  const wrong: string[] = [];
  let reads = 0;
  for (const scene of SCENES) {
    for (let after = 0; after < 40; after++) {
      const disk = scene.disk.copy();
      disk.misdirectReads(1, after);
      const store = Store.open(disk, { bootId: boot(900) }, scene.limits);
      reads++;
      for (const complaint of complaints(store, scene.model, null))
        wrong.push(`${scene.name}: read ${after}: ${complaint}`);
      store.close();
    }
  }
  t.same(wrong.slice(0, 5), []);
  t.comment(`${reads} reads`);
  t.end();
});

t.test(
  'one damaged copy of the superblock, and a power cut in the middle of its next write, leave it readable',
  (t) => {
    const wrong: string[] = [];
    // Over many sectors, so that a copy can be torn.
    const configuration = new Uint8Array(3_000).fill(5);
    const [scene] = SCENES.filter(({ name }) => name === 'promises alone');
    const { size } = scene!.disk.list('consensus').find(({ name }) => name === 'superblock-a')!;
    const copies = ['superblock-a', 'superblock-b'].flatMap((name) =>
      [0, size - (128 << 10)].map((offset) => ({ path: `consensus/${name}`, offset })),
    );
    for (const [index, { path, offset }] of copies.entries()) {
      for (let cut = 0; cut < 12; cut++) {
        for (let seed = 0; seed < 40; seed++) {
          const disk = scene!.disk.copy();
          const store = Store.open(disk, { bootId: boot(800) }, SMALL);
          disk.flipBit(path, offset + 30, 3, { cached: true });
          disk.cutPowerAt(disk.changes + cut);
          let isAcknowledged = false;
          try {
            store.commit([work({ promised: ballot(50), configuration })]);
            isAcknowledged = true;
          } catch {
            // The power went.
          }
          disk.crash(new Prng(seed));
          const state = Store.inspect(disk);
          if (state !== 'formatted') wrong.push(`copy ${index}, cut at ${cut}: ${state}`);
          else {
            const again = Store.open(disk, { bootId: boot(801) }, SMALL);
            const { round } = again.recovered.promised;
            if (round < (isAcknowledged ? 50 : 6)) wrong.push(`copy ${index}, cut at ${cut}: promised ${round}`);
            again.close();
          }
        }
      }
    }
    t.same(wrong.slice(0, 5), []);
    t.end();
  },
);
