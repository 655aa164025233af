/** Small stores, and a model of what a store must hold, for the tests of storage. */
import type { BootId, ClusterId, Incarnation, NodeId, Slot } from '../../src/core/ids.js';
import { nodeId, slot as slotOf } from '../../src/core/ids.js';
import { type Ballot, compareBallots, higherBallot, NO_BALLOT, sameBallot } from '../../src/paxos/ballot.js';
import type { Disk } from '../../src/ports/disk.js';
import { SUPERBLOCK_BYTES_MAX } from '../../src/storage/limits.js';
import { Store, type StoredRecord, type StoreInit, type StoreLimits, type StoreWork } from '../../src/storage/store.js';

/** Four segments of four pages, a ring of sixteen: everything wraps around after a few commits. */
export const SMALL: StoreLimits = {
  segmentBytes: 16 << 10,
  segments: 4,
  ringPages: 16,
  superblockGapBytes: SUPERBLOCK_BYTES_MAX,
  ballastBytes: 0,
};

/** An id of 32 hexadecimal digits, by a number. */
export const id = (value: number): string => value.toString(16).padStart(32, '0');

/** The start with this number. */
export const boot = (value: number): BootId => id(0xb000 + value) as BootId;

/** What the tests' store begins with. */
export const INIT: StoreInit = {
  cluster: id(1) as ClusterId,
  node: id(2) as NodeId,
  incarnation: id(3) as Incarnation,
  bootId: boot(0),
  configuration: Uint8Array.of(1),
  leaseMs: 450,
};

/** A ballot of the first configuration. */
export const ballot = (round: number, node = 7): Ballot => ({ configId: 1, round, node: nodeId(id(node)) });

/** What `leader` of `round` put in a slot: no two values under one ballot. */
export const record = (
  slot: number,
  round: number,
  init: { readonly bytes?: number; readonly chosen?: boolean } = {},
): StoredRecord => ({
  slot: slotOf(slot),
  ballot: ballot(round),
  chosen: init.chosen ?? false,
  entry: new TextEncoder().encode(`slot ${slot} round ${round}`.padEnd(init.bytes ?? 0, '.')),
});

/** Records of the slots `from` to `to`, both included. */
export const records = (from: number, to: number, round: number, init: { readonly bytes?: number } = {}) =>
  Array.from({ length: to - from + 1 }, (_, at) => record(from + at, round, init));

/** A work with some of its parts. */
export const work = (parts: Partial<StoreWork>): StoreWork => ({
  promised: null,
  configuration: null,
  leaseMs: null,
  records: [],
  chosenUpTo: slotOf(0),
  cards: null,
  ...parts,
});

/** A work of records alone. */
export const accept = (...records: readonly StoredRecord[]): StoreWork => work({ records });

/** A new store on `disk`, and open. */
export function freshStore(disk: Disk, limits: StoreLimits = SMALL): Store {
  Store.format(disk, INIT, limits);
  return Store.open(disk, { bootId: INIT.bootId }, limits);
}

/** `slot@configuration.round` and the entry's text, for comparing. */
export const textOf = ({ slot, ballot, entry, chosen }: StoredRecord): string =>
  `${slot}@${ballot.round} ${new TextDecoder().decode(entry)}${chosen ? ' chosen' : ''}`;

/** What a store must hold. Never changed in place. */
export interface Model {
  readonly records: ReadonlyMap<Slot, StoredRecord>;
  /** The highest of any promise and any record. */
  readonly promised: Ballot;
  /** The highest of any promise. */
  readonly promisedByWork: Ballot;
  readonly configuration: Uint8Array;
  readonly leaseMsMax: number;
  readonly chosenUpTo: Slot;
  readonly boots: readonly BootId[];
  readonly snapshot: { readonly slot: Slot; readonly bytes: Uint8Array } | null;
  readonly lastBatch: number;
}

/** Of a store that was just formatted and opened. */
export const NEW_MODEL: Model = {
  records: new Map(),
  promised: NO_BALLOT,
  promisedByWork: NO_BALLOT,
  configuration: INIT.configuration,
  leaseMsMax: INIT.leaseMs,
  chosenUpTo: slotOf(0),
  boots: [INIT.bootId],
  snapshot: null,
  lastBatch: 0,
};

/** After a commit. */
export function committed(model: Model, works: readonly StoreWork[]): Model {
  const records = new Map(model.records);
  let next: Model = { ...model, records };
  for (const work of works) {
    for (const each of work.records) {
      records.set(each.slot, each);
      next = { ...next, promised: higherBallot(next.promised, each.ballot) };
    }
    next = {
      ...next,
      promised: higherBallot(next.promised, work.promised ?? NO_BALLOT),
      promisedByWork: higherBallot(next.promisedByWork, work.promised ?? NO_BALLOT),
      configuration: work.configuration ?? next.configuration,
      leaseMsMax: Math.max(next.leaseMsMax, work.leaseMs ?? 0),
      chosenUpTo: slotOf(Math.max(next.chosenUpTo, work.chosenUpTo)),
    };
  }
  return next;
}

