/**
 * Store: what one node's acceptor must never forget, on a card that can lose power at any moment.
 *
 * Parts: a log of batches (batch.ts, segments.ts), a ring of their identifiers (identifier.ts, ring.ts), a superblock in four copies
 * (superblock.ts), snapshots, and a ballast for a disk that is full. Every part only overwrites what was laid down when the store was
 * formatted. All calls block, for as long as a card takes: whoever uses a store has a thread for it.
 *
 * What holds at all times:
 *  1. What `commit` returned for is found by every later `open`, or, where the medium damaged it since, is *unknown* there; never absent.
 *  2. The promise found is never below one that `commit` returned for.
 *  3. A page of a batch that was acknowledged is not written again before the superblock's log base has passed it.
 *  4. A write or sync that failed is never tried again: the store is of no use any more, and the process ends. The kernel may have marked
 *     a page clean that never reached the medium; only what is read past the cache after a restart says what is there.
 *  5. Nothing is written but when one of these calls has something to write: an idle node writes nothing.
 *
 * Further reading: T. S. Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014; A. Rebello et al., "Can Applications Recover
 * from fsync Failures?", ATC 2020; R. Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage", FAST 2018.
 */
import { assert } from '../core/assert.js';
import { utf8 } from '../core/cursor.js';
import { TuttiError } from '../core/errors.js';
import type { BootId, ClusterId, Incarnation, NodeId, Slot } from '../core/ids.js';
import { slot as slotOf } from '../core/ids.js';
import { type Ballot, compareBallots, higherBallot, NO_BALLOT } from '../paxos/ballot.js';
import type { Disk } from '../ports/disk.js';
import { Ballast } from './ballast.js';
import { type BatchPlace, BatchWriter, entryBytesMax, type LogRecord, readBatch, type StoredRecord } from './batch.js';
import { crc32 } from './crc32.js';
import { type Fallback, findFallback } from './fallback.js';
import { type Identifier, RangeList } from './identifier.js';
import {
  BOOTS_MAX,
  batchRecordsMax,
  CARDS_BYTES_MAX,
  CONFIGURATION_BYTES_MAX,
  PAGE_BYTES,
  type StoreLimits,
} from './limits.js';
import { isSameBytes, pagesOf } from './page.js';
import { type BatchKept, type LogFound, recoverLog, type StoredUnknown } from './recovery.js';
import { Ring } from './ring.js';
import { Segments } from './segments.js';
import { Snapshots } from './snapshots.js';
import { type LogBeginning, type SnapshotReference, Superblock, type SuperblockState } from './superblock.js';

export type { StoredRecord } from './batch.js';
export { STORE_LIMITS, type StoreLimits } from './limits.js';
export type { StoredUnknown } from './recovery.js';

/** What a new store begins with. */
export interface StoreInit {
  readonly cluster: ClusterId;
  readonly node: NodeId;
  /** Random for each format. */
  readonly incarnation: Incarnation;
  readonly bootId: BootId;
  /** Opaque, at most 64 KiB. */
  readonly configuration: Uint8Array;
  /** Longest lease that this node may grant, a whole number of milliseconds. */
  readonly leaseMs: number;
}

/** What one commit makes durable. Null: stays as it is. */
export interface StoreWork {
  /** Not below what was promised before. */
  readonly promised: Ballot | null;
  /** Opaque, at most 64 KiB. */
  readonly configuration: Uint8Array | null;
  /** A lease that may be granted from now on, a whole number of milliseconds. The longest ever counts. */
  readonly leaseMs: number | null;
  /** In this order; a slot that is there already is replaced. */
  readonly records: readonly StoredRecord[];
  /** Every slot up to here is known to be chosen, and held. Noted with the next write; never a write of its own. */
  readonly chosenUpTo: Slot;
  /** What the leader last saw of the members' cards: opaque, at most 4 KiB. Likewise. */
  readonly cards: Uint8Array | null;
}

