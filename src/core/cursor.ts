/**
 * Byte cursors: write fields one after another, and read them back from bytes that may hold anything.
 *
 * A reader never looks outside its bytes and never allocates by a length that it has not compared with what is there. All that it
 * can find wrong is one TuttiError, BAD_FRAME, which says where. Whole numbers are varints (seven bits a byte, the lowest first, the top bit
 * says that more follow), as in Protocol Buffers: https://protobuf.dev/programming-guides/encoding/#varints.
 */
import { assert } from './assert.js';
import { TuttiError } from './errors.js';

/** A writer begins with this much room unless it is told otherwise, and doubles it. Bytes. */
const ROOM_AT_FIRST = 1_024;
/** Room for writers of what is handed on with `share`: some hundred messages. Bytes. */
export const ROOM_TO_SHARE = 16_384;
/** Bytes of the longest varint: 2^53 - 1 has 53 bits. */
const VARINT_BYTES_MAX = 8;
/** Above this, shifts would cut a number to 32 bits. */
const SHIFT_MAX = 0x7fff_ffff;
const INT64_MAX = (1n << 63n) - 1n;
/** Where eight bytes become a number: a view on every message would cost more than all that is read through it. */
const eight = new Uint8Array(8);
const eightView = new DataView(eight.buffer);

/** Fields, one after another. `take` or `share` gives them and begins anew, so that one writer serves for all messages. */
export class ByteWriter {
  readonly #room: number;
  #bytes: Uint8Array;
  #view: DataView;
  /** What is being written stands from here ... */
  #from = 0;
  /** ... to here. */
  #to = 0;

  /** @param room bytes to begin with */
  constructor(room = ROOM_AT_FIRST) {
    this.#room = room;
    this.#bytes = new Uint8Array(room);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written since the last `take` or `share`. */
  get length(): number {
    return this.#to - this.#from;
  }

  /** A copy of what was written; the writer is empty again. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(this.#from, this.#to);
    this.#to = this.#from;
    return taken;
  }

  /**
   * What was written, which nobody writes to again; the writer is empty. The memory around it holds what was shared before and after: it
   * costs an eighth of a `take`, and is for what stays within this thread and does not live for long, or lives as long as the rest.
   */
  share(): Uint8Array {
    const shared = this.#bytes.subarray(this.#from, this.#to);
    this.#from = this.#to;
    return shared;
  }

  /** One byte, 0 to 255. */
  u8(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  /** False or true, a byte. */
  flag(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  /** A whole number from 0 to 2^53 - 1, in 1 to 8 bytes. */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, `a varint is a whole number from 0, not ${value}`);
    let at = this.#reserve(VARINT_BYTES_MAX);
    let rest = value;
    while (rest > SHIFT_MAX) {
      this.#bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      this.#bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[at++] = rest;
    this.#to = at;
  }

  /** A double, 8 bytes. */
  f64(value: number): void {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value);
  }

  /** A whole number from 0 to 2^63 - 1, 8 bytes: nanoseconds. */
  u63(value: bigint): void {
    assert(value >= 0n && value <= INT64_MAX, `${value} is a number of 63 bits`);
    const at = this.#reserve(8);
    this.#view.setBigInt64(at, value);
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** A length, then the bytes. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** A length, then UTF-8. Halves of surrogate pairs become U+FFFD. */
  text(text: string): void {
    this.bytes(utf8(text));
  }

  #reserve(count: number): number {
    if (this.#to + count > this.#bytes.length) this.#moveOn(count);
    const at = this.#to;
    this.#to = at + count;
    return at;
  }

  /** To memory with room for `count` more bytes. */
  #moveOn(count: number): void {
    const begun = this.#bytes.subarray(this.#from, this.#to);
    this.#bytes = new Uint8Array(Math.max(this.#room, 2 * begun.length, begun.length + count));
    this.#view = new DataView(this.#bytes.buffer);
    this.#bytes.set(begun);
    this.#from = 0;
    this.#to = begun.length;
  }
}

/** Reads fields in the order in which they were written. Every method @throws TuttiError BAD_FRAME where the bytes are not such a field. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Offset of the next field. */
  get at(): number {
    return this.#at;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Says that the bytes are not what they should be. */
  refuse(what: string): never {
    throw new TuttiError('BAD_FRAME', `At byte ${this.#at} of ${this.#bytes.length}: ${what}.`);
  }

  /** Nothing may be left. */
  end(): void {
    if (this.left !== 0) this.refuse(`nothing more was expected, and ${this.left} bytes are left`);
  }

  /** One byte. */
  u8(): number {
    return this.#bytes[this.#move(1)]!;
  }

  /** False or true. */
  flag(): boolean {
    const value = this.u8();
    if (value > 1) this.refuse(`a flag is 0 or 1, not ${value}`);
    return value === 1;
  }

  /** A whole number from 0 to `max`. */
  varint(max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > max) this.refuse(`a number is at most ${max}, not ${value}`);
        return value;
      }
      scale *= 128;
    }
    return this.refuse(`a number has at most ${VARINT_BYTES_MAX} bytes`);
  }

  /** A whole number from 0 to 2^32 - 1, in 4 bytes. */
  u32(): number {
    const at = this.#move(4);
    const bytes = this.#bytes;
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }

  /** A finite double. */
  f64(): number {
    const value = this.#eight().getFloat64(0);
    return Number.isFinite(value) ? value : this.refuse('a number is finite');
  }

  /** A whole number from 0 to 2^63 - 1. */
  u63(): bigint {
    const value = this.#eight().getBigInt64(0);
    return value >= 0n ? value : this.refuse('a count of nanoseconds is not negative');
  }

  /** `length` bytes, a view on what is read. */
  raw(length: number): Uint8Array {
    const from = this.#move(length);
    return this.#bytes.subarray(from, from + length);
  }

  /** Bytes with their length before them, at most `max`: a view on what is read. */
  bytes(max: number): Uint8Array {
    return this.raw(this.varint(max));
  }

  /** UTF-8 of at most `max` bytes. */
  text(max: number): string {
    const bytes = this.bytes(max);
    return fromUtf8(bytes) ?? this.refuse('a text is not UTF-8');
  }

  /** A count of elements that take at least `elementBytes` (1 or more) each: never more than can be there. */
  count(max: number, elementBytes = 1): number {
    const count = this.varint(max);
    if (count * elementBytes > this.left) this.refuse(`${count} elements do not fit in ${this.left} bytes`);
    return count;
  }

  /** The next eight bytes. */
  #eight(): DataView {
    const from = this.#move(8);
    for (let k = 0; k < 8; k++) eight[k] = this.#bytes[from + k]!;
    return eightView;
  }

  #move(count: number): number {
    const from = this.#at;
    if (count > this.left) this.refuse(`${count} more bytes were expected, and ${this.left} are left`);
    this.#at = from + count;
    return from;
  }
}

