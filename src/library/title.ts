/**
 * Rules for titles, the names by which people and other players' protocols know tracks.
 *
 * Every node works out the same title from the same log entry, for ever. So nothing here may depend on where or when it runs: not on
 * a locale, and not on the Unicode tables of the JavaScript engine either. `toLowerCase` and `normalize` learn new letters with every
 * Unicode version, nodes are upgraded one at a time, and two nodes that disagree about one letter would hold two different libraries.
 * Hence: letters are folded in ASCII only, white space is U+0020 and control characters, and order is that of UTF-16 code units. A page
 * that wants its reader's alphabet sorts for itself.
 */

/** Longest title, in code points: fits a file name of 255 bytes in most scripts, and a line of a small display many times over. */
export const TITLE_LENGTH_MAX = 200;

/** Title of a track whose tag and file name hold nothing that can be shown. */
export const UNTITLED = 'Untitled';

/** C0, DEL, C1, and Unicode's line and paragraph separator: some protocols are made of lines. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is looking for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
/** Half of a surrogate pair: not text, and not encodable in UTF-8. */
const LONE_SURROGATE = /[\ud800-\udfff]/gu;
const SPACES = / {2,}/g;
/** Also "a.wav.WAV": what is left must not end in ".wav" either. */
const WAV_SUFFIX = /(?: *\.wav)+ *$/i;

const trimSpaces = (text: string): string => text.replace(/^ +| +$/g, '');

/** The first `length` code points of `text`, without a trailing space. */
function cut(text: string, length: number): string {
  // A string's code units are at least as many as its code points: most titles need no look at each.
  if (text.length <= length) return text;
  return trimSpaces([...text].slice(0, length).join(''));
}

/**
 * `text` as a title: control characters become spaces, spaces are single, none at either end, ".wav" is taken off in any case, at most
 * {@link TITLE_LENGTH_MAX} code points. Empty where nothing is left. Applied twice it changes nothing more.
 */
export function cleanTitle(text: string): string {
  let clean = text.replace(CONTROL, ' ').replace(LONE_SURROGATE, '\ufffd').replace(SPACES, ' ');
  clean = trimSpaces(clean).replace(WAV_SUFFIX, '');
  const short = cut(clean, TITLE_LENGTH_MAX);
  // Cutting a long title can lay a ".wav" bare.
  return short === clean ? short : cleanTitle(short);
}

/** The title as protocols with paths show it: `/` replaced by `_`. Distinct titles stay distinct. */
export const pathTitle = (title: string): string => title.replaceAll('/', '_');

/** What two titles must not share: the path title with A to Z folded to a to z. */
export const titleKey = (title: string): string =>
  pathTitle(title).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** -1, 0 or 1: `a` before, equal to or after `b` by UTF-16 code units. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** `title` itself where `isTaken` says no to its key, else with the least " (n)", n from 2, that is free. */
export function distinctTitle(title: string, isTaken: (key: string) => boolean): string {
  if (!isTaken(titleKey(title))) return title;
  for (let n = 2; ; n++) {
    const suffix = ` (${n})`;
    const candidate = cut(title, TITLE_LENGTH_MAX - suffix.length) + suffix;
    if (!isTaken(titleKey(candidate))) return candidate;
  }
}
