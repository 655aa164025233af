/** Taking an item of a list by its handle and putting it elsewhere, as arithmetic over rows of one height. */

/** An item on its way. */
export interface Drag {
  /** Where it was taken. */
  readonly from: number;
  /** How far the pointer has moved since, scrolling counted. Pixels. */
  readonly dy: number;
}

/** The place over which it is held: never before `first`, where the current item stands. */
export function placeOf(
  { from, dy }: Drag,
  rowHeight: number,
  { first, count }: { readonly first: number; readonly count: number },
): number {
  return Math.max(first, Math.min(count - 1, from + Math.round(dy / rowHeight)));
}

/** How far row `at` steps aside while the item of row `from` is held over `to`. Pixels. */
export function stepAside(at: number, from: number, to: number, rowHeight: number): number {
  if (at === from) return 0;
  if (from < at && at <= to) return -rowHeight;
  return to <= at && at < from ? rowHeight : 0;
}

/** Before which item it is put: the request names items, never places, since others move them too. Null: at the end. */
export function beforeWhich<T extends { readonly itemId: string }>(
  items: readonly T[],
  from: number,
  to: number,
): string | null {
  const rest = items.filter((_, at) => at !== from);
  return rest[to]?.itemId ?? null;
}

/** A pointer this near to the edge of what is seen scrolls the list. Pixels. */
const EDGE = 64;
const SPEED_MAX = 14;

/** How far the list is scrolled in each frame while the pointer is at `y`. Pixels; negative: up. */
export function edgeScroll(y: number, { top, bottom }: { readonly top: number; readonly bottom: number }): number {
  const above = top + EDGE - y;
  const below = y - (bottom - EDGE);
  const depth = above > 0 ? -above : Math.max(0, below);
  return Math.round((Math.max(-EDGE, Math.min(EDGE, depth)) / EDGE) * SPEED_MAX);
}
