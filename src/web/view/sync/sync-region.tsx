/** The proof: how far each room is from where the music should be, now, lately and in figures. */
import { useEffect } from 'preact/hooks';
import type { Sync } from '../../../http/schema.js';
import type { Words } from '../../text/en.js';
import { useApp, useWords } from '../context.js';
import { RegionFrame } from '../parts/region.js';
import { StripChart } from './strip-chart.js';
import { PairTable, RoomTable } from './sync-tables.js';
import { TenMinutes } from './ten-minutes-frame.js';
import { useSync } from './use-sync.js';

const EVERY_MS = 1_000;
/** Of the strip. Pixels. */
const HEIGHT = 220;

/** The region of the proof; it asks for figures as long as it is looked at. */
export function SyncRegion() {
  const app = useApp();
  const words = useWords();
  const { isHeld } = app.sync;
  const sync = useSync(EVERY_MS);
  useEffect(
    () => () => {
      isHeld.value = false;
    },
    [isHeld],
  );
  return (
    <RegionFrame
      region="sync"
      aside={
        <div class="sync-buttons">
          <button
            type="button"
            class="button"
            aria-pressed={isHeld.value}
            onClick={() => {
              isHeld.value = !isHeld.value;
            }}
          >
            {isHeld.value ? words.runChart : words.pauseChart}
          </button>
          <button type="button" class="button" aria-disabled={sync === null} onClick={() => sync && download(sync)}>
            {words.download}
          </button>
        </div>
      }
    >
      <p>{words.syncLead}</p>
      {isHeld.value && <p class="quiet">{words.held}</p>}
      {sync === null ? (
        <p class="quiet">{words.loading}</p>
      ) : (
        <>
          <Spread sync={sync} words={words} />
          <StripChart sync={sync} height={HEIGHT} />
          <TenMinutes sync={sync} />
          <RoomTable sync={sync} />
          <PairTable sync={sync} />
        </>
      )}
    </RegionFrame>
  );
}

function Spread({ sync, words }: { readonly sync: Sync; readonly words: Words }) {
  const { p50Us, p95Us, p99Us, maxUs, windowS } = sync.spread;
  if (p50Us === null || p95Us === null || p99Us === null || maxUs === null) return <p>{words.noSpread}</p>;
  const [p50, p95, p99, max] = [p50Us, p95Us, p99Us, maxUs].map(words.f.span) as [string, string, string, string];
  return (
    <p class="spread">
      <strong>{words.spread}:</strong> {words.spreadLine(p50, p95, p99, max)}{' '}
      <span class="quiet">{words.window(windowS)}</span>
    </p>
  );
}

/** As a file, since a page without TLS has no clipboard. */
function download(sync: Sync): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(sync, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'tutti-sync.json';
  link.click();
  // The browser has taken the address over by the next turn.
  requestAnimationFrame(() => URL.revokeObjectURL(url));
}
