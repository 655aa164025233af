/** The whole page: the frame, and the regions that there is room for. */
import { useEffect, useRef } from 'preact/hooks';
import { columnsShown, type Part } from '../../model/region.js';
import { useApp, useWords } from '../context.js';
import { NowRegion } from '../now/now-region.js';
import { Banners } from './banners.js';
import { EmptyStrip, HouseStrip } from './house-strip.js';
import { LiveRegions } from './live-regions.js';
import { MiniPlayer } from './mini-player.js';
import { Navigation } from './navigation.js';
import { NoticeLine } from './notice-line.js';
import { TopBar } from './top-bar.js';
import { useDesk } from './use-desk.js';

/** Everything that is seen. */
export function Page() {
  const app = useApp();
  const words = useWords();
  const state = app.store.state.value;
  const width = app.width.value;
  const hasHouse = state !== null && state.cluster.id !== null;
  const columns = columnsShown(hasHouse || state === null ? app.region.value : 'setup', width);
  const isNowShown = columns.flat().includes('now');
  const scroll = useRef<HTMLDivElement>(null);
  const asked = app.region.value;
  // Another region begins at its head.
  useEffect(() => {
    scroll.current!.scrollTop = 0;
  }, [asked]);
  useDocumentTitle();
  return (
    <>
      <a class="skip-link" href="#main">
        {words.skipToMain}
      </a>
      <div class="scroll" ref={scroll}>
        <TopBar />
        <Banners />
        {hasHouse && <HouseStrip />}
        {state === null && <EmptyStrip />}
        <main
          id="main"
          class={`main main-${columns.length > 1 ? width : 'single'}${app.store.isStale.value ? ' stale' : ''}`}
        >
          {state === null ? (
            <p class="quiet loading">{words.loading}</p>
          ) : (
            columns.map((column) => (
              <div key={column[0]} class="column">
                {column.map((part) => (
                  <PartOf key={part} part={part} />
                ))}
              </div>
            ))
          )}
        </main>
      </div>
      <div class="foot">
        <NoticeLine />
        {hasHouse && !isNowShown && <MiniPlayer />}
        {hasHouse && width === 'phone' && <Navigation place="foot" />}
      </div>
      {state !== null && <Overlays />}
      <LiveRegions />
    </>
  );
}

function PartOf({ part }: { readonly part: Part }) {
  const desk = useDesk();
  if (part === 'now') return <NowRegion />;
  const Component = desk?.parts[part];
  return Component === undefined ? null : <Component />;
}

/** What opens over the page, once it is here. */
function Overlays() {
  return useDesk()?.overlays.map((Overlay) => <Overlay key={Overlay.name} />) ?? null;
}

/** The tab says what plays and where, and its picture how it goes. */
function useDocumentTitle() {
  const app = useApp();
  const { title, status } = app.ticker.song.value;
  const name = app.store.state.value?.node.name ?? document.documentElement.dataset.node ?? '';
  const isCutOff = app.store.isStale.value || app.store.state.value?.cluster.quorum === false;
  const isPlaying = status === 'playing';
  useEffect(() => {
    document.title = title === null ? name : `${title} - ${name}`;
    const icon = isCutOff ? 'cut-off' : isPlaying ? 'playing' : 'paused';
    document.getElementById('icon')?.setAttribute('href', `/icon-${icon}.svg`);
  }, [title, name, isCutOff, isPlaying]);
}
