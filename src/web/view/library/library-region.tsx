/** All songs of the house: to look for, to add to the queue, and to add to. */
import { useMemo, useState } from 'preact/hooks';
import { SORTS, type Sort, tracksWith } from '../../model/library-list.js';
import { useApp, useWords } from '../context.js';
import { Icon } from '../parts/icon.js';
import { RegionFrame } from '../parts/region.js';
import { AddMusic } from './add-music.js';
import { TrackRows } from './track-rows.js';
import { UploadList } from './upload-list.js';

/** The region of the library. */
export function LibraryRegion() {
  const app = useApp();
  const words = useWords();
  const [text, setText] = useState('');
  const [sort, setSort] = useState<Sort>('title');
  const table = app.store.tracks.value;
  const all = app.shelf.inOrder(sort).value;
  const found = useMemo(() => tracksWith(all, text), [all, text]);
  const leaving = new Set(
    app.store.pending.value.flatMap(({ wish }) => (wish.kind === 'delete' ? [wish.trackId] : [])),
  );
  const shown = leaving.size === 0 ? found : found.filter(({ id }) => !leaving.has(id));
  const find = (title: string) => {
    setText(title);
    document.getElementById('search')?.focus();
  };
  return (
    <RegionFrame region="library" aside={<AddMusic />}>
      <UploadList find={find} />
      <search class="library-search">
        <label class="field">
          <Icon name="search" size={20} />
          <input
            id="search"
            type="search"
            placeholder={words.search}
            aria-label={words.search}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
      </search>
      <div class="library-line">
        <p class="quiet">{countText()}</p>
        <label class="sort">
          <span class="quiet">{words.sort}</span>
          <select value={sort} onChange={(event) => setSort(event.currentTarget.value as Sort)}>
            {SORTS.map((by) => (
              <option key={by} value={by}>
                {words.sorts[by]}
              </option>
            ))}
          </select>
        </label>
      </div>
      <TrackRows tracks={shown} />
    </RegionFrame>
  );

  function countText(): string {
    if (table.rev < 0) return '\u00a0';
    if (table.byId.size === 0) return words.emptyHouseHow(app.store.state.value!.node.name);
    return found.length === 0 ? words.noneFound(text) : words.found(found.length, table.byId.size);
  }
}
