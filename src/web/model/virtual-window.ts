/** Which rows of a long list are drawn: those that are seen, and some around them. All rows are of one height. */

/** Where a list is, relative to what is seen of the page. Pixels. */
export interface ListPlace {
  /** The list's upper edge below that of the view; negative where it is above. */
  readonly top: number;
  readonly viewHeight: number;
  readonly rowHeight: number;
}

/** Rows `from` to `to`, the latter not counted. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** Up to so many rows are drawn all: search in the page, and programs that read it aloud, find them then. */
export const ROWS_DRAWN_ALL = 200;
/** Rows drawn above and below what is seen, so that a flick does not show paper. */
const AROUND = 12;

/** The rows of `count` that have to be there. */
export function rowsAt({ top, viewHeight, rowHeight }: ListPlace, count: number): RowRange {
  if (count <= ROWS_DRAWN_ALL) return { from: 0, to: count };
  const within = (row: number) => Math.max(0, Math.min(count, row));
  const first = Math.floor(-top / rowHeight);
  return { from: within(first - AROUND), to: within(first + Math.ceil(viewHeight / rowHeight) + 1 + AROUND) };
}
