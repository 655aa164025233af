/**
 * Superblock: the few facts about a store that change rarely and must never be lost or go back: who this card is, what it promised, where
 * its log begins, which snapshot holds what came before.
 *
 * Four copies, two in each of two files and far apart there, each a page (or more, where a configuration is large). A write makes two
 * of them new, syncs, reads them back past the cache, and only then touches the other two: whenever the power goes, two copies share
 * the old state or the new one. Open believes the highest state that at least two copies share, and no single one: a higher state on a
 * single copy is a write that did not end, and nobody was told of it. Then, before anything else, all four are written anew with a
 * sequence above all that was seen, or that unfinished state could later find a second copy to share it with.
 *
 * The two that are left alone at first are two that were just read and hold the present state. Always leaving the same two would let
 * one page that went bad long ago, and a power cut today, leave a single good copy.
 *
 * Further reading: TigerBeetle's superblock (https://github.com/tigerbeetle/tigerbeetle, src/vsr/superblock.zig), whose quorums these are.
 */
import { assert } from '../core/assert.js';
import { ByteReader, ByteWriter } from '../core/cursor.js';
import { TuttiError } from '../core/errors.js';
import type { BootId, ClusterId, Incarnation, NodeId, Slot } from '../core/ids.js';
import { slot as slotOf } from '../core/ids.js';
import type { Ballot } from '../paxos/ballot.js';
import { readBallot, readId, writeBallot, writeId } from '../paxos/codec.js';
import type { Disk, DiskFile } from '../ports/disk.js';
import { crc32 } from './crc32.js';
import {
  BOOTS_MAX,
  CARDS_BYTES_MAX,
  CONFIGURATION_BYTES_MAX,
  GEOMETRY_MAX,
  PAGE_BYTES,
  SUPERBLOCK_BYTES_MAX,
} from './limits.js';
import { getU64, isSameBytes, paddedBytes, readPages, setU64, viewOf } from './page.js';

/** Where a snapshot is, and what it must look like. */
export interface SnapshotReference {
  /** Everything up to this slot is in it. */
  readonly slot: Slot;
  /** Of its file. */
  readonly name: string;
  readonly bytes: number;
  readonly crc: number;
}

/** Where a log begins, and what holds all that came before it. */
export interface LogBeginning {
  /** Null where the log begins with the first slot. */
  readonly snapshot: SnapshotReference | null;
  readonly base: { readonly sequence: number; readonly segment: number };
}

/** All that the superblock says. */
export interface SuperblockState {
  readonly cluster: ClusterId;
  readonly node: NodeId;
  readonly incarnation: Incarnation;
  /** Starts of this node's process, the oldest first. */
  readonly boots: readonly BootId[];
  /** How many starts there were, the forgotten ones too. */
  readonly starts: number;
  readonly promised: Ballot;
  /** Opaque; at most {@link CONFIGURATION_BYTES_MAX}. */
  readonly configuration: Uint8Array;
  /** Longest lease that this card may have granted, milliseconds. */
  readonly leaseMsMax: number;
  /** The log begins with this batch, in this segment; what is before is dead. */
  readonly base: { readonly sequence: number; readonly segment: number };
  /** Last batch that was durable when this was written, and its hash. */
  readonly last: { readonly sequence: number; readonly hash: number };
  /** Highest slot of all records as of then. */
  readonly highestSlot: Slot;
  /** Known to be chosen as of then. */
  readonly chosenUpTo: Slot;
  /** Opaque; at most {@link CARDS_BYTES_MAX}. */
  readonly cards: Uint8Array | null;
  readonly snapshot: SnapshotReference | null;
  /**
   * Where the log began before the snapshot took the place of part of it. As long as that part is not written over, this beginning and the
   * log after it come to the same as the snapshot. Null where they never did: a peer's snapshot jumps over slots.
   */
  readonly previous: LogBeginning | null;
  /** Sizes with which the store was formatted. */
  readonly geometry: { readonly segmentBytes: number; readonly segments: number; readonly ringPages: number };
}

const MAGIC = 0x31534c54; // "TLS1"
const VERSION = 2;
/** Said nothing of what was before the snapshot, and counted no starts. */
const VERSION_BEFORE = 1;
const HEADER_BYTES = 24;
/** Longest name of a snapshot's file. Bytes. */
const NAME_BYTES_MAX = 64;
const LEASE_MS_MAX = 1_000_000;
const CRC_MAX = 0xffff_ffff;
const FILES = ['superblock-a', 'superblock-b'] as const;

