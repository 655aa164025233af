/** What every Inbox keeps. */
import type { Test } from 'tap';
import type { Inbox, InboxFile } from '../../src/ports/inbox.js';
import { codeOf, type Pass, until } from './support.js';

export interface InboxSetup {
  readonly inbox: Inbox;
  /** Somebody copies a file in, or over one that is there. */
  put(name: string, text: string): void | Promise<void>;
  /** Somebody takes a file away. */
  take(name: string): void | Promise<void>;
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
      for (const [name, text] of Object.entries(already)) await made.put(name, text);
      await made.inbox.start((file) => files.push(file));
      t.teardown(async () => {
        await made.inbox.stop();
        await made.close();
      });
      const arrivals = (count: number) => until(() => files.length >= count, made.pass, `${count} arrivals`);
      return { ...made, files, arrivals };
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
      t.equal(inbox.accept(files[0]!), true);
      t.same(names(), []);
      t.equal(inbox.accept(files[0]!), false, 'once');
      t.equal(
        codeOf(() => files[0]!.read(new Uint8Array(1), 0)),
        'NOT_FOUND',
      );
    });

    await t.test('a file that changed since is not removed, and arrives anew', async (t) => {
      const { inbox, put, files, arrivals, names } = await begin(t, { 'a.wav': 'first' });
      await arrivals(1);
      await put('a.wav', 'other');
      t.equal(inbox.accept(files[0]!), false);
      t.same(names(), ['a.wav']);
      await arrivals(2);
      t.equal(textOf(files[1]!), 'other');
      t.equal(inbox.accept(files[1]!), true);
      t.same(names(), []);
    });

    await t.test('a rejected file is moved, with the reason', async (t) => {
      const { inbox, files, arrivals, names, rejected } = await begin(t, { 'a.wav': 'a' });
      await arrivals(1);
      inbox.reject(files[0]!, 'This file is not audio that Tutti plays.');
      t.same(names(), []);
      t.same([...rejected()], [['a.wav', 'This file is not audio that Tutti plays.']]);
    });

    await t.test('a file that somebody took away is no trouble', async (t) => {
      const { inbox, take, files, arrivals, rejected } = await begin(t, { 'a.wav': 'a' });
      await arrivals(1);
      await take('a.wav');
      t.equal(inbox.accept(files[0]!), false);
      inbox.reject(files[0]!, 'gone');
      t.equal(rejected().size, 0);
    });
  });