/** After a snapshot was saved, or installed. */
export function snapped(model: Model, slot: Slot, bytes: Uint8Array): Model {
  const records = new Map([...model.records].filter(([each]) => each > slot));
  return { ...model, records, snapshot: { slot, bytes }, chosenUpTo: slotOf(Math.max(model.chosenUpTo, slot)) };
}

const isSameRecord = (a: StoredRecord | undefined, b: StoredRecord | undefined): boolean =>
  a !== undefined && b !== undefined && textOf(a) === textOf(b) && sameBallot(a.ballot, b.ballot);

const isSameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(b);

/** What was going on when the power went. */
export interface InFlight {
  readonly after: Model;
  /** Records of a commit, in order. */
  readonly records: readonly StoredRecord[];
}

/**
 * What is wrong with a store that was opened after a power cut: it must hold `acknowledged`, and beyond that nothing but parts, from the
 * first on, of what was going on. Where a batch and its identifier are both gone the ballots of its records are too (`mayLoseBallots`).
 */
export function complaints(
  store: Store,
  acknowledged: Model,
  inFlight: InFlight | null,
  init: { readonly mayBeUnknown?: boolean; readonly mayLoseBallots?: boolean } = {},
): string[] {
  const { recovered } = store;
  const after = inFlight?.after ?? acknowledged;
  const wrong: string[] = [];
  const complain = (isWrong: boolean, what: string) => {
    if (isWrong) wrong.push(what);
  };
  complain(recovered.cluster !== INIT.cluster || recovered.node !== INIT.node, 'another identity');
  const promised = init.mayLoseBallots ? acknowledged.promisedByWork : acknowledged.promised;
  complain(compareBallots(recovered.promised, promised) < 0, 'a promise went back');
  complain(compareBallots(recovered.promised, after.promised) > 0, 'a promise was invented');
  complain(recovered.leaseMsMax < acknowledged.leaseMsMax, 'a lease was forgotten');
  complain(recovered.chosenUpTo > after.chosenUpTo, 'chosen more than was said');
  complain(recovered.lastBatch < acknowledged.lastBatch, 'batches went back');
  const { unknown, base } = recovered;
  complain(unknown.length > 0 && init.mayBeUnknown !== true, `unknown ${unknown.map(({ slot }) => slot)}`);

  const isSnapshotNew = base !== (acknowledged.snapshot?.slot ?? 0);
  complain(isSnapshotNew && base !== after.snapshot?.slot, `the log begins after ${base}`);
  const snapshot = isSnapshotNew ? after.snapshot : acknowledged.snapshot;
  complain(snapshot !== null && !isSameBytes(store.readSnapshot(), snapshot.bytes), 'another snapshot');

  const isConfigurationNew = !isSameBytes(recovered.configuration, acknowledged.configuration);
  complain(isConfigurationNew && !isSameBytes(recovered.configuration, after.configuration), 'another configuration');

  const found = new Map(recovered.accepted.map((each) => [each.slot, each]));
  const unknownSlots = new Set(unknown.map(({ slot }) => slot));
  for (const [slot, expected] of acknowledged.records) {
    if (slot <= base || unknownSlots.has(slot)) continue;
    const there = found.get(slot);
    const isReplaced = inFlight?.records.some((each) => isSameRecord(each, there)) ?? false;
    complain(!isSameRecord(there, expected) && !isReplaced, `slot ${slot} is ${there ? textOf(there) : 'lost'}`);
  }
  for (const [slot, there] of found) {
    const isKnown = isSameRecord(acknowledged.records.get(slot), there);
    const isNew = inFlight?.records.some((each) => isSameRecord(each, there)) ?? false;
    complain(!isKnown && !isNew, `invented ${textOf(there)}`);
  }
  for (const [slot] of after.records) {
    const isHeld = slot <= base || found.has(slot) || unknownSlots.has(slot);
    complain(slot <= recovered.chosenUpTo && !isHeld, `slot ${slot} is chosen and not held`);
  }
  const slotsThere = (inFlight?.records ?? []).filter(({ slot }) => slot > base);
  const latest = slotsThere.filter((each, at) => !slotsThere.slice(at + 1).some(({ slot }) => slot === each.slot));
  const isThere = latest.map((each) => isSameRecord(found.get(each.slot), each));
  complain(isThere.indexOf(false) >= 0 && isThere.lastIndexOf(true) > isThere.indexOf(false), 'not from the first on');
  complain(isConfigurationNew && isThere.includes(false), 'a configuration without what led to it');

  const chain = recovered.boots.slice(0, -1);
  complain(!acknowledged.boots.every((each) => chain.includes(each)), 'a start was forgotten');
  return wrong;
}
