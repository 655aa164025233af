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
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { FolderInbox } from '../../../src/io/inbox/folder-inbox.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { FakeTime } from '../../../src/ports/fake-time.js';
import type { InboxFile } from '../../../src/ports/inbox.js';
import { runInboxContract } from '../../contract/inbox.js';
import { runLifecycleContract } from '../../contract/support.js';

/** A folder, watched under a clock that the test moves: what is at rest is decided by it, what is in the folder by the machine. */
function watched(folder = mkdtempSync(join(tmpdir(), 'tutti-inbox-'))) {
  const time = new FakeTime();
  const log = new FakeLog();
  const inbox = new FolderInbox({ time, log }, { folder });
  const path = (name: string) => join(folder, name);
  /** A second and more goes by, and events of the file system are heard of. */
  const pass = async () => {
    for (let i = 0; i < 8; i++) {
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
    take: (name) => unlinkSync(path(name)),
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
    start: () => inbox.start(() => calls++),
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
  await made.inbox.start((file) => files.push(file));
  t.teardown(async () => {
    await made.inbox.stop();
    made.close();
  });
  const names = () => files.map(({ name }) => name);
  return { ...made, files, names };
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
    closeSync(descriptor);
    await pass();
    t.strictSame(names(), ['song.wav']);
    t.equal(files[0]?.bytes, 99);
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
  t.equal(inbox.accept(files[0]!), false);
  await pass();
  t.equal(files.length, 2);
  t.equal(files[1]!.bytes, 14);
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
  const { folder, path, pass, names } = await begun(t);
  mkdirSync(path('album'));
  writeFileSync(join(folder, 'album', 'inner.wav'), 'x');
  symlinkSync('/etc/passwd', path('link.wav'));
  symlinkSync('nowhere', path('broken.wav'));
  execFileSync('mkfifo', [path('pipe.wav')]);
  writeFileSync(path('song.wav'), 'x');
  await pass();
  t.strictSame(names(), ['song.wav']);
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
  t.equal(inbox.accept(files[0]!), true);
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
    const { folder, path, pass } = watched();
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o777);
    writeFileSync(path('song.wav'), 'x', { mode: 0o600 });
    void pass;
    const module = new URL('../../../src/io/inbox/folder-inbox.js', import.meta.url).href;
    const script = `
      import { FolderInbox } from ${JSON.stringify(module)};
      import { FakeTime } from ${JSON.stringify(new URL('../../../src/ports/fake-time.js', import.meta.url).href)};
      import { FakeLog } from ${JSON.stringify(new URL('../../../src/ports/fake-log.js', import.meta.url).href)};
      process.setgid(65534); process.setuid(65534);
      const time = new FakeTime();
      const inbox = new FolderInbox({ time, log: new FakeLog() }, { folder: ${JSON.stringify(folder)} });
      await inbox.start((file) => {
        try { file.read(new Uint8Array(1), 0); } catch (error) { console.log(error.code); }
        inbox.reject(file, 'may not be read');
      });
      time.advance(2_000); time.advance(2_000);
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
