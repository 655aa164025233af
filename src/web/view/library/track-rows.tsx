/** The songs, a row each. A tap adds to the end of the queue and plays nothing; everything else is in the row's menu. */
import { useState } from 'preact/hooks';
import type { Track } from '../../../http/schema.js';
import { isUnusual } from '../../model/library-list.js';
import type { Words } from '../../text/en.js';
import { useApp, useWords } from '../context.js';
import { Icon } from '../parts/icon.js';
import { Menu, type MenuEntry } from '../parts/menu.js';
import { VirtualList } from '../parts/virtual-list.js';
import { DeleteDialog, RenameDialog } from './track-dialogs.js';

/** Pixels. */
const ROW_HEIGHT = 60;

type Opened =
  | { readonly kind: 'menu'; readonly track: Track; readonly anchor: HTMLElement }
  | { readonly kind: 'rename' | 'delete'; readonly track: Track };

/** The rows of these tracks. */
export function TrackRows({ tracks }: { readonly tracks: readonly Track[] }) {
  const app = useApp();
  const words = useWords();
  const [opened, setOpened] = useState<Opened | null>(null);
  const close = () => setOpened(null);
  const playingId = app.ticker.song.value.trackId;
  const add = async (track: Track, place: 'end' | 'next') => {
    if (app.whyNot.value !== null) return app.explain();
    if (await app.actions.enqueue([itemOf(track)], place)) app.notices.tell(words.added(track.title, 1));
  };
  const entriesOf = (track: Track): readonly MenuEntry[] => {
    const whyNot = app.whyNot.value ?? (track.lost ? words.lost : null);
    const isPlaying = track.id === playingId;
    return [
      { label: words.add, run: () => void add(track, 'end'), whyNot },
      { label: words.playNext, run: () => void add(track, 'next'), whyNot },
      { label: words.playNow, run: () => app.actions.playNow(itemOf(track)), whyNot },
      { label: words.rename, run: () => setOpened({ kind: 'rename', track }), whyNot: app.whyNot.value },
      {
        label: words.delete,
        run: () => setOpened({ kind: 'delete', track }),
        whyNot: app.whyNot.value ?? (isPlaying ? words.deleteNotNow : null),
        isDangerous: true,
      },
    ];
  };
  return (
    <>
      <VirtualList
        items={tracks}
        rowHeight={ROW_HEIGHT}
        keyOf={({ id }) => id}
        label={words.regions.library}
        rowClass={({ id }) => (id === playingId ? 'row-current' : '')}
        row={(track) => (
          <>
            <button type="button" class="row-main" title={words.add} onClick={() => void add(track, 'end')}>
              <span class="row-title">
                <bdi dir="auto">{app.titleOf(track.id, track.title)}</bdi>
              </span>
              <Beside track={track} />
            </button>
            <span class="row-length">{words.f.clock(track.durationMs)}</span>
            <button
              type="button"
              class="round small"
              aria-label={words.itemMenu(track.title)}
              aria-haspopup="menu"
              onClick={(event) => setOpened({ kind: 'menu', track, anchor: event.currentTarget })}
            >
              <Icon name="more" />
            </button>
          </>
        )}
      />
      {opened?.kind === 'menu' && (
        <Menu
          label={words.itemMenu(opened.track.title)}
          entries={entriesOf(opened.track)}
          anchor={opened.anchor}
          closed={() => setOpened((now) => (now?.kind === 'menu' ? null : now))}
        />
      )}
      {opened?.kind === 'rename' && <RenameDialog track={opened.track} closed={close} />}
      {opened?.kind === 'delete' && <DeleteDialog track={opened.track} closed={close} />}
    </>
  );
}

const itemOf = ({ id, title, durationMs }: Track) => ({ trackId: id, title, durationMs });

/** What is worth a word beside the title: who plays, and what is not as it should be. */
function Beside({ track }: { readonly track: Track }) {
  const app = useApp();
  const words = useWords();
  const missing = app.shelf.missing.value.get(track.id) ?? 0;
  const from = [track.artist, track.album].filter((text) => text !== null && text !== '').join(' · ');
  const parts = [from, isUnusual(track) ? detailsOf(words, track) : ''].filter((text) => text !== '');
  return (
    <span class="row-beside">
      {track.lost && <strong class="bad">{words.lost}</strong>}
      {missing > 0 && <Missing count={missing} />}
      {parts.length > 0 && <bdi dir="auto">{parts.join(' · ')}</bdi>}
    </span>
  );
}

function Missing({ count }: { readonly count: number }) {
  const of = useApp().rooms.value.length;
  return <strong>{useWords().onSome(of - count, of)}</strong>;
}

const detailsOf = (words: Words, { sampleRate, bits, channels }: Track): string =>
  words.details(sampleRate, bits, channels);