/** UTF-8 of `text`; pure folders have no TextEncoder. Halves of surrogate pairs become U+FFFD. */
export function utf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0)!;
    const scalar = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
    if (scalar < 0x80) bytes.push(scalar);
    else if (scalar < 0x800) bytes.push(0xc0 | (scalar >> 6), tail(scalar));
    else if (scalar < 0x1_0000) bytes.push(0xe0 | (scalar >> 12), tail(scalar >> 6), tail(scalar));
    else bytes.push(0xf0 | (scalar >> 18), tail(scalar >> 12), tail(scalar >> 6), tail(scalar));
  }
  return Uint8Array.from(bytes);
}

const tail = (bits: number): number => 0x80 | (bits & 0x3f);

/** The least code point that a sequence of so many bytes may stand for: shorter forms of it are forbidden (RFC 3629, section 3). */
const LEAST_POINT = [0, 0, 0x80, 0x800, 0x1_0000];

/** The text of UTF-8, in its one valid form; null where it is not. */
export function fromUtf8(bytes: Uint8Array): string | null {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!;
    const length = first < 0x80 ? 1 : first >> 5 === 6 ? 2 : first >> 4 === 14 ? 3 : first >> 3 === 30 ? 4 : 0;
    if (length === 0 || at + length > bytes.length) return null;
    let point = length === 1 ? first : first & (0xff >> (length + 1));
    for (let next = 1; next < length; next++) {
      const byte = bytes[at + next]!;
      if (byte >> 6 !== 2) return null;
      point = (point << 6) | (byte & 0x3f);
    }
    if (point < LEAST_POINT[length]! || point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
    text += String.fromCodePoint(point);
    at += length;
  }
  return text;
}