/** What a store held when it was opened. */
export interface StoreRecovered {
  readonly cluster: ClusterId;
  readonly node: NodeId;
  readonly incarnation: Incarnation;
  /** Starts of this card that it was not told to forget, the oldest first, the present one last. */
  readonly boots: readonly BootId[];
  /** Which start of this card this is, from 1: no later one has a number that is not higher. */
  readonly starts: number;
  /** Highest of superblock, records and identifiers. */
  readonly promised: Ballot;
  readonly configuration: Uint8Array;
  /** Longest lease that this card may have granted, milliseconds. */
  readonly leaseMsMax: number;
  /** The log begins after this slot; everything up to here is in the snapshot. 0 without one. */
  readonly base: Slot;
  /** Its size in bytes is `length`. */
  readonly snapshot: { readonly slot: Slot; readonly length: number } | null;
  /** The latest record of each slot above the base, by slot. */
  readonly accepted: readonly StoredRecord[];
  /** Slots above the base whose latest record is damaged, by slot. */
  readonly unknown: readonly StoredUnknown[];
  /** The highest that was noted: slots below it may be unknown all the same. */
  readonly chosenUpTo: Slot;
  readonly cards: Uint8Array | null;
  /** Sequence of the last batch. */
  readonly lastBatch: number;
  /** As {@link Store.fill} is: a log that is full takes nothing more before a snapshot was saved. */
  readonly fill: number;
  /** What was found wrong and what was done about it, a sentence each, for the log. */
  readonly repairs: readonly string[];
}

/** Something that `verify` found damaged. */
export interface StoreDamage {
  readonly part: 'superblock' | 'batch' | 'identifier' | 'snapshot';
  /** A sentence for a person. */
  readonly detail: string;
}

/** One step of looking at all that a store holds. */
export interface ScrubStep {
  /** That was all: the next step begins anew. */
  readonly isLast: boolean;
  /** What it found; null where all is as it was written. */
  readonly damage: StoreDamage | null;
}

/** All of a store is in this folder, below the disk's root. */
export const STORE_FOLDER = 'consensus';
/** Where a store is made, until it is whole: a power cut while formatting leaves nothing that looks like a store. */
const NEW_FOLDER = 'consensus.new';
const SNAPSHOTS = 'snapshots';

/** What every checksum of log and ring begins with: pages of another cluster, node or format are nobody's. */
const sealOf = ({ cluster, node, incarnation }: Pick<StoreInit, 'cluster' | 'node' | 'incarnation'>): number =>
  crc32(utf8(`${cluster} ${node} ${incarnation}`));

/** Where the next batch goes, and what it follows. */
interface LogEnd extends BatchPlace {
  readonly sequence: number;
  readonly previous: number;
}

/** A batch that waits to be written. */
interface PendingBatch {
  readonly chosenUpTo: Slot;
  readonly cards: Uint8Array | null;
}

/** The store of a node. Made by {@link Store.open}. */
export class Store {
  /** What was here when it was opened. */
  readonly recovered: StoreRecovered;
  readonly #superblock: Superblock;
  readonly #segments: Segments;
  readonly #ring: Ring;
  readonly #snapshots: Snapshots;
  readonly #ballast: Ballast;
  readonly #seal: number;
  readonly #writer: BatchWriter;
  readonly #ranges = new RangeList();
  /** As they are to be in the superblock; `promised` counts the ballots of records too. */
  #boots: readonly BootId[];
  #promised: Ballot;
  /** The highest that was asked for: records that were learned can have ballots above it. */
  #promisedByWork: Ballot;
  #configuration: Uint8Array;
  #leaseMsMax: number;
  #chosenUpTo: Slot;
  #cards: Uint8Array | null;
  /** The table that is on the disk: the same again would make a batch larger for nothing. */
  #cardsDurable: Uint8Array | null;
  #highestSlot: Slot;
  /** Live batches from the base on, in order. */
  #batches: BatchKept[];
  /** By slot: the batch that holds what counts of it. */
  readonly #holders: Map<Slot, number>;
  #end: LogEnd;
  #failure: Error | undefined;
  /** What a person may let take the place of a damaged snapshot; null where nothing can. */
  readonly #fallback: Fallback | null;
  /** The look at all of it that is under way; null where none is. */
  #scrubbing: Generator<StoreDamage | null, void> | null = null;