/** A copy in whole pages. */
export function encodeSuperblock(sequence: number, state: SuperblockState): Uint8Array {
  assert(state.configuration.length <= CONFIGURATION_BYTES_MAX, 'a configuration has a bounded length');
  assert((state.cards?.length ?? 0) <= CARDS_BYTES_MAX, 'a table of cards has a bounded length');
  assert(state.boots.length <= BOOTS_MAX, 'a bounded number of starts is named');
  const writer = new ByteWriter();
  for (const id of [state.cluster, state.node, state.incarnation]) writeId(writer, id);
  writer.varint(state.boots.length);
  for (const boot of state.boots) writeId(writer, boot);
  writeBallot(writer, state.promised);
  writer.bytes(state.configuration);
  writer.varint(state.leaseMsMax);
  const { base, last, highestSlot, chosenUpTo, snapshot, previous, geometry } = state;
  for (const value of [base.sequence, base.segment, last.sequence, last.hash, highestSlot, chosenUpTo]) {
    writer.varint(value);
  }
  writer.flag(state.cards !== null);
  if (state.cards !== null) writer.bytes(state.cards);
  writeSnapshotReference(writer, snapshot);
  for (const value of [geometry.segmentBytes, geometry.segments, geometry.ringPages]) writer.varint(value);
  writer.flag(previous !== null);
  if (previous !== null) {
    writeSnapshotReference(writer, previous.snapshot);
    writer.varint(previous.base.sequence);
    writer.varint(previous.base.segment);
  }
  writer.varint(state.starts);
  const variable = writer.take();

  const copy = new Uint8Array(paddedBytes(HEADER_BYTES + variable.length));
  assert(copy.length <= SUPERBLOCK_BYTES_MAX, 'a superblock has a bounded length');
  const view = viewOf(copy);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  setU64(view, 8, sequence);
  view.setUint32(16, variable.length, true);
  copy.set(variable, HEADER_BYTES);
  view.setUint32(20, checksumOf(copy), true);
  return copy;
}

function writeSnapshotReference(writer: ByteWriter, snapshot: SnapshotReference | null): void {
  writer.flag(snapshot !== null);
  if (snapshot === null) return;
  writer.varint(snapshot.slot);
  writer.text(snapshot.name);
  writer.varint(snapshot.bytes);
  writer.varint(snapshot.crc);
}

/** Of all pages of a copy, the zeros at the end too: what two copies share is then the same in every byte. */
const checksumOf = (copy: Uint8Array): number => crc32(copy.subarray(HEADER_BYTES), crc32(copy.subarray(0, 20)));

/** Bytes in whole pages that the copy at the start of `bytes` claims to take; 0 where there is none. */
export function superblockBytes(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES) return 0;
  const view = viewOf(bytes);
  const length = paddedBytes(HEADER_BYTES + view.getUint32(16, true));
  return view.getUint32(0, true) === MAGIC && length <= SUPERBLOCK_BYTES_MAX ? length : 0;
}

/** What a copy says; undefined where it is none, or is damaged. */
export function decodeSuperblock(
  bytes: Uint8Array,
): { readonly sequence: number; readonly checksum: number; readonly state: SuperblockState } | undefined {
  const length = superblockBytes(bytes);
  const view = viewOf(bytes);
  if (length === 0 || length > bytes.length) return undefined;
  const version = view.getUint32(4, true);
  if (version !== VERSION && version !== VERSION_BEFORE) return undefined;
  const checksum = view.getUint32(20, true);
  const sequence = getU64(view, 8);
  if (checksum !== checksumOf(bytes.subarray(0, length)) || !Number.isSafeInteger(sequence)) return undefined;
  try {
    const reader = new ByteReader(bytes.subarray(HEADER_BYTES, HEADER_BYTES + view.getUint32(16, true)));
    const state = readState(reader, version);
    reader.end();
    return { sequence, checksum, state };
  } catch (error) {
    if (error instanceof TuttiError) return undefined;
    throw error;
  }
}

