/** The built page, read once at the start: 200 kB or so, which no request has to fetch from the card again. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { WebFiles } from '../http/web-files.js';

/** All files of the page in `folder`; none where it was not built. A file without its compressed forms is not served. */
export function readWebFolder(folder: string): WebFiles {
  const paths = listed(folder);
  const read = (path: string) => readFileSync(join(folder, path));
  return new Map(
    paths
      .filter((path) => paths.includes(`${path}.br`) && paths.includes(`${path}.gz`))
      .map((path) => [
        path.split(sep).join('/'),
        { identity: read(path), gzip: read(`${path}.gz`), br: read(`${path}.br`) },
      ]),
  );
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)));
  } catch {
    return [];
  }
}
