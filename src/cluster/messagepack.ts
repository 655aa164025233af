/**
 * MessagePack in one form only: equal values give equal bytes, on every node and in every version.
 *
 * The log and the snapshots are compared byte by byte and read back years later, by machines that got them from others. msgpackr does
 * the packing; what it leaves open is closed here. Going out: keys are sorted, `undefined` is left out, text is well-formed. Coming in: the
 * bytes are walked once before msgpackr sees them, and only nil, booleans, numbers, 64-bit integers, valid UTF-8, arrays and maps with
 * text keys pass. So no length claims more than there is, nesting is bounded, and neither extensions nor broken text, which its
 * native and its plain decoder read differently, can reach it.
 *
 * Numbers: a whole `number` below 2^32 is packed as an integer, others as a 64-bit float; a `bigint` always as a 64-bit integer, so that
 * each comes back as what it was. Format: https://github.com/msgpack/msgpack/blob/master/spec.md; UTF-8: RFC 3629, section 4.
 */
import { Packr } from 'msgpackr';
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';

/** Deepest nesting of arrays and maps: the state needs 6, newer versions have room. */
export const DEPTH_MAX = 16;

const packr = new Packr({ useRecords: false, variableMapSize: true });

/** `value` with what does not count taken away: the order of keys, keys without a value, halves of surrogate pairs. */
function canonical(value: unknown, depth: number): unknown {
  assert(depth <= DEPTH_MAX, 'what is encoded is nested at most 16 deep');
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') assert(Number.isFinite(value), 'what is encoded holds finite numbers');
  if (typeof value === 'bigint') assert(BigInt.asIntN(64, value) === value, 'what is encoded holds 64-bit integers');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => canonical(element, depth + 1));
  const fields = value as Record<string, unknown>;
  const sorted: Record<string, unknown> = {};
  // By code units. (Entries, made into an object again, would say the same in one line, and take twice as long over every snapshot.)
  for (const key of Object.keys(fields).sort()) {
    if (fields[key] === undefined) continue;
    const [name, field] = [key.toWellFormed(), canonical(fields[key], depth + 1)];
    if (name === '__proto__') Object.defineProperty(sorted, name, { value: field, enumerable: true });
    else sorted[name] = field;
  }
  return sorted;
}

/** The bytes of a plain value: null, booleans, finite numbers, 64-bit bigints, text, arrays, objects. @throws InvariantError for others. */
export function pack(value: unknown): Uint8Array {
  // A copy: msgpackr answers a window on a buffer that it goes on filling, and whoever keeps the window keeps all of it.
  return new Uint8Array(packr.pack(canonical(value, 0)));
}

/** What {@link pack} made these bytes of. @throws TuttiError BAD_REQUEST where they are not such bytes. */
export function unpack(bytes: Uint8Array): unknown {
  new Walk(bytes).check();
  return packr.unpack(bytes);
}

/** The first bytes of UTF-8 sequences by length, each with the range of the second byte (RFC 3629). Later bytes: 0x80 to 0xbf. */
const UTF8: readonly (readonly [first: number, last: number, length: number, low: number, high: number])[] = [
  [0x00, 0x7f, 1, 0, 0],
  [0xc2, 0xdf, 2, 0x80, 0xbf],
  [0xe0, 0xe0, 3, 0xa0, 0xbf],
  [0xe1, 0xec, 3, 0x80, 0xbf],
  [0xed, 0xed, 3, 0x80, 0x9f],
  [0xee, 0xef, 3, 0x80, 0xbf],
  [0xf0, 0xf0, 4, 0x90, 0xbf],
  [0xf1, 0xf3, 4, 0x80, 0xbf],
  [0xf4, 0xf4, 4, 0x80, 0x8f],
];

/** One walk over encoded bytes that proves them well-formed, without building anything. */
class Walk {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  check(): void {
    this.#value(0);
    if (this.#at !== this.#bytes.length) this.#refuse(this.#at, 'nothing more was expected');
  }

