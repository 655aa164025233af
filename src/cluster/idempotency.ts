/**
 * Outcomes by Idempotency-Key: a request that is sent again, because its answer was lost, is not done again.
 *
 * The table is part of the agreed state. So it is trimmed in the order of the log and by the stamps in it, never by a clock, and every
 * node forgets the same key at the same slot. What it has forgotten it must not take for new: a retry says when it was first sent, and
 * one that old is refused.
 *
 * A refusal that is no last word is not kept: TRACK_NOT_HELD is said to the node that proposed a track, which proposes it again under the
 * same key once more nodes hold its file. It has changed nothing, so nothing can be done twice for that; the first outcome that is kept
 * stands, and is what the other proposals of that key get, in whatever order they come, and every retry of the client.
 *
 * Kept is what a machine reads (slot, code, particulars), not the sentence for a person: its words change from one version to the next,
 * and two versions must keep equal state. Items are numbered in a row, so that two numbers stand for 5,000 ids.
 */
import { assert } from '../core/assert.js';
import { ERRORS, type ErrorCode, type ErrorInfo, TuttiError } from '../core/errors.js';
import type { Slot, TrackId } from '../core/ids.js';
import { NS_PER_S } from '../core/units.js';
import { itemIdOf } from '../playback/model.js';
import type { Command, Origin } from './command.js';
import type { Outcome } from './outcome.js';

/** How long an outcome is kept, in cluster time: no client retries for longer. */
export const KEY_AGE_NS_MAX = 600n * NS_PER_S;
/** How many are kept at most: a bound on the state, far above what a house presses in ten minutes. */
export const KEYS_MAX = 4_096;

/** An outcome as it is kept. */
export interface KeptOutcome {
  readonly key: string;
  /** What it was first sent for: see {@link purposeOf}. */
  readonly purpose: string;
  readonly slot: Slot;
  readonly stampNs: bigint;
  /** Null for success. */
  readonly refusal: { readonly code: ErrorCode; readonly info: ErrorInfo } | null;
  /** Items made: the first one's number, and how many; null where the outcome names none. */
  readonly items: { readonly firstSeq: number; readonly count: number } | null;
  readonly trackId: TrackId | null;
  readonly title: string | null;
}

/** The outcomes that this state remembers, at most {@link KEYS_MAX}. `trim` with each entry's stamp, `recall`, do, `keep`. */
export class IdempotencyTable {
  /** In the order of the log, which is that of the stamps. */
  readonly #kept = new Map<string, KeptOutcome>();
  /** Stamp of the latest outcome that was forgotten; -1 where none was. */
  #forgottenNs = -1n;

  /** The table that `list()` and `forgottenNs` of another one describe. */
  static of(kept: readonly KeptOutcome[], forgottenNs: bigint): IdempotencyTable {
    const table = new IdempotencyTable();
    for (const outcome of kept) table.#kept.set(outcome.key, outcome);
    table.#forgottenNs = forgottenNs;
    return table;
  }

  /** Forgets what is older than {@link KEY_AGE_NS_MAX} at `stampNs`. */
  trim(stampNs: bigint): void {
    for (const { key, stampNs: keptNs } of this.#kept.values()) {
      if (keptNs >= stampNs - KEY_AGE_NS_MAX) return;
      this.#forget(key, keptNs);
    }
  }

  /**
   * The outcome that a command of this origin had before; undefined where it is new.
   * @throws TuttiError RETRY_EXPIRED where it may have been done and forgotten; KEY_REUSED where the key was for something else
   */
  recall({ key, firstSentNs }: Origin, command: Command, stampNs: bigint): Outcome | undefined {
    if (key === undefined) return undefined;
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      if (kept.purpose === purposeOf(command)) return outcomeOf(kept);
      throw new TuttiError(
        'KEY_REUSED',
        `this key was sent with "${kept.purpose}" before: use a new one for each request`,
      );
    }
    if (firstSentNs === undefined) return undefined;
    if (firstSentNs < stampNs - KEY_AGE_NS_MAX || firstSentNs <= this.#forgottenNs) {
      throw new TuttiError('RETRY_EXPIRED', 'outcomes of that time are forgotten: look at the state first');
    }
    return undefined;
  }

  /** The track that was added under this key; null where none was, or that is forgotten. */
  addedUnder(key: string): TrackId | null {
    const kept = this.#kept.get(key);
    // Many a command's outcome names a track; only this one's purpose is to add it.
    return kept?.trackId != null && kept.purpose === addingOf(kept.trackId) ? kept.trackId : null;
  }

  /** Keeps the outcome of a command that `recall` said is new, if it is the last word. */
  keep(key: string, command: Command, stampNs: bigint, outcome: Outcome): void {
    if (!outcome.ok && outcome.code === 'TRACK_NOT_HELD') return;
    if (this.#kept.size >= KEYS_MAX) {
      const [oldest] = this.#kept.values();
      this.#forget(oldest!.key, oldest!.stampNs);
    }
    this.#kept.set(key, { key, purpose: purposeOf(command), stampNs, ...particularsOf(outcome) });
  }

  /** All that is kept, in the order of the log. */
  list(): KeptOutcome[] {
    return [...this.#kept.values()];
  }

  /** Stamp of the latest outcome that was forgotten, nanoseconds; -1 where none was. */
  get forgottenNs(): bigint {
    return this.#forgottenNs;
  }

  /** @throws InvariantError where the table is too long, or out of order. */
  checkInvariants(lastStampNs: bigint): void {
    assert(this.#kept.size <= KEYS_MAX, 'at most 4,096 keys are kept');
    let before = this.#forgottenNs;
    for (const { stampNs } of this.#kept.values()) {
      assert(stampNs > before && stampNs <= lastStampNs, 'keys are kept in the order of their stamps');
      before = stampNs;
    }
  }

  #forget(key: string, stampNs: bigint): void {
    this.#kept.delete(key);
    this.#forgottenNs = stampNs;
  }
}

/**
 * What a key stands for: the kind of command, and which track is added. No more of it, since an honest retry may differ in the rest: a
 * shuffle's seed is drawn anew, and so is the time at which a track is said to have been added.
 */
const purposeOf = (command: Command): string =>
  command.type === 'track.add' ? addingOf(command.track.id) : command.type;

const addingOf = (track: TrackId): string => `track.add ${track}`;

function particularsOf(outcome: Outcome): Omit<KeptOutcome, 'key' | 'purpose' | 'stampNs'> {
  const { slot } = outcome;
  if (!outcome.ok) {
    const { code, info } = outcome;
    return { slot, refusal: { code, info }, items: null, trackId: null, title: null };
  }
  const { itemIds, trackId = null, title = null } = outcome;
  const items = itemIds === undefined ? null : { firstSeq: Number(itemIds[0]!.slice(1)), count: itemIds.length };
  return { slot, refusal: null, items, trackId, title };
}

function outcomeOf({ slot, refusal, items, trackId, title }: KeptOutcome): Outcome {
  if (refusal !== null) return { ok: false, slot, ...refusal, detail: ERRORS[refusal.code].title };
  return {
    ok: true,
    slot,
    ...(items !== null && { itemIds: Array.from({ length: items.count }, (_, k) => itemIdOf(items.firstSeq + k)) }),
    ...(trackId !== null && { trackId }),
    ...(title !== null && { title }),
  };
}
