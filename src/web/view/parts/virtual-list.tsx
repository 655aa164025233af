/**
 * A list of which only the rows in sight are there, once it is long. Rows are of one height and know their place, so that whoever hears the
 * page is told of all of them; a row that has the focus is never taken away.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type RowRange, rowsAt } from '../../model/virtual-window.js';

interface VirtualListInit<T> {
  readonly items: readonly T[];
  /** Pixels. */
  readonly rowHeight: number;
  readonly keyOf: (item: T) => string;
  readonly row: (item: T, at: number) => JSX.Element;
  readonly label: string;
  readonly className?: string;
  /** Pixels by which a row stands aside, while another is moved. */
  readonly shiftOf?: (at: number) => number;
  readonly rowClass?: (item: T, at: number) => string;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
}

/** An ordered list of rows. */
export function VirtualList<T>(init: VirtualListInit<T>) {
  const { items, rowHeight, keyOf, row, label, className = '', shiftOf, rowClass, onKeyDown } = init;
  const list = useRef<HTMLOListElement>(null);
  const range = useRowsInSight(list, rowHeight, items.length);
  const focused = useRef<string | null>(null);
  const rows = items.slice(range.from, range.to).map((item, at) => ({ item, at: range.from + at }));
  const focusedAt = focused.current === null ? -1 : items.findIndex((item) => keyOf(item) === focused.current);
  if (focusedAt >= 0 && (focusedAt < range.from || focusedAt >= range.to)) {
    rows.push({ item: items[focusedAt]!, at: focusedAt });
  }
  return (
    <ol
      ref={list}
      class={`rows ${className}`}
      aria-label={label}
      style={{ blockSize: `${items.length * rowHeight}px` }}
      onFocusIn={(event) => {
        focused.current = (event.target as HTMLElement).closest<HTMLElement>('[data-key]')?.dataset.key ?? null;
      }}
      onFocusOut={() => {
        focused.current = null;
      }}
      onKeyDown={onKeyDown}
    >
      {rows.map(({ item, at }) => (
        <li
          key={keyOf(item)}
          data-key={keyOf(item)}
          class={`row ${rowClass?.(item, at) ?? ''}`}
          aria-setsize={items.length}
          aria-posinset={at + 1}
          style={{ transform: `translateY(${at * rowHeight + (shiftOf?.(at) ?? 0)}px)`, blockSize: `${rowHeight}px` }}
        >
          {row(item, at)}
        </li>
      ))}
    </ol>
  );
}

/**
 * Follows whatever scrolls: the page on a phone, a column on a desk. What can be seen at once is drawn at once, and what is around it in the
 * frame after that.
 */
function useRowsInSight(list: { readonly current: HTMLElement | null }, rowHeight: number, count: number): RowRange {
  const [range, setRange] = useState<RowRange>(() => ({
    from: 0,
    to: Math.ceil(window.innerHeight / rowHeight),
  }));
  useEffect(() => {
    const look = () => {
      const { top } = list.current!.getBoundingClientRect();
      const next = rowsAt({ top, viewHeight: window.innerHeight, rowHeight }, count);
      setRange((before) => (before.from === next.from && before.to === next.to ? before : next));
    };
    look();
    document.addEventListener('scroll', look, { capture: true, passive: true });
    window.addEventListener('resize', look);
    return () => {
      document.removeEventListener('scroll', look, { capture: true });
      window.removeEventListener('resize', look);
    };
  }, [list, rowHeight, count]);
  return range;
}
