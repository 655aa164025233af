/**
 * SlotLog: what an acceptor holds, slot by slot, above its snapshot.
 *
 * A slot is empty (nothing accepted), accepted (an entry under a ballot), or unknown: something may have been accepted there, and the
 * record of it is damaged. Unknown must never be read as empty. It becomes accepted when an entry is accepted or learned for it.
 */
import { assert } from '../core/assert.js';
import { type Slot, slot as slotOf } from '../core/ids.js';
import type { Ballot } from './ballot.js';
import type { Entry } from './entry.js';

/** One slot that is not empty. */
export type Cell =
  | { readonly kind: 'accepted'; readonly ballot: Ballot; readonly entry: Entry }
  | { readonly kind: 'unknown'; readonly ballot: Ballot | null };

/** The slots above `base`. Plain data: a copy of the cells is a copy of the log. */
export interface SlotLog {
  /** Everything up to here is in the snapshot, and not here. */
  base: Slot;
  /** The cell of slot `base + 1 + i` at `i`; undefined where the slot is empty. */
  cells: (Cell | undefined)[];
}

/** A log without entries above `base`. */
export const emptyLog = (base: Slot): SlotLog => ({ base, cells: [] });

/** What `slot` holds; undefined where it is empty, or in the snapshot. */
export const cellAt = (log: SlotLog, slot: Slot): Cell | undefined => log.cells[slot - log.base - 1];

/** The highest slot that is not empty, or `base`. */
export const lastSlot = (log: SlotLog): Slot => slotOf(log.base + log.cells.length);

/** Puts a cell in its place. `slot` is above `base`. */
export function setCell(log: SlotLog, slot: Slot, cell: Cell): void {
  assert(slot > log.base, `slot ${slot} is above the snapshot, which holds up to ${log.base}`);
  const index = slot - log.base - 1;
  while (log.cells.length < index) log.cells.push(undefined);
  log.cells[index] = cell;
}

/** True for what was accepted, or may have been, under a ballot of an older configuration than `configId`. */
export const isOfOlder = (cell: Cell, configId: number): boolean =>
  cell.ballot !== null && cell.ballot.configId < configId;

/** Forgets everything up to `base`: a snapshot has it. */
export function dropUpTo(log: SlotLog, base: Slot): void {
  if (base <= log.base) return;
  log.cells = log.cells.slice(base - log.base);
  log.base = base;
}

/** Forgets everything above `slot`. */
export function dropAbove(log: SlotLog, slot: Slot): void {
  log.cells.length = Math.max(0, Math.min(log.cells.length, slot - log.base));
}

/** The lowest slot above `above` that is unknown; null where none is. */
export function firstUnknown(log: SlotLog, above: Slot): Slot | null {
  for (let index = Math.max(0, above - log.base); index < log.cells.length; index++) {
    if (log.cells[index]?.kind === 'unknown') return slotOf(log.base + 1 + index);
  }
  return null;
}
