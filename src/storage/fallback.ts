/**
 * Fallback: what there is where the snapshot that counts is damaged.
 *
 * The snapshot before it stays on the disk, and so does the log between the two, until it is written over: recycling only moves the log's
 * base. Together they come to the same state. Where every slot between them is still there, nothing is lost, and no other node is needed.
 */
import type { Slot } from '../core/ids.js';
import { slot as slotOf } from '../core/ids.js';
import { batchRecordsMax } from './limits.js';
import { type LogFound, type LogStart, recoverLog, type SlotFound } from './recovery.js';
import type { Ring } from './ring.js';
import type { Segments } from './segments.js';
import type { Snapshots } from './snapshots.js';
import type { LogBeginning, SuperblockState } from './superblock.js';

/** An earlier beginning, and the log from there on. */
export interface Fallback {
  readonly beginning: LogBeginning;
  readonly log: LogFound;
  /** Slots that the damaged snapshot held and that are nowhere else on this card. */
  readonly missing: readonly Slot[];
}

/**
 * What can take the place of the snapshot in `start`, which is damaged; null where too much was written over. `found`: the log that
 * follows the snapshot, which stays as it is. @throws TuttiError DISK_FAILED
 */
export function findFallback(
  { segments, ring, snapshots }: { readonly segments: Segments; readonly ring: Ring; readonly snapshots: Snapshots },
  found: LogFound,
  init: { readonly start: SuperblockState; readonly seal: number },
): Fallback | null {
  const { start, seal } = init;
  const { snapshot, previous, base, geometry } = start;
  if (snapshot === null || previous === null) return null;
  const end = base.sequence + found.batches.length;
  // With room to spare for those that have to be given up.
  const isInRing = end + 2 - previous.base.sequence <= geometry.ringPages;
  const isInSegments = found.next.segment + 1 - previous.base.segment < geometry.segments;
  if (!isInRing || !isInSegments) return null;
  if (previous.snapshot !== null && !snapshots.isWhole(previous.snapshot)) return null;
  const earlier: LogStart = { ...start, ...previous };
  const older = recoverLog(segments, ring, { start: earlier, seal });
  if (previous.base.sequence + older.batches.length !== end) return null;
  const slots = new Map<Slot, SlotFound>();
  const missing: Slot[] = [];
  for (let at = (previous.snapshot?.slot ?? 0) + 1; at <= snapshot.slot; at++) {
    const slot = slotOf(at);
    const held = older.slots.get(slot);
    if (held?.kind === 'record') slots.set(slot, held);
    else missing.push(slot);
  }
  if (missing.length > batchRecordsMax(geometry.ringPages)) return null;
  // What follows the snapshot was judged by it, and by more than the earlier beginning knows.
  for (const [slot, held] of found.slots) slots.set(slot, held);
  return {
    beginning: previous,
    log: { ...found, batches: older.batches, slots, toIdentify: older.toIdentify },
    missing,
  };
}
