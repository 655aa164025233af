/**
 * Recovery: what the log holds, from what is left of it on the medium.
 *
 * Three steps. *Gather*: every identifier of the ring, and every batch in the segments, is read past the cache and taken for what its
 * checksums say, wherever it stands. *Judge*: batch after batch, from the log's base to the last one of which there is any sign, by the
 * recovery table. *Replay*: in that order each batch's records take the place of earlier ones of the same slots, and what is unknown
 * does so too, because it was accepted later.
 *
 * What a gap (a batch of which nothing is left) can have held: anything that a later batch does not cover, up to the highest slot that
 * the next batch to be read knows of. But slots that were known to be chosen before it keep what they had: if it held them again, then the
 * same value. When nothing after a gap can be read, its slots can lie above all that is known, by as many as a batch holds; where one lay
 * higher, the superblock says how high (store.ts).
 *
 * Nothing here writes. What is wrong is judged the same when the power goes once more, since what was seen is still there.
 */
import type { Slot } from '../core/ids.js';
import { slot as slotOf } from '../core/ids.js';
import { type Ballot, higherBallot, sameBallot } from '../paxos/ballot.js';
import {
  type Batch,
  type BatchPlace,
  type LogRecord,
  readBatch,
  readBatchHeader,
  type StoredRecord,
  salvageRecords,
} from './batch.js';
import { type Identifier, RangeList } from './identifier.js';
import { batchRecordsMax, PAGE_BYTES } from './limits.js';
import { isZero, pagesOf } from './page.js';
import { type BodyFound, judgeBatch, type Verdict } from './recovery-table.js';
import type { Ring, RingContents } from './ring.js';
import type { Segments } from './segments.js';
import type { SuperblockState } from './superblock.js';

/** Segments in a row without a sign of life, behind the last that any identifier names, after which no more are read. */
const SILENT_SEGMENTS_MAX = 4;

/** A slot whose record is damaged, with the ballot that its identifier names, if that is left. */
export interface StoredUnknown {
  readonly slot: Slot;
  readonly ballot: Ballot | null;
}

/** What is known of one slot, and by which batch. */
export type SlotFound =
  | { readonly sequence: number; readonly kind: 'record'; readonly record: StoredRecord }
  | { readonly sequence: number; readonly kind: 'unknown'; readonly ballot: Ballot | null }
  | { readonly sequence: number; readonly kind: 'lost' };

/** A batch of the log whose place is known. */
export interface BatchKept extends BatchPlace {
  /** Of its pages; 0 where it is a gap. */
  readonly pages: number;
  /** 0 where nobody knows it. */
  readonly hash: number;
}

/** What {@link recoverLog} found. */
export interface LogFound {
  /** Every batch from the base on, in order. */
  readonly batches: readonly BatchKept[];
  /** The latest of each slot above the snapshot. */
  readonly slots: ReadonlyMap<Slot, SlotFound>;
  /** Highest ballot of any record, or any that an identifier names; null where there is none. */
  readonly highestBallot: Ballot | null;
  readonly highestSlot: Slot;
  readonly chosenUpTo: Slot;
  readonly cards: Uint8Array | null;
  /** Where the next batch goes: right behind the last one; the page may be the segment's end. */
  readonly next: BatchPlace;
  /** Identifiers to write before anything is said of what is here. */
  readonly toIdentify: readonly Identifier[];
  /** Sentences for the log: what was found wrong, and what became of it. */
  readonly notes: readonly string[];
}

/** What recovery must know beforehand: the superblock as it was found. */
export type LogStart = Pick<
  SuperblockState,
  'base' | 'last' | 'highestSlot' | 'chosenUpTo' | 'cards' | 'snapshot' | 'geometry'
>;

/** What is on the medium, by checksums alone. */
interface Evidence {
  readonly ring: RingContents;
  /** Whole batches by sequence, wherever they stand, in the order of places. */
  readonly bodies: ReadonlyMap<number, readonly Batch[]>;
  /** The last batch of which there is any sign. */
  readonly lastSequence: number;
  /** The last segment in which there is any. */
  readonly lastSegment: number;
}

/** Reads the log past the cache. @throws TuttiError DISK_FAILED where a sync fails; never for what cannot be read */
export function recoverLog(
  segments: Segments,
  ring: Ring,
  init: { readonly start: LogStart; readonly seal: number },
): LogFound {
  const evidence = gather(segments, ring, init);
  const replay = new Replay(segments, evidence, init);
  for (let sequence = init.start.base.sequence; sequence <= evidence.lastSequence; sequence++) replay.take(sequence);
  return replay.end();
}

