/**
 * Dragging an item by its handle. Only the handle takes the finger, so that the rows still scroll. What the node says meanwhile changes the
 * data and not the picture: the item that was taken is the one that is put, wherever others have moved it.
 */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ShownItem } from '../../model/overlay.js';
import { edgeScroll, placeOf, stepAside } from '../../model/reorder.js';
import { useApp } from '../context.js';

interface ReorderInit {
  readonly items: readonly ShownItem[];
  readonly first: number;
  readonly rowHeight: number;
  readonly moved: (from: number, to: number) => void;
}

/** The state of a drag, for those who draw the rows. */
export interface Reorder {
  readonly isDragging: boolean;
  readonly isHeld: (itemId: string) => boolean;
  readonly shiftOf: (at: number) => number;
  readonly take: (event: PointerEvent, at: number) => void;
}

interface Held {
  readonly itemId: string;
  readonly pointerId: number;
  readonly startY: number;
  readonly y: number;
  /** How far the list has been scrolled since. */
  readonly scrolled: number;
}

/** Dragging for the queue as it is shown. */
export function useReorder({ items, first, rowHeight, moved }: ReorderInit): Reorder {
  const app = useApp();
  const [held, setHeld] = useState<Held | null>(null);
  const now = useRef({ held, items, moved });
  now.current = { held, items, moved };
  const from = held === null ? -1 : items.findIndex(({ itemId }) => itemId === held.itemId);
  const dy = held === null ? 0 : held.y - held.startY + held.scrolled;
  const to = from < 0 ? -1 : placeOf({ from, dy }, rowHeight, { first, count: items.length });

  // At once, and not after the next frame: a quick hand has put the item down by then.
  useLayoutEffect(() => {
    if (held === null) return;
    const { pointerId } = held;
    const end = (isPut: boolean) => {
      const { items, moved } = now.current;
      setHeld(null);
      if (isPut && target.current.from >= 0 && items.length > 0) moved(target.current.from, target.current.to);
    };
    const move = (event: PointerEvent) => {
      if (event.pointerId === pointerId) setHeld((before) => before && { ...before, y: event.clientY });
    };
    const up = (event: PointerEvent) => event.pointerId === pointerId && end(true);
    const cancel = (event: PointerEvent) => event.pointerId === pointerId && end(false);
    const key = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      end(false);
    };
    const scroller = scrollerOf(document.querySelector('.region-queue .rows'));
    let frame = requestAnimationFrame(function scroll() {
      const y = now.current.held?.y ?? 0;
      const box =
        scroller === document.scrollingElement ? { top: 0, bottom: innerHeight } : scroller.getBoundingClientRect();
      const before = scroller.scrollTop;
      scroller.scrollTop += edgeScroll(y, box);
      const by = scroller.scrollTop - before;
      if (by !== 0) setHeld((held) => held && { ...held, scrolled: held.scrolled + by });
      frame = requestAnimationFrame(scroll);
    });
    document.addEventListener('pointermove', move);
    document.addEventListener('pointerup', up);
    document.addEventListener('pointercancel', cancel);
    document.addEventListener('keydown', key, { capture: true });
    return () => {
      cancelAnimationFrame(frame);
      document.removeEventListener('pointermove', move);
      document.removeEventListener('pointerup', up);
      document.removeEventListener('pointercancel', cancel);
      document.removeEventListener('keydown', key, { capture: true });
    };
    // A drag begins and ends; that it moves is no reason to listen anew.
  }, [held?.itemId]);

  const target = useRef({ from, to });
  target.current = { from, to };
  return {
    isDragging: held !== null,
    isHeld: (itemId) => held?.itemId === itemId,
    shiftOf: (at) => (from < 0 ? 0 : at === from ? dy : stepAside(at, from, to, rowHeight)),
    take: (event, at) => {
      if (event.button !== 0) return;
      if (app.whyNot.value !== null) return app.explain();
      event.preventDefault();
      const { itemId } = items[at]!;
      setHeld({ itemId, pointerId: event.pointerId, startY: event.clientY, y: event.clientY, scrolled: 0 });
    },
  };
}

/** What scrolls around the list. */
function scrollerOf(element: Element | null): Element {
  for (let at = element?.parentElement; at; at = at.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
  }
  return document.scrollingElement ?? document.documentElement;
}