function readState(reader: ByteReader, version: number): SuperblockState {
  const cluster = readId(reader) as ClusterId;
  const node = readId(reader) as NodeId;
  const incarnation = readId(reader) as Incarnation;
  const boots: BootId[] = [];
  for (let left = reader.count(BOOTS_MAX); left > 0; left--) boots.push(readId(reader) as BootId);
  const promised = readBallot(reader);
  const configuration = new Uint8Array(reader.bytes(CONFIGURATION_BYTES_MAX));
  const leaseMsMax = reader.varint(LEASE_MS_MAX);
  const base = { sequence: reader.varint(), segment: reader.varint() };
  const last = { sequence: reader.varint(), hash: reader.varint(CRC_MAX) };
  const highestSlot = slotOf(reader.varint());
  const chosenUpTo = slotOf(reader.varint());
  const cards = reader.flag() ? new Uint8Array(reader.bytes(CARDS_BYTES_MAX)) : null;
  const snapshot = readSnapshotReference(reader);
  const geometry = {
    segmentBytes: reader.varint(GEOMETRY_MAX.segmentBytes),
    segments: reader.varint(GEOMETRY_MAX.segments),
    ringPages: reader.varint(GEOMETRY_MAX.ringPages),
  };
  const isSound = geometry.segmentBytes % PAGE_BYTES === 0 && geometry.segmentBytes * geometry.segments > 0;
  if (!isSound || geometry.ringPages === 0) reader.refuse('a log has segments of whole pages and a ring');
  const hasPrevious = version !== VERSION_BEFORE && reader.flag();
  const previous = hasPrevious
    ? {
        snapshot: readSnapshotReference(reader),
        base: { sequence: reader.varint(), segment: reader.varint() },
      }
    : null;
  const starts = version === VERSION_BEFORE ? 0 : reader.varint();
  return {
    cluster,
    node,
    incarnation,
    boots,
    starts,
    promised,
    configuration,
    leaseMsMax,
    base,
    last,
    highestSlot,
    chosenUpTo,
    cards,
    snapshot,
    previous,
    geometry,
  };
}

function readSnapshotReference(reader: ByteReader): SnapshotReference | null {
  if (!reader.flag()) return null;
  return {
    slot: slotOf(reader.varint()),
    name: reader.text(NAME_BYTES_MAX),
    bytes: reader.varint(),
    crc: reader.varint(CRC_MAX),
  };
}

/** One of the four. */
interface Copy {
  readonly file: DiskFile;
  readonly name: string;
  /** Bytes into its file. */
  readonly offset: number;
}

/** What a person can do about a superblock that is gone; the store behind it cannot be trusted any more than a new card. */
const unreadable = (folder: string, what: string): TuttiError =>
  new TuttiError('STORE_UNREADABLE', `The superblock in "${folder}" cannot be read: ${what}.`, { path: folder });

/** The superblock of a store that is open. */
export class Superblock {
  readonly #copies: readonly Copy[];
  #state: SuperblockState;
  /** What two copies or more hold at present. */
  #current: Uint8Array;
  #sequence: number;

  private constructor(
    copies: readonly Copy[],
    init: { state: SuperblockState; current: Uint8Array; sequence: number },
  ) {
    this.#copies = copies;
    this.#state = init.state;
    this.#current = init.current;
    this.#sequence = init.sequence;
  }

  /** Makes the two files in `folder`. Not synced in their directory. */
  static format(
    disk: Disk,
    folder: string,
    init: { readonly gapBytes: number; readonly state: SuperblockState },
  ): void {
    assert(init.gapBytes >= SUPERBLOCK_BYTES_MAX, 'copies of the superblock do not touch');
    const bytes = encodeSuperblock(1, init.state);
    for (const name of FILES) {
      const file = disk.open(`${folder}/${name}`, 'create');
      file.truncate(0);
      // Really reserved, since the blocks of a file with a hole can lie side by side on the medium.
      file.allocate(init.gapBytes + SUPERBLOCK_BYTES_MAX);
      file.write(bytes, 0);
      file.write(bytes, init.gapBytes);
      file.sync();
      file.close();
    }
  }

