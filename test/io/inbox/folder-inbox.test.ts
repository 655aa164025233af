/** The real folder: whoever copies into it, and however. */
import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { FolderInbox } from '../../../src/io/inbox/folder-inbox.js';
import { type LookForWriters, lookForWritersBy } from '../../../src/io/inbox/open-writers.js';
import { loadLibc } from '../../../src/io/libc/libc.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { FakeTime } from '../../../src/ports/fake-time.js';
import type { InboxFile, InboxTrouble } from '../../../src/ports/inbox.js';
import { runInboxContract } from '../../contract/inbox.js';
import { runLifecycleContract } from '../../contract/support.js';

const looking = lookForWritersBy(loadLibc());

/** A folder, watched under a clock that the test moves: what is at rest is decided by it, what is in the folder by the machine. */
function watched(folder = mkdtempSync(join(tmpdir(), 'tutti-inbox-')), lookForWriters: LookForWriters = looking) {
  const time = new FakeTime();
  const log = new FakeLog();
  const inbox = new FolderInbox({ time, log, lookForWriters }, { folder });
  const path = (name: string) => join(folder, name);
  /** What counts as rest and more goes by, and events of the file system are heard of. */
  const pass = async () => {
    for (let i = 0; i < 16; i++) {
      await wait(5);
      time.advance(250);
    }
  };
  const rejected = () => {
    const place = path('rejected');
    const at = (name: Buffer, ending = '') => Buffer.concat([Buffer.from(`${place}/`), name, Buffer.from(ending)]);
    const names = existsSync(place) ? readdirSync(place, { encoding: 'buffer' }) : [];
    const files = names.filter((name) => !name.toString().endsWith('.txt'));
    return new Map(files.map((name) => [name.toString(), readFileSync(at(name, '.txt'), 'utf8').trimEnd()]));
  };
  return {
    folder,
    time,
    log,
    inbox,
    path,
    pass,
    rejected,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const regular = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();

await runInboxContract(t, 'FolderInbox', () => {
  const { folder, inbox, path, pass, rejected, close } = watched();
  return {
    inbox,
    put: (name, text) => writeFileSync(path(name), text),
    hold: (name, text) => {
      const descriptor = openSync(path(name), 'w');
      writeSync(descriptor, text);
      return () => closeSync(descriptor);
    },
    take: (name) => rmSync(path(name), { recursive: true }),
    putFolder: (name) => mkdirSync(path(name)),
    obstruct: (isObstructed) => (isObstructed ? symlinkSync('/tmp', path('rejected')) : unlinkSync(path('rejected'))),
    names: () => regular(folder),
    rejected,
    pass,
    close,
  };
});

await runLifecycleContract(t, 'FolderInbox', () => {
  const { time, inbox, path, pass, close } = watched();
  let calls = 0;
  return {
    start: () => inbox.start({ seen: () => calls++, left: () => calls++, troubled: () => {} }),
    stop: () => inbox.stop(),
    provoke: () => writeFileSync(path('a.wav'), 'a'),
    calls: () => calls,
    hasHandlers: true,
    pass,
    timers: () => time.running(),
    handles: () => [],
    close,
  };
});

async function begun(t: Test, made = watched()) {
  const files: InboxFile[] = [];
  const left: string[] = [];
  let troubles: readonly InboxTrouble[] = [];
  await made.inbox.start({
    seen: (file) => files.push(file),
    left: (key) => left.push(key),
    troubled: (all) => {
      troubles = all;
    },
  });
  t.teardown(async () => {
    await made.inbox.stop();
    made.close();
  });
  const names = () => files.map(({ name }) => name);
  return { ...made, files, left, names, troubles: () => troubles };
}

await t.test(
  'a file that is still being written is left alone, and taken when it has come to rest [row 15]',
  async (t) => {
    const { path, pass, time, names, files } = await begun(t);
    // As scp does: in place, and cut to its length at the end.
    const descriptor = openSync(path('song.wav'), 'w');
    for (let i = 0; i < 10; i++) {
      writeSync(descriptor, 'some bytes');
      await wait(5);
      time.advance(700);
      t.strictSame(names(), [], 'it was changed less than a second ago');
    }
    ftruncateSync(descriptor, 99);
    await pass();
    t.match(files, [{ name: 'song.wav', bytes: 99, isUnderWay: true }]);
    closeSync(descriptor);
    for (let i = 0; i < 3; i++) await pass();
    t.match(files, [{}, { name: 'song.wav', bytes: 99, isUnderWay: false }]);
    t.equal(files.length, 2);
  },
);

await t.test(
  'a folder that is made is for its group, and what is copied in belongs to that, whatever the umask',
  async (t) => {
    const umask = process.umask(0o027);
    t.teardown(() => process.umask(umask));
    const made = watched(join(mkdtempSync(join(tmpdir(), 'tutti-inbox-')), 'inbox'));
    const { inbox, folder, path, pass, files } = await begun(t, made);
    writeFileSync(path('a.wav'), 'none');
    await pass();
    inbox.reject(files[0]!, 'it is none');
    for (const place of [folder, path('rejected')]) t.equal(statSync(place).mode & 0o7777, 0o2770);
  },
);

await t.test('a copy that goes on after a rest arrives anew, and what was told of it before is void', async (t) => {
  const { inbox, path, pass, files } = await begun(t);
  writeFileSync(path('song.wav'), 'half');
  await pass();
  appendFileSync(path('song.wav'), 'other half');
  t.throws(() => files[0]!.read(new Uint8Array(4), 0), { code: 'NOT_FOUND' }, 'the two halves are never mixed');
  t.equal(inbox.accept(files[0]!), 'changed');
  await pass();
  t.equal(files.length, 2);
  t.equal(files[1]!.bytes, 14);
});

/** The whole length first, and then the bytes: Samba, rsync --preallocate. */
function preallocated(path: string): { readonly close: () => void } {
  const descriptor = openSync(path, 'w');
  ftruncateSync(descriptor, 8);
  writeSync(descriptor, 'half', 0);
  return {
    close: () => {
      writeSync(descriptor, 'full', 4);
      closeSync(descriptor);
    },
  };
}

await t.test(
  'a file that has its length before its bytes is not at rest while its writer pauses, however long [row 15]',
  async (t) => {
    const { path, pass, time, files } = await begun(t);
    const writer = preallocated(path('song.wav'));
    for (let minute = 0; minute < 10; minute++) {
      await pass();
      time.advance(60_000);
    }
    t.match(files, [{ bytes: 8, isUnderWay: true }], 'and it is told once, since nothing changes');
    writer.close();
    await pass();
    const last = files.at(-1)!;
    t.match(last, { bytes: 8, isUnderWay: false });
    const bytes = new Uint8Array(8);
    last.read(bytes, 0);
    t.equal(Buffer.from(bytes).toString(), 'halffull');
  },
);

await t.test('where nobody can say who writes, a file has to stand still for a minute [row 15]', async (t) => {
  const { path, time, files, inbox } = await begun(
    t,
    watched(undefined, () => 'unknown'),
  );
  writeFileSync(path('song.wav'), 'x');
  for (let second = 0; second < 59; second++) {
    if (second % 10 === 0) await wait(5);
    time.advance(1_000);
    t.notOk(files.some(({ isUnderWay }) => !isUnderWay));
  }
  for (let second = 0; second < 30; second++) time.advance(1_000);
  t.match(files, [{ isUnderWay: true }, { isUnderWay: false }]);
  t.equal(inbox.accept(files[1]!), 'gone');
});

await t.test('somebody who begins to write when the file is about to go has it back [row 15]', async (t) => {
  const { inbox, path, pass, files, folder } = await begun(t);
  writeFileSync(path('song.wav'), 'all of it');
  await pass();
  const descriptor = openSync(path('song.wav'), 'r+');
  t.equal(inbox.accept(files[0]!), 'changed');
  t.strictSame(readdirSync(folder), ['song.wav']);
  writeSync(descriptor, 'more');
  closeSync(descriptor);
  await pass();
  t.equal(readFileSync(path('song.wav'), 'utf8'), 'moreof it');
  t.equal(inbox.accept(files.at(-1)!), 'gone');
  t.strictSame(readdirSync(folder), []);
});

await t.test('a change that leaves size and time as they were is a change', async (t) => {
  const { inbox, path, pass, files } = await begun(t);
  writeFileSync(path('song.wav'), 'title A');
  await pass();
  const { atime, mtime } = statSync(path('song.wav'));
  // As editors of tags do it.
  writeFileSync(path('song.wav'), 'title B', { flag: 'r+' });
  utimesSync(path('song.wav'), atime, mtime);
  t.equal(inbox.accept(files[0]!), 'changed');
  t.equal(readFileSync(path('song.wav'), 'utf8'), 'title B');
});

await t.test('what was about to go when the power went is there again', async (t) => {
  const made = watched();
  writeFileSync(made.path('.tutti-taken.song.wav'), 'old');
  writeFileSync(made.path('song.wav'), 'new');
  const { pass, files } = await begun(t, made);
  await pass();
  t.strictSame(files.map(({ name }) => name).sort(), ['song (2).wav', 'song.wav']);
  t.equal(readFileSync(made.path('song (2).wav'), 'utf8'), 'old');
});

await t.test('a file that grows without end is told of every now and then', async (t) => {
  const { path, time, files } = await begun(t);
  for (let second = 0; second < 45; second++) {
    appendFileSync(path('song.wav'), 'x');
    await wait(2);
    time.advance(1_000);
  }
  t.ok(files.length >= 3 && files.length <= 5, `${files.length} times`);
  t.ok(files.every(({ isUnderWay }) => isUnderWay));
  t.equal(files.at(-1)!.read(new Uint8Array(100), 0), 45, 'it can be read as far as it is');
});

await t.test('for how long a file has not been changed is told, whatever its owner says', async (t) => {
  const { path, pass, files, time } = await begun(t);
  time.setWallClockMs(Date.now() + 3_600_000);
  writeFileSync(path('a.wav'), 'x');
  utimesSync(path('a.wav'), 1_000_000, 1_000_000);
  await pass();
  const minutes = files[0]!.stillMs / 60_000;
  t.ok(minutes > 55 && minutes < 65, `${minutes} min`);
  // A machine that has forgotten the time.
  time.setWallClockMs(0);
  writeFileSync(path('b.wav'), 'x');
  await pass();
  t.equal(files[1]!.stillMs, 0);
});

await t.test('rsync and others copy under another name, and rename', async (t) => {
  const { path, pass, names } = await begun(t);
  writeFileSync(path('.song.wav.Ab12Cd'), 'whole');
  await pass();
  t.strictSame(names(), []);
  renameSync(path('.song.wav.Ab12Cd'), path('song.wav'));
  await pass();
  t.strictSame(names(), ['song.wav']);
});

await t.test('what is no regular file is left alone', async (t) => {
  const { folder, path, pass, names, troubles, log } = await begun(t);
  mkdirSync(path('album'));
  writeFileSync(join(folder, 'album', 'inner.wav'), 'x');
  symlinkSync('/etc/passwd', path('link.wav'));
  symlinkSync('nowhere', path('broken.wav'));
  mkdirSync(path('rejected'));
  execFileSync('mkfifo', [path('pipe.wav')]);
  writeFileSync(path('song.wav'), 'x');
  await pass();
  await pass();
  t.strictSame(names(), ['song.wav']);
  t.strictSame(troubles(), ['INBOX_NOT_A_FILE']);
  t.strictSame(
    log.entries.map(({ fields }) => fields?.name).sort(),
    ['album', 'broken.wav', 'link.wav', 'pipe.wav'],
    'each is named once, and the folder of what was refused is none of them',
  );
});

await t.test('a file that becomes a link to somebody else’s is not read', async (t) => {
  const { path, pass, files, inbox } = await begun(t);
  writeFileSync(path('song.wav'), 'x');
  await pass();
  unlinkSync(path('song.wav'));
  symlinkSync('/etc/hostname', path('song.wav'));
  t.throws(() => files[0]!.read(new Uint8Array(9), 0), { code: 'NOT_FOUND' });
  inbox.reject(files[0]!, 'no');
  t.ok(statSync(path('song.wav')).isFile(), 'the link stays where it is');
});

await t.test('a hard link elsewhere keeps its file', async (t) => {
  const { path, pass, files, inbox, close } = await begun(t);
  const elsewhere = join(mkdtempSync(join(tmpdir(), 'tutti-kept-')), 'mine.wav');
  t.teardown(close);
  writeFileSync(path('song.wav'), 'mine');
  linkSync(path('song.wav'), elsewhere);
  await pass();
  t.equal(inbox.accept(files[0]!), 'gone');
  t.equal(readFileSync(elsewhere, 'utf8'), 'mine');
});

await t.test('names are labels: bytes that are no text, newlines, and 255 bytes', async (t) => {
  const { folder, inbox, pass, files, rejected } = await begun(t);
  const names = [
    Buffer.from([0x66, 0xff, 0xfe, 0x2e, 0x77, 0x61, 0x76]),
    Buffer.from('two\nlines.wav'),
    Buffer.from('..wav..'),
    Buffer.from(`${'ü'.repeat(125)}.wav`),
  ];
  for (const name of names.filter((name) => name[0] !== 0x2e)) {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), 'x');
  }
  await pass();
  t.strictSame(files.map(({ name }) => name).sort(), ['f��.wav', 'two\nlines.wav', `${'ü'.repeat(125)}.wav`].sort());
  for (const file of files) {
    t.equal(file.read(new Uint8Array(3), 0), 1, 'each can be read');
    inbox.reject(file, `no: ${file.bytes}`);
  }
  t.strictSame([...rejected().values()], ['no: 1', 'no: 1', 'no: 1']);
  t.strictSame(regular(folder), []);
});

