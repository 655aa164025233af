/** "Did you mean ...?": the known word that a mistyped one was most likely meant to be. */

/** Changes of one letter that a typing mistake may hold, at most; one in three letters for short words. */
const MISTAKES_MAX = 3;

/** The word of `known` nearest to `typed`, or undefined where none is near. The first of several equally near ones wins. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.min(MISTAKES_MAX, Math.ceil(typed.length / 3)) + 1;
  for (const word of known) {
    // The distance is at least the difference in length: most words need no more than this line.
    if (Math.abs(word.length - typed.length) >= fewest) continue;
    const mistakes = distance(typed.toLowerCase(), word.toLowerCase());
    if (mistakes < fewest) {
      best = word;
      fewest = mistakes;
    }
  }
  return best;
}

/** How many letters must be put in, left out, replaced or swapped with their neighbour (optimal string alignment distance). */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, beforeLast[column - 2]! + 1);
      }
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
