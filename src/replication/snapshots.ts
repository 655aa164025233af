/**
 * Snapshots: keeps the log short, and brings nodes up that are further behind than the log reaches.
 *
 * One is taken when nearly half of the log's room is in use, at whatever slot is applied then, and takes the place of the log below. Where that
 * cannot be done it is tried again and again, also by the next process, and while the log is nearly full a leader takes no new commands,
 * and any other member no entries: a write that finds no room ends the process. A node that
 * asks for slots which its peer's log no longer has is told so, and fetches the peer's snapshot: in pieces over the bulk channel, one
 * after another, each asked for until it comes. Pieces name the snapshot by its slot and hash, so that none of another one is mixed in: the
 * peer may have taken a newer one meanwhile, and then the fetch begins anew.
 *
 * While a fetched snapshot is put in place, nothing else happens here: messages are dropped, as if the network had lost them, so that no entry
 * is applied between the old state and the new.
 */
import { createHash } from 'node:crypto';
import type { NodeId, Slot } from '../core/ids.js';
import { slot as slotOf } from '../core/ids.js';
import type { Log } from '../ports/log.js';
import type { Channel } from '../ports/peer-link.js';
import { encodeFrame, type Frame, SNAPSHOT_BYTES_MAX, SNAPSHOT_PART_BYTES } from './frames.js';
import type { LogStore, StoreStanding } from './log-store.js';

/**
 * A snapshot is due when live batches take more than this share of the log. Below a half, so that what the log held under it is not written
 * over before the next one: with the snapshot before, that makes up for one that gets damaged.
 */
const FILL_MAX = 0.45;
/**
 * Above this share a leader takes no new commands. What is left is for what cannot wait: what is under way, the first entry of a term, a
 * change of members.
 */
const FILL_LAST = 0.9;
/** A piece that did not come for so long is asked for again. Milliseconds. */
const ASK_AGAIN_MS = 1_000;
/** A peer that sent nothing for so long is given up; the core will ask whoever it learns from next. Milliseconds. */
const GIVE_UP_MS = 10_000;
/** A snapshot that found no room on the disk is tried again after this long: making one is work. Milliseconds. */
export const TRY_AGAIN_MS = 10_000;
/** Peers that wait for the snapshot to be read. */
const ASKERS_MAX = 256;
/** What is read for peers is kept in memory for so long after the last one asked. Milliseconds. */
const KEEP_MS = 10_000;

type Ask = Extract<Frame, { readonly type: 'snapshot-ask' }>;
type Part = Extract<Frame, { readonly type: 'snapshot-part' }>;

/** What snapshots need of the node. */
export interface SnapshotsComponents {
  readonly log: Log;
  readonly store: LogStore;
  readonly send: (to: NodeId, channel: Channel, bytes: Uint8Array) => boolean;
  readonly nowMs: () => number;
  /** Everything up to here is applied. */
  readonly applied: () => Slot;
  /** The state as of that slot; null where this node has none that is good. */
  readonly take: () => { readonly slot: Slot; readonly bytes: Uint8Array } | null;
  /** The log up to `slot` is not needed any more. */
  readonly saved: (slot: Slot) => void;
  /** {@link Snapshots.isLogFull} is another now. */
  readonly fullChanged: () => void;
  /** A peer's snapshot is complete: puts it in place, and calls `done` when that is over, well or not. */
  readonly install: (slot: Slot, bytes: Uint8Array, done: () => void) => void;
}

/** For peers. */
interface Kept {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
  readonly slot: Slot;
  usedAtMs: number;
}

/** From a peer. */
interface Fetch {
  readonly from: NodeId;
  /** It is to hold everything up to here. */
  readonly least: Slot;
  /** What came so far; null before the first piece. */
  part: { readonly slot: Slot; readonly hash: Uint8Array; readonly bytes: Uint8Array } | null;
  have: number;
  askedAtMs: number;
  heardAtMs: number;
}

