/** The whole page: the frame, and the regions that there is room for. */
import { useEffect } from 'preact/hooks';
import type { Region } from '../../model/region.js';
import { regionsShown } from '../../model/region.js';
import { useApp, useWords } from '../context.js';
import { NowRegion } from '../now/now-region.js';
import { Banners } from './banners.js';
import { HouseStrip } from './house-strip.js';
import { LiveRegions } from './live-regions.js';
import { MiniPlayer } from './mini-player.js';
import { Navigation } from './navigation.js';
import { NoticeLine } from './notice-line.js';
import { TopBar } from './top-bar.js';

/** Everything that is seen. */
export function Page() {
  const app = useApp();
  const words = useWords();
  const state = app.store.state.value;
  const width = app.width.value;
  const asked = app.region.value;
  const hasHouse = state !== null && state.cluster.id !== null;
  const shown: readonly Region[] = regionsShown(asked, width);
  useDocumentTitle();
  return (
    <>
      <a class="skip-link" href="#main">
        {words.skipToMain}
      </a>
      <TopBar />
      <Banners />
      {hasHouse && <HouseStrip />}
      <main
        id="main"
        class={`main main-${shown.length > 1 ? width : 'single'}${app.store.isStale.value ? ' stale' : ''}`}
      >
        {state === null ? (
          <p class="quiet loading">{words.loading}</p>
        ) : (
          shown.map((region) => <RegionOf key={region} region={region} />)
        )}
      </main>
      <div class="foot">
        <NoticeLine />
        {hasHouse && !shown.includes('now') && <MiniPlayer />}
        {hasHouse && width === 'phone' && <Navigation place="foot" />}
      </div>
      <LiveRegions />
    </>
  );
}

function RegionOf({ region }: { readonly region: Region }) {
  switch (region) {
    case 'now':
      return <NowRegion />;
    case 'queue':
    case 'library':
    case 'house':
    case 'sync':
    case 'setup':
      return null;
  }
}

/** The tab says what plays and where, and its picture how it goes. */
function useDocumentTitle() {
  const app = useApp();
  const moment = app.ticker.moment.value;
  const name = app.store.state.value?.node.name ?? document.documentElement.dataset.node ?? '';
  const isCutOff = app.store.isStale.value || app.store.state.value?.cluster.quorum === false;
  const title = moment?.title ?? null;
  const isPlaying = moment?.status === 'playing';
  useEffect(() => {
    document.title = title === null ? name : `${title} - ${name}`;
    const icon = isCutOff ? 'cut-off' : isPlaying ? 'playing' : 'paused';
    document.getElementById('icon')?.setAttribute('href', `/icon-${icon}.svg`);
  }, [title, name, isCutOff, isPlaying]);
}
