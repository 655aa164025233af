import t from 'tap';
import { Histogram } from '../../src/core/histogram.js';

t.test('values are counted up to each bound, the bound among them, and all of them last', (t) => {
  const histogram = new Histogram({ bounds: [1, 2, 5] });
  t.same(histogram.counts(), { bounds: [1, 2, 5], atMost: [0, 0, 0, 0], sum: 0 });
  for (const value of [1, 1.5, 2, 5, 5.5, 0]) histogram.add(value);
  t.same(histogram.counts(), { bounds: [1, 2, 5], atMost: [2, 4, 5, 6], sum: 15 });
  t.end();
});

t.test('what was told stays as it was told', (t) => {
  const histogram = new Histogram({ bounds: [1] });
  const before = histogram.counts();
  histogram.add(0.5);
  t.same(before.atMost, [0, 0]);
  t.same(histogram.counts().atMost, [1, 1]);
  t.end();
});