  #refuse(at: number, what: string): never {
    throw new TuttiError('BAD_REQUEST', `the encoding is broken at byte ${at}: ${what}`, { offset: at });
  }

  /** Goes on by `count` bytes; answers where they begin. */
  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) this.#refuse(at, `${count} bytes are missing their end`);
    this.#at += count;
    return at;
  }

  /** A big-endian whole number of 1, 2 or 4 bytes. */
  #length(size: number): number {
    const at = this.#take(size);
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #value(depth: number): void {
    const at = this.#take(1);
    const tag = this.#bytes[at]!;
    if (tag <= 0x7f || tag >= 0xe0) return; // small integers
    if (tag <= 0x8f) this.#map(tag & 0x0f, depth);
    else if (tag <= 0x9f) this.#array(tag & 0x0f, depth);
    else if (tag <= 0xbf) this.#text(tag & 0x1f);
    else this.#tagged(at, tag, depth);
  }

  /** A value whose length or content follows its tag. */
  #tagged(at: number, tag: number, depth: number): void {
    switch (tag) {
      case 0xc0: // nil
      case 0xc2: // false
      case 0xc3: // true
        break;
      case 0xcb: // float64
        if (!Number.isFinite(this.#view.getFloat64(this.#take(8)))) this.#refuse(at, 'a number is not finite');
        break;
      case 0xcc: // uint8, 16, 32, 64
      case 0xcd:
      case 0xce:
      case 0xcf:
        this.#take(1 << (tag - 0xcc));
        break;
      case 0xd0: // int8, 16, 32, 64
      case 0xd1:
      case 0xd2:
      case 0xd3:
        this.#take(1 << (tag - 0xd0));
        break;
      case 0xd9: // str8, 16, 32
      case 0xda:
      case 0xdb:
        this.#text(this.#length(1 << (tag - 0xd9)));
        break;
      case 0xdc: // array16, 32
      case 0xdd:
        this.#array(this.#length(2 << (tag - 0xdc)), depth);
        break;
      case 0xde: // map16, 32
      case 0xdf:
        this.#map(this.#length(2 << (tag - 0xde)), depth);
        break;
      default:
        this.#refuse(at, `type 0x${tag.toString(16)} has no place here`);
    }
  }

  /** Refuses a container that is too deep, or promises more elements of at least `size` bytes than are left. */
  #enter(count: number, size: number, depth: number): void {
    if (depth >= DEPTH_MAX) this.#refuse(this.#at, `nested more than ${DEPTH_MAX} deep`);
    if (count * size > this.#bytes.length - this.#at) this.#refuse(this.#at, `${count} elements are promised`);
  }

  #array(count: number, depth: number): void {
    this.#enter(count, 1, depth);
    for (let k = 0; k < count; k++) this.#value(depth + 1);
  }

  #map(count: number, depth: number): void {
    this.#enter(count, 2, depth);
    for (let k = 0; k < count; k++) {
      const tag = this.#bytes[this.#at] ?? 0;
      const isText = (tag >= 0xa0 && tag <= 0xbf) || (tag >= 0xd9 && tag <= 0xdb);
      if (!isText) this.#refuse(this.#at, 'a key is not text');
      this.#value(depth + 1);
      this.#value(depth + 1);
    }
  }

  #text(length: number): void {
    const start = this.#take(length);
    const end = start + length;
    for (let at = start; at < end; ) {
      const byte = this.#bytes[at]!;
      const row = byte <= 0x7f ? UTF8[0]! : UTF8.find(([first, last]) => byte >= first && byte <= last);
      if (row === undefined || at + row[2] > end) this.#refuse(at, 'text is not UTF-8');
      for (let k = 1; k < row[2]; k++) {
        const next = this.#bytes[at + k]!;
        if (next < (k === 1 ? row[3] : 0x80) || next > (k === 1 ? row[4] : 0xbf)) {
          this.#refuse(at, 'text is not UTF-8');
        }
      }
      at += row[2];
    }
  }
}
