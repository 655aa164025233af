/**
 * What was asked for and is not in the view yet, laid over it.
 *
 * The view itself is never changed here, since an older event may still be on its way and would undo it before the eyes of whoever asked.
 * Each write is answered with the place in the log that holds it, so it is known to the event when the view has it: the operation is over
 * then, or when it was refused. Play, pause, skip and seek are not laid over: what sounds is not ours to pretend.
 */
import type { QueueItem } from '../../http/schema.js';

/** A wish that can be shown before it is agreed. */
export type Wish =
  | { readonly kind: 'move'; readonly itemId: string; readonly beforeItemId: string | null }
  | { readonly kind: 'remove'; readonly itemIds: readonly string[] }
  | { readonly kind: 'add'; readonly items: readonly AddedItem[]; readonly next: boolean }
  | { readonly kind: 'rename'; readonly trackId: string; readonly title: string }
  | { readonly kind: 'delete'; readonly trackId: string }
  | { readonly kind: 'volume'; readonly node: string | null; readonly volume: number }
  | { readonly kind: 'mute'; readonly node: string | null; readonly muted: boolean }
  | { readonly kind: 'repeat'; readonly repeat: 'off' | 'all' | 'one' }
  // Not laid over: that it was pressed is all that is shown.
  | { readonly kind: 'press'; readonly button: Button }
  | { readonly kind: 'seek'; readonly itemId: string; readonly positionMs: number };

/** A button of the transport. */
export type Button = 'toggle' | 'skip' | 'previous' | 'shuffle';

/** A song on its way into the queue. */
export type AddedItem = Pick<QueueItem, 'trackId' | 'title' | 'durationMs'>;

/** A wish that is under way. */
export interface Pending {
  /** Given by the page, rising. */
  readonly id: number;
  readonly wish: Wish;
  /** Where the log holds it; null until the node has answered. */
  readonly slot: number | null;
  /** When it was answered, milliseconds of local time. */
  readonly answeredMs: number | null;
}

/** A view that does not come is not waited for. Milliseconds. */
export const ANSWERED_MS_MAX = 5_000;

/** Those that the view does not have yet. */
export const stillPending = (pending: readonly Pending[], appliedSlot: number, nowMs: number): readonly Pending[] => {
  const left = pending.filter(
    ({ slot, answeredMs }) =>
      (slot === null || slot > appliedSlot) && (answeredMs === null || nowMs - answeredMs < ANSWERED_MS_MAX),
  );
  return left.length === pending.length ? pending : left;
};

/** The node has answered: the wish stands in `slot`. */
export const answered = (pending: readonly Pending[], id: number, slot: number, nowMs: number): readonly Pending[] =>
  pending.map((one) => (one.id === id ? { ...one, slot, answeredMs: nowMs } : one));

/** An item of the queue as it is shown: `pending` while something that was asked of it is under way. */
export interface ShownItem extends QueueItem {
  readonly pending: boolean;
}

/** The queue with what was asked for. The current item, which is first where `hasCurrent`, keeps its place. */
export function queueWith(
  items: readonly QueueItem[],
  pending: readonly Pending[],
  hasCurrent: boolean,
): readonly ShownItem[] {
  let shown: ShownItem[] = items.map((item) => ({ ...item, pending: false }));
  const first = hasCurrent ? 1 : 0;
  for (const { id, wish } of pending) {
    if (wish.kind === 'remove') {
      const gone = new Set(wish.itemIds);
      shown = shown.filter(({ itemId }) => !gone.has(itemId));
    } else if (wish.kind === 'move') {
      const item = shown.find(({ itemId }) => itemId === wish.itemId);
      if (item === undefined) continue;
      const rest = shown.filter((other) => other !== item);
      const at = wish.beforeItemId === null ? -1 : rest.findIndex(({ itemId }) => itemId === wish.beforeItemId);
      rest.splice(at < 0 ? rest.length : Math.max(first, at), 0, { ...item, pending: true });
      shown = rest;
    } else if (wish.kind === 'add') {
      const added = wish.items.map((item, at) => newItem(item, `new-${id}-${at}`));
      shown.splice(wish.next ? Math.min(first, shown.length) : shown.length, 0, ...added);
    }
  }
  return shown;
}

const newItem = (item: AddedItem, itemId: string): ShownItem => ({
  ...item,
  itemId,
  seq: 0,
  ready: true,
  addedBy: { node: '', via: 'web' },
  pending: true,
});

/** Of the wishes of one kind the newest that fits; undefined where there is none. */
export function newest<K extends Wish['kind']>(
  pending: readonly Pending[],
  kind: K,
  fits: (wish: Extract<Wish, { kind: K }>) => boolean = () => true,
): Extract<Wish, { kind: K }> | undefined {
  const wishes = pending
    .map(({ wish }) => wish)
    .filter((wish): wish is Extract<Wish, { kind: K }> => wish.kind === kind);
  return wishes.findLast(fits);
}
