/** What every Inbox keeps. */
import type { Test } from 'tap';
import type { Inbox, InboxFile, InboxTrouble } from '../../src/ports/inbox.js';
import { codeOf, type Pass, until } from './support.js';

export interface InboxSetup {
  readonly inbox: Inbox;
  /** Somebody copies a file in, or over one that is there. */
  put(name: string, text: string): void | Promise<void>;
  /** Somebody has written so much of a file, and goes on until what this gives is called. */
  hold(name: string, text: string): () => void;
  /** Somebody takes a file or a folder away. */
  take(name: string): void | Promise<void>;
  /** Somebody copies a folder in. */
  putFolder(name: string): void | Promise<void>;
  /** Nothing can be put into `rejected/`, or everything again. */
  obstruct(isObstructed: boolean): void | Promise<void>;
  /** Names of the files in the folder itself. */
  names(): readonly string[];
  /** Why each file in `rejected/` is there. */
  rejected(): ReadonlyMap<string, string>;
  readonly pass: Pass;
  close(): void | Promise<void>;
}

const textOf = (file: InboxFile): string => {
  const into = new Uint8Array(file.bytes);
  const count = file.read(into, 0);
  return new TextDecoder().decode(into.subarray(0, count));
};

export const runInboxContract = (
  t: Test,
  name: string,
  setup: () => InboxSetup | Promise<InboxSetup>,
): Promise<unknown> =>
  t.test(`${name} keeps the contract of Inbox`, async (t) => {
    const begin = async (t: Test, already: Readonly<Record<string, string>> = {}) => {
      const made = await setup();
      const files: InboxFile[] = [];
      const left: string[] = [];
      let troubles: readonly InboxTrouble[] = [];
      for (const [name, text] of Object.entries(already)) await made.put(name, text);
      await made.inbox.start({
        seen: (file) => files.push(file),
        left: (key) => left.push(key),
        troubled: (all) => {
          troubles = all;
        },
      });
      t.teardown(async () => {
        await made.inbox.stop();
        await made.close();
      });
      const arrivals = (count: number) => until(() => files.length >= count, made.pass, `${count} arrivals`);
      const passUntil = (condition: () => boolean, what: string) => until(condition, made.pass, what);
      return { ...made, files, left, troubles: () => troubles, arrivals, passUntil };
    };

    await t.test('files arrive with name, size and bytes, those that were there first', async (t) => {
      const { put, files, arrivals } = await begin(t, { 'b.wav': 'bb', 'a.wav': 'a' });
      await arrivals(2);
      await put('später.wav', 'later');
      await arrivals(3);
      t.same(files.map((file) => [file.name, file.bytes, textOf(file)]).toSorted(), [
        ['a.wav', 1, 'a'],
        ['b.wav', 2, 'bb'],
        ['später.wav', 5, 'later'],
      ]);
      t.equal(files[2]?.name, 'später.wav');
      const into = new Uint8Array(3);
      t.equal(files[2]?.read(into, 3), 2, 'a read is short at the end');
      t.equal(new TextDecoder().decode(into.subarray(0, 2)), 'er');
      t.equal(files[2]?.read(into, 100), 0);
    });

    await t.test('names that begin with a dot are left alone', async (t) => {
      const { put, files, arrivals, names } = await begin(t, { '.hidden.wav': 'x' });
      await put('.part.wav', 'x');
      await put('a.wav', 'a');
      await arrivals(1);
      t.same(
        files.map((file) => file.name),
        ['a.wav'],
      );
      t.same(names(), ['.hidden.wav', '.part.wav', 'a.wav']);
    });

    await t.test('an accepted file goes', async (t) => {
      const { inbox, files, arrivals, names } = await begin(t, { 'a.wav': 'a' });
      await arrivals(1);
      t.equal(inbox.accept(files[0]!), 'gone');
      t.same(names(), []);
      t.equal(inbox.accept(files[0]!), 'changed', 'once');
      t.equal(
        codeOf(() => files[0]!.read(new Uint8Array(1), 0)),
        'NOT_FOUND',
      );
    });

    await t.test('a file that changed since is not removed, and arrives anew', async (t) => {
      const { inbox, put, files, arrivals, names } = await begin(t, { 'a.wav': 'first' });
      await arrivals(1);
      await put('a.wav', 'other');
      t.equal(inbox.accept(files[0]!), 'changed');
      t.same(names(), ['a.wav']);
      await arrivals(2);
      t.equal(textOf(files[1]!), 'other');
      t.equal(inbox.accept(files[1]!), 'gone');
      t.same(names(), []);
    });

    await t.test('a rejected file is moved, with the reason', async (t) => {
      const { inbox, files, arrivals, names, rejected } = await begin(t, { 'a.wav': 'a' });
      await arrivals(1);
      t.equal(inbox.reject(files[0]!, 'This file is not audio that Tutti plays.'), 'gone');
      t.same(names(), []);
      t.same([...rejected()], [['a.wav', 'This file is not audio that Tutti plays.']]);
    });

    await t.test('a file that somebody took away is no trouble', async (t) => {
      const { inbox, take, files, arrivals, rejected } = await begin(t, { 'a.wav': 'a' });
      await arrivals(1);
      await take('a.wav');
      t.equal(inbox.accept(files[0]!), 'changed');
      t.equal(inbox.reject(files[0]!, 'gone'), 'changed');
      t.equal(rejected().size, 0);
    });

    await t.test('a file that somebody still writes is told of as that, and never goes', async (t) => {
      const { inbox, hold, files, arrivals, names, passUntil } = await begin(t);
      const release = hold('a.wav', 'half');
      await arrivals(1);
      t.match(files, [{ name: 'a.wav', bytes: 4, isUnderWay: true }]);
      t.equal(textOf(files[0]!), 'half', 'what has come can be looked at');
      t.equal(inbox.accept(files[0]!), 'changed');
      t.equal(inbox.reject(files[0]!, 'half'), 'changed');
      t.same(names(), ['a.wav']);
      release();
      await passUntil(() => files.at(-1)?.isUnderWay === false, 'it comes to rest');
      t.equal(files.at(-1)!.key, files[0]!.key);
      t.equal(inbox.accept(files.at(-1)!), 'gone');
      t.same(names(), []);
    });

    await t.test('it is told when a file goes that was told of, and not by this node', async (t) => {
      const { inbox, take, files, left, arrivals, passUntil } = await begin(t, { 'a.wav': 'a', 'b.wav': 'b' });
      await arrivals(2);
      const [a, b] = files.toSorted((x, y) => (x.name < y.name ? -1 : 1));
      inbox.accept(a!);
      await take('b.wav');
      await passUntil(() => left.length > 0, 'it is told');
      t.same(left, [b!.key]);
    });

    await t.test('a folder is not taken, and that is trouble for as long as it is there', async (t) => {
      const { putFolder, take, troubles, passUntil } = await begin(t);
      await putFolder('album');
      await passUntil(() => troubles().length > 0, 'it is told');
      t.same(troubles(), ['INBOX_NOT_A_FILE']);
      await take('album');
      await passUntil(() => troubles().length === 0, 'it is over');
    });

    await t.test('what the folder does not let go of goes when it does, and is trouble until then', async (t) => {
      const { inbox, obstruct, files, left, arrivals, names, rejected, troubles, passUntil } = await begin(t, {
        'a.wav': 'a',
      });
      await arrivals(1);
      await obstruct(true);
      t.equal(inbox.reject(files[0]!, 'none'), 'stays');
      t.ok(names().includes('a.wav'));
      t.ok(troubles().includes('INBOX_UNUSABLE'));
      await obstruct(false);
      await passUntil(() => rejected().has('a.wav'), 'it goes');
      t.notOk(names().includes('a.wav'));
      t.same(left, [files[0]!.key]);
      t.notOk(troubles().includes('INBOX_UNUSABLE'));
      t.equal(files.length, 1, 'there is no news of the file');
    });
  });
