/**
 * Identifier: one page that names what a batch holds, in a file of its own, written when the batch itself is durable.
 *
 * The commonest fault in a house is a power cut, and it tears the end of *every* node's log at once. A torn batch without identifier was
 * never acknowledged by anybody, and is dropped; a damaged one *with* identifier may have been, and is unknown until a peer mends it. With
 * a single sync the two look alike, and a cluster has to choose between risking what it acknowledged and standing still.
 *
 * Further reading: R. Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage", FAST 2018, from which the idea is.
 */
import { assert } from '../core/assert.js';
import { ByteReader, ByteWriter } from '../core/cursor.js';
import { TuttiError } from '../core/errors.js';
import { type Slot, slot as slotOf } from '../core/ids.js';
import { type Ballot, sameBallot } from '../paxos/ballot.js';
import { readBallot, writeBallot } from '../paxos/codec.js';
import type { BatchPlace, LogRecord } from './batch.js';
import { crc32 } from './crc32.js';
import { BATCH_RANGES_MAX, BATCH_RECORDS_MAX, PAGE_BYTES } from './limits.js';
import { getU64, setU64, viewOf } from './page.js';

/** Slots one after another that were accepted under one ballot. */
export interface SlotRange {
  readonly from: Slot;
  readonly count: number;
  readonly ballot: Ballot;
}

/** What the ring knows of one batch. */
export interface Identifier extends BatchPlace {
  readonly sequence: number;
  /** That the batch takes. */
  readonly pages: number;
  /** Of the batch (batch.ts). */
  readonly hash: number;
  /** In the order of its records; where a slot is named twice the later one holds. */
  readonly ranges: readonly SlotRange[];
  /** As in the batch's trailer. */
  readonly chosenUpTo: Slot;
  /** Likewise. */
  readonly highestSlot: Slot;
}

const MAGIC = 0x31494c54; // "TLI1"
const VERSION = 1;
const HEADER_BYTES = 36;
/** Least bytes of a range: slot, count, a ballot of three parts. */
const RANGE_BYTES_MIN = 5;

/** Ranges as records come in, in their order. */
export class RangeList {
  #ranges: { from: Slot; count: number; ballot: Ballot }[] = [];

  /** True where a page could not name this record too. */
  isFull(record: LogRecord): boolean {
    return this.#ranges.length === BATCH_RANGES_MAX && !this.#isNext(record);
  }

  /** Notes a record. */
  add(record: LogRecord): void {
    const last = this.#ranges.at(-1);
    if (last !== undefined && this.#isNext(record)) last.count++;
    else this.#ranges.push({ from: record.slot, count: 1, ballot: record.ballot });
  }

  /** What was noted; the list is empty again. */
  take(): readonly SlotRange[] {
    const ranges = this.#ranges;
    this.#ranges = [];
    return ranges;
  }

  #isNext({ slot, ballot }: LogRecord): boolean {
    const last = this.#ranges.at(-1);
    return last !== undefined && last.from + last.count === slot && sameBallot(last.ballot, ballot);
  }
}

const writer = new ByteWriter();

/** Fills `page`, {@link PAGE_BYTES} bytes. */
export function writeIdentifier(page: Uint8Array, identifier: Identifier, seal: number): void {
  writer.varint(identifier.chosenUpTo);
  writer.varint(identifier.highestSlot);
  writer.varint(identifier.ranges.length);
  for (const { from, count, ballot } of identifier.ranges) {
    writer.varint(from);
    writer.varint(count);
    writeBallot(writer, ballot);
  }
  const variable = writer.take();
  const end = HEADER_BYTES + variable.length;
  assert(end + 4 <= PAGE_BYTES, 'the ranges of a batch fit in a page');
  const view = viewOf(page);
  page.fill(0);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  setU64(view, 8, identifier.sequence);
  view.setUint32(16, identifier.segment, true);
  view.setUint32(20, identifier.page, true);
  view.setUint32(24, identifier.pages, true);
  view.setUint32(28, identifier.hash, true);
  view.setUint32(32, variable.length, true);
  page.set(variable, HEADER_BYTES);
  view.setUint32(end, crc32(page.subarray(0, end), seal), true);
}

/** What a page of the ring says; undefined where it is none of this store, or is damaged. */
export function readIdentifier(page: Uint8Array, seal: number): Identifier | undefined {
  if (page.length < PAGE_BYTES) return undefined;
  const view = viewOf(page);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION) return undefined;
  const end = HEADER_BYTES + view.getUint32(32, true);
  if (end + 4 > PAGE_BYTES || view.getUint32(end, true) !== crc32(page.subarray(0, end), seal)) return undefined;
  const sequence = getU64(view, 8);
  if (!Number.isSafeInteger(sequence)) return undefined;
  try {
    const reader = new ByteReader(page.subarray(HEADER_BYTES, end));
    const chosenUpTo = slotOf(reader.varint());
    const highestSlot = slotOf(reader.varint());
    const ranges: SlotRange[] = [];
    for (let left = reader.count(BATCH_RANGES_MAX, RANGE_BYTES_MIN); left > 0; left--) {
      ranges.push({
        from: slotOf(reader.varint()),
        count: reader.varint(BATCH_RECORDS_MAX),
        ballot: readBallot(reader),
      });
    }
    reader.end();
    return {
      sequence,
      segment: view.getUint32(16, true),
      page: view.getUint32(20, true),
      pages: view.getUint32(24, true),
      hash: view.getUint32(28, true),
      ranges,
      chosenUpTo,
      highestSlot,
    };
  } catch (error) {
    if (error instanceof TuttiError) return undefined;
    throw error;
  }
}
