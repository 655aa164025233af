/** FakeDisk loses, tears and reorders exactly what was not synced, and what it does is the same at every run. */
import fc from 'fast-check';
import t from 'tap';
import { InvariantError } from '../../src/core/assert.js';
import { Prng } from '../../src/core/prng.js';
import type { Disk } from '../../src/ports/disk.js';
import { type DiskChangeInfo, FakeDisk, PAGE_BYTES, PowerCut, SECTOR_BYTES } from '../../src/ports/fake-disk.js';
import { contents, get, put } from '../contract/disk.js';
import { codeOf } from '../contract/support.js';

/** Enough crashes for every outcome with a chance of some per cent to be seen; the seeds make it the same at every run. */
const SEEDS = Array.from({ length: 300 }, (_, seed) => seed);

/** What `look` finds after each of many crashes of a disk on which `script` ran, with how often. */
function outcomes(script: (disk: FakeDisk) => void, look: (disk: FakeDisk) => string): Map<string, number> {
  const found = new Map<string, number>();
  for (const seed of SEEDS) {
    const disk = new FakeDisk({ seed });
    script(disk);
    disk.crash(new Prng(seed));
    const outcome = look(disk);
    found.set(outcome, (found.get(outcome) ?? 0) + 1);
  }
  return found;
}

const seen = (found: Map<string, number>): string[] => [...found.keys()].sort();

/** The text of a file, or that there is none. */
const look = (path: string) => (disk: Disk) => (disk.exists(path) ? get(disk, path) : '(none)');

