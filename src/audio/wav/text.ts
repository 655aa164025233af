/**
 * Text of tags: the four encodings in which WAV files carry it, and one way to make it fit to be shown.
 *
 * Written out here because pure code has no TextDecoder, and because a wrong guess must be noticed: {@link decodeUtf8} says no to
 * bytes that are not UTF-8, and the caller reads them as Windows-1252, as programs of the last century wrote them.
 */

/** Longest text of a tag, in bytes of UTF-8: as much as a name may have. */
const TEXT_BYTES_MAX = 255;

/** What stands for a character that the bytes do not give. */
const REPLACEMENT = '\ufffd';

/** What Windows-1252 has at 0x80 to 0x9f; the five holes stay control characters. Elsewhere it is Latin-1. */
const WINDOWS_1252_HIGH =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178';

/** Any bytes as Windows-1252 (of which Latin-1 and ASCII are parts). */
export function decodeWindows1252(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes)
    text += byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252_HIGH[byte - 0x80] : String.fromCharCode(byte);
  return text;
}

/** UTF-8 by RFC 3629, or null where the bytes are not that: overlong forms, surrogates and what is beyond U+10FFFF included. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at++]!;
    // Continuation bytes that must follow, and the least code point that needs so many.
    const [more, least] =
      lead < 0x80 ? [0, 0] : lead < 0xc0 ? [-1, 0] : lead < 0xe0 ? [1, 0x80] : lead < 0xf0 ? [2, 0x800] : [3, 0x10000];
    if (more < 0 || lead > 0xf4) return null;
    let point = more === 0 ? lead : lead & (0x3f >> more);
    for (let i = 0; i < more; i++) {
      const next = bytes[at++];
      if (next === undefined || (next & 0xc0) !== 0x80) return null;
      point = (point << 6) | (next & 0x3f);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return null;
    text += String.fromCodePoint(point);
  }
  return text;
}

/** UTF-8 where the bytes are that, else Windows-1252: what the text of LIST INFO is in practice. */
export const decodeUtf8Or1252 = (bytes: Uint8Array): string => decodeUtf8(bytes) ?? decodeWindows1252(bytes);

/**
 * UTF-16. A byte order mark decides over `bigEndian` and is dropped; a last odd byte is dropped too. Lone surrogates stay what they
 * are until {@link tidyText}.
 */
export function decodeUtf16(bytes: Uint8Array, bigEndian: boolean): string {
  const mark = bytes.length >= 2 ? (bytes[0]! << 8) | bytes[1]! : 0;
  const big = mark === 0xfeff || (bigEndian && mark !== 0xfffe);
  let text = '';
  for (let at = mark === 0xfeff || mark === 0xfffe ? 2 : 0; at + 1 < bytes.length; at += 2) {
    const [high, low] = big ? [bytes[at]!, bytes[at + 1]!] : [bytes[at + 1]!, bytes[at]!];
    text += String.fromCharCode((high << 8) | low);
  }
  return text;
}

/**
 * Text that is safe to show and to put into a protocol of lines: line breaks and tabs become one space, other control characters go,
 * half characters become U+FFFD, blanks around go, and what is longer than {@link TEXT_BYTES_MAX} is cut between characters.
 */
export function tidyText(text: string): string {
  let tidy = '';
  let bytes = 0;
  for (const character of text) {
    const kept = tidyCharacter(character);
    if (kept === ' ' && (tidy === '' || tidy.endsWith(' '))) continue;
    bytes += utf8Length(kept);
    if (bytes > TEXT_BYTES_MAX) break;
    tidy += kept;
  }
  return tidy.trim();
}

/** The character, or what stands for it in tidy text; empty where nothing does. */
function tidyCharacter(character: string): string {
  const point = character.codePointAt(0)!;
  const isBreak = (point >= 0x09 && point <= 0x0d) || point === 0x85 || point === 0x2028 || point === 0x2029;
  if (isBreak) return ' ';
  if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return '';
  // A byte order mark astray, and the two code points that Unicode never assigns.
  if (point === 0xfeff || point === 0xfffe || point === 0xffff) return '';
  return point >= 0xd800 && point < 0xe000 ? REPLACEMENT : character;
}

function utf8Length(character: string): number {
  const point = character.codePointAt(0) ?? -1;
  return point < 0 ? 0 : point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}
