/**
 * Stack traces in terms of the sources.
 *
 * What runs is bundled; beside each bundle lies a map to what it was made of. Node reads such maps by itself where it is told to, but all of
 * them and at every start, which takes longer than most commands. A trace that somebody is shown is rare: here the map is read then.
 */
import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';

/** `file:///.../main.js:12:5`: lines and columns from 1. */
const POSITION = /(file:\/\/[^\s():]+\.js):(\d+):(\d+)/g;

/** A stack trace with the positions in the sources in place of those in bundles; those of which no map tells stay. */
export function inSources(stack: string): string {
  const maps = new Map<string, SourceMap | null>();
  return stack.replace(POSITION, (position: string, file: string, line: string, column: string) => {
    let map = maps.get(file);
    if (map === undefined) {
      map = mapOf(file);
      maps.set(file, map);
    }
    const entry = map?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return position;
    const source = fileURLToPath(new URL(entry.originalSource, file));
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

/** Null where there is none that can be read: the trace is shown as it is. */
function mapOf(file: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(file)}.map`, 'utf8')) as SourceMapPayload);
  } catch {
    return null;
  }
}
