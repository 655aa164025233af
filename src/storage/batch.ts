/**
 * Batch: what one commit puts in the log, in whole pages, so that a page that was acknowledged is never written again.
 *
 *     header   magic, version, sequence, place, length, count, hash of the batch before, checksum
 *     records  {length, type, slot, ballot, entry, checksum} ...
 *     trailer  table of cards, chosen up to, highest slot, count, sequence, checksum
 *     zeros    up to the page's end
 *
 * The sequence counts this node's batches and never repeats for one that was acknowledged; with the place it tells a batch from the
 * leftovers of a segment's earlier life, which are whole and pass their own checksums. The last checksum covers header, trailer and
 * the checksums of all records: it is the batch's *hash*, which the next batch and the identifier name. Every checksum begins with the
 * store's *seal*, so that pages of a store that was here before, or of another card, are nobody's.
 *
 * Whole numbers of fixed width have their lowest byte first; others are varints (core/cursor.ts).
 *
 * Further reading: hashicorp/raft-wal (https://github.com/hashicorp/raft-wal), whose README lists what such a log assumes of a disk.
 */
import { assert } from '../core/assert.js';
import { ByteReader, ByteWriter } from '../core/cursor.js';
import { TuttiError } from '../core/errors.js';
import { type Slot, slot as slotOf } from '../core/ids.js';
import type { Ballot } from '../paxos/ballot.js';
import { readBallot, writeBallot } from '../paxos/codec.js';
import { crc32 } from './crc32.js';
import { BATCH_RECORDS_MAX, CARDS_BYTES_MAX, PAGE_BYTES } from './limits.js';
import { getU64, paddedBytes, setU64, viewOf } from './page.js';

/** An entry as it is in the log. */
export interface StoredRecord {
  readonly slot: Slot;
  /** Under which it was accepted. */
  readonly ballot: Ballot;
  /** Known to be chosen when it was written: no other value can come to stand in its slot. */
  readonly chosen: boolean;
  readonly entry: Uint8Array;
}

/** A record of the log; `lost` gives its slot up: nothing is known to stand there, and nobody waits for it any more. */
export type LogRecord = StoredRecord | { readonly slot: Slot; readonly ballot: Ballot; readonly lost: true };

/** Where a batch is. */
export interface BatchPlace {
  /** Counts segments from 0 and never repeats: which file it is follows from it (segments.ts). */
  readonly segment: number;
  /** First page in that segment. */
  readonly page: number;
}

/** What the first page of a batch says. */
export interface BatchHeader extends BatchPlace {
  readonly sequence: number;
  /** Without the zeros at the end. */
  readonly bytes: number;
  readonly count: number;
  /** Hash of the batch before; 0 where that is not known. */
  readonly previous: number;
}

/** What the end of a batch says, beside its checksum. */
export interface BatchTrailer {
  /** What the leader last saw of the members' cards; null where nothing new was seen. */
  readonly cards: Uint8Array | null;
  /** Every slot up to here is known to be chosen, and held. */
  readonly chosenUpTo: Slot;
  /** Highest slot of all records that were ever written here. */
  readonly highestSlot: Slot;
}

/** A whole batch. */
export interface Batch extends BatchHeader, BatchTrailer {
  readonly hash: number;
  readonly records: readonly LogRecord[];
}

const MAGIC = 0x31424c54; // "TLB1"
const VERSION = 1;
const HEADER_BYTES = 40;
/** Length before a record, checksum after it. */
const RECORD_FRAME_BYTES = 8;
/** Chosen up to, highest slot, count, sequence, checksum. */
const TRAILER_FIXED_BYTES = 8 + 8 + 4 + 8 + 4;
/** Largest trailer: the length of the table of cards takes two bytes. */
const TRAILER_BYTES_MAX = 2 + CARDS_BYTES_MAX + TRAILER_FIXED_BYTES;
const NO_CARDS = 0xffff;

const TYPES = { entry: 1, chosenEntry: 2, lost: 3 } as const;

/** Type, slot and ballot of a record take at most this. Bytes. */
const RECORD_HEAD_BYTES_MAX = 1 + 8 + 8 + 8 + 65;

/** The largest entry that finds room in a batch of its own, in a segment of so many bytes. */
export const entryBytesMax = (segmentBytes: number): number =>
  segmentBytes - HEADER_BYTES - TRAILER_BYTES_MAX - RECORD_FRAME_BYTES - RECORD_HEAD_BYTES_MAX;

const NO_ENTRY = new Uint8Array(0);
const isLost = (record: LogRecord): record is LogRecord & { readonly lost: true } => 'lost' in record;

