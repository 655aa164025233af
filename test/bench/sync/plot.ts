/** A plot of offsets over time as SVG: for people who want to see the figure that a table boils down. */
import type { Offset } from './offset.js';

/** One line of the plot. */
export interface Curve {
  readonly label: string;
  readonly colour: string;
  readonly offsets: readonly Offset[];
}

const WIDTH = 960;
const HEIGHT = 360;
const LEFT = 64;
const RIGHT = 16;
const TOP = 40;
const BOTTOM = 40;
/** Marks along an axis, about. */
const MARKS = 6;

/** 1, 2 or 5 times a power of ten: the step that gives about `count` marks over `range`. */
function niceStep(range: number, count: number): number {
  const rough = range / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
}

const marks = (from: number, to: number, step: number): number[] =>
  Array.from(
    { length: Math.floor(to / step) - Math.ceil(from / step) + 1 },
    (_, i) => (Math.ceil(from / step) + i) * step,
  );

const escaped = (words: string): string => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Offsets in microseconds over seconds from the first instant on. */
export function plotOf(title: string, curves: readonly Curve[]): string {
  const all = curves.flatMap(({ offsets }) => offsets);
  const startNs = Math.min(...all.map(({ atNs }) => atNs));
  const seconds = Math.max(1, (Math.max(...all.map(({ atNs }) => atNs)) - startNs) / 1e9);
  const reachUs = 1.1 * Math.max(1, ...all.map(({ offsetNs }) => Math.abs(offsetNs) / 1e3));
  const x = (s: number) => LEFT + (s / seconds) * (WIDTH - LEFT - RIGHT);
  const y = (us: number) => TOP + ((reachUs - us) / (2 * reachUs)) * (HEIGHT - TOP - BOTTOM);
  const at = (value: number) => value.toFixed(1);
  const text = (px: number, py: number, anchor: string, words: string, more = '') =>
    `<text x="${at(px)}" y="${at(py)}" text-anchor="${anchor}"${more}>${escaped(words)}</text>`;
  const rows = marks(-reachUs, reachUs, niceStep(2 * reachUs, MARKS)).flatMap((us) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y(us))}" y2="${at(y(us))}" stroke="${us === 0 ? '#888' : '#ddd'}"/>`,
    text(LEFT - 8, y(us) + 4, 'end', String(Number(us.toPrecision(6)))),
  ]);
  const columns = marks(0, seconds, niceStep(seconds, MARKS)).map((s) =>
    text(x(s), HEIGHT - BOTTOM + 18, 'middle', String(Number(s.toPrecision(6)))),
  );
  const lines = curves.map(({ colour, offsets }) => {
    const points = offsets.map(({ atNs, offsetNs }) => `${at(x((atNs - startNs) / 1e9))},${at(y(offsetNs / 1e3))}`);
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.2" points="${points.join(' ')}"/>`;
  });
  const legend = curves.map(({ label, colour }, n) =>
    text(LEFT + 8 + n * 230, TOP - 8, 'start', label, ` fill="${colour}"`),
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(WIDTH / 2, 16, 'middle', title),
    ...rows,
    ...columns,
    text(WIDTH - RIGHT, HEIGHT - 6, 'end', 'seconds'),
    text(8, TOP - 8, 'start', 'µs'),
    ...lines,
    ...legend,
    '</svg>',
  ].join('\n')}\n`;
}
