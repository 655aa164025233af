/** The order of file names as people number them: "2 - b.wav" before "10 - a.wav". The same for every reader. */

/** Runs of digits, and what stands between them. */
const PARTS = /\d+|\D+/g;

/** Less than 0 where `a` comes first. Digits count by their value, letters by their folded form. */
export function compareNames(a: string, b: string): number {
  const left = folded(a).match(PARTS) ?? [];
  const right = folded(b).match(PARTS) ?? [];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const order = compareParts(left[at]!, right[at]!);
    if (order !== 0) return order;
  }
  return left.length - right.length || compareText(a, b);
}

const isNumber = (text: string): boolean => /^\d/.test(text);

function compareParts(a: string, b: string): number {
  if (!isNumber(a) || !isNumber(b)) return compareText(a, b);
  const [left, right] = [a, b].map((digits) => digits.replace(/^0+(?=\d)/, '')) as [string, string];
  return left.length - right.length || compareText(left, right);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Without accents and case, so that "Étude" is found by "etude". */
export const folded = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/** A file's name as a title, before the node has read its tags: without folder and ending. */
export const titleOfFile = (name: string): string => name.replace(/^.*\//, '').replace(/(\.wav)+$/i, '');