/** Takes, gives and fetches snapshots, one of each at a time. */
export class Snapshots {
  readonly #components: SnapshotsComponents;
  /** Of the latest snapshot on the disk; 0 where there is none. */
  #base: Slot;
  #isSaving = false;
  /** Share of the log in use, as far as is known: 0 after a snapshot made room, until the next commit says how much. */
  #fill = 0;
  /** Not before this: the disk had no room. Local milliseconds. */
  #restUntilMs = 0;
  #kept: Kept | null = null;
  #askers: { readonly from: NodeId; readonly slot: Slot; readonly offset: number }[] = [];
  #isReading = false;
  #fetch: Fetch | null = null;
  #isInstalling = false;
  #isOver = false;

  constructor(components: SnapshotsComponents, init: { readonly base: Slot }) {
    this.#components = components;
    this.#base = init.base;
  }

  /** While a fetched snapshot is put in place. */
  get isInstalling(): boolean {
    return this.#isInstalling;
  }

  /** So little room is left in the log that new commands have to wait. */
  get isLogFull(): boolean {
    return this.#fill > FILL_LAST;
  }

  /**
   * The log is full, and what is applied would make room once the disk has some: entries of others are as good as lost on the way until then,
   * and come again. (Where nothing was applied, only more of them can bring that about.)
   */
  get refusesEntries(): boolean {
    return this.isLogFull && this.#components.applied() > this.#base;
  }

  /** So much of the log is in use: takes a snapshot if one is due. */
  consider({ fill }: Pick<StoreStanding, 'fill'>): void {
    this.#noteFill(fill);
    this.#saveIfDue();
  }

