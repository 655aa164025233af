/** What comes of a log entry: the same on every node. */
import type { ErrorCode, ErrorInfo } from '../core/errors.js';
import type { ItemId, Slot, TrackId } from '../core/ids.js';

/** The command was done, or there was nothing left to do. */
export interface Done {
  readonly ok: true;
  /** The slot that holds the command: the first one's, where a key was seen again. */
  readonly slot: Slot;
  /** Items that it made, in order. */
  readonly itemIds?: readonly ItemId[];
  /** The track that it added or renamed, and under which title. */
  readonly trackId?: TrackId;
  readonly title?: string;
}

/** The command was refused, and nothing has changed. */
export interface Refused {
  readonly ok: false;
  readonly slot: Slot;
  readonly code: ErrorCode;
  /** A sentence for a person. Not part of the agreed state: versions may word it differently. */
  readonly detail: string;
  readonly info: ErrorInfo;
}

/** Every entry has one; tell them apart by `ok`. */
export type Outcome = Done | Refused;
