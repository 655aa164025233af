/**
 * LogStore: the durable store of consensus as the main thread sees it: asked at once, answered later, in the order of asking.
 *
 * What a store *does* is storage/store.ts, in calls that block for as long as a card takes. Here is who calls it: the log thread of a
 * real node (workers/spawn-log.ts), or the same thread under a simulated clock (direct-log-store.ts). Both keep one queue, so what was
 * asked for first is durable first, and everything that waits when the disk is free goes down in one group commit.
 *
 * Answers come by callback and not by promise where consensus waits for them: a promise resolves in a turn of its own, which a
 * simulated clock cannot see.
 */
import { TuttiError } from '../core/errors.js';
import type { BootId, Slot } from '../core/ids.js';
import type { ScrubStep, Store, StoreInit, StoreRecovered, StoreWork } from '../storage/store.js';

export type { ScrubStep, StoreRecovered } from '../storage/store.js';

/** How it stands with the store after something was done. */
export interface StoreStanding {
  /** Sequence of the last batch that is durable. */
  readonly batch: number;
  /** 0 to 1: share of the log that live batches take. */
  readonly fill: number;
}

/** A durable store behind a queue. One failure is the end of it: no callback comes any more but `failed`. */
export interface LogStore {
  /** What the disk holds, before `open` or `format`. */
  inspect(): Promise<'empty' | 'formatted' | 'unreadable'>;
  /** Makes a store on an empty disk. @throws TuttiError */
  format(init: StoreInit): Promise<void>;
  /** Recovers. Once, before everything below. `failed` is called once where a write or sync failed later: the process must end. @throws TuttiError */
  open(boot: BootId, failed: (error: Error) => void): Promise<StoreRecovered>;
  /** `done` once all of `work` is durable; never from within this call. */
  commit(work: StoreWork, done: (standing: StoreStanding) => void): void;
  /** Boots up to this one were seen applied: the superblock need not name them any more. Rides with a later write. */
  forgetBoots(upTo: BootId): void;
  /** Keeps the state as of `slot`, anew where there is one of that slot; the log below is recycled. `done` once durable, or with why all is as before (DISK_FULL, BAD_SNAPSHOT). */
  saveSnapshot(slot: Slot, bytes: Uint8Array, done: (refused: Error | null) => void): void;
  /** Takes a peer's state in the place of this node's. `done` once durable, or with why all is as before (BAD_SNAPSHOT, DISK_FULL). */
  installSnapshot(
    slot: Slot,
    bytes: Uint8Array,
    meta: Parameters<Store['installSnapshot']>[2],
    done: (refused: Error | null) => void,
  ): void;
  /** `done` with the bytes of the snapshot, or null and why it cannot be read. */
  readSnapshot(done: (bytes: Uint8Array | null, error: Error | null) => void): void;
  /** A lone voter gives up damaged slots for lost. `done` once durable. */
  acceptLoss(slots: readonly Slot[], done: () => void): void;
  /** Looks at the next bit of all that is on the disk, past the cache. Writes nothing. */
  scrub(done: (step: ScrubStep) => void): void;
  /** Idempotent: finishes what was asked for, and lets go of the disk. */
  close(): Promise<void>;
}

/**
 * Why a snapshot was not taken or given, with all as before: null where it was. What else a store throws is the disk's failure, and the
 * end of the store.
 */
export function refusalOf(call: () => void): TuttiError | null {
  try {
    call();
    return null;
  } catch (error) {
    if (error instanceof TuttiError && REFUSALS.has(error.code)) return error;
    throw error;
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['BAD_SNAPSHOT', 'DISK_FULL', 'NOT_FOUND']);