  private constructor(
    parts: {
      readonly superblock: Superblock;
      readonly segments: Segments;
      readonly ring: Ring;
      readonly snapshots: Snapshots;
      readonly ballast: Ballast;
    },
    init: { readonly log: LogFound; readonly fallback: Fallback | null; readonly repairs: readonly string[] },
  ) {
    const { superblock, segments } = parts;
    const { state } = superblock;
    const { log, repairs } = init;
    this.#fallback = init.fallback;
    this.#superblock = superblock;
    this.#segments = segments;
    this.#ring = parts.ring;
    this.#snapshots = parts.snapshots;
    this.#ballast = parts.ballast;
    this.#seal = sealOf(state);
    const recordsMax = batchRecordsMax(state.geometry.ringPages);
    this.#writer = new BatchWriter({ seal: this.#seal, segmentBytes: segments.bytes, recordsMax });
    this.#boots = state.boots;
    this.#promised = log.highestBallot ? higherBallot(state.promised, log.highestBallot) : state.promised;
    this.#promisedByWork = this.#promised;
    this.#configuration = state.configuration;
    this.#leaseMsMax = state.leaseMsMax;
    this.#chosenUpTo = log.chosenUpTo;
    this.#cards = log.cards;
    this.#cardsDurable = log.cards;
    this.#highestSlot = log.highestSlot;
    this.#batches = [...log.batches];
    this.#holders = new Map([...log.slots].map(([slot, { sequence }]) => [slot, sequence]));
    const sequence = state.base.sequence + log.batches.length;
    this.#end = { sequence, ...log.next, previous: log.batches.at(-1)?.hash ?? state.last.hash };
    const bySlot = [...log.slots].sort(([a], [b]) => a - b);
    this.recovered = {
      cluster: state.cluster,
      node: state.node,
      incarnation: state.incarnation,
      boots: state.boots,
      starts: state.starts,
      promised: this.#promised,
      configuration: state.configuration,
      leaseMsMax: state.leaseMsMax,
      base: state.snapshot?.slot ?? slotOf(0),
      snapshot: state.snapshot && { slot: state.snapshot.slot, length: state.snapshot.bytes },
      accepted: bySlot.flatMap(([, found]) => (found.kind === 'record' ? [found.record] : [])),
      unknown: bySlot.flatMap(([slot, found]) => (found.kind === 'unknown' ? [{ slot, ballot: found.ballot }] : [])),
      chosenUpTo: this.#chosenUpTo,
      cards: this.#cards,
      lastBatch: sequence - 1,
      fill: this.fill,
      repairs,
    };
  }

  /**
   * What the disk holds: nothing of a store (`empty`, also where formatting did not end), a store, or one that cannot be opened: such a
   * card is a new one to the cluster, never an old one with nothing on it. @throws TuttiError DISK_FAILED
   */
  static inspect(disk: Disk): 'empty' | 'formatted' | 'unreadable' {
    if (!disk.exists(STORE_FOLDER)) return 'empty';
    try {
      Superblock.open(disk, STORE_FOLDER, () => {}).close();
      return 'formatted';
    } catch (error) {
      if (error instanceof TuttiError && error.code === 'STORE_UNREADABLE') return 'unreadable';
      throw error;
    }
  }

  /**
   * Makes a store. It is there as a whole, or not at all.
   * @throws TuttiError ALREADY_A_MEMBER where there is one, readable or not; DISK_FULL, DISK_FAILED
   */
  static format(disk: Disk, init: StoreInit, limits: StoreLimits): void {
    if (disk.exists(STORE_FOLDER)) {
      throw new TuttiError('ALREADY_A_MEMBER', `The data directory holds a store: its folder "${STORE_FOLDER}".`);
    }
    try {
      Store.#make(disk, init, limits);
    } catch (error) {
      clearNew(disk);
      throw error;
    }
    disk.rename(NEW_FOLDER, STORE_FOLDER);
    disk.syncDirectory('');
  }

