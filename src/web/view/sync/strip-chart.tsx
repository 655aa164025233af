/** The last two minutes as a strip: the line in the middle is where the music should be, the band around it as good as nothing. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Sync } from '../../../http/schema.js';
import { BAND_US, type Curve, curvesOf, newestUs, pointsOf, scaleUs } from '../../model/sync-chart.js';
import { watchWidth } from '../../world/width.js';
import { useApp, useWords } from '../context.js';
import { isDark, lookOf } from './colours.js';

const SECONDS = 120;
/** For the names at the lines' ends. Pixels. */
const NAMES = 96;
const NAME_HEIGHT = 24;

interface StripInit {
  /** Null before anything is known. */
  readonly sync: Sync | null;
  /** Pixels; more where so many rooms have no room for their names. */
  readonly height: number;
  /** Where its title leads. */
  readonly href?: string;
}

/** Drawn anew whenever figures come; they stand in the table of the sync screen. */
export function StripChart({ sync, height: least, href }: StripInit) {
  const app = useApp();
  const words = useWords();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const curves = sync === null ? [] : curvesOf(sync, SECONDS);
  const scale = scaleUs(curves);
  const height = Math.max(least, NAME_HEIGHT * curves.length);
  const theme = app.preferences.theme.value;
  useLayoutEffect(() => watchWidth(canvas.current!.parentElement!, setWidth), []);
  useLayoutEffect(() => {
    if (width > 0) draw(canvas.current!, { width, height }, curves, scale);
  }, [width, height, sync, scale, theme]);
  return (
    <figure class="chart" aria-labelledby="strip-title">
      <figcaption id="strip-title">
        {href === undefined ? words.twoMinutes : <a href={href}>{words.twoMinutes}</a>}{' '}
        <span class="quiet">{words.scale(scale)}</span>
      </figcaption>
      <div class="chart-box" aria-hidden="true">
        <canvas ref={canvas} style={{ blockSize: `${height}px` }} />
        <ul class="chart-names">
          {curves.map((curve, at) => (
            <li key={curve.id} style={{ color: lookOf(at, isDark()).colour }}>
              <bdi>{curve.name}</bdi>
            </li>
          ))}
        </ul>
      </div>
    </figure>
  );
}

function draw(
  canvas: HTMLCanvasElement,
  { width, height }: { readonly width: number; readonly height: number },
  curves: readonly Curve[],
  scale: number,
): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const ratio = window.devicePixelRatio;
  const plot = width - NAMES;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.inlineSize = `${width}px`;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const colour = (name: string) => getComputedStyle(canvas).getPropertyValue(name);
  const yOf = (us: number) => ((1 - us / scale) / 2) * height;
  context.fillStyle = colour('--hair');
  context.globalAlpha = 0.5;
  context.fillRect(0, yOf(BAND_US), plot, yOf(-BAND_US) - yOf(BAND_US));
  context.globalAlpha = 1;
  context.strokeStyle = colour('--border');
  context.beginPath();
  context.moveTo(0, height / 2);
  context.lineTo(plot, height / 2);
  context.stroke();
  context.lineWidth = 1.75;
  const dark = isDark();
  for (const [at, curve] of curves.entries()) {
    const { colour, dash } = lookOf(at, dark);
    context.strokeStyle = colour;
    context.setLineDash([...dash]);
    for (const run of pointsOf(curve.errorsUs, scale)) {
      context.beginPath();
      for (const [x, y] of run) context.lineTo(x * plot, y * height);
      // A second between two gaps is a dot.
      if (run.length === 1) context.arc(run[0]![0] * plot, run[0]![1] * height, 1, 0, 2 * Math.PI);
      context.stroke();
    }
    context.setLineDash([]);
    const last = newestUs(curve);
    if (last === null) continue;
    context.beginPath();
    context.ellipse(plot, yOf(Math.max(-scale, Math.min(scale, last))), 5, 3.6, -0.4, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
  }
}
