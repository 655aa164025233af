import t from 'tap';
import { plotOf } from './plot.js';

t.test('a plot has a line for each curve, and every point within its frame', (t) => {
  const points = Array.from({ length: 50 }, (_, i) => [i, 10 * Math.sin(i)] as const);
  for (const isCentred of [true, false]) {
    const svg = plotOf('A & B', { x: 's', y: 'm', isCentred }, [
      { label: 'one', colour: '#000', points: isCentred ? points : points.map(([x, y]) => [x, Math.abs(y)] as const) },
      { label: 'other', colour: '#111', points: points.slice(40).map(([x, y]) => [x, Math.abs(y)] as const) },
    ]);
    const drawn = [...svg.matchAll(/points="([^"]+)"/g)].map(([, text]) =>
      text!.split(' ').map((xy) => xy.split(',').map(Number)),
    );
    t.same(
      drawn.map(({ length }) => length),
      [50, 10],
    );
    t.ok(drawn.flat().every(([x, y]) => x! >= 64 && x! <= 944 && y! >= 40 && y! <= 320));
    const middle = 40 + 280 / 2;
    const isBelow = drawn.flat().some(([, y]) => y! > middle + 20);
    t.equal(isBelow, true);
    t.match(svg, 'A &amp; B');
  }
  t.end();
});