  static #make(disk: Disk, init: StoreInit, limits: StoreLimits): void {
    const { segmentBytes, segments, ringPages } = limits;
    disk.makeDirectory(`${NEW_FOLDER}/${SNAPSHOTS}`);
    Segments.format(disk, NEW_FOLDER, { count: segments, bytes: segmentBytes });
    Ring.format(disk, NEW_FOLDER, ringPages);
    const { cluster, node, incarnation, bootId, configuration, leaseMs } = init;
    const state: SuperblockState = {
      cluster,
      node,
      incarnation,
      boots: [bootId],
      starts: 0,
      promised: NO_BALLOT,
      configuration,
      leaseMsMax: leaseMs,
      base: { sequence: 1, segment: 0 },
      last: { sequence: 0, hash: 0 },
      highestSlot: slotOf(0),
      chosenUpTo: slotOf(0),
      cards: null,
      snapshot: null,
      previous: null,
      geometry: { segmentBytes, segments, ringPages },
    };
    Superblock.format(disk, NEW_FOLDER, { gapBytes: limits.superblockGapBytes, state });
    disk.syncDirectory(`${NEW_FOLDER}/${SNAPSHOTS}`);
    disk.syncDirectory(NEW_FOLDER);
  }

  /**
   * Recovers what the disk holds, and notes this start. Of `limits` only the ballast counts: a store keeps its sizes.
   * @throws TuttiError NOT_FOUND where there is no store; STORE_UNREADABLE; DISK_FAILED
   */
  static open(disk: Disk, init: { readonly bootId: BootId }, limits: StoreLimits): Store {
    if (!disk.exists(STORE_FOLDER)) throw new TuttiError('NOT_FOUND', 'There is no store in the data directory.');
    const repairs: string[] = [];
    const repaired = (what: string) => {
      repairs.push(what);
    };
    const open: { close(): void }[] = [];
    const opened = <T extends { close(): void }>(part: T): T => {
      open.push(part);
      return part;
    };
    try {
      // A process that was killed while it formatted may have given the folder its name, and not made that durable.
      disk.syncDirectory('');
      const superblock = opened(Superblock.open(disk, STORE_FOLDER, repaired));
      const start = superblock.state;
      // Before anything else: see superblock.ts.
      superblock.write({ ...start, boots: withBoot(start.boots, init.bootId), starts: start.starts + 1 });
      const seal = sealOf(start);
      const { segmentBytes: bytes, segments: count, ringPages: pages } = start.geometry;
      const segments = opened(Segments.open(disk, STORE_FOLDER, { count, bytes, repaired }));
      const ring = opened(Ring.open(disk, STORE_FOLDER, { seal, pages, repaired }));
      const log = recoverLog(segments, ring, { start, seal });
      repairs.push(...log.notes);
      const folder = `${STORE_FOLDER}/${SNAPSHOTS}`;
      if (!disk.exists(folder)) {
        disk.makeDirectory(folder);
        disk.syncDirectory(STORE_FOLDER);
        repaired('the folder of snapshots was gone');
      }
      const snapshots = new Snapshots(disk, { folder });
      const isDamaged = start.snapshot !== null && !snapshots.isWhole(start.snapshot);
      const fallback = isDamaged ? findFallback({ segments, ring, snapshots }, log, { start, seal }) : null;
      const isLossless = fallback?.missing.length === 0;
      const found = isLossless ? fallback.log : log;
      ring.mend(found.toIdentify, start.base.sequence + log.batches.length);
      if (isLossless) {
        superblock.write({ ...superblock.state, ...fallback.beginning, previous: null });
        repaired(
          `the snapshot of slot ${start.snapshot?.slot} was damaged: all of it is in the log and what came before`,
        );
      }
      const { snapshot, previous } = superblock.state;
      for (const name of snapshots.sweep([snapshot, previous?.snapshot])) {
        repaired(`the leftover ${name} of a snapshot was removed`);
      }
      const ballast = new Ballast(disk, { folder: STORE_FOLDER, bytes: limits.ballastBytes });
      ballast.restore();
      const parts = { superblock, segments, ring, snapshots, ballast };
      return new Store(parts, { log: found, fallback: isLossless ? null : fallback, repairs });
    } catch (error) {
      for (const part of open) part.close();
      throw error;
    }
  }

  /** Sequence of the last batch that is durable. */
  get lastBatch(): number {
    return this.#end.sequence - 1;
  }

  /** 0 to 1: share of ring or segments that live batches take, whichever is more. */
  get fill(): number {
    const { geometry, base } = this.#superblock.state;
    const segments = this.#end.segment - base.segment + (this.#end.page > 0 ? 1 : 0);
    return Math.max(this.#batches.length / geometry.ringPages, segments / geometry.segments);
  }

  /**
   * Where the snapshot is damaged, and this card alone cannot make up for all of it: its slot, and which slots would be lost were it given
   * up; null in their place where it cannot be. Null where the snapshot was whole, or nothing was lost with it.
   */
  get damagedSnapshot(): { readonly slot: Slot; readonly missing: readonly Slot[] | null } | null {
    const { snapshot } = this.#superblock.state;
    if (snapshot === null || this.#snapshots.isWhole(snapshot)) return null;
    return { slot: snapshot.slot, missing: this.#fallback?.missing ?? null };
  }

  /** How reads get past the cache here: where they do not (`cached`), checks of what was written prove little. */
  get uncached(): 'direct' | 'dropped' | 'cached' {
    return this.#segments.uncached();
  }

  /**
   * Group commit: makes all of `works` durable, in their order. Records go down in as few batches as they fit in, two syncs each; then
   * the superblock, where a promise, the configuration or a lease changed: not before, since a configuration must not be found without
   * the stop-sign that led to it, while records without their promise tell it themselves.
   * @returns sequence of the last batch that is durable @throws TuttiError DISK_FAILED; DISK_FULL where the log is, for want of snapshots
   */
  commit(works: readonly StoreWork[]): number {
    return this.#guarded(() => {
      const before = this.#superblock.state;
      let batch: PendingBatch = { chosenUpTo: this.#chosenUpTo, cards: this.#cards };
      let promised = this.#promised;
      let isSuperblockDue = false;
      for (const work of works) {
        for (const record of work.records) {
          // Of a batch that is lost with its identifier, recovery can tell no more than how many slots it held at most, from the highest
          // one known before. A member that is far behind, and accepts what a leader's term begins with, leaves some out: the superblock then says
          // how far. Otherwise it would take that slot for one that it never accepted anything in, and an answer that counted on it be lost.
          isSuperblockDue ||= record.slot > this.#highestSlot + 1;
          this.#append(record, batch);
          promised = higherBallot(promised, record.ballot);
        }
        // Noted from here on, and not in a batch that ends within this work's records.
        const chosenUpTo = slotOf(Math.max(batch.chosenUpTo, work.chosenUpTo));
        batch = { chosenUpTo, cards: work.cards ?? batch.cards };
        if (work.promised !== null) {
          assert(compareBallots(work.promised, this.#promisedByWork) >= 0, 'a promise is never taken back');
          this.#promisedByWork = work.promised;
          promised = higherBallot(promised, work.promised);
          isSuperblockDue ||= compareBallots(work.promised, before.promised) > 0;
        }
        if (work.configuration !== null) {
          assert(work.configuration.length <= CONFIGURATION_BYTES_MAX, 'a configuration has a bounded length');
          this.#configuration = work.configuration;
          isSuperblockDue = true;
        }
        if (work.leaseMs !== null && work.leaseMs > this.#leaseMsMax) {
          this.#leaseMsMax = work.leaseMs;
          isSuperblockDue = true;
        }
      }
      this.#flush(batch);
      this.#chosenUpTo = batch.chosenUpTo;
      this.#cards = batch.cards;
      this.#promised = promised;
      if (isSuperblockDue) this.#writeSuperblock({});
      return this.lastBatch;
    });
  }

  /** The superblock need not name starts before `upTo` any more: everybody knows of that one. Written with its next write. */
  forgetBoots(upTo: BootId): void {
    const at = this.#boots.indexOf(upTo);
    if (at > 0) this.#boots = this.#boots.slice(at);
  }

  /**
   * Keeps the state as of `slot`, which may be below the newest record, and recycles what the log holds up to there. The snapshot before
   * stays, also beside this one (see fallback.ts); but where the disk has no room it is given up, and then the ballast. One of the same
   * slot is the same state: written anew, it takes the place of one that is damaged.
   * @throws TuttiError BAD_SNAPSHOT where there is one of a later slot; DISK_FULL, and all that counts is as before; DISK_FAILED
   */
  saveSnapshot(slot: Slot, bytes: Uint8Array): void {
    const { snapshot: before, base, previous } = this.#superblock.state;
    if (before !== null && slot < before.slot) throw olderThan(slot, before.slot);
    this.#switchSnapshot(slot, bytes, slot === before?.slot ? previous : { snapshot: before, base });
  }

  /**
   * Takes a peer's state in the place of this node's, with the configuration that holds there, in one step. Records above `slot` stay.
   * @throws TuttiError BAD_SNAPSHOT where it is older than what is here: the slots between are in no log any more, and must never be taken
   * for empty; one of the same slot is welcome where this card's own cannot be read, or is not `trusted`. DISK_FULL, DISK_FAILED
   */
  installSnapshot(
    slot: Slot,
    bytes: Uint8Array,
    init: { readonly configuration: Uint8Array; readonly promised: Ballot | null; readonly trusted?: boolean },
  ): void {
    const before = this.#superblock.state.snapshot;
    const { trusted = true } = init;
    if (before !== null && (slot < before.slot || (slot === before.slot && trusted && this.#isReadable()))) {
      throw olderThan(slot, before.slot);
    }
    assert(init.configuration.length <= CONFIGURATION_BYTES_MAX, 'a configuration has a bounded length');
    this.#switchSnapshot(slot, bytes, null, () => {
      this.#configuration = init.configuration;
      if (init.promised !== null) this.#promised = higherBallot(this.#promised, init.promised);
    });
  }

  /** The state that was saved or installed last. @throws TuttiError NOT_FOUND where there is none, BAD_SNAPSHOT where it is damaged */
  readSnapshot(): Uint8Array {
    const { snapshot } = this.#superblock.state;
    if (snapshot === null) throw new TuttiError('NOT_FOUND', 'This store has no snapshot yet.');
    return this.#snapshots.read(snapshot);
  }

  /** Gives up slots that are unknown, for good: from now on nothing is known to stand there. Only a person may decide that. */
  acceptLoss(slots: readonly Slot[]): void {
    this.#guarded(() => {
      const batch = { chosenUpTo: this.#chosenUpTo, cards: this.#cards };
      for (const slot of slots) this.#append({ slot, ballot: this.#promised, lost: true }, batch);
      this.#flush(batch);
    });
  }

  /** Gives up a snapshot that is damaged, with its slots that are `missing`. Only a person may decide that. The store is to be opened anew. */
  giveUpSnapshot(): void {
    const fallback = this.#fallback;
    assert(fallback !== null, 'something can take the place of the snapshot');
    this.acceptLoss(fallback.missing);
    this.#guarded(() => this.#writeSuperblock({ ...fallback.beginning, previous: null }));
    this.close();
  }

  /** Reads superblock, snapshot, live batches and identifiers past the cache, and says what is not as it was written. Writes nothing. */
  verify(): StoreDamage[] {
    return [...this.scrub()].filter((damage) => damage !== null);
  }

  /** {@link Store.verify} in steps of a batch or a megabyte, so that commits can come between: null, or what a step found. */
  *scrub(): Generator<StoreDamage | null, void> {
    for (const detail of this.#superblock.verify()) yield { part: 'superblock', detail };
    yield* this.#scrubSnapshot();
    for (let sequence = this.#superblock.state.base.sequence; sequence <= this.lastBatch; sequence++) {
      yield* this.#scrubBatch(sequence);
    }
  }

  /** The next step of a {@link scrub}; after the last one another begins. */
  scrubStep(): ScrubStep {
    this.#scrubbing ??= this.scrub();
    const { done, value } = this.#scrubbing.next();
    if (done === true) this.#scrubbing = null;
    return { isLast: done === true, damage: value ?? null };
  }

  /** Idempotent. */
  close(): void {
    this.#scrubbing?.return();
    for (const part of [this.#superblock, this.#segments, this.#ring]) part.close();
    this.#failure ??= new TuttiError('DISK_FAILED', 'The store is closed.');
  }

  /** Adds a record to the batch at hand; ends that first where it is full. */
  #append(record: LogRecord, batch: PendingBatch): void {
    assert(
      'lost' in record || record.entry.length <= entryBytesMax(this.#segments.bytes),
      'an entry fits in a segment',
    );
    if (this.#ranges.isFull(record) || !this.#writer.add(record)) {
      this.#flush(batch);
      assert(this.#writer.add(record), 'a record fits in an empty batch');
    }
    this.#ranges.add(record);
    this.#highestSlot = slotOf(Math.max(this.#highestSlot, record.slot));
    this.#holders.set(record.slot, this.#end.sequence);
  }

  /** Writes the batch at hand, if there is one: its pages, a sync, its identifier, a sync. */
  #flush({ chosenUpTo, cards }: PendingBatch): void {
    if (this.#writer.count === 0) return;
    assert((cards?.length ?? 0) <= CARDS_BYTES_MAX, 'a table of cards has a bounded length');
    const news = isSameTable(cards, this.#cardsDurable) ? null : cards;
    const { sequence, previous } = this.#end;
    const place = this.#placeFor(pagesOf(this.#writer.paddedBytes(news)));
    const highestSlot = this.#highestSlot;
    const { pages, hash } = this.#writer.finish(
      { sequence, ...place, previous },
      { cards: news, chosenUpTo, highestSlot },
    );
    const count = pages.length / PAGE_BYTES;
    const identifier: Identifier = {
      sequence,
      ...place,
      pages: count,
      hash,
      ranges: this.#ranges.take(),
      chosenUpTo,
      highestSlot,
    };
    this.#segments.write(place, pages);
    this.#ring.append(identifier);
    this.#cardsDurable = cards;
    this.#batches.push({ ...place, pages: count, hash });
    this.#end = { sequence: sequence + 1, segment: place.segment, page: place.page + count, previous: hash };
  }

  /** Where a batch of so many pages goes: behind the last, or where a segment has not enough left, at the start of the next. */
  #placeFor(pages: number): BatchPlace {
    const { geometry, base } = this.#superblock.state;
    const { segment, page } = this.#end;
    const isFitting = page + pages <= this.#segments.pages;
    const place = isFitting ? { segment, page } : { segment: segment + 1, page: 0 };
    // The page behind the last identifier is written with it.
    const isRingFull = this.#batches.length + 1 >= geometry.ringPages;
    const isFull = place.segment - base.segment >= geometry.segments || isRingFull;
    if (isFull) throw new TuttiError('DISK_FULL', 'The log is full: no snapshot could be saved for a long time.');
    return place;
  }

  /** One write of the superblock makes the snapshot count, moves the log's base, and makes `changes` hold. */
  #switchSnapshot(slot: Slot, bytes: Uint8Array, previous: LogBeginning | null, changes: () => void = () => {}): void {
    const name = `${slot}-${this.#superblock.sequence + 1}`;
    const snapshot = this.#guarded(() => this.#writeSnapshot(name, slot, bytes));
    if (snapshot === null)
      throw new TuttiError('DISK_FULL', `The disk has no room for a snapshot of ${bytes.length} bytes.`);
    this.#guarded(() => {
      changes();
      this.#recycle(snapshot, previous);
    });
  }

  #recycle(snapshot: SnapshotReference, previous: LogBeginning | null): void {
    const { slot } = snapshot;
    const held = [...this.#holders].filter(([each]) => each > slot);
    const first = held.reduce((least, [, sequence]) => Math.min(least, sequence), this.#end.sequence);
    const { base } = this.#superblock.state;
    const passed = first - base.sequence;
    const { segment } = this.#batches[passed] ?? this.#end;
    this.#chosenUpTo = slotOf(Math.max(this.#chosenUpTo, slot));
    this.#highestSlot = slotOf(Math.max(this.#highestSlot, slot));
    this.#writeSuperblock({ snapshot, previous, base: { sequence: first, segment } });
    this.#batches = this.#batches.slice(passed);
    for (const each of this.#holders.keys()) if (each <= slot) this.#holders.delete(each);
    this.#snapshots.sweep([snapshot, previous?.snapshot]);
    this.#ballast.restore();
  }

  /** Null where the disk has no room for it, with the snapshot before the present one and the ballast given up. */
  #writeSnapshot(name: string, slot: Slot, bytes: Uint8Array): SnapshotReference | null {
    for (;;) {
      try {
        return this.#snapshots.write(name, slot, bytes);
      } catch (error) {
        if (!(error instanceof TuttiError && error.code === 'DISK_FULL')) throw error;
        const isRoomMade = this.#snapshots.sweep([this.#superblock.state.snapshot]).length > 0;
        if (!isRoomMade && !this.#ballast.giveUp()) return null;
      }
    }
  }

  #isReadable(): boolean {
    const { snapshot } = this.#superblock.state;
    return snapshot !== null && this.#snapshots.isWhole(snapshot);
  }

  *#scrubSnapshot(): Generator<StoreDamage | null, void> {
    const { snapshot } = this.#superblock.state;
    if (snapshot === null) return;
    const look = this.#snapshots.check(snapshot);
    let step = look.next();
    for (; step.done !== true; step = look.next()) yield null;
    // One that was replaced meanwhile is gone, and nobody needs it.
    if (step.value || this.#superblock.state.snapshot !== snapshot) return;
    yield { part: 'snapshot', detail: `the snapshot of slot ${snapshot.slot} is damaged` };
  }

  *#scrubBatch(sequence: number): Generator<StoreDamage | null, void> {
    const batch = this.#batches[sequence - this.#superblock.state.base.sequence];
    // Recycled meanwhile, or a gap, of which nothing is left to look at.
    if (batch === undefined || batch.pages === 0) return;
    const isNamed = () => {
      const identifier = this.#ring.read(sequence);
      return typeof identifier === 'object' && identifier.hash === batch.hash;
    };
    if (!isNamed() && !isNamed()) {
      yield { part: 'identifier', detail: `the identifier of batch ${sequence} is damaged` };
    }
    yield this.#isWhole(batch) || this.#isWhole(batch)
      ? null
      : { part: 'batch', detail: `batch ${sequence} is damaged` };
  }

  #isWhole(batch: BatchKept): boolean {
    const bytes = new Uint8Array(batch.pages * PAGE_BYTES);
    this.#segments.read(batch, bytes);
    return readBatch(bytes, this.#seal)?.hash === batch.hash;
  }

  /** Everything that is noted goes along. */
  #writeSuperblock(changed: Partial<Pick<SuperblockState, 'snapshot' | 'base' | 'previous'>>): void {
    this.#superblock.write({
      ...this.#superblock.state,
      boots: this.#boots,
      promised: this.#promised,
      configuration: this.#configuration,
      leaseMsMax: this.#leaseMsMax,
      last: { sequence: this.lastBatch, hash: this.#end.previous },
      highestSlot: this.#highestSlot,
      chosenUpTo: this.#chosenUpTo,
      cards: this.#cards,
      ...changed,
    });
    this.#cardsDurable = this.#cards;
  }

  /** Whatever goes wrong in `body` is the end of the store. */
  #guarded<T>(body: () => T): T {
    if (this.#failure !== undefined) {
      throw new TuttiError(
        'DISK_FAILED',
        `The store is of no use any more: ${this.#failure.message}`,
        {},
        this.#failure,
      );
    }
    try {
      return body();
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }
}

/** Gives the room back that a store took which could not be made. Whatever goes wrong with that says less than why it could not. */
function clearNew(disk: Disk): void {
  try {
    const files = disk.list(NEW_FOLDER).filter(({ kind }) => kind === 'file');
    for (const { name } of files) disk.remove(`${NEW_FOLDER}/${name}`);
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error;
  }
}

const isSameTable = (a: Uint8Array | null, b: Uint8Array | null): boolean =>
  a === b || (a !== null && b !== null && isSameBytes(a, b));

const olderThan = (slot: Slot, here: Slot): TuttiError =>
  new TuttiError('BAD_SNAPSHOT', `A snapshot of slot ${slot} cannot take the place of the one of slot ${here}.`);

/** The chain of starts with one more. Of a chain that is too long the second oldest goes: peers know the card by the oldest. */
function withBoot(boots: readonly BootId[], boot: BootId): readonly BootId[] {
  if (boots.at(-1) === boot) return boots;
  const [oldest, ...others] = boots;
  const kept = boots.length < BOOTS_MAX ? boots : [oldest!, ...others.slice(1)];
  return [...kept, boot];
}
