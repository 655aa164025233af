/** Under what plays, where there is room: the rooms in step. */
import { useApp } from '../context.js';
import { StripChart } from './strip-chart.js';
import { useSync } from './use-sync.js';

/** Enough to see that all lines lie in the band. Pixels. */
const HEIGHT = 96;
/** While something plays there is news, of which the sync screen has each second; else what was moves out of the picture. Milliseconds. */
const PLAYING_MS = 3_000;
const SILENT_MS = 30_000;

/** The strip, which leads to the whole proof. */
export function SyncStrip() {
  const isPlaying = useApp().ticker.song.value.status === 'playing';
  const sync = useSync(isPlaying ? PLAYING_MS : SILENT_MS);
  return (
    <div class="region">
      <StripChart sync={sync} height={HEIGHT} href="#/sync" />
    </div>
  );
}