  /** Takes a snapshot now. */
  save(): void {
    const taken = this.#components.take();
    if (taken === null) return;
    const { slot, bytes } = taken;
    if (bytes.length > SNAPSHOT_BYTES_MAX) {
      this.#restUntilMs = this.#components.nowMs() + TRY_AGAIN_MS;
      this.#components.log.error('the agreed state is too large for a snapshot', { bytes: bytes.length });
      return;
    }
    this.#isSaving = true;
    this.#components.store.saveSnapshot(slot, bytes, (refused) => {
      if (this.#isOver) return;
      this.#isSaving = false;
      if (refused !== null) {
        // The log goes on, as long as it has room.
        this.#restUntilMs = this.#components.nowMs() + TRY_AGAIN_MS;
        this.#components.log.error('no snapshot could be kept', { slot, error: refused });
        return;
      }
      this.#base = slot;
      this.#noteFill(0);
      this.#components.saved(slot);
    });
  }

  /** Takes one, also where nothing was applied since the last one: it and the superblock that names it are then written anew. */
  renew(): void {
    if (!this.#isSaving && !this.#isInstalling && this.#components.applied() > 0) this.save();
  }

  /** A peer wants a piece. */
  asked(from: NodeId, { least, slot, offset }: Omit<Ask, 'type'>): void {
    if (least > this.#base) {
      // It lost what is in no log any more, and this node has no snapshot of it yet: the peer asks again when it has.
      if (least <= this.#components.applied() && !this.#isSaving && !this.#isInstalling) this.save();
      return;
    }
    if (this.#base === 0 || this.#askers.length >= ASKERS_MAX) return;
    this.#askers.push({ from, slot, offset });
    if (this.#kept !== null && this.#kept.slot >= this.#base) this.#answer(this.#kept);
    else this.#read();
  }

  /** Only `from`'s snapshot holds what this node lacks: everything up to `least`. */
  need(from: NodeId, least: Slot): void {
    const nowMs = this.#components.nowMs();
    // A disk without room for this node's own snapshot has none for another's.
    if (this.#fetch !== null || this.#isInstalling || this.refusesEntries || nowMs < this.#restUntilMs) return;
    this.#fetch = { from, least, part: null, have: 0, askedAtMs: nowMs, heardAtMs: nowMs };
    this.#ask(this.#fetch);
  }

  /** A piece came. */
  took(from: NodeId, { slot, total, hash, offset, bytes }: Part): void {
    const fetch = this.#fetch;
    if (fetch === null || fetch.from !== from || this.#isInstalling) return;
    const isSame = fetch.part !== null && fetch.part.slot === slot && equal(fetch.part.hash, hash);
    if (!isSame) {
      // Another one than before, or the first: from the beginning.
      fetch.part = { slot, hash: hash.slice(), bytes: new Uint8Array(total) };
      fetch.have = 0;
    }
    const part = fetch.part!;
    fetch.heardAtMs = this.#components.nowMs();
    if (offset === fetch.have && offset + bytes.length <= part.bytes.length) {
      part.bytes.set(bytes, offset);
      fetch.have += bytes.length;
    } else if (isSame) {
      return;
    }
    if (fetch.have < part.bytes.length) {
      this.#ask(fetch);
      return;
    }
    this.#fetch = null;
    if (!equal(sha256(part.bytes), part.hash)) {
      this.#components.log.warn('a snapshot from a peer is damaged', { peer: from, slot });
      return;
    }
    this.#isInstalling = true;
    this.#components.install(part.slot, part.bytes, () => {
      this.#isInstalling = false;
      this.#kept = null;
    });
  }

  /** The snapshot as of `slot` is on the disk. */
  installed(slot: Slot): void {
    this.#base = slot;
    this.#noteFill(0);
  }

  /** Asks again for what did not come, and lets go of what nobody wants. */
  tick(): void {
    // While commands have to wait, no commit may come that would ask for a snapshot.
    this.#saveIfDue();
    const nowMs = this.#components.nowMs();
    if (this.#kept !== null && nowMs - this.#kept.usedAtMs >= KEEP_MS) this.#kept = null;
    const fetch = this.#fetch;
    if (fetch === null) return;
    if (nowMs - fetch.heardAtMs >= GIVE_UP_MS) this.#fetch = null;
    else if (nowMs - fetch.askedAtMs >= ASK_AGAIN_MS) this.#ask(fetch);
  }

  /** Does nothing any more. */
  stop(): void {
    this.#isOver = true;
    this.#fetch = null;
    this.#askers = [];
  }

  #noteFill(fill: number): void {
    const wasFull = this.isLogFull;
    this.#fill = fill;
    if (wasFull === this.isLogFull) return;
    if (this.isLogFull)
      this.#components.log.error('the log is full, and nothing new is taken until a snapshot is kept');
    this.#components.fullChanged();
  }

  #saveIfDue(): void {
    if (this.#fill <= FILL_MAX || this.#isSaving || this.#isInstalling) return;
    const { applied, nowMs } = this.#components;
    if (applied() > this.#base && nowMs() >= this.#restUntilMs) this.save();
  }

  #ask(fetch: Fetch): void {
    fetch.askedAtMs = this.#components.nowMs();
    const { from, least, part, have } = fetch;
    const frame = { type: 'snapshot-ask', least, slot: part?.slot ?? slotOf(0), offset: have } as const;
    this.#components.send(from, 'control', encodeFrame(frame));
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    const slot = this.#base;
    this.#components.store.readSnapshot((bytes, error) => {
      this.#isReading = false;
      if (this.#isOver) return;
      if (bytes === null || this.#base !== slot) {
        // A newer one took its place meanwhile; who asked will ask again. Or it cannot be read: then others have to help.
        if (error !== null) this.#components.log.error('the snapshot cannot be read', { slot, error });
        this.#askers = [];
        return;
      }
      this.#answer({ bytes, hash: sha256(bytes), slot, usedAtMs: 0 });
    });
  }

  #answer(kept: Kept): void {
    const askers = this.#askers;
    this.#askers = [];
    this.#kept = kept;
    kept.usedAtMs = this.#components.nowMs();
    const { slot, hash, bytes } = kept;
    for (const asker of askers) {
      const offset = asker.slot === slot ? Math.min(asker.offset, bytes.length) : 0;
      const piece = bytes.subarray(offset, offset + SNAPSHOT_PART_BYTES);
      const part = { type: 'snapshot-part', slot, total: bytes.length, hash, offset, bytes: piece } as const;
      this.#components.send(asker.from, 'bulk', encodeFrame(part));
    }
  }
}

/** SHA-256. */
export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, at) => byte === b[at]);
