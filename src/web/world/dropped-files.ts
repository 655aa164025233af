/** What was dropped on the page: files, and those within folders. */
import { type Entry, filesWithin } from './folder-walk.js';

/** All files of a drop. Entries have to be asked for before the event is over, so this is called at once. */
export function filesOf(data: DataTransfer): Promise<readonly File[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.() as Entry<File> | null);
  const plain = [...data.files];
  // A drop that a program makes has files and no entries.
  if (entries.some((entry) => entry === null)) return Promise.resolve(plain);
  return filesWithin(entries.filter((entry) => entry !== null));
}
