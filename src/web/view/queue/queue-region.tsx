/** What comes next: the song that plays, pinned, and all others, to be moved by finger, mouse, keyboard or menu. */
import { useRef, useState } from 'preact/hooks';
import type { ShownItem } from '../../model/overlay.js';
import { useApp, useWords } from '../context.js';
import { Icon } from '../parts/icon.js';
import { Menu, type MenuEntry } from '../parts/menu.js';
import { NoteHead } from '../parts/note-head.js';
import { RegionFrame } from '../parts/region.js';
import { VirtualList } from '../parts/virtual-list.js';
import { useItemMoves } from './item-moves.js';
import { useReorder } from './use-reorder.js';

/** Pixels. */
const ROW_HEIGHT = 56;

/** The region of the queue. */
export function QueueRegion() {
  const app = useApp();
  const words = useWords();
  const items = app.store.shownQueue.value;
  const isPlaying = app.store.hasCurrent.value;
  const totalMs = items.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const isOff = app.whyNot.value !== null;
  const clearable = items.length > (isPlaying ? 1 : 0);
  return (
    <RegionFrame
      region="queue"
      aside={
        clearable && (
          <button
            type="button"
            class="button"
            aria-disabled={isOff}
            onClick={() => (isOff ? app.explain() : app.actions.clear())}
          >
            {words.clear}
          </button>
        )
      }
    >
      <p class="quiet">
        {items.length === 0
          ? words.emptyQueue(app.store.tracks.value.byId.size)
          : words.queueSummary(items.length, totalMs)}
      </p>
      {items.length > 0 && <QueueList items={items} />}
    </RegionFrame>
  );
}

interface Opened {
  readonly itemId: string;
  readonly anchor: HTMLElement;
}

function QueueList({ items }: { readonly items: readonly ShownItem[] }) {
  const app = useApp();
  const words = useWords();
  const [opened, setOpened] = useState<Opened | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const { status } = app.ticker.song.value;
  const first = app.store.hasCurrent.value ? 1 : 0;
  const moves = useItemMoves(items, first);
  const reorder = useReorder({ items, first, rowHeight: ROW_HEIGHT, moved: moves.moveTo });
  const open = (itemId: string, anchor: HTMLElement) => setOpened({ itemId, anchor });
  return (
    <div ref={list}>
      <VirtualList
        items={items}
        rowHeight={ROW_HEIGHT}
        keyOf={({ itemId }) => itemId}
        label={words.regions.queue}
        className={reorder.isDragging ? 'rows-dragging' : ''}
        shiftOf={reorder.shiftOf}
        rowClass={(item, at) =>
          [
            at < first ? 'row-current' : '',
            item.pending ? 'row-pending' : '',
            reorder.isHeld(item.itemId) ? 'row-held' : '',
          ].join(' ')
        }
        onKeyDown={moves.onKeyDown}
        row={(item, at) => (
          <>
            {at < first ? (
              <span class="grip grip-none">
                <NoteHead kind={status === 'playing' ? 'playing' : 'idle'} />
              </span>
            ) : (
              <button
                type="button"
                class="grip"
                tabIndex={-1}
                aria-label={words.drag(item.title)}
                onPointerDown={(event) => reorder.take(event, at)}
              >
                <Icon name="grip" size={20} />
              </button>
            )}
            <button
              type="button"
              class="row-main"
              data-at={at}
              aria-haspopup="menu"
              aria-expanded={opened?.itemId === item.itemId}
              onClick={(event) => open(item.itemId, event.currentTarget)}
            >
              <span class="row-title">
                <bdi dir="auto">{app.titleOf(item.trackId, item.title)}</bdi>
              </span>
              {(at < first || !item.ready) && (
                <span class="row-beside">{at < first ? words.current[status] : words.onItsWay}</span>
              )}
            </button>
            <span class="row-length">{words.f.clock(item.durationMs)}</span>
          </>
        )}
      />
      {opened !== null && (
        <Menu
          label={words.itemMenu(items.find(({ itemId }) => itemId === opened.itemId)?.title ?? '')}
          entries={entriesOf(opened.itemId)}
          anchor={opened.anchor}
          closed={() => setOpened(null)}
        />
      )}
    </div>
  );

  function entriesOf(itemId: string): readonly MenuEntry[] {
    const at = items.findIndex((item) => item.itemId === itemId);
    const item = items[at];
    if (item === undefined) return [];
    const whyNot = app.whyNot.value ?? (item.pending ? words.working : null);
    if (at < first) return [{ label: words.buttons.skip, run: () => app.press('skip'), whyNot }];
    return [
      { label: words.playThis, run: () => app.actions.goTo(itemId), whyNot },
      { label: words.playNext, run: () => moves.moveTo(at, first), whyNot },
      { label: words.up, run: () => moves.moveTo(at, at - 1), whyNot },
      { label: words.down, run: () => moves.moveTo(at, at + 1), whyNot },
      { label: words.toEnd, run: () => moves.moveTo(at, items.length - 1), whyNot },
      { label: words.remove, run: () => moves.remove(at), whyNot, isDangerous: true },
    ];
  }
}