function gather(segments: Segments, ring: Ring, init: { readonly start: LogStart; readonly seal: number }): Evidence {
  const { start, seal } = init;
  const { base } = start;
  const contents = ring.readAll(base.sequence);
  const bodies = new Map<number, Batch[]>();
  let lastSequence = Math.max(start.last.sequence, ...contents.live.map(({ sequence }) => sequence));
  let lastSegment = Math.max(base.segment, ...contents.live.map(({ segment }) => segment));
  const bytes = new Uint8Array(segments.bytes);
  for (let segment = base.segment; segment < base.segment + segments.count; segment++) {
    if (segment > lastSegment + SILENT_SEGMENTS_MAX) break;
    segments.sync(segment);
    const named = contents.live.filter((identifier) => identifier.segment === segment);
    let found = scan(segments, bytes, { segment, named, first: base.sequence, seal });
    const isWhole = (each: Identifier) => found.whole.some(({ sequence }) => sequence === each.sequence);
    if (found.torn.length > 0 || !named.every(isWhole)) {
      // Once more, since a read that went astray is no damage.
      const again = scan(segments, bytes, { segment, named, first: base.sequence, seal });
      if (again.whole.length > found.whole.length) found = again;
    }
    for (const batch of found.whole) bodies.set(batch.sequence, [...(bodies.get(batch.sequence) ?? []), batch]);
    const signs = [...found.torn, ...found.whole.map(({ sequence }) => sequence)];
    if (signs.length > 0) lastSegment = Math.max(lastSegment, segment);
    lastSequence = Math.max(lastSequence, ...signs);
  }
  // Named, and not seen above: the ring's pages were read together, and that read may have gone astray.
  while (typeof contents.find(lastSequence + 1) === 'object') lastSequence++;
  const evidence = { ring: contents, bodies, lastSequence, lastSegment };
  // A page that was written for the next batch, and is damaged: there was a next batch, unless its place shows that there was not.
  const isNextNamed = contents.find(lastSequence + 1) === 'damaged';
  return isNextNamed && !isNextUntouched(segments, evidence, init)
    ? { ...evidence, lastSequence: lastSequence + 1 }
    : evidence;
}

/** True where both places at which the batch after the last could begin show what was there before it: zeros, or a batch that is dead. */
function isNextUntouched(
  segments: Segments,
  { ring, bodies, lastSequence }: Evidence,
  { start, seal }: { start: LogStart; seal: number },
): boolean {
  const identifier = ring.find(lastSequence);
  const body = bodies.get(lastSequence)?.at(-1);
  const last = typeof identifier === 'object' ? identifier : body && { ...body, pages: pagesOf(body.bytes) };
  // Of a log that is empty nobody knows where in its segment it goes on.
  if (last === undefined) return false;
  const behind = { segment: last.segment, page: last.page + last.pages };
  const places = [behind, { segment: last.segment + 1, page: 0 }].filter(
    ({ segment, page }) => page < segments.pages && segment < start.base.segment + segments.count,
  );
  const bytes = new Uint8Array(PAGE_BYTES);
  const isUntouched = (place: BatchPlace) => {
    segments.read(place, bytes);
    const header = readBatchHeader(bytes, seal);
    return header === undefined ? isZero(bytes) : header.sequence < start.base.sequence;
  };
  // Twice: a read that went astray must not show that nothing was ever here.
  return places.every((place) => isUntouched(place) && isUntouched(place));
}

/**
 * Live batches of one segment: those that are whole, and the sequences of those whose header is left. Goes from page to page, since where
 * a damaged batch ends nobody knows; but over those that are whole, or that an identifier names, since a payload may look like a batch.
 */
function scan(
  segments: Segments,
  bytes: Uint8Array,
  init: {
    readonly segment: number;
    readonly named: readonly Identifier[];
    readonly first: number;
    readonly seal: number;
  },
): { readonly whole: Batch[]; readonly torn: number[] } {
  const { segment, named, first, seal } = init;
  const whole: Batch[] = [];
  const torn: number[] = [];
  segments.read({ segment, page: 0 }, bytes);
  for (let page = 0; page < segments.pages; ) {
    const rest = bytes.subarray(page * PAGE_BYTES);
    const header = readBatchHeader(rest, seal);
    const isInPlace = header?.segment === segment && header.page === page;
    const batch = isInPlace ? readBatch(rest, seal) : undefined;
    if (batch !== undefined) {
      if (batch.sequence >= first) whole.push(batch);
      page += pagesOf(batch.bytes);
      continue;
    }
    if (isInPlace && header.sequence >= first) torn.push(header.sequence);
    page += Math.max(1, named.find((identifier) => identifier.page === page)?.pages ?? 1);
  }
  return { whole, torn };
}

