/**
 * ID3v2 in an `id3 ` chunk: the tag format of MP3, which taggers put into WAV files too.
 *
 * Three versions are met. 2.2 has ids of three letters and sizes of three bytes; 2.3 four and plain sizes; 2.4 four and "synchsafe"
 * sizes of seven bits a byte, so that no tag looks like the start of an MPEG frame. Unsynchronisation, for the same end, puts a zero
 * byte after each 0xff: over the whole tag up to 2.3, over each frame in 2.4.
 *
 * Further reading: https://id3.org, "ID3 tag version 2.3.0" and "2.4.0 - Main Structure".
 */
import type { Tags } from '../../library/track.js';
import { ID3_GENRES } from './genres.js';
import type { RawTags } from './tags.js';
import { decodeUtf8Or1252, decodeUtf16, decodeWindows1252 } from './text.js';

const HEADER_BYTES = 10;

/** Frames of text that are read; those of three letters are of version 2.2. */
const FIELDS: Readonly<Record<string, keyof Tags>> = {
  TIT2: 'title',
  TT2: 'title',
  TPE1: 'artist',
  TP1: 'artist',
  TALB: 'album',
  TAL: 'album',
  TRCK: 'number',
  TRK: 'number',
  TDRC: 'date',
  TYER: 'date',
  TYE: 'date',
  TCON: 'genre',
  TCO: 'genre',
};

interface Frame {
  readonly id: string;
  /** The frame's content: readable, or null where it is compressed or encrypted. */
  readonly content: Uint8Array | null;
  /** Where the next frame starts. */
  readonly end: number;
}

/** Reads a tag, or as much of it as there is; empty where it is no ID3v2. */
export function parseId3(chunk: Uint8Array): RawTags {
  const tags: RawTags = {};
  const major = chunk[3] ?? 0;
  if (chunk.length < HEADER_BYTES || idAt(chunk, 0, 3) !== 'ID3' || major < 2 || major > 4) return tags;
  const flags = chunk[5]!;
  const unsynchronised = (flags & 0x80) !== 0;
  const stored = chunk.subarray(HEADER_BYTES, HEADER_BYTES + synchsafe(chunk, 6));
  const body = unsynchronised && major < 4 ? resynchronise(stored) : stored;
  let at = 0;
  if (major > 2 && (flags & 0x40) !== 0) at = extendedHeaderBytes(body, major);
  for (let frame = nextFrame(body, at); frame !== null; frame = nextFrame(body, frame.end)) {
    const field = FIELDS[frame.id];
    if (field === undefined || frame.content === null) continue;
    const text = decodeText(frame.content);
    tags[field] ??= field === 'genre' ? nameGenres(text) : text;
  }
  return tags;

  function nextFrame(bytes: Uint8Array, start: number): Frame | null {
    return major === 2
      ? frameOf22(bytes, start)
      : major === 3
        ? frameOf23(bytes, start)
        : frameOf24(bytes, start, unsynchronised);
  }
}

