/** Under what plays, where there is room: the rooms in step, second by second. */
import { useEffect } from 'preact/hooks';
import { useApp } from '../context.js';
import { StripChart } from './strip-chart.js';

/** Enough to see that all lines lie in the band. Pixels. */
const HEIGHT = 96;

/** The strip; it asks for figures once, and then for as long as something plays. */
export function SyncStrip() {
  const app = useApp();
  const { latest } = app.sync;
  const isPlaying = app.ticker.song.value.status === 'playing';
  useEffect(() => {
    const end = app.sync.follow();
    if (!isPlaying) end();
    return end;
  }, [app, isPlaying]);
  return (
    <div class="region">
      <StripChart sync={latest.value} height={HEIGHT} />
    </div>
  );
}
