/** A plot as SVG: for people who want to see the figures that a table boils down. */

/** One line of the plot. */
export interface Curve {
  readonly label: string;
  readonly colour: string;
  /** x and y of each. */
  readonly points: readonly (readonly [number, number])[];
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

/** What stands along the axes. */
export interface Axes {
  readonly x: string;
  readonly y: string;
  /** Zero lies in the middle of y: for what goes either way. Otherwise at its foot. */
  readonly isCentred: boolean;
}

/** The plot; x begins at 0. */
export function plotOf(title: string, axes: Axes, curves: readonly Curve[]): string {
  const all = curves.flatMap(({ points }) => points);
  const across = Math.max(1, ...all.map(([x]) => x));
  const reach = 1.1 * Math.max(1, ...all.map(([, y]) => Math.abs(y)));
  const foot = axes.isCentred ? -reach : 0;
  const x = (value: number) => LEFT + (value / across) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => TOP + ((reach - value) / (reach - foot)) * (HEIGHT - TOP - BOTTOM);
  const at = (value: number) => value.toFixed(1);
  const text = (px: number, py: number, anchor: string, words: string, more = '') =>
    `<text x="${at(px)}" y="${at(py)}" text-anchor="${anchor}"${more}>${escaped(words)}</text>`;
  const rows = marks(foot, reach, niceStep(reach - foot, MARKS)).flatMap((value) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y(value))}" y2="${at(y(value))}" stroke="${value === 0 ? '#888' : '#ddd'}"/>`,
    text(LEFT - 8, y(value) + 4, 'end', String(Number(value.toPrecision(6)))),
  ]);
  const columns = marks(0, across, niceStep(across, MARKS)).map((value) =>
    text(x(value), HEIGHT - BOTTOM + 18, 'middle', String(Number(value.toPrecision(6)))),
  );
  const lines = curves.map(({ colour, points }) => {
    const places = points.map((point) => `${at(x(point[0]))},${at(y(point[1]))}`);
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.2" points="${places.join(' ')}"/>`;
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
    text(WIDTH - RIGHT, HEIGHT - 6, 'end', axes.x),
    text(8, TOP - 8, 'start', axes.y),
    ...lines,
    ...legend,
    '</svg>',
  ].join('\n')}\n`;
}