await t.test('what was refused before keeps its place beside what is refused now', async (t) => {
  const { inbox, path, pass, files, rejected } = await begun(t);
  for (const reason of ['first', 'second']) {
    writeFileSync(path('song.wav'), reason);
    await pass();
    inbox.reject(files.at(-1)!, reason);
  }
  t.strictSame([...rejected()].sort(), [
    ['song (2).wav', 'second'],
    ['song.wav', 'first'],
  ]);
});

await t.test('nothing that lies in rejected/ is written over, nor anything that a link there leads to', async (t) => {
  const { inbox, path, pass, files, folder } = await begun(t);
  const mine = join(mkdtempSync(join(tmpdir(), 'tutti-kept-')), 'notes.txt');
  writeFileSync(mine, 'mine');
  mkdirSync(path('rejected'));
  writeFileSync(path('rejected/a.wav.txt'), 'notes of a person');
  symlinkSync(mine, path('rejected/b.wav.txt'));
  symlinkSync('/nowhere', path('rejected/c.wav'));
  for (const name of ['a.wav', 'b.wav', 'c.wav']) writeFileSync(path(name), name);
  await pass();
  for (const file of files) t.equal(inbox.reject(file, 'none'), 'gone');
  t.equal(readFileSync(path('rejected/a.wav.txt'), 'utf8'), 'notes of a person');
  t.equal(readFileSync(mine, 'utf8'), 'mine');
  for (const name of ['a', 'b', 'c']) t.equal(readFileSync(path(`rejected/${name} (2).wav`), 'utf8'), `${name}.wav`);
  t.strictSame(regular(folder), []);
});

