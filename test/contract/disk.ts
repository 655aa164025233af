/** What every Disk keeps, save what only a power cut can show (test/ports/fake-disk.test.ts). */
import type { Test } from 'tap';
import { InvariantError } from '../../src/core/assert.js';
import { Prng } from '../../src/core/prng.js';
import type { Disk, DiskFile } from '../../src/ports/disk.js';
import { codeOf } from './support.js';

export interface DiskSetup {
  /** Empty. */
  readonly disk: Disk;
  close(): void;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** All that a file holds. */
export function contents(file: DiskFile): Uint8Array {
  const into = new Uint8Array(file.size());
  file.read(into, 0);
  return into;
}

const textOf = (file: DiskFile): string => new TextDecoder().decode(contents(file));

/** Writes a whole file, and makes it where it is missing. */
export function put(disk: Disk, path: string, text: string): void {
  const file = disk.open(path, 'create');
  file.truncate(0);
  file.write(bytes(text), 0);
  file.close();
}

/** The text of a whole file. */
export function get(disk: Disk, path: string): string {
  const file = disk.open(path, 'read');
  const text = textOf(file);
  file.close();
  return text;
}

export const runDiskContract = (t: Test, name: string, setup: () => DiskSetup): Promise<unknown> =>
  t.test(`${name} keeps the contract of Disk`, async (t) => {
    const test = (sentence: string, body: (t: Test, disk: Disk) => void) =>
      t.test(sentence, (t) => {
        const { disk, close } = setup();
        t.teardown(close);
        body(t, disk);
        t.end();
      });

    await test('what is written at an offset is read back there', (t, disk) => {
      const file = disk.open('a', 'create');
      file.write(bytes('hello world'), 0);
      file.write(bytes('W'), 6);
      const into = new Uint8Array(5);
      t.equal(file.read(into, 6), 5);
      t.equal(new TextDecoder().decode(into), 'World');
      t.equal(file.size(), 11);
      file.sync();
      file.close();
      t.equal(get(disk, 'a'), 'hello World');
    });

    await test('what was written is not what the caller makes of its bytes later', (t, disk) => {
      for (const given of [new Uint8Array(20_000).fill(7), Buffer.alloc(20_000, 7)]) {
        const file = disk.open('a', 'create');
        file.write(given, 0);
        given.fill(9);
        file.write(bytes('x'), 5_000);
        t.equal(given[5_000], 9, 'nor the other way round');
        t.ok(contents(file).every((byte, i) => byte === (i === 5_000 ? 120 : 7)));
        file.close();
      }
    });

    await test('a read is short only at the end, and 0 behind it', (t, disk) => {
      put(disk, 'a', 'abc');
      const file = disk.open('a', 'read');
      const into = new Uint8Array(8).fill(7);
      t.equal(file.read(into, 1), 2);
      t.same([...into], [98, 99, 7, 7, 7, 7, 7, 7], 'what lies behind the end is left alone');
      t.equal(file.read(into, 3), 0);
      t.equal(file.read(into, 1e12), 0);
      t.equal(file.read(new Uint8Array(0), 0), 0);
      file.close();
    });

    await test('a write behind the end leaves zeros between, an empty one changes nothing', (t, disk) => {
      const file = disk.open('a', 'create');
      file.write(new Uint8Array(0), 100);
      t.equal(file.size(), 0);
      file.write(bytes('x'), 10_000);
      t.equal(file.size(), 10_001);
      const all = contents(file);
      t.equal(all[10_000], 120);
      t.notOk(all.subarray(0, 10_000).some((byte) => byte !== 0));
      file.close();
    });

    await test('truncate cuts, and extends with zeros, never with what was there before', (t, disk) => {
      const file = disk.open('a', 'create');
      file.write(new Uint8Array(9_000).fill(1), 0);
      file.truncate(5_000);
      t.equal(file.size(), 5_000);
      file.truncate(9_000);
      const all = contents(file);
      t.equal(all.length, 9_000);
      t.equal(all.indexOf(0), 5_000);
      t.notOk(all.subarray(5_000).some((byte) => byte !== 0));
      file.close();
    });

    await test('reads past the cache give what was written, at any offset and length', (t, disk) => {
      const prng = new Prng(2);
      const data = Uint8Array.from({ length: 20_000 }, () => prng.below(256));
      const file = disk.open('a', 'create');
      file.write(data, 0);
      file.sync();
      for (const [offset, length] of [
        [0, 20_000],
        [0, 1],
        [4_096, 4_096],
        [4_095, 2],
        [5_000, 9_999],
        [19_999, 1],
        [3, 0],
      ] as const) {
        const into = new Uint8Array(length);
        t.equal(file.readUncached(into, offset), length);
        t.ok(Buffer.from(into).equals(data.subarray(offset, offset + length)), `${length} bytes at ${offset}`);
      }
      const into = new Uint8Array(8).fill(7);
      t.equal(file.readUncached(into, 19_997), 3, 'short at the end');
      t.same([...into.subarray(3)], [7, 7, 7, 7, 7], 'what lies behind the end is left alone');
      t.equal(file.readUncached(into, 20_000), 0);
      t.equal(file.readUncached(into, 1e9), 0);
      file.write(Uint8Array.of(1, 2, 3), 10);
      t.equal(file.readUncached(into.subarray(0, 3), 10), 3);
      t.same([...into.subarray(0, 3)], [1, 2, 3], 'also what was not synced yet');
      t.match(file.uncached(), /^(direct|dropped|cached)$/);
      file.close();
      t.throws(() => file.readUncached(into, 0), InvariantError, 'after close');
    });

    await test('whole pages, written over others and beside them, read the same past the cache and through it', (t, disk) => {
      const prng = new Prng(3);
      const data = Uint8Array.from({ length: 5 * 4_096 }, () => prng.below(256));
      const file = disk.open('a', 'create');
      file.write(data, 0);
      for (const [offset, length] of [
        [4_096, 4_096],
        [0, 8_192],
        [16_384, 8_192],
        [100, 4_096],
        [8_192, 12_288],
      ] as const) {
        const page = Uint8Array.from({ length }, () => prng.below(256));
        file.write(page, offset);
        file.sync();
        for (const read of [file.read, file.readUncached]) {
          const into = new Uint8Array(length);
          t.equal(read.call(file, into, offset), length);
          t.ok(Buffer.from(into).equals(page), `${length} bytes at ${offset}`);
        }
      }
      t.equal(file.size(), 24_576);
      file.close();
    });

    await test('allocate extends with zeros, leaves alone what is there, and never cuts', (t, disk) => {
      const file = disk.open('a', 'create');
      file.write(bytes('kept'), 0);
      file.allocate(10_000);
      t.equal(file.size(), 10_000);
      const all = contents(file);
      t.equal(new TextDecoder().decode(all.subarray(0, 4)), 'kept');
      t.notOk(all.subarray(4).some((byte) => byte !== 0));
      file.allocate(0);
      file.allocate(5);
      t.equal(file.size(), 10_000);
      t.throws(() => file.allocate(-1), InvariantError);
      file.close();
      const reader = disk.open('a', 'read');
      t.throws(() => reader.allocate(1), InvariantError, 'opened for reading');
      reader.close();
    });

    await test('large writes come back whole', (t, disk) => {
      const prng = new Prng(1);
      const data = Uint8Array.from({ length: 300_001 }, () => prng.below(256));
      const file = disk.open('a', 'create');
      file.write(data.subarray(0, 100_000), 0);
      file.write(data.subarray(100_000), 100_000);
      t.ok(Buffer.from(contents(file)).equals(data));
      file.close();
    });

    await test('read and write need the file, create makes it, exclusive refuses it', (t, disk) => {
      t.equal(
        codeOf(() => disk.open('a', 'read')),
        'NOT_FOUND',
      );
      t.equal(
        codeOf(() => disk.open('a', 'write')),
        'NOT_FOUND',
      );
      disk.open('a', 'exclusive').close();
      t.equal(
        codeOf(() => disk.open('a', 'exclusive')),
        'FILE_EXISTS',
      );
      put(disk, 'a', 'kept');
      disk.open('a', 'create').close();
      t.equal(get(disk, 'a'), 'kept');
      t.equal(
        codeOf(() => disk.open('missing/a', 'create')),
        'NOT_FOUND',
      );
      t.equal(
        codeOf(() => disk.open('a/b', 'create')),
        'NOT_FOUND',
        'a file holds no files',
      );
      disk.makeDirectory('d');
      for (const mode of ['read', 'write', 'create'] as const) {
        t.equal(
          codeOf(() => disk.open('d', mode)),
          'DISK_FAILED',
          `a directory is no file, ${mode}`,
        );
      }
    });

    await test('several may have a file open, and see one another’s writes', (t, disk) => {
      const writer = disk.open('a', 'create');
      const reader = disk.open('a', 'read');
      writer.write(bytes('seen'), 0);
      t.equal(textOf(reader), 'seen');
      writer.close();
      reader.close();
    });

    await test('using a file wrongly is a mistake of ours', (t, disk) => {
      const file = disk.open('a', 'create');
      t.throws(() => file.read(new Uint8Array(1), -1), InvariantError);
      t.throws(() => file.write(new Uint8Array(1), 0.5), InvariantError);
      t.throws(() => file.truncate(-1), InvariantError);
      file.close();
      file.close();
      for (const use of [
        () => file.read(new Uint8Array(1), 0),
        () => file.write(new Uint8Array(1), 0),
        () => file.truncate(0),
        () => file.sync(),
        () => file.size(),
      ]) {
        t.throws(use, InvariantError, 'after close');
      }
      const reader = disk.open('a', 'read');
      t.throws(() => reader.write(new Uint8Array(1), 0), InvariantError, 'opened for reading');
      t.throws(() => reader.truncate(0), InvariantError, 'opened for reading');
      reader.close();
    });

    await test('directories list what they hold, by name in code-unit order', (t, disk) => {
      t.same(disk.list(''), []);
      disk.makeDirectory('d/e');
      disk.makeDirectory('d/e');
      for (const name of ['b', 'a', 'Z', 'é', '10', '9']) put(disk, `d/${name}`, name);
      t.same(
        disk.list('d').map(({ name, kind, size }) => `${name} ${kind} ${size}`),
        ['10 file 2', '9 file 1', 'Z file 1', 'a file 1', 'b file 1', 'e directory 0', 'é file 2'],
      );
      t.same(disk.list('d/e'), []);
      t.equal(
        codeOf(() => disk.list('none')),
        'NOT_FOUND',
      );
      t.equal(
        codeOf(() => disk.list('d/a')),
        'NOT_FOUND',
        'a file is no directory',
      );
    });

    await test('exists tells files and directories from nothing', (t, disk) => {
      disk.makeDirectory('d');
      put(disk, 'd/a', '');
      t.ok(disk.exists(''));
      t.ok(disk.exists('d'));
      t.ok(disk.exists('d/a'));
      t.notOk(disk.exists('d/b'));
      t.notOk(disk.exists('d/a/b'));
    });

    await test('a directory cannot be made where a file is', (t, disk) => {
      put(disk, 'a', '');
      t.equal(
        codeOf(() => disk.makeDirectory('a')),
        'FILE_EXISTS',
      );
      t.equal(
        codeOf(() => disk.makeDirectory('a/b')),
        'FILE_EXISTS',
      );
      disk.makeDirectory('');
    });

    await test('rename takes the place of a file at once, and open files stay what they are', (t, disk) => {
      disk.makeDirectory('d');
      put(disk, 'new', 'new');
      put(disk, 'd/a', 'old');
      const old = disk.open('d/a', 'read');
      const renamed = disk.open('new', 'write');
      disk.rename('new', 'd/a');
      t.equal(get(disk, 'd/a'), 'new');
      t.notOk(disk.exists('new'));
      t.equal(textOf(old), 'old');
      renamed.write(bytes('now'), 0);
      t.equal(get(disk, 'd/a'), 'now');
      old.close();
      renamed.close();
      disk.rename('d/a', 'd/a');
      t.equal(get(disk, 'd/a'), 'now', 'to its own place');
    });

    await test('directories can be renamed, but into nothing that is not there and onto no file’s place', (t, disk) => {
      disk.makeDirectory('d/e');
      put(disk, 'd/e/a', 'a');
      disk.rename('d', 'f');
      t.equal(get(disk, 'f/e/a'), 'a');
      put(disk, 'b', 'b');
      t.equal(
        codeOf(() => disk.rename('none', 'b')),
        'NOT_FOUND',
      );
      t.equal(
        codeOf(() => disk.rename('b', 'none/b')),
        'NOT_FOUND',
      );
      t.equal(
        codeOf(() => disk.rename('b', 'f')),
        'DISK_FAILED',
      );
      t.equal(
        codeOf(() => disk.rename('f', 'f/e/g')),
        'DISK_FAILED',
      );
      t.equal(get(disk, 'b'), 'b');
    });

    await test('remove takes a file away, one that is not there is fine, a directory is refused', (t, disk) => {
      put(disk, 'a', 'still open');
      const file = disk.open('a', 'read');
      disk.remove('a');
      disk.remove('a');
      disk.remove('none/a');
      t.notOk(disk.exists('a'));
      t.equal(textOf(file), 'still open');
      file.close();
      disk.makeDirectory('d');
      t.equal(
        codeOf(() => disk.remove('d')),
        'DISK_FAILED',
      );
      t.ok(disk.exists('d'));
    });

    await test('syncing is allowed at any time, of a directory that is there', (t, disk) => {
      disk.makeDirectory('d');
      const file = disk.open('d/a', 'create');
      file.sync();
      file.write(bytes('x'), 0);
      file.sync();
      file.sync();
      file.close();
      disk.syncDirectory('d');
      disk.syncDirectory('');
      t.equal(
        codeOf(() => disk.syncDirectory('none')),
        'NOT_FOUND',
      );
      t.equal(
        codeOf(() => disk.syncDirectory('d/a')),
        'NOT_FOUND',
      );
      t.equal(get(disk, 'd/a'), 'x');
    });

    await test('space tells what is free of how much', (t, disk) => {
      const { freeBytes, totalBytes } = disk.space();
      t.ok(Number.isSafeInteger(freeBytes) && freeBytes >= 0);
      t.ok(totalBytes >= freeBytes && totalBytes > 0);
    });

    await test('no path leads out of the root, in any call', (t, disk) => {
      const bad = ['..', '../a', 'd/../../a', '/etc/passwd', '/', '.', './a', 'a/', 'a//b', 'a\0b', 'é'.repeat(128)];
      disk.makeDirectory('d');
      for (const path of bad) {
        for (const call of [
          () => disk.open(path, 'create'),
          () => disk.list(path),
          () => disk.exists(path),
          () => disk.makeDirectory(path),
          () => disk.rename(path, 'x'),
          () => disk.rename('d', path),
          () => disk.remove(path),
          () => disk.syncDirectory(path),
        ]) {
          t.equal(codeOf(call), 'BAD_NAME', JSON.stringify(path.slice(0, 20)));
        }
      }
      t.same(
        disk.list('').map((entry) => entry.name),
        ['d'],
      );
      put(disk, `d/${'é'.repeat(127)}`, 'the longest name');
      put(disk, 'd/..hidden.. ', 'dots within a name');
    });
  });
