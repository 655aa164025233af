/** Files of /proc, as they are read to find sound cards. A file that is missing is an answer here, not a failure. */
import { readdirSync, readFileSync } from 'node:fs';

/** Reads files of /proc. */
export interface ProcFiles {
  /** The text of a file; undefined where there is none or it may not be read. */
  text(path: string): string | undefined;
  /** What is in a directory; empty where there is none. */
  names(path: string): readonly string[];
}

/** The real /proc. */
export const procFiles: ProcFiles = {
  text: (path) => orUndefined(() => readFileSync(path, 'utf8')),
  names: (path) => orUndefined(() => readdirSync(path)) ?? [],
};

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
