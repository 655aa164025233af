/** Finding all files of a folder that was dropped on the page, by the entries that browsers give. */

/** The part of a browser's file system entry that is walked; `F` is a file. */
export interface Entry<F> {
  readonly isDirectory: boolean;
  file?(take: (file: F) => void, fail: () => void): void;
  createReader?(): { readEntries(take: (entries: readonly Entry<F>[]) => void, fail: () => void): void };
}

/** Deeper folders are passed over: nobody keeps an album there, and a link could lead round in circles. */
const DEPTH_MAX = 8;

/** All files in `entries` and in the folders among them. What cannot be read is left out. */
export async function filesWithin<F>(entries: readonly Entry<F>[], depth = 0): Promise<readonly F[]> {
  if (depth > DEPTH_MAX) return [];
  const lists = await Promise.all(
    entries.map(async (entry) => (entry.isDirectory ? filesWithin(await entriesOf(entry), depth + 1) : fileOf(entry))),
  );
  return lists.flat();
}

const fileOf = <F>(entry: Entry<F>): Promise<readonly F[]> =>
  new Promise((resolve) => {
    const none = () => resolve([]);
    if (entry.file === undefined) none();
    else entry.file((file) => resolve([file]), none);
  });

/** A reader gives a hundred entries at a time, and none when it is at its end. */
async function entriesOf<F>(entry: Entry<F>): Promise<readonly Entry<F>[]> {
  const reader = entry.createReader?.();
  if (reader === undefined) return [];
  const all: Entry<F>[] = [];
  for (;;) {
    const some = await new Promise<readonly Entry<F>[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
