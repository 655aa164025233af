/** A folder that is dropped on the page is walked, as browsers give it. */
import t from 'tap';
import { type Entry, filesWithin } from '../../../src/web/world/folder-walk.js';

const file = (name: string): Entry<string> => ({ isDirectory: false, file: (take) => take(name) });
const broken: Entry<string> = { isDirectory: false, file: (_take, fail) => fail() };

/** A folder whose reader gives a hundred entries at a time, as Chromium's does. */
function folder(entries: readonly Entry<string>[]): Entry<string> {
  let rest = [...entries];
  const readEntries = (take: (some: readonly Entry<string>[]) => void) => {
    const some = rest.slice(0, 100);
    rest = rest.slice(100);
    take(some);
  };
  return { isDirectory: true, createReader: () => ({ readEntries }) };
}

t.test('all files of a folder and of those within it, also beyond the first hundred', async (t) => {
  const many = Array.from({ length: 250 }, (_, at) => file(`${at}.wav`));
  const files = await filesWithin([folder([...many, folder([file('cd2/1.wav')])]), file('single.wav')]);
  t.equal(files.length, 252);
  t.ok(files.includes('cd2/1.wav') && files.includes('249.wav') && files.includes('single.wav'));
});

t.test('what cannot be read is left out, and a circle ends', async (t) => {
  const failing: Entry<string> = {
    isDirectory: true,
    createReader: () => ({ readEntries: (_take, fail) => fail() }),
  };
  t.same(await filesWithin([broken, failing, { isDirectory: true }, { isDirectory: false }, file('a.wav')]), ['a.wav']);
  const circle: Entry<string> = {
    isDirectory: true,
    createReader: () => {
      let isRead = false;
      return {
        readEntries: (take) => {
          take(isRead ? [] : [circle, file('b.wav')]);
          isRead = true;
        },
      };
    },
  };
  const found = await filesWithin([circle]);
  t.ok(found.length > 0 && found.length < 20);
});