function frameOf22(bytes: Uint8Array, at: number): Frame | null {
  if (!hasFrameId(bytes, at, 3) || at + 6 > bytes.length) return null;
  const end = at + 6 + ((bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!);
  return { id: idAt(bytes, at, 3), content: bytes.subarray(at + 6, end), end };
}

function frameOf23(bytes: Uint8Array, at: number): Frame | null {
  if (!hasFrameId(bytes, at, 4) || at + HEADER_BYTES > bytes.length) return null;
  const end = at + HEADER_BYTES + plainSize(bytes, at + 4);
  const flags = bytes[at + 9]!;
  const unreadable = (flags & 0xc0) !== 0; // compressed or encrypted
  const grouping = (flags & 0x20) !== 0 ? 1 : 0;
  const content = bytes.subarray(at + HEADER_BYTES + grouping, end);
  return { id: idAt(bytes, at, 4), content: unreadable ? null : content, end };
}

function frameOf24(bytes: Uint8Array, at: number, allUnsynchronised: boolean): Frame | null {
  if (!hasFrameId(bytes, at, 4) || at + HEADER_BYTES > bytes.length) return null;
  const end = at + HEADER_BYTES + frameSizeOf24(bytes, at);
  const flags = bytes[at + 9]!;
  const unreadable = (flags & 0x0c) !== 0; // compressed or encrypted
  const extras = ((flags & 0x40) !== 0 ? 1 : 0) + ((flags & 0x01) !== 0 ? 4 : 0); // group id, length before unsynchronisation
  const stored = bytes.subarray(at + HEADER_BYTES + extras, end);
  const content = allUnsynchronised || (flags & 0x02) !== 0 ? resynchronise(stored) : stored;
  return { id: idAt(bytes, at, 4), content: unreadable ? null : content, end };
}

/** Some programs write the plain sizes of 2.3 into 2.4. The reading behind which another frame or the end stands is the right one. */
function frameSizeOf24(bytes: Uint8Array, at: number): number {
  const safe = synchsafe(bytes, at + 4);
  const plain = plainSize(bytes, at + 4);
  const fits = (size: number) => {
    const end = at + HEADER_BYTES + size;
    return end === bytes.length || bytes[end] === 0 || hasFrameId(bytes, end, 4);
  };
  return !fits(safe) && fits(plain) ? plain : safe;
}

/** Bytes that the extended header takes: its size counts itself in 2.4, and not in 2.3. */
const extendedHeaderBytes = (body: Uint8Array, major: number): number =>
  major === 3 ? 4 + plainSize(body, 0) : synchsafe(body, 0);

/** Ids are capital letters and digits; anything else is padding, or the end of what can be understood. */
function hasFrameId(bytes: Uint8Array, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) {
    const byte = bytes[i] ?? 0;
    if (!((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39))) return false;
  }
  return true;
}

const idAt = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

/** A big-endian number of 32 bits. */
const plainSize = (bytes: Uint8Array, at: number): number =>
  ((byteAt(bytes, at) << 24) | (byteAt(bytes, at + 1) << 16) | (byteAt(bytes, at + 2) << 8) | byteAt(bytes, at + 3)) >>>
  0;

/** A big-endian number of 28 bits, seven in each byte. */
const synchsafe = (bytes: Uint8Array, at: number): number =>
  ((byteAt(bytes, at) & 0x7f) << 21) |
  ((byteAt(bytes, at + 1) & 0x7f) << 14) |
  ((byteAt(bytes, at + 2) & 0x7f) << 7) |
  (byteAt(bytes, at + 3) & 0x7f);

/** Takes out the zero byte after each 0xff. */
function resynchronise(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    result[length++] = bytes[i]!;
    if (bytes[i] === 0xff && bytes[i + 1] === 0x00) i++;
  }
  return result.subarray(0, length);
}

/** A text frame: one byte for the encoding, then one or (2.4) several texts that zero characters part. */
function decodeText(content: Uint8Array): string {
  const bytes = content.subarray(1);
  const text =
    content[0] === 1
      ? decodeUtf16(bytes, false)
      : content[0] === 2
        ? decodeUtf16(bytes, true)
        : content[0] === 3
          ? decodeUtf8Or1252(bytes)
          : decodeWindows1252(bytes);
  return text
    .split('\0')
    .filter((part) => part !== '')
    .join('; ');
}

/** "17", "(17)" and "(17)Rock" are Rock, "(4)(20)" is both; a text that is no number stands for itself. */
function nameGenres(text: string): string {
  const named = (code: string) =>
    code === 'RX' ? 'Remix' : code === 'CR' ? 'Cover' : (ID3_GENRES[Number(code)] ?? code);
  const whole = text
    .split('; ')
    .map((part) => (/^\d{1,3}$/.test(part) ? named(part) : part))
    .join('; ');
  const [, codes, refinement] = /^((?:\((?:\d{1,3}|RX|CR)\))+)(.*)$/s.exec(whole) ?? [undefined, '', whole];
  if (refinement !== '') return refinement!;
  return [...codes!.matchAll(/\((\w+)\)/g)].map(([, code]) => named(code!)).join('; ');
}
