/** Moving and removing items of the queue, whichever way it is asked for: one and the same request, said aloud, with the focus on the item. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ShownItem } from '../../model/overlay.js';
import { beforeWhich } from '../../model/reorder.js';
import { useApp, useWords } from '../context.js';

/** What can be done with items by their places. */
export interface ItemMoves {
  readonly moveTo: (from: number, to: number) => void;
  readonly remove: (at: number) => void;
  /** Arrows go from row to row; with Alt they take the item along; Delete removes it. */
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

const buttonOf = (itemId: string): HTMLElement | null =>
  document.querySelector(`.region-queue [data-key="${CSS.escape(itemId)}"] .row-main`);

/** For the queue as it is shown; `first` is the first place that can be moved. */
export function useItemMoves(items: readonly ShownItem[], first: number): ItemMoves {
  const app = useApp();
  const words = useWords();
  // Which row is to have the focus after the next drawing: a row that is moved loses it to nobody.
  const focusNext = useRef<string | null>(null);
  useLayoutEffect(() => {
    if (focusNext.current === null) return;
    buttonOf(focusNext.current)?.focus();
    focusNext.current = null;
  });
  const moveTo = (from: number, to: number) => {
    const item = items[from];
    const place = Math.max(first, Math.min(items.length - 1, to));
    if (item === undefined || from < first || place === from) return;
    if (app.whyNot.value !== null) return app.explain();
    focusNext.current = item.itemId;
    app.actions.move(item.itemId, beforeWhich(items, from, place));
    app.notices.say(words.moved(item.title, place + 1, items.length));
  };
  const remove = (at: number) => {
    const item = items[at];
    if (item === undefined || at < first) return;
    if (app.whyNot.value !== null) return app.explain();
    focusNext.current = (items[at + 1] ?? items[at - 1])?.itemId ?? null;
    app.actions.remove(item);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = Number((event.target as HTMLElement).dataset.at ?? Number.NaN);
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (Number.isNaN(at) || (step === 0 && event.key !== 'Delete')) return;
    event.preventDefault();
    if (event.key === 'Delete') remove(at);
    else if (event.altKey) moveTo(at, at + step);
    else if (items[at + step] !== undefined) buttonOf(items[at + step]!.itemId)?.focus();
  };
  return { moveTo, remove, onKeyDown };
}
