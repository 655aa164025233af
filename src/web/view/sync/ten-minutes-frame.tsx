/** The last ten minutes, for those who want to look closer. What draws them is fetched when it is first wanted. */
import { useEffect, useRef } from 'preact/hooks';
import type { Sync } from '../../../http/schema.js';
import { curvesOf, scaleUs } from '../../model/sync-chart.js';
import { useApp, useWords } from '../context.js';
import { isDark, lookOf } from './colours.js';
import type { TenMinutesChart } from './ten-minutes.js';

const SECONDS = 600;

/** A place for the chart. */
export function TenMinutes({ sync }: { readonly sync: Sync }) {
  const app = useApp();
  const words = useWords();
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<TenMinutesChart | null>(null);
  const theme = app.preferences.theme.value;
  const curves = curvesOf(sync, SECONDS);
  const scale = scaleUs(curves);
  const now = useRef({ curves, scale });
  now.current = { curves, scale };
  const names = curves.map(({ name }) => name).join('\n');
  useEffect(() => {
    let isGone = false;
    void import('./ten-minutes.js').then(({ tenMinutesChart }) => {
      if (isGone || box.current === null) return;
      const dark = isDark();
      const lines = now.current.curves.map(({ name }, at) => ({ name, ...lookOf(at, dark) }));
      chart.current = tenMinutesChart(box.current, lines, words.f.span);
      chart.current.show(now.current.curves, now.current.scale);
    });
    return () => {
      isGone = true;
      chart.current?.destroy();
      chart.current = null;
    };
    // Other rooms or other colours are another chart.
  }, [names, theme, words]);
  useEffect(() => chart.current?.show(curves, scale), [sync]);
  return (
    <figure class="chart" aria-labelledby="ten-title">
      <figcaption id="ten-title">
        {words.tenMinutes} <span class="quiet">{words.scale(scale)}</span>
      </figcaption>
      <div class="chart-box chart-ten" ref={box} aria-hidden="true" />
    </figure>
  );
}