  /**
   * What the copies agree on. Writes nothing: the caller does, before anything else ({@link Superblock.write}).
   * @param repaired told of copies that are damaged or differ @throws TuttiError STORE_UNREADABLE
   */
  static open(disk: Disk, folder: string, repaired: (what: string) => void): Superblock {
    const copies = openCopies(disk, folder);
    try {
      const found = copies.map((copy) => {
        // Once more, since a read that went astray is no damage.
        const bytes = [readCopy(copy), readCopy(copy)].find((read) => decodeSuperblock(read) !== undefined);
        return bytes && { copy, bytes, ...decodeSuperblock(bytes)! };
      });
      const good = found.filter((each) => each !== undefined).sort((a, b) => b.sequence - a.sequence);
      const winner = good.find((one) => good.filter((other) => isSame(one, other)).length >= 2);
      if (winner === undefined) {
        throw unreadable(folder, `${good.length} of its four copies are whole, and no two of them agree`);
      }
      copies.forEach(({ name, offset }, index) => {
        const state = found[index];
        if (state === undefined) repaired(`the superblock's copy at ${offset} of ${name} was damaged`);
        else if (!isSame(state, winner)) repaired(`the superblock's copy at ${offset} of ${name} differed`);
      });
      const { bytes: current, state } = winner;
      return new Superblock(copies, { state, current, sequence: good[0]!.sequence });
    } catch (error) {
      for (const { file } of copies) file.close();
      throw error;
    }
  }

  /** As last written. */
  get state(): SuperblockState {
    return this.#state;
  }

  /** Counts writes; none repeats one that a copy ever had. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Takes the place of the state; returns when it is durable and was read back. @throws TuttiError DISK_FAILED */
  write(state: SuperblockState): void {
    const bytes = encodeSuperblock(this.#sequence + 1, state);
    const holders = this.#copies.filter((copy) => holds(copy, this.#current));
    if (holders.length < 2) throw this.#failed('fewer than two copies hold what was written before');
    const kept = holders.slice(-2);
    const first = this.#copies.filter((copy) => !kept.includes(copy));
    this.#sequence++;
    const written = [first, kept].map((copies) => writeCopies(copies, bytes));
    if (written[0]! + written[1]! < 3) throw this.#failed('fewer than three copies hold what was just written');
    this.#current = bytes;
    this.#state = state;
  }

  /** Reads all copies past the cache; a sentence for each that does not hold what was written last. */
  verify(): string[] {
    return this.#copies
      .filter((copy) => !holds(copy, this.#current))
      .map(({ name, offset }) => `the superblock's copy at ${offset} of ${name} is damaged`);
  }

  /** Idempotent. */
  close(): void {
    for (const { file } of this.#copies) file.close();
  }

  #failed(what: string): TuttiError {
    return new TuttiError('DISK_FAILED', `The superblock cannot be written: ${what}.`);
  }
}

const isSame = (a: { sequence: number; checksum: number }, b: { sequence: number; checksum: number }): boolean =>
  a.sequence === b.sequence && a.checksum === b.checksum;

function openCopies(disk: Disk, folder: string): Copy[] {
  const paths = FILES.map((name) => `${folder}/${name}`);
  const there = paths.map((path) => disk.exists(path));
  if (!there.includes(true)) throw unreadable(folder, 'both of its files are gone');
  // One of the two may be gone: what the other holds is enough, and the first write makes all four again.
  const files = paths.map((path) => disk.open(path, 'create'));
  const bytes = Math.max(...files.map((file) => file.size()));
  const gap = bytes - SUPERBLOCK_BYTES_MAX;
  for (const [index, file] of files.entries()) {
    if (file.size() < bytes) file.allocate(bytes);
    // What a process that was killed left in the cache is on the medium from here on, so that what is read holds.
    file.sync();
    if (!there[index]) disk.syncDirectory(folder);
  }
  if (gap < SUPERBLOCK_BYTES_MAX) {
    for (const file of files) file.close();
    throw unreadable(folder, `its files are cut to ${bytes} bytes`);
  }
  return files.flatMap((file, index) => [0, gap].map((offset) => ({ file, name: FILES[index]!, offset })));
}

function readCopy({ file, offset }: Copy): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  readPages(file, page, offset);
  const bytes = superblockBytes(page);
  if (bytes <= PAGE_BYTES) return page;
  const whole = new Uint8Array(bytes);
  readPages(file, whole, offset);
  return whole;
}

/** Where copies are read back to. */
const readBack = new Uint8Array(SUPERBLOCK_BYTES_MAX);

function holds({ file, offset }: Copy, expected: Uint8Array): boolean {
  const bytes = readBack.subarray(0, expected.length);
  readPages(file, bytes, offset);
  return isSameBytes(bytes, expected);
}

/** How many of `copies` were found to hold `bytes` when they were written and synced. */
function writeCopies(copies: readonly Copy[], bytes: Uint8Array): number {
  for (const { file, offset } of copies) file.write(bytes, offset);
  for (const file of new Set(copies.map(({ file }) => file))) file.sync();
  return copies.filter((copy) => holds(copy, bytes)).length;
}
