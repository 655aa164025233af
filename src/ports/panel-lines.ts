/**
 * The lines of the front panel's protocol: text in both directions, one line a message.
 *
 * A serial line gives bytes in pieces of any size, may begin in the middle of a line, and may give noise for ever without a line's
 * end: hence the bound, and hence dropping what is too long whole rather than acting on a part of it.
 */
import { PANEL_LINE_BYTES_MAX } from './controls.js';

const LF = 0x0a;
const CR = 0x0d;

const isPrintable = (byte: number): boolean => byte >= 0x20 && byte <= 0x7e;

/** `text` as it is sent, without a line's end: printable ASCII, `?` for anything else, at most {@link PANEL_LINE_BYTES_MAX} bytes. */
export const panelLine = (text: string): string =>
  Array.from(text, (character) => (isPrintable(character.codePointAt(0)!) ? character : '?'))
    .slice(0, PANEL_LINE_BYTES_MAX)
    .join('');

/** Puts lines together from bytes as they come. Make a new one for each connection: what the last one cut off is no line. */
export class PanelLineReader {
  readonly #line: (text: string) => void;
  #text = '';
  /** The line began, and is already longer than allowed. */
  #isTooLong = false;
  /** A CR came: the line's end if LF follows, else a byte like any other. */
  #isAfterCr = false;

  /** @param line gets each line without its end */
  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  /** Takes bytes in, and calls `line` for each line that they complete. */
  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === LF) {
        this.#isAfterCr = false;
        this.#end();
        continue;
      }
      if (this.#isAfterCr) this.#append('?');
      this.#isAfterCr = byte === CR;
      if (!this.#isAfterCr) this.#append(isPrintable(byte) ? String.fromCharCode(byte) : '?');
    }
  }

  #append(character: string): void {
    if (this.#text.length === PANEL_LINE_BYTES_MAX) this.#isTooLong = true;
    else this.#text += character;
  }

  #end(): void {
    const text = this.#text;
    const isWhole = !this.#isTooLong;
    this.#text = '';
    this.#isTooLong = false;
    if (isWhole) this.#line(text);
  }
}
