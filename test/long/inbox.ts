/** What people copy into a node's folder, in all the ways in which they do. Part of track-care.test.ts, in whose house it happens. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Track, TrackList } from '../../src/http/schema.js';
import { type Daemon, temporaryFolder, until } from '../support/daemon.js';
import { LocalSshd } from '../support/local-sshd.js';
import { NODE_NAMES, type NodeName, stateOf } from '../support/three-nodes.js';
import { hasWhole, idOf, noiseWav } from '../support/track-files.js';

/** Where it happens. */
export interface InboxHouse {
  readonly daemons: Readonly<Record<NodeName, Daemon>>;
  /** Where the files of a node can be read by the test. */
  readonly dataDir: (name: NodeName) => string;
  /** For what the test itself makes. */
  readonly folder: string;
}

/** Copies files of a few kilobytes into the kitchen's inbox, and waits until each is where it belongs. */
export async function inboxSubtests(t: Test, { daemons, dataDir, folder }: InboxHouse): Promise<void> {
  const { kitchen, attic } = daemons;
  const inbox = join(dataDir('kitchen'), 'inbox');
  const rejected = join(inbox, 'rejected');
  const source = join(folder, 'source');
  mkdirSync(source);

  /** A file outside of the inbox, of some chunks. */
  function fileOf(name: string, seed: number, bytes = 12_000): { readonly path: string; readonly file: Uint8Array } {
    const file = noiseWav(bytes, seed);
    const path = join(source, name);
    writeFileSync(path, file);
    return { path, file };
  }

  const tracks = async (): Promise<readonly Track[]> => ((await attic.call('GET', '/tracks')).json as TrackList).tracks;

  /** Waits until the file is a track under this title, is gone from the inbox, and was on a majority by then. */
  async function becomesTrack(t: Test, name: string, file: Uint8Array, title: string) {
    await until(
      `${name} is taken out of the inbox`,
      () => !existsSync(join(inbox, name)),
      () => [readdirSync(inbox), kitchen.errors],
    );
    const holding = NODE_NAMES.filter((node) => hasWhole(dataDir(node), idOf(file)));
    t.ok(holding.length >= 2, `${holding.join(', ')} had ${name} when it went`);
    await until('another node lists it', async () =>
      (await tracks()).some((track) => track.id === idOf(file) && track.title === title),
    );
  }

  /** Waits until the file is refused; gives the reason that lies beside it. */
  async function isRejected(t: Test, name: string, file: Uint8Array): Promise<string> {
    await until(`${name} is refused`, () => existsSync(join(rejected, name)));
    t.notOk(existsSync(join(inbox, name)));
    t.ok(Buffer.compare(readFileSync(join(rejected, name)), file) === 0, 'its owner has it as it was');
    return readFileSync(join(rejected, `${name}.txt`), 'utf8');
  }

  await until('there is a folder', () => existsSync(inbox));

  await t.test('what is copied in becomes a track, however it is copied [row 15]', async (t) => {
    const copied = fileOf('copied.wav', 1);
    copyFileSync(copied.path, join(inbox, 'copied.wav'));

    // As cp does it, in a process of its own.
    const byCp = fileOf('by cp.wav', 2);
    t.equal(spawnSync('cp', [byCp.path, inbox]).status, 0);

    // As rsync does: under a name with a dot, and renamed when all of it is there.
    const synced = fileOf('synced.wav', 3);
    writeFileSync(join(inbox, '.synced.wav.Xq3T9z'), synced.file.subarray(0, 6_000));
    appendFileSync(join(inbox, '.synced.wav.Xq3T9z'), synced.file.subarray(6_000));
    renameSync(join(inbox, '.synced.wav.Xq3T9z'), join(inbox, 'synced.wav'));

    await becomesTrack(t, 'copied.wav', copied.file, 'copied');
    await becomesTrack(t, 'by cp.wav', byCp.file, 'by cp');
    await becomesTrack(t, 'synced.wav', synced.file, 'synced');
  });

  await t.test('a file that is still being written is never taken in half [row 15]', async (t) => {
    const slow = fileOf('slow.wav', 4);
    const stuck = fileOf('stuck.wav', 5);
    // As scp does: in place, and cut to its length at the end; with pauses that are longer than what counts as rest.
    const descriptor = openSync(join(inbox, 'slow.wav'), 'w');
    writeFileSync(join(inbox, 'stuck.wav'), stuck.file.subarray(0, stuck.file.length / 2));
    for (let third = 0; third < 3; third++) {
      const from = third * 4_000;
      writeSync(descriptor, slow.file.subarray(from, from + 4_000), 0, 4_000, from);
      if (third === 2) break;
      await until('it is listed as what it is', async () =>
        (await stateOf(kitchen)).uploads.some(
          ({ title, via, stage, receivedBytes, totalBytes }) =>
            title === 'slow' &&
            via === 'inbox' &&
            stage === 'receiving' &&
            receivedBytes === from + 4_000 &&
            totalBytes === slow.file.length,
        ),
      );
      t.match(await kitchen.call('POST', '/queue', { trackId: 'slow' }), {
        status: 409,
        json: { code: 'TRACK_NOT_READY' },
      });
    }
    ftruncateSync(descriptor, slow.file.length);
    closeSync(descriptor);
    await becomesTrack(t, 'slow.wav', slow.file, 'slow');
    t.ok(existsSync(join(inbox, 'stuck.wav')), 'half a file stays where it is');
    t.notOk((await tracks()).some(({ title }) => title === 'stuck'));
    t.notOk(existsSync(join(rejected, 'stuck.wav')));
    appendFileSync(join(inbox, 'stuck.wav'), stuck.file.subarray(stuck.file.length / 2));
    await becomesTrack(t, 'stuck.wav', stuck.file, 'stuck');
  });

  await t.test('a writer that pauses in the middle loses nothing, whatever size and header say [row 15]', async (t) => {
    const whole = fileOf('whole.wav', 10);
    const recorded = fileOf('recorded.wav', 11);
    // What a recorder writes first: sizes that it does not know yet.
    const header = Buffer.from(recorded.file.subarray(0, 44));
    header.writeUInt32LE(0xffffffff, 4);
    header.writeUInt32LE(0xffffffff, 40);
    const isListed = (name: string, bytes: number) =>
      until(`${name} is listed at ${bytes} bytes`, async () =>
        (await stateOf(kitchen)).uploads.some(
          ({ title, stage, receivedBytes }) => title === name && stage === 'receiving' && receivedBytes === bytes,
        ),
      );
    // As Samba does it: the length first.
    const samba = openSync(join(inbox, 'whole.wav'), 'w');
    ftruncateSync(samba, whole.file.length);
    writeSync(samba, whole.file, 0, 5_000, 0);
    const recorder = openSync(join(inbox, 'recorded.wav'), 'w');
    writeSync(recorder, header);
    writeSync(recorder, recorded.file, 44, 5_000);
    await isListed('whole', whole.file.length);
    await isListed('recorded', 5_044);
    t.notOk((await tracks()).some(({ title }) => title === 'whole' || title === 'recorded'));
    writeSync(samba, whole.file, 5_000, whole.file.length - 5_000, 5_000);
    closeSync(samba);
    writeSync(recorder, recorded.file, 5_044, recorded.file.length - 5_044);
    writeSync(recorder, recorded.file, 0, 44, 0);
    closeSync(recorder);
    await becomesTrack(t, 'whole.wav', whole.file, 'whole');
    await becomesTrack(t, 'recorded.wav', recorded.file, 'recorded');
  });

  await t.test('what is no track, or one already, is put aside with the reason [rows 4, 15]', async (t) => {
    const again = fileOf('copied again.wav', 1);
    const film = new Uint8Array(Buffer.alloc(5_000, 'ftypmp42'));
    const text = new Uint8Array(Buffer.from('RIFF and nothing more'));
    const slot = (await stateOf(kitchen)).cluster.appliedSlot;
    writeFileSync(join(inbox, 'film.mp4'), film);
    writeFileSync(join(inbox, 'text.wav'), text);
    copyFileSync(again.path, join(inbox, 'copied again.wav'));
    symlinkSync(again.path, join(inbox, 'link.wav'));
    mkdirSync(join(inbox, 'album'));
    t.match(await isRejected(t, 'film.mp4', film), /^UNSUPPORTED_AUDIO: [\s\S]*What to do: /);
    t.match(await isRejected(t, 'text.wav', text), /^UNSUPPORTED_AUDIO: /);
    t.match(await isRejected(t, 'copied again.wav', again.file), /^TRACK_EXISTS: [\s\S]*copied/);
    t.ok((await stateOf(kitchen)).cluster.appliedSlot - slot <= 1, 'no entry says anything of them');
    for (const name of ['link.wav', 'album']) t.ok(existsSync(join(inbox, name)), `${name} stays where it is`);
    const isTold = async () => (await stateOf(kitchen)).alerts.some(({ code }) => code === 'INBOX_NOT_A_FILE');
    await until('it is told that they are not taken', isTold);
    rmSync(join(inbox, 'album'), { recursive: true });
    rmSync(join(inbox, 'link.wav'));
    await until('that is over', async () => !(await isTold()));
  });

  await t.test('an interrupted copy that is given up is not listed any more', async () => {
    const { file } = fileOf('given up.wav', 12);
    const isListed = async () => (await stateOf(kitchen)).uploads.some(({ title }) => title === 'given up');
    writeFileSync(join(inbox, 'given up.wav'), file.subarray(0, 1_000));
    await until('it is listed', isListed);
    rmSync(join(inbox, 'given up.wav'));
    await until('it is not listed', async () => !(await isListed()));
  });

  const noRsync =
    spawnSync('rsync', ['--version']).status === 0 ? false : 'rsync is not installed (apt-get install rsync)';
  await t.test('rsync itself [row 15]', { skip: noRsync }, async (t) => {
    const synced = fileOf('by rsync.wav', 6);
    t.equal(spawnSync('rsync', ['-a', synced.path, `${inbox}/`]).status, 0);
    await becomesTrack(t, 'by rsync.wav', synced.file, 'by rsync');
  });

  const noSshd = LocalSshd.missing();
  await t.test('scp and sftp themselves [row 15]', { skip: noSshd }, async (t) => {
    const sshd = await LocalSshd.start(t, temporaryFolder(t));
    const secure = fileOf('by scp.wav', 7);
    const old = fileOf('by old scp.wav', 8);
    for (const [more, { path }] of [
      [[], secure],
      [['-O'], old],
    ] as const) {
      const ran = spawnSync('scp', [...more, ...sshd.options, '-P', String(sshd.port), path, `127.0.0.1:${inbox}/`]);
      t.equal(ran.status, 0, String(ran.stderr));
    }
    const put = fileOf('by sftp.wav', 9);
    const ran = spawnSync('sftp', [...sshd.options, '-P', String(sshd.port), '-b', '-', '127.0.0.1'], {
      input: `put "${put.path}" "${inbox}/by sftp.wav"\n`,
    });
    t.equal(ran.status, 0, String(ran.stderr));
    await becomesTrack(t, 'by scp.wav', secure.file, 'by scp');
    await becomesTrack(t, 'by old scp.wav', old.file, 'by old scp');
    await becomesTrack(t, 'by sftp.wav', put.file, 'by sftp');
  });
}
