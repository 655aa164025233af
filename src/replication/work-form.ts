/**
 * What goes to the log's thread to be made durable, and the records that it found, as bytes.
 *
 * Objects that go from thread to thread are cloned one by one, on both sides; for a batch of commands that takes longer than the disk
 * does. Bytes are copied at once.
 */
import { ByteReader, ByteWriter } from '../core/cursor.js';
import { type Slot, slot as slotOf } from '../core/ids.js';
import { readBallot, writeBallot } from '../paxos/codec.js';
import type { StoredRecord, StoreWork } from '../storage/store.js';

const writer = new ByteWriter();

/** The bytes of `work`. */
export function encodeWork({ promised, configuration, leaseMs, records, chosenUpTo, cards }: StoreWork): Uint8Array {
  const to = writer;
  writeOptional(to, promised, () => writeBallot(to, promised!));
  writeOptional(to, configuration, () => to.bytes(configuration!));
  writeOptional(to, leaseMs, () => to.varint(leaseMs!));
  to.varint(chosenUpTo);
  writeOptional(to, cards, () => to.bytes(cards!));
  writeRecords(to, records);
  return to.take();
}

/** What {@link encodeWork} encoded. Parts of it are views on `bytes`. */
export function decodeWork(bytes: Uint8Array): StoreWork {
  const from = new ByteReader(bytes);
  const promised = from.flag() ? readBallot(from) : null;
  const configuration = from.flag() ? from.bytes(bytes.length) : null;
  const leaseMs = from.flag() ? from.varint() : null;
  const chosenUpTo: Slot = slotOf(from.varint());
  const cards = from.flag() ? from.bytes(bytes.length) : null;
  const records = readRecords(from);
  return { promised, configuration, leaseMs, records, chosenUpTo, cards };
}

/** The bytes of `records`. */
export function encodeRecords(records: readonly StoredRecord[]): Uint8Array {
  writeRecords(writer, records);
  return writer.take();
}

/** What {@link encodeRecords} encoded. Entries are views on `bytes`. */
export const decodeRecords = (bytes: Uint8Array): StoredRecord[] => readRecords(new ByteReader(bytes));

function writeRecords(to: ByteWriter, records: readonly StoredRecord[]): void {
  to.varint(records.length);
  for (const { slot, ballot, chosen, entry } of records) {
    to.varint(slot);
    writeBallot(to, ballot);
    to.flag(chosen);
    to.bytes(entry);
  }
}

function readRecords(from: ByteReader): StoredRecord[] {
  const records: StoredRecord[] = [];
  for (let count = from.varint(); count > 0; count--) {
    const slot = slotOf(from.varint());
    const ballot = readBallot(from);
    const chosen = from.flag();
    records.push({ slot, ballot, chosen, entry: from.bytes(from.left) });
  }
  return records;
}

function writeOptional(to: ByteWriter, value: unknown, write: () => void): void {
  to.flag(value !== null);
  if (value !== null) write();
}