function putDurably(disk: Disk, path: string, text: string): void {
  put(disk, path, text);
  const file = disk.open(path, 'write');
  file.sync();
  file.close();
  disk.syncDirectory(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
}

t.test('what was synced, with the names on its path, survives every crash', (t) => {
  const found = outcomes((disk) => {
    disk.makeDirectory('d/e');
    disk.syncDirectory('');
    disk.syncDirectory('d');
    putDurably(disk, 'd/e/a', 'safe');
  }, look('d/e/a'));
  t.same(seen(found), ['safe']);
  t.end();
});

t.test('a name is lost unless its directory was synced, and with it all that is below', (t) => {
  t.same(
    seen(
      outcomes((disk) => {
        const file = disk.open('a', 'create');
        file.write(Uint8Array.of(97), 0);
        file.sync();
      }, look('a')),
    ),
    ['(none)', 'a'],
    'a synced file may have no name',
  );
  t.same(
    seen(
      outcomes((disk) => {
        disk.makeDirectory('d');
        putDurably(disk, 'd/a', 'x');
      }, look('d/a')),
    ),
    ['(none)', 'x'],
    'a synced name may be in a directory that is lost',
  );
  t.end();
});

t.test('contents that were not synced are there, or not, or in parts, page by page', (t) => {
  const found = outcomes(
    (disk) => {
      putDurably(disk, 'a', 'o'.repeat(3 * PAGE_BYTES));
      disk.open('a', 'write').write(new Uint8Array(3 * PAGE_BYTES).fill(110), 0);
    },
    (disk) => {
      const text = get(disk, 'a');
      const page = (i: number) => {
        const sectors = [];
        for (let at = i * PAGE_BYTES; at < (i + 1) * PAGE_BYTES; at += SECTOR_BYTES) {
          const kinds = new Set(text.slice(at, at + SECTOR_BYTES));
          if (kinds.size !== 1) return 'mixed within a sector';
          sectors.push(...kinds);
        }
        const kinds = new Set(sectors);
        return kinds.size > 1 ? 'torn' : [...kinds][0];
      };
      return `${text.length} ${page(0)} ${page(1)} ${page(2)}`;
    },
  );
  const pages = ['n', 'o', 'torn'];
  const all = pages.flatMap((a) => pages.flatMap((b) => pages.map((c) => `${3 * PAGE_BYTES} ${a} ${b} ${c}`)));
  const missing = all.filter((outcome) => !found.has(outcome) && !outcome.includes('torn'));
  t.same(missing, [], 'every mixture of old and new pages is seen, also a later one without those before it');
  t.same(
    seen(found).filter((outcome) => !all.includes(outcome)),
    [],
    'and nothing else',
  );
  for (const i of [1, 2, 3]) {
    t.ok(
      seen(found).some((outcome) => outcome.split(' ')[i] === 'torn'),
      `page ${i} is torn at times, at its sectors`,
    );
  }
  t.end();
});

t.test('of several writes to a page any may be the last that reached the medium', (t) => {
  const found = outcomes((disk) => {
    putDurably(disk, 'a', '0');
    const file = disk.open('a', 'write');
    for (const digit of [49, 50, 51]) file.write(Uint8Array.of(digit), 0);
  }, look('a'));
  t.same(seen(found), ['0', '1', '2', '3']);
  t.end();
});

t.test('a file that grew has its old size, its new one or a page’s end between, and never foreign bytes', (t) => {
  const grown = 3 * PAGE_BYTES + 5;
  const found = outcomes(
    (disk) => {
      putDurably(disk, 'a', 'x'.repeat(10));
      disk.open('a', 'write').write(new Uint8Array(grown - 10).fill(121), 10);
    },
    (disk) => {
      const text = get(disk, 'a');
      if (!/^x{10}[y\0]*$/.test(text)) t.fail(`foreign bytes: ${text.slice(0, 20)}`);
      return String(text.length);
    },
  );
  const sizes = [10, PAGE_BYTES, 2 * PAGE_BYTES, 3 * PAGE_BYTES, grown];
  t.same(seen(found), sizes.map(String).toSorted());
  t.end();
});

t.test('what truncate cut off does not come back when the file grows again', (t) => {
  for (const seed of SEEDS) {
    const disk = new FakeDisk();
    putDurably(disk, 'a', 'x'.repeat(2 * PAGE_BYTES));
    const file = disk.open('a', 'write');
    file.truncate(100);
    if (seed % 2 === 0) file.sync();
    disk.crash(new Prng(seed));
    const again = disk.open('a', 'write');
    const size = again.size();
    if (size !== 100 && (seed % 2 === 0 || size !== 2 * PAGE_BYTES)) t.fail(`seed ${seed}: size ${size}`);
    if (size !== 100) again.truncate(100);
    again.truncate(2 * PAGE_BYTES);
    const tail = contents(again).subarray(100);
    if (tail.some((byte) => byte !== 0)) t.fail(`seed ${seed}: old bytes came back`);
  }
  t.end();
});

t.test('a rename is whole: the old file or the new one, and never both names or none', (t) => {
  const found = outcomes(
    (disk) => {
      putDurably(disk, 'a', 'old');
      putDurably(disk, 'a.new', 'new');
      disk.rename('a.new', 'a');
    },
    (disk) => `${look('a')(disk)} ${look('a.new')(disk)}`,
  );
  t.same(seen(found), ['new (none)', 'old new']);
  t.end();
});

t.test('a rename before the contents are synced may leave an empty or torn file under the name', (t) => {
  const found = outcomes((disk) => {
    putDurably(disk, 'a', 'old');
    put(disk, 'a.new', 'new');
    disk.rename('a.new', 'a');
    disk.syncDirectory('');
  }, look('a'));
  t.ok(found.has(''), 'the classic loss is seen');
  t.ok(found.has('new'));
  t.notOk(found.has('old'));
  t.end();
});

t.test('what was done to one name is lost from some point on, never from the middle', (t) => {
  const found = outcomes(
    (disk) => {
      for (const text of ['1', '2', '3']) {
        const file = disk.open('a', 'create');
        file.write(Buffer.from(text), 0);
        file.sync();
        file.close();
        disk.rename('a', 'b');
      }
    },
    (disk) => `${look('a')(disk)} ${look('b')(disk)}`,
  );
  t.same(seen(found), ['(none) (none)', '(none) 1', '(none) 2', '(none) 3', '1 (none)', '2 1', '3 2']);
  t.end();
});

t.test('names that have nothing to do with one another are lost independently', (t) => {
  const found = outcomes(
    (disk) => {
      for (const name of ['a', 'b']) disk.open(name, 'create').close();
    },
    (disk) =>
      disk
        .list('')
        .map(({ name }) => name)
        .join(''),
  );
  t.same(seen(found), ['', 'a', 'ab', 'b']);
  t.end();
});

t.test('what a file certainly has is what every crash leaves of it', (t) => {
  const script = (disk: FakeDisk) => {
    disk.makeDirectory('a');
    disk.syncDirectory('');
    putDurably(disk, 'a/kept', 'kept');
    putDurably(disk, 'a/changed', 'old');
    put(disk, 'a/changed', 'new');
    putDurably(disk, 'a/grown', 'old');
    const grown = disk.open('a/grown', 'write');
    grown.truncate(10);
    grown.close();
    putDurably(disk, 'a/removed', 'old');
    disk.remove('a/removed');
    put(disk, 'a/unnamed', 'synced');
    disk.open('a/unnamed', 'write').sync();
  };
  const disk = new FakeDisk();
  script(disk);
  t.equal(Buffer.from(disk.certain('a/kept')!).toString(), 'kept');
  for (const path of ['a/changed', 'a/grown', 'a/removed', 'a/unnamed', 'a/never', 'b/never']) {
    t.equal(disk.certain(path), null, path);
  }
  t.same(seen(outcomes(script, look('a/kept'))), ['kept']);
  for (const path of ['a/changed', 'a/grown', 'a/removed', 'a/unnamed']) {
    t.ok(outcomes(script, look(path)).size > 1, `${path} depends on chance`);
  }
  disk.syncDirectory('a');
  t.equal(Buffer.from(disk.certain('a/unnamed')!).toString(), 'synced', 'once its name is synced too');
  disk.flipBit('a/kept', 0, 0);
  t.equal(Buffer.from(disk.certain('a/kept')!).toString(), 'jept', 'what the medium has lost counts as it is');
  t.end();
});

t.test('a rename between directories is durable once the one that it went to is synced', (t) => {
  const script = (synced: string) => (disk: FakeDisk) => {
    disk.makeDirectory('from');
    disk.makeDirectory('to');
    disk.syncDirectory('');
    putDurably(disk, 'from/a', 'x');
    disk.rename('from/a', 'to/a');
    disk.syncDirectory(synced);
  };
  const both = (disk: FakeDisk) => `${look('from/a')(disk)} ${look('to/a')(disk)}`;
  t.same(seen(outcomes(script('to'), both)), ['(none) x']);
  t.same(seen(outcomes(script('from'), both)), ['(none) x', 'x (none)']);
  const neverSyncedBefore = (disk: FakeDisk) => {
    disk.makeDirectory('from');
    disk.makeDirectory('to');
    disk.syncDirectory('');
    const file = disk.open('from/a', 'create');
    file.write(Buffer.from('x'), 0);
    file.sync();
    disk.rename('from/a', 'to/a');
    disk.syncDirectory('to');
  };
  t.same(seen(outcomes(neverSyncedBefore, both)), ['(none) x'], 'and takes with it what was done to the name before');
  t.end();
});

t.test('a removed file is gone for certain only when its directory was synced', (t) => {
  const script = (synced: boolean) => (disk: FakeDisk) => {
    putDurably(disk, 'a', 'x');
    disk.remove('a');
    if (synced) disk.syncDirectory('');
  };
  t.same(seen(outcomes(script(false), look('a'))), ['(none)', 'x']);
  t.same(seen(outcomes(script(true), look('a'))), ['(none)']);
  t.end();
});

t.test('after a sync that failed, one that succeeds proves nothing', (t) => {
  const found = outcomes((disk) => {
    putDurably(disk, 'a', 'o');
    disk.failNext('sync');
    const file = disk.open('a', 'write');
    file.write(Buffer.from('n'), 0);
    t.equal(
      codeOf(() => file.sync()),
      'DISK_FAILED',
    );
    t.equal(get(disk, 'a'), 'n', 'reads show what was written');
    file.sync();
  }, look('a'));
  t.same(seen(found), ['n', 'o']);
  const sizes = outcomes((disk) => {
    putDurably(disk, 'a', 'o');
    disk.failNext('sync');
    const file = disk.open('a', 'write');
    file.write(Buffer.from('on'), 0);
    codeOf(() => file.sync());
    file.sync();
  }, look('a'));
  t.same(seen(sizes), ['o', 'o\0', 'on'], 'of a size neither');
  const names = outcomes(
    (disk) => {
      disk.failNext('syncDirectory');
      disk.open('a', 'create').close();
      t.equal(
        codeOf(() => disk.syncDirectory('')),
        'DISK_FAILED',
      );
      disk.syncDirectory('');
    },
    (disk) => String(disk.exists('a')),
  );
  t.same(seen(names), ['false', 'true'], 'of a directory neither');
  t.end();
});

t.test('a write that fails leaves a part of it', (t) => {
  const sizes = new Set<number>();
  for (const seed of SEEDS) {
    const disk = new FakeDisk({ seed });
    disk.failNext('write', { code: 'DISK_FULL' });
    const file = disk.open('a', 'create');
    t.equal(
      codeOf(() => file.write(new Uint8Array(10).fill(1), 0)),
      'DISK_FULL',
    );
    sizes.add(file.size());
    file.write(Uint8Array.of(1), 0);
  }
  t.same(
    [...sizes].sort((a, b) => a - b),
    Array.from({ length: 11 }, (_, size) => size),
  );
  t.end();
});

t.test('failures that a test plans come in their order, each once, and change nothing else', (t) => {
  const disk = new FakeDisk();
  put(disk, 'a', 'x');
  disk.failNext('open', { times: 2 });
  disk.failNext('remove', { code: 'DISK_FULL' });
  disk.failNext('read');
  disk.failNext('list');
  disk.failNext('rename');
  t.same(
    [() => disk.open('a', 'read'), () => disk.open('a', 'read'), () => disk.remove('a'), () => disk.list('')].map(
      codeOf,
    ),
    ['DISK_FAILED', 'DISK_FAILED', 'DISK_FULL', 'DISK_FAILED'],
  );
  t.equal(
    codeOf(() => disk.rename('a', 'b')),
    'DISK_FAILED',
  );
  t.equal(
    codeOf(() => get(disk, 'a')),
    'DISK_FAILED',
  );
  t.equal(get(disk, 'a'), 'x');
  t.end();
});

t.test('a full disk takes what fits, overwrites in place, and has room again after a removal', (t) => {
  const disk = new FakeDisk();
  put(disk, 'old', 'x'.repeat(2 * PAGE_BYTES));
  disk.setFreeBytes(PAGE_BYTES + 100);
  t.equal(disk.space().freeBytes, PAGE_BYTES + 100);
  const file = disk.open('a', 'create');
  t.equal(
    codeOf(() => file.write(new Uint8Array(3 * PAGE_BYTES).fill(1), 10)),
    'DISK_FULL',
  );
  t.equal(file.size(), PAGE_BYTES, 'one page was free');
  file.write(new Uint8Array(PAGE_BYTES).fill(2), 0);
  t.equal(
    codeOf(() => file.write(Uint8Array.of(1), PAGE_BYTES)),
    'DISK_FULL',
  );
  disk.remove('old');
  t.equal(disk.space().freeBytes, 2 * PAGE_BYTES + 100);
  file.write(Uint8Array.of(1), PAGE_BYTES);
  disk.setFreeBytes(0);
  file.truncate(0);
  t.equal(disk.space().freeBytes, 2 * PAGE_BYTES, 'and after a cut');
  t.end();
});

t.test('a bit that flips is read so, now and after a crash', (t) => {
  const disk = new FakeDisk();
  putDurably(disk, 'a', 'abc');
  disk.flipBit('a', 1, 0);
  t.equal(get(disk, 'a'), 'acc');
  disk.crash(new Prng(1));
  t.equal(get(disk, 'a'), 'acc');
  t.throws(() => disk.flipBit('a', 3, 0), InvariantError);
  t.end();
});

t.test('a bit that flips under the cache shows only past it, until the crash', (t) => {
  const disk = new FakeDisk();
  putDurably(disk, 'a', 'abc');
  disk.flipBit('a', 1, 0, { cached: true });
  t.equal(get(disk, 'a'), 'abc');
  const uncached = (disk: FakeDisk) => {
    const into = new Uint8Array(3);
    disk.open('a', 'read').readUncached(into, 0);
    return new TextDecoder().decode(into);
  };
  t.equal(uncached(disk), 'acc');
  disk.crash(new Prng(1));
  t.equal(get(disk, 'a'), 'acc');
  t.end();
});

t.test('after a sync that failed, only reads past the cache tell what the medium holds', (t) => {
  const found = new Set<string>();
  for (const seed of SEEDS) {
    const disk = new FakeDisk({ seed });
    putDurably(disk, 'a', 'o');
    const file = disk.open('a', 'write');
    file.write(Uint8Array.of(110), 0);
    disk.failNext('sync');
    t.throws(() => file.sync(), { code: 'DISK_FAILED' });
    const [cached, uncached] = [new Uint8Array(1), new Uint8Array(1)];
    file.read(cached, 0);
    file.readUncached(uncached, 0);
    t.equal(cached[0], 110);
    found.add(String.fromCharCode(uncached[0]!));
  }
  t.same([...found].sort(), ['n', 'o']);
  t.end();
});

t.test('a page that is broken cannot be read until it is written again', (t) => {
  const disk = new FakeDisk();
  putDurably(disk, 'a', 'x'.repeat(3 * PAGE_BYTES));
  disk.breakPage('a', PAGE_BYTES + 5);
  const file = disk.open('a', 'write');
  const into = new Uint8Array(2 * PAGE_BYTES);
  for (const read of [file.read, file.readUncached]) {
    t.equal(
      codeOf(() => read(into, 0)),
      'DISK_FAILED',
    );
    t.equal(read(into.subarray(0, PAGE_BYTES), 0), PAGE_BYTES, 'the pages beside it can');
    t.equal(read(into.subarray(0, PAGE_BYTES), 2 * PAGE_BYTES), PAGE_BYTES);
  }
  file.write(Uint8Array.of(121), PAGE_BYTES);
  t.equal(file.read(into, 0), 2 * PAGE_BYTES);
  t.end();
});

t.test('a read that goes astray gives the page behind, once, and when it is its turn', (t) => {
  const disk = new FakeDisk();
  putDurably(disk, 'a', 'a'.repeat(PAGE_BYTES) + 'b'.repeat(PAGE_BYTES));
  disk.misdirectReads(1, 1);
  const file = disk.open('a', 'read');
  const read = () => {
    const into = new Uint8Array(1);
    file.read(into, 0);
    return String.fromCharCode(into[0]!);
  };
  t.same([read(), read(), read()], ['a', 'b', 'a']);
  t.end();
});

t.test('a copy has all that the disk had, synced or not, and goes its own way', (t) => {
  const disk = new FakeDisk();
  disk.makeDirectory('d');
  putDurably(disk, 'd/a', 'durable');
  put(disk, 'd/b', 'not yet');
  disk.rename('d/a', 'd/c');
  const copy = disk.copy();
  t.equal(get(copy, 'd/b'), 'not yet');
  t.equal(get(copy, 'd/c'), 'durable');
  put(copy, 'd/b', 'changed');
  t.equal(get(disk, 'd/b'), 'not yet');
  const ends = (from: FakeDisk) =>
    SEEDS.map((seed) => {
      const each = from.copy();
      each.crash(new Prng(seed));
      return each.exists('d')
        ? each
            .list('d')
            .map(({ name }) => `${name}=${get(each, `d/${name}`)}`)
            .join()
        : '';
    });
  t.same(ends(disk), ends(disk.copy()), 'and crashes as it would');
  t.ok(new Set(ends(disk)).size > 2);
  disk.wipe();
  t.same(disk.list(''), []);
  t.equal(get(copy, 'd/c'), 'durable');
  t.end();
});

t.test('what was allocated finds room on a full disk, and is kept once it was synced', (t) => {
  const disk = new FakeDisk();
  const file = disk.open('a', 'create');
  file.allocate(2 * PAGE_BYTES);
  file.sync();
  disk.syncDirectory('');
  disk.setFreeBytes(PAGE_BYTES);
  file.write(new Uint8Array(2 * PAGE_BYTES).fill(1), 0);
  t.equal(
    codeOf(() => file.allocate(4 * PAGE_BYTES)),
    'DISK_FULL',
  );
  t.equal(file.size(), 2 * PAGE_BYTES, 'a refusal changes nothing');
  disk.crash(new Prng(1));
  t.equal(disk.open('a', 'read').size(), 2 * PAGE_BYTES);
  t.end();
});

t.test('when the power is cut the change does not happen, nor anything after it, until the crash', (t) => {
  const disk = new FakeDisk();
  putDurably(disk, 'a', 'old');
  const file = disk.open('a', 'write');
  disk.cutPowerAt(disk.changes + 1);
  file.write(Buffer.from('new'), 0);
  try {
    file.sync();
    t.fail('the sync happened');
  } catch (error) {
    t.ok(error instanceof PowerCut);
    t.throws(() => disk.remove('a'), PowerCut, 'clean-up code does nothing either');
    t.throws(() => file.read(new Uint8Array(1), 0), PowerCut);
    t.throws(() => file.size(), PowerCut);
    t.throws(() => disk.exists('a'), PowerCut);
  }
  t.equal(disk.counts.syncs, 1, 'the sync of before');
  disk.crash(new Prng(3));
  t.ok(disk.exists('a'));
  t.throws(() => file.size(), InvariantError, 'what was open is not valid any more');
  file.close();
  t.end();
});

t.test('a process that is killed loses nothing but what it had open', (t) => {
  const disk = new FakeDisk();
  put(disk, 'a', 'written');
  const file = disk.open('a', 'write');
  disk.killProcess();
  t.equal(get(disk, 'a'), 'written');
  t.throws(() => file.write(Uint8Array.of(1), 0), InvariantError);
  t.end();
});

t.test('changes are counted and announced in order, before they happen', (t) => {
  const announced: string[] = [];
  const onChange = (info: DiskChangeInfo) => announced.push(`${info.index} ${info.change} ${info.path}`);
  const disk: FakeDisk = new FakeDisk({ onChange });
  disk.makeDirectory('d/e');
  const file = disk.open('d/a', 'create');
  file.write(new Uint8Array(7), 0);
  file.write(new Uint8Array(5), 0);
  file.truncate(3);
  file.sync();
  disk.rename('d/a', 'd/b');
  disk.remove('d/b');
  disk.syncDirectory('d');
  t.same(announced, [
    '0 makeDirectory d/e',
    '1 makeDirectory d/e',
    '2 create d/a',
    '3 write d/a',
    '4 write d/a',
    '5 truncate d/a',
    '6 sync d/a',
    '7 rename d/b',
    '8 remove d/b',
    '9 syncDirectory d',
  ]);
  t.equal(disk.changes, 10);
  t.same(disk.counts, { writes: 2, writtenBytes: 12, syncs: 1, directorySyncs: 1 });
  const refused = new FakeDisk({
    onChange: () => {
      throw new Error('not now');
    },
  });
  t.throws(() => refused.makeDirectory('d'), { message: 'not now' });
  t.notOk(refused.exists('d'));
  t.end();
});

/** Replaces a file as it should be done, or without one of the steps. */
function replace(disk: Disk, path: string, text: string, init: { readonly without?: 'sync' | 'rename' } = {}): void {
  const temporary = init.without === 'rename' ? path : `${path}.new`;
  const file = disk.open(temporary, 'create');
  file.truncate(0);
  file.write(Buffer.from(text), 0);
  if (init.without !== 'sync') file.sync();
  file.close();
  if (init.without !== 'rename') disk.rename(temporary, path);
  disk.syncDirectory('');
}

/** Cuts the power at every change of three replacements, with several seeds; gives what was found that should not be. */
function torment(init: { readonly without?: 'sync' | 'rename' } = {}): string[] {
  const texts = ['first', 'second '.repeat(2_000), 'third'];
  const bad: string[] = [];
  const whole = new FakeDisk();
  for (const text of texts) replace(whole, 'a', text, init);
  for (let cutAt = 0; cutAt < whole.changes; cutAt++) {
    for (let seed = 0; seed < 20; seed++) {
      const disk = new FakeDisk();
      disk.cutPowerAt(cutAt);
      let acknowledged = 0;
      try {
        for (; acknowledged < texts.length; acknowledged++) replace(disk, 'a', texts[acknowledged]!, init);
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
      }
      disk.crash(new Prng(seed));
      const found = look('a')(disk);
      const allowed = [texts[acknowledged - 1] ?? '(none)', texts[acknowledged]];
      if (!allowed.includes(found)) bad.push(`cut at ${cutAt}, seed ${seed}: ${found.slice(0, 20)}`);
    }
  }
  return bad;
}

t.test('a careful replacement survives a cut at every change; a careless one is found out', (t) => {
  t.same(torment(), []);
  t.ok(torment({ without: 'sync' }).length > 0, 'without syncing the file');
  t.ok(torment({ without: 'rename' }).length > 0, 'in place');
  t.end();
});

t.test('the same seed gives the same crash, whatever was done', (t) => {
  const change = fc.tuple(
    fc.nat(6),
    fc.constantFrom('a', 'b', 'd/a'),
    fc.nat(20_000),
    fc.integer({ min: 1, max: 255 }),
  );
  const run = (changes: readonly (readonly [number, string, number, number])[], seed: number): string => {
    const disk = new FakeDisk();
    disk.makeDirectory('d');
    for (const [kind, path, at, value] of changes) {
      const act = [
        () => disk.open(path, 'create').write(new Uint8Array(700).fill(value), at),
        () => disk.open(path, 'create').truncate(at),
        () => disk.open(path, 'write').sync(),
        () => disk.rename(path, 'b'),
        () => disk.remove(path),
        () => disk.syncDirectory(''),
        () => disk.syncDirectory('d'),
      ][kind]!;
      codeOf(act);
    }
    disk.crash(new Prng(seed));
    const all = ['', 'd'].flatMap((path) => (disk.exists(path) ? disk.list(path).map((entry) => [path, entry]) : []));
    const texts = ['a', 'b', 'd/a'].map((path) => codeOf(() => get(disk, path)));
    return JSON.stringify([all, texts]);
  };
  fc.assert(
    fc.property(fc.array(change, { maxLength: 25 }), fc.nat(1_000), (changes, seed) => {
      const first = run(changes, seed);
      t.equal(run(changes, seed), first);
    }),
    { seed: 1, numRuns: 100 },
  );
  t.end();
});

t.test('after a crash nothing is pending: a second one changes nothing', (t) => {
  for (const seed of SEEDS) {
    const disk = new FakeDisk();
    for (const path of ['a', 'b', 'c']) put(disk, path, path.repeat(9_000));
    disk.rename('a', 'b');
    disk.crash(new Prng(seed));
    const after = (disk: FakeDisk) => ['a', 'b', 'c'].map((path) => look(path)(disk)).join();
    const first = after(disk);
    disk.crash(new Prng(seed + 1));
    if (after(disk) !== first) t.fail(`seed ${seed}`);
  }
  t.end();
});
