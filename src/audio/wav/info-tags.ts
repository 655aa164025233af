/**
 * LIST INFO: the tags that RIFF itself has. A chain of sub-chunks, each an id, a size and a text that ends with a zero byte.
 *
 * Source: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0" (1991), and the ids that taggers added.
 */
import type { Tags } from '../../library/track.js';
import type { RawTags } from './tags.js';
import { decodeUtf8Or1252 } from './text.js';

const FIELDS: Readonly<Record<string, keyof Tags>> = {
  INAM: 'title',
  IART: 'artist',
  IPRD: 'album',
  // Three programs, three opinions.
  ITRK: 'number',
  IPRT: 'number',
  TRCK: 'number',
  ICRD: 'date',
  IGNR: 'genre',
};

/** Reads the body of a LIST chunk, or the beginning of a long one; empty where it is a list of something else. */
export function parseInfoList(body: Uint8Array): RawTags {
  const tags: RawTags = {};
  if (idAt(body, 0) !== 'INFO') return tags;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 4; at + 8 <= body.length; ) {
    const field = FIELDS[idAt(body, at)];
    const size = view.getUint32(at + 4, true);
    const text = body.subarray(at + 8, at + 8 + size);
    if (field !== undefined) tags[field] ??= decodeUtf8Or1252(untilZero(text));
    at += 8 + size;
    // Odd sizes are padded with a zero byte, which some programs forget.
    if (size % 2 === 1 && body[at] === 0) at++;
  }
  return tags;
}

const idAt = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

function untilZero(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
