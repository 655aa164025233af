/** What the threads of a node noted (watch-threads.ts), and what becomes of figures over time. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { forInformation, type Row } from '../row.js';
import type { ThreadNote } from './watch-threads.js';

/** For `--import`: has a node's threads take notes. */
export const WATCH_THREADS = fileURLToPath(new URL('./watch-threads.js', import.meta.url));

/** A figure at a time. */
export interface Point {
  /** Hours. */
  readonly atH: number;
  readonly value: number;
}

/** By how much a figure grows in an hour: the slope of the line through its points. @throws RangeError for fewer than two */
export function slopePerHour(points: readonly Point[]): number {
  if (points.length < 2) throw new RangeError('a line has two points at least');
  const meanAt = points.reduce((sum, { atH }) => sum + atH, 0) / points.length;
  const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length;
  const above = points.reduce((sum, { atH, value }) => sum + (atH - meanAt) * (value - mean), 0);
  return above / points.reduce((sum, { atH }) => sum + (atH - meanAt) ** 2, 0);
}

/** The notes in a file, by thread; none where there is no file. */
export function notesIn(path: string): Map<string, ThreadNote[]> {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  const notes = new Map<string, ThreadNote[]>();
  for (const line of lines) {
    const note = JSON.parse(line) as ThreadNote;
    notes.set(note.thread, [...(notes.get(note.thread) ?? []), note]);
  }
  return notes;
}

/** What collecting garbage takes in each thread of a node, between its notes from `fromMs` on. */
export function collectionRows(who: string, notes: ReadonlyMap<string, readonly ThreadNote[]>, fromMs: number): Row[] {
  return [...notes].flatMap(([thread, all]) => {
    const counted = all.filter(({ atMs }) => atMs >= fromMs);
    const [first, last] = [counted[0], counted.at(-1)];
    if (first === undefined || last === undefined || last === first) return [];
    const minutes = (last.atMs - first.atMs) / 60_000;
    const perMinute = (name: 'collections' | 'collectionMs') => (last[name] - first[name]) / minutes;
    return [
      forInformation({
        what: `${who}, ${thread}: collections of garbage`,
        figure: perMinute('collections'),
        unit: '/min',
      }),
      forInformation({ what: `${who}, ${thread}: collecting`, figure: perMinute('collectionMs'), unit: 'ms/min' }),
      forInformation({
        what: `${who}, ${thread}: longest collection since its start`,
        figure: last.longestMs,
        unit: 'ms',
      }),
    ];
  });
}