/** Puts batches together, one after another, in one buffer. */
export class BatchWriter {
  readonly #seal: number;
  readonly #bytesMax: number;
  readonly #recordsMax: number;
  readonly #writer = new ByteWriter();
  #buffer = new Uint8Array(4 * PAGE_BYTES);
  #view = viewOf(this.#buffer);
  #length = HEADER_BYTES;
  #count = 0;
  /** Where each record's checksum stands. */
  readonly #checksumsAt: number[] = [];

  /** @param init `seal`: of the store; `segmentBytes` and `recordsMax` (no limit of its own where it is left out): what a batch may take at most */
  constructor(init: { readonly seal: number; readonly segmentBytes: number; readonly recordsMax?: number }) {
    this.#seal = init.seal;
    this.#bytesMax = init.segmentBytes;
    this.#recordsMax = init.recordsMax ?? BATCH_RECORDS_MAX;
  }

  /** Records of the batch so far. */
  get count(): number {
    return this.#count;
  }

  /** Adds a record; false, and nothing changed, where it needs a batch of its own. */
  add(record: LogRecord): boolean {
    const { slot, ballot } = record;
    const entry = isLost(record) ? NO_ENTRY : record.entry;
    const writer = this.#writer;
    writer.u8(isLost(record) ? TYPES.lost : record.chosen ? TYPES.chosenEntry : TYPES.entry);
    writer.varint(slot);
    writeBallot(writer, ballot);
    const head = writer.take();
    const length = RECORD_FRAME_BYTES + head.length + entry.length;
    const end = this.#length + length;
    if (end + TRAILER_BYTES_MAX > this.#bytesMax || this.#count === this.#recordsMax) {
      assert(this.#count > 0, `an entry of ${entry.length} bytes fits in a segment of ${this.#bytesMax}`);
      return false;
    }
    this.#reserve(end + TRAILER_BYTES_MAX);
    this.#view.setUint32(this.#length, length, true);
    this.#buffer.set(head, this.#length + 4);
    this.#buffer.set(entry, this.#length + 4 + head.length);
    const checked = this.#buffer.subarray(this.#length, end - 4);
    this.#view.setUint32(end - 4, crc32(checked, this.#seal), true);
    this.#checksumsAt.push(end - 4);
    this.#length = end;
    this.#count++;
    return true;
  }

  /** Bytes of the batch if it ended here with these cards, in whole pages. */
  paddedBytes(cards: Uint8Array | null): number {
    return paddedBytes(this.#length + 2 + (cards?.length ?? 0) + TRAILER_FIXED_BYTES);
  }

  /** Ends the batch. Gives its pages, a view that the next batch overwrites, and its hash. */
  finish(
    { sequence, segment, page, previous }: Omit<BatchHeader, 'bytes' | 'count'>,
    { cards, chosenUpTo, highestSlot }: BatchTrailer,
  ): { readonly pages: Uint8Array; readonly hash: number } {
    const view = this.#view;
    let at = this.#length;
    const trailerAt = at;
    view.setUint16(at, cards?.length ?? NO_CARDS, true);
    if (cards !== null) this.#buffer.set(cards, at + 2);
    at += 2 + (cards?.length ?? 0);
    setU64(view, at, chosenUpTo);
    setU64(view, at + 8, highestSlot);
    view.setUint32(at + 16, this.#count, true);
    setU64(view, at + 20, sequence);
    const bytes = at + TRAILER_FIXED_BYTES;

    view.setUint32(0, MAGIC, true);
    view.setUint32(4, VERSION, true);
    setU64(view, 8, sequence);
    view.setUint32(16, segment, true);
    view.setUint32(20, page, true);
    view.setUint32(24, bytes, true);
    view.setUint32(28, this.#count, true);
    view.setUint32(32, previous, true);
    view.setUint32(36, crc32(this.#buffer.subarray(0, 36), this.#seal), true);

    let hash = crc32(this.#buffer.subarray(0, HEADER_BYTES), this.#seal);
    for (const from of this.#checksumsAt) hash = crc32(this.#buffer.subarray(from, from + 4), hash);
    hash = crc32(this.#buffer.subarray(trailerAt, bytes - 4), hash);
    view.setUint32(bytes - 4, hash, true);

    const padded = paddedBytes(bytes);
    this.#buffer.fill(0, bytes, padded);
    this.#length = HEADER_BYTES;
    this.#count = 0;
    this.#checksumsAt.length = 0;
    return { pages: this.#buffer.subarray(0, padded), hash };
  }

  #reserve(bytes: number): void {
    const padded = paddedBytes(bytes);
    if (padded <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.min(paddedBytes(this.#bytesMax), Math.max(padded, 2 * this.#buffer.length)));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
    this.#view = viewOf(larger);
  }
}

/** What the header at the start of `bytes` says; undefined where there is none of this store. The batch itself may be damaged. */
export function readBatchHeader(bytes: Uint8Array, seal: number): BatchHeader | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION) return undefined;
  if (view.getUint32(36, true) !== crc32(bytes.subarray(0, 36), seal)) return undefined;
  const header = {
    sequence: getU64(view, 8),
    segment: view.getUint32(16, true),
    page: view.getUint32(20, true),
    bytes: view.getUint32(24, true),
    count: view.getUint32(28, true),
    previous: view.getUint32(32, true),
  };
  const isSound =
    Number.isSafeInteger(header.sequence) &&
    header.bytes >= HEADER_BYTES + TRAILER_FIXED_BYTES &&
    header.count <= BATCH_RECORDS_MAX;
  return isSound ? header : undefined;
}

/** The batch at the start of `bytes`; undefined where there is none of this store, or any of it is damaged. Entries are copies. */
export function readBatch(bytes: Uint8Array, seal: number): Batch | undefined {
  const header = readBatchHeader(bytes, seal);
  if (header === undefined || header.bytes > bytes.length) return undefined;
  const end = header.bytes - TRAILER_FIXED_BYTES;
  const view = viewOf(bytes);
  const records: LogRecord[] = [];
  let hash = crc32(bytes.subarray(0, HEADER_BYTES), seal);
  let at = HEADER_BYTES;
  for (let i = 0; i < header.count; i++) {
    const found = readRecord(bytes.subarray(at, end), seal);
    if (found === undefined) return undefined;
    at += found.bytes;
    hash = crc32(bytes.subarray(at - 4, at), hash);
    records.push(found.record);
  }
  const cardsLength = at + 2 <= end ? view.getUint16(at, true) : Number.NaN;
  const hasCards = cardsLength !== NO_CARDS;
  const cardsBytes = hasCards ? cardsLength : 0;
  if (at + 2 + cardsBytes !== end || cardsBytes > CARDS_BYTES_MAX) return undefined;
  hash = crc32(bytes.subarray(at, header.bytes - 4), hash);
  const chosenUpTo = getU64(view, end);
  const highestSlot = getU64(view, end + 8);
  const isSound =
    Number.isSafeInteger(chosenUpTo) &&
    Number.isSafeInteger(highestSlot) &&
    view.getUint32(end + 16, true) === header.count &&
    getU64(view, end + 20) === header.sequence &&
    view.getUint32(end + 28, true) === hash;
  if (!isSound) return undefined;
  return {
    ...header,
    hash,
    records,
    cards: hasCards ? new Uint8Array(bytes.subarray(at + 2, end)) : null,
    chosenUpTo: slotOf(chosenUpTo),
    highestSlot: slotOf(highestSlot),
  };
}

/**
 * The records of a damaged batch that are whole, as far as their lengths lead. They may be leftovers of the place's earlier life: the
 * caller takes only those whose slot and ballot the batch's identifier names, since under one ballot a slot has one value, whenever it
 * was written.
 */
export function salvageRecords(bytes: Uint8Array, seal: number): LogRecord[] {
  const records: LogRecord[] = [];
  const view = viewOf(bytes);
  for (let at = HEADER_BYTES; at + RECORD_FRAME_BYTES < bytes.length && records.length < BATCH_RECORDS_MAX; ) {
    const found = readRecord(bytes.subarray(at), seal);
    if (found !== undefined) records.push(found.record);
    const length = view.getUint32(at, true);
    if (length <= RECORD_FRAME_BYTES) break;
    at += length;
  }
  return records;
}

/** The record at the start of `bytes`, with its length; undefined where there is none, or it is damaged. */
function readRecord(
  bytes: Uint8Array,
  seal: number,
): { readonly record: LogRecord; readonly bytes: number } | undefined {
  if (bytes.length < RECORD_FRAME_BYTES) return undefined;
  const view = viewOf(bytes);
  const length = view.getUint32(0, true);
  if (length <= RECORD_FRAME_BYTES || length > bytes.length) return undefined;
  if (view.getUint32(length - 4, true) !== crc32(bytes.subarray(0, length - 4), seal)) return undefined;
  try {
    const reader = new ByteReader(bytes.subarray(4, length - 4));
    const type = reader.u8();
    const slot = slotOf(reader.varint());
    const ballot = readBallot(reader);
    if (type === TYPES.lost && reader.left === 0) return { record: { slot, ballot, lost: true }, bytes: length };
    if (type !== TYPES.entry && type !== TYPES.chosenEntry) return undefined;
    const entry = new Uint8Array(reader.raw(reader.left));
    return { record: { slot, ballot, chosen: type === TYPES.chosenEntry, entry }, bytes: length };
  } catch (error) {
    if (error instanceof TuttiError) return undefined;
    throw error;
  }
}