/** The log as it grows, batch after batch. */
class Replay {
  readonly #segments: Segments;
  readonly #evidence: Evidence;
  readonly #start: LogStart;
  readonly #seal: number;
  readonly #batches: BatchKept[] = [];
  readonly #slots = new Map<Slot, SlotFound>();
  readonly #toIdentify: Identifier[] = [];
  readonly #notes: string[] = [];
  #highestBallot: Ballot | null = null;
  #highestSlot: Slot;
  #chosenUpTo: Slot;
  #cards: Uint8Array | null;

  constructor(segments: Segments, evidence: Evidence, { start, seal }: { start: LogStart; seal: number }) {
    this.#segments = segments;
    this.#evidence = evidence;
    this.#start = start;
    this.#seal = seal;
    this.#highestSlot = slotOf(start.snapshot?.slot ?? 0);
    this.#chosenUpTo = this.#highestSlot;
    this.#cards = start.cards;
  }

  /** The next batch. */
  take(sequence: number): void {
    const identifier = this.#evidence.ring.find(sequence);
    const named = typeof identifier === 'object' ? identifier : undefined;
    const candidates = this.#evidence.bodies.get(sequence) ?? [];
    const batch = named ? candidates.find(({ hash }) => hash === named.hash) : candidates.at(-1);
    const isGood = batch !== undefined && (named !== undefined || this.#isChained(batch));
    const body: BodyFound = isGood ? 'good' : candidates.length > 0 ? 'foreign' : 'bad';
    const isFinished = sequence < this.#evidence.lastSequence || sequence <= this.#start.last.sequence;
    const seen = typeof identifier === 'object' ? 'valid' : identifier;
    const { verdict } = judgeBatch(body, seen, isFinished);
    this.#note(sequence, verdict, `its body was ${body}, its identifier ${seen}`);
    switch (verdict) {
      case 'keep':
        this.#keep(batch!);
        break;
      case 'keep and identify':
        this.#toIdentify.push(identify(batch!));
        this.#keep(batch!);
        break;
      case 'unknown':
        this.#lose(named!);
        break;
      case 'gap':
        this.#skip(sequence);
        break;
      case 'drop':
        break;
    }
  }

  /** What came of it all. */
  end(): LogFound {
    const { base, highestSlot, chosenUpTo } = this.#start;
    const last = this.#batches.at(-1);
    const next =
      last === undefined
        ? { segment: base.segment, page: 0 }
        : last.pages === 0
          ? { segment: this.#evidence.lastSegment + 1, page: 0 }
          : { segment: last.segment, page: last.page + last.pages };
    return {
      batches: this.#batches,
      slots: this.#slots,
      highestBallot: this.#highestBallot,
      highestSlot: slotOf(Math.max(this.#highestSlot, highestSlot)),
      chosenUpTo: slotOf(Math.max(this.#chosenUpTo, chosenUpTo)),
      cards: this.#cards,
      next,
      toIdentify: this.#toIdentify,
      notes: this.#notes,
    };
  }

  /** True where no neighbour's hash speaks against a batch that has no identifier. */
  #isChained({ sequence, hash, previous }: Batch): boolean {
    const before = this.#batches.at(-1)?.hash ?? 0;
    if (before !== 0 && previous !== 0 && before !== previous) return false;
    const followers = this.#evidence.bodies.get(sequence + 1) ?? [];
    return (
      followers.length === 0 || followers.some((follower) => follower.previous === hash || follower.previous === 0)
    );
  }

  #keep({ segment, page, bytes, hash, sequence, records, chosenUpTo, cards, highestSlot }: Batch): void {
    this.#batches.push({ segment, page, pages: pagesOf(bytes), hash });
    for (const record of records) this.#put(sequence, record);
    this.#settle({ chosenUpTo, highestSlot });
    this.#cards = cards ?? this.#cards;
  }

  /** A batch whose identifier is all that is left, or nearly. */
  #lose({ sequence, segment, page, pages, hash, ranges, chosenUpTo, highestSlot }: Identifier): void {
    this.#batches.push({ segment, page, pages, hash });
    const salvaged = this.#salvage({ segment, page }, pages);
    for (const range of ranges) {
      for (let at = 0; at < range.count; at++) {
        const slot = slotOf(range.from + at);
        const isIt = (record: LogRecord) => record.slot === slot && sameBallot(record.ballot, range.ballot);
        const record = salvaged.find((each) => isIt(each) && !('lost' in each));
        if (record !== undefined) this.#put(sequence, record);
        else this.#forget(sequence, slot, range.ballot);
      }
    }
    this.#settle({ chosenUpTo, highestSlot });
  }

  /** A batch of which nothing is left. */
  #skip(sequence: number): void {
    const before = this.#batches.at(-1);
    this.#batches.push({ segment: before?.segment ?? this.#start.base.segment, page: 0, pages: 0, hash: 0 });
    const known = this.#start.last.sequence < sequence ? this.#start.chosenUpTo : 0;
    const settled = Math.max(this.#chosenUpTo, known);
    const ceiling = this.#highestSlotAt(sequence);
    for (let slot = settled + 1; slot <= ceiling; slot++) this.#forget(sequence, slotOf(slot), null);
    this.#highestSlot = slotOf(Math.max(this.#highestSlot, ceiling));
  }

  /** The highest slot that a batch which cannot be read can have held. */
  #highestSlotAt(sequence: number): Slot {
    const { last, highestSlot, geometry } = this.#start;
    const bounds: number[] = last.sequence >= sequence ? [highestSlot] : [];
    for (let later = sequence + 1; later <= this.#evidence.lastSequence; later++) {
      const identifier = this.#evidence.ring.find(later);
      const witness = typeof identifier === 'object' ? identifier : this.#evidence.bodies.get(later)?.at(-1);
      if (witness === undefined) continue;
      bounds.push(witness.highestSlot);
      break;
    }
    const most = this.#highestSlot + batchRecordsMax(geometry.ringPages);
    return slotOf(bounds.length > 0 ? Math.min(...bounds) : most);
  }

  #put(sequence: number, record: LogRecord): void {
    this.#raiseBallot(record.ballot);
    if (record.slot <= this.#baseSlot) return;
    const found: SlotFound = 'lost' in record ? { sequence, kind: 'lost' } : { sequence, kind: 'record', record };
    this.#slots.set(record.slot, found);
  }

  /** A slot was accepted under `ballot` (any, where null), and nobody knows what. What cannot have changed by that stays. */
  #forget(sequence: number, slot: Slot, ballot: Ballot | null): void {
    if (ballot !== null) this.#raiseBallot(ballot);
    if (slot <= this.#baseSlot) return;
    const before = this.#slots.get(slot);
    if (before?.kind === 'record') {
      const isChosen = before.record.chosen || slot <= this.#chosenUpTo;
      // Under one ballot a slot has one value.
      const isSame = ballot !== null && sameBallot(ballot, before.record.ballot);
      if (isChosen || isSame) return;
    }
    this.#slots.set(slot, { sequence, kind: 'unknown', ballot });
  }

  #settle({ chosenUpTo, highestSlot }: { chosenUpTo: Slot; highestSlot: Slot }): void {
    this.#chosenUpTo = slotOf(Math.max(this.#chosenUpTo, chosenUpTo));
    this.#highestSlot = slotOf(Math.max(this.#highestSlot, highestSlot));
  }

  #salvage(place: BatchPlace, pages: number): LogRecord[] {
    if (place.page + pages > this.#segments.pages) return [];
    const bytes = new Uint8Array(pages * PAGE_BYTES);
    this.#segments.read(place, bytes);
    return salvageRecords(bytes, this.#seal);
  }

  #raiseBallot(ballot: Ballot): void {
    this.#highestBallot = this.#highestBallot === null ? ballot : higherBallot(this.#highestBallot, ballot);
  }

  get #baseSlot(): number {
    return this.#start.snapshot?.slot ?? 0;
  }

  #note(sequence: number, verdict: Verdict, what: string): void {
    const consequence = {
      keep: undefined,
      'keep and identify': 'it is kept',
      unknown: 'its slots are unknown',
      gap: 'every slot that nothing else covers is unknown',
      drop: 'it was never acknowledged, and is dropped',
    }[verdict];
    if (consequence !== undefined) this.#notes.push(`batch ${sequence}: ${what}: ${consequence}`);
  }
}

/** The identifier of a batch, as it was written once. */
function identify({ sequence, segment, page, bytes, hash, records, chosenUpTo, highestSlot }: Batch): Identifier {
  const ranges = new RangeList();
  for (const record of records) ranges.add(record);
  return { sequence, segment, page, pages: pagesOf(bytes), hash, ranges: ranges.take(), chosenUpTo, highestSlot };
}
