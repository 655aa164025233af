/** The chart of ten minutes, by uPlot: a part of the page that is fetched for the sync screen alone. */
import uPlot from 'uplot';
import type { Curve } from '../../model/sync-chart.js';
import { watchWidth } from '../../world/width.js';
import type { LineLook } from './colours.js';

/** A drawn chart. */
export interface TenMinutesChart {
  /** Microseconds up and down from the middle. */
  readonly show: (curves: readonly Curve[], scaleUs: number) => void;
  readonly destroy: () => void;
}

const HEIGHT = 260;

/** Makes it, in `box`. Lines keep their look for as long as it lives. */
export function tenMinutesChart(
  box: HTMLElement,
  lines: readonly (LineLook & { readonly name: string })[],
  span: (us: number) => string,
): TenMinutesChart {
  let scale = 30;
  const colour = (name: string) => getComputedStyle(box).getPropertyValue(name);
  const axis = { stroke: colour('--muted'), grid: { stroke: colour('--hair'), width: 1 }, ticks: { show: false } };
  const plot = new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT,
      // Each second sets the scales anew.
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false }, y: { range: () => [-scale, scale] } },
      axes: [
        { ...axis, values: (_plot, values) => values.map((s) => `${s} s`) },
        { ...axis, size: 72, values: (_plot, values) => values.map(span) },
      ],
      series: [
        { label: 's' },
        ...lines.map(({ name, colour, dash }) => ({
          label: name,
          stroke: colour,
          dash: [...dash],
          width: 1.5,
          spanGaps: false,
          points: { show: false },
          value: (_plot: uPlot, us: number | null) => (us === null ? '–' : span(us)),
        })),
      ],
    },
    [[]],
    box,
  );
  const leave = watchWidth(box, (width) => plot.setSize({ width, height: HEIGHT }));
  return {
    show: (curves, scaleUs) => {
      scale = scaleUs;
      const count = curves[0]?.errorsUs.length ?? 0;
      const seconds = Array.from({ length: count }, (_, at) => at + 1 - count);
      plot.setData([seconds, ...curves.map(({ errorsUs }) => [...errorsUs])]);
    },
    destroy: () => {
      leave();
      plot.destroy();
    },
  };
}
