/** A menu of a row: one for a whole list, opened beside whatever was pressed. Closes by Esc, by a press elsewhere, and when something is chosen. */
import { useLayoutEffect, useRef } from 'preact/hooks';

/** One thing to choose. */
export interface MenuEntry {
  readonly label: string;
  readonly run: () => void;
  /** Why it cannot be chosen now; it stands in the menu all the same. */
  readonly whyNot?: string | null;
  readonly isDangerous?: boolean;
}

interface MenuInit {
  readonly label: string;
  readonly entries: readonly MenuEntry[];
  /** What it is opened beside; the focus goes back there. */
  readonly anchor: HTMLElement;
  readonly closed: () => void;
}

/** Kept away from the edges of what is seen. Pixels. */
const EDGE = 8;

/** An open menu. */
export function Menu({ label, entries, anchor, closed }: MenuInit) {
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = menu.current!;
    element.showPopover();
    const { right, bottom, top } = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = element;
    const below = bottom + height + EDGE <= window.innerHeight;
    const left = Math.max(EDGE, Math.min(right - width, window.innerWidth - width - EDGE));
    element.style.left = `${left}px`;
    element.style.top = `${Math.max(EDGE, below ? bottom : top - height)}px`;
    element.querySelector('button')?.focus();
  }, [anchor]);
  const choose = ({ run, whyNot }: MenuEntry) => {
    if (typeof whyNot === 'string') return;
    menu.current?.hidePopover();
    run();
  };
  return (
    <div
      ref={menu}
      popover="auto"
      role="menu"
      class="menu"
      aria-label={label}
      onToggle={(event) => {
        if (event.newState !== 'closed') return;
        closed();
        if (document.activeElement === document.body || menu.current?.contains(document.activeElement)) anchor.focus();
      }}
      onKeyDown={(event) => rove(event, menu.current!)}
    >
      {entries.map((entry) => (
        <button
          key={entry.label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          class={entry.isDangerous ? 'menu-entry menu-danger' : 'menu-entry'}
          aria-disabled={typeof entry.whyNot === 'string'}
          onClick={() => choose(entry)}
        >
          {entry.label}
          {typeof entry.whyNot === 'string' && <span class="quiet">{entry.whyNot}</span>}
        </button>
      ))}
    </div>
  );
}

/** Arrows, Home and End go round the menu; Tab leaves it. */
function rove(event: KeyboardEvent, menu: HTMLElement): void {
  const buttons = [...menu.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  const targets: Readonly<Record<string, number>> = {
    ArrowDown: (at + 1) % buttons.length,
    ArrowUp: (at - 1 + buttons.length) % buttons.length,
    Home: 0,
    End: buttons.length - 1,
  };
  if (event.key === 'Tab') menu.hidePopover();
  const target = targets[event.key];
  if (target === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  buttons[target]?.focus();
}