await t.test('a folder that is replaced by another is watched at once', async (t) => {
  const { folder, path, pass, names } = await begun(t);
  for (const name of ['a.wav', 'b.wav']) {
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    await pass();
    writeFileSync(path(name), 'x');
    await pass();
  }
  const other = `${folder}-other`;
  t.teardown(() => rmSync(other, { recursive: true }));
  renameSync(folder, other);
  mkdirSync(folder);
  await pass();
  writeFileSync(path('c.wav'), 'x');
  await pass();
  t.strictSame(names(), ['a.wav', 'b.wav', 'c.wav']);
});

await t.test('a folder that is taken away is made anew, and trouble with it is said once', async (t) => {
  const made = watched(join(mkdtempSync(join(tmpdir(), 'tutti-inbox-')), 'in', 'box'));
  const { folder, path, pass, time, names, log } = await begun(t, made);
  t.ok(existsSync(folder), 'it is made where it is missing');
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'in the way');
  time.advance(30_000);
  time.advance(30_000);
  t.equal(log.entries.filter(({ level }) => level === 'warn').length, 1);
  rmSync(folder);
  time.advance(30_000);
  writeFileSync(path('song.wav'), 'x');
  await pass();
  t.strictSame(names(), ['song.wav']);
});

const isRoot = process.getuid?.() === 0;
await t.test(
  'a file that its owner keeps to himself is told from one that is gone',
  { skip: isRoot ? false : 'only root can become somebody else' },
  async (t) => {
    const { folder, path } = watched();
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o777);
    writeFileSync(path('song.wav'), 'x', { mode: 0o600 });
    const module = new URL('../../../src/io/inbox/folder-inbox.js', import.meta.url).href;
    const script = `
      import { FolderInbox } from ${JSON.stringify(module)};
      import { FakeTime } from ${JSON.stringify(new URL('../../../src/ports/fake-time.js', import.meta.url).href)};
      import { FakeLog } from ${JSON.stringify(new URL('../../../src/ports/fake-log.js', import.meta.url).href)};
      process.setgid(65534); process.setuid(65534);
      const time = new FakeTime();
      const lookForWriters = () => 'unknown';
      const inbox = new FolderInbox({ time, log: new FakeLog(), lookForWriters }, { folder: ${JSON.stringify(folder)} });
      const seen = (file) => {
        if (file.isUnderWay) return;
        try { file.read(new Uint8Array(1), 0); } catch (error) { console.log(error.code); }
        inbox.reject(file, 'may not be read');
      };
      await inbox.start({ seen, left: () => {}, troubled: () => {} });
      for (let i = 0; i < 100; i++) time.advance(1_000);
      await inbox.stop();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await new Promise((resolve) => child.once('close', resolve));
    t.equal(said.trim(), 'FILE_NOT_READABLE');
    t.ok(existsSync(join(folder, 'rejected', 'song.wav')), 'it is moved all the same');
  },
);
