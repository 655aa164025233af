/** The house in short, and the curves of how well it keeps in step. */
import t from 'tap';
import type { StateEvent, Sync } from '../../../src/http/schema.js';
import { clockWord, houseSummary } from '../../../src/web/model/house-words.js';
import { curvesOf, newestUs, pointsOf, scaleUs } from '../../../src/web/model/sync-chart.js';
import { node } from './views.js';

t.test('a sentence about the house has who is there, who is silent and who leads', (t) => {
  const nodes = [
    node('kitchen', { leader: true }),
    node('hall', {}, { state: 'silent', reason: 'NO_CLOCK' }),
    node('attic', { online: false }),
  ];
  const summary = houseSummary({ node: { id: 'id-kitchen' }, nodes } as StateEvent);
  t.equal(summary.there, 2);
  t.same(
    summary.silent.map(({ name }) => name),
    ['hall'],
  );
  t.equal(summary.leader?.name, 'kitchen');
  t.equal(houseSummary({ node: { id: null }, nodes: [] as unknown } as StateEvent).leader, null);
  t.end();
});

t.test('a clock leads, is locked, goes on by itself, or has no lock', (t) => {
  const { clock } = node('a');
  const word = (extra: Parameters<typeof node>[1]) => clockWord(node('a', extra));
  t.equal(word({ leader: true }), 'leads');
  t.equal(word({}), 'locked');
  t.equal(word({ clock: { ...clock!, holdover: true } }), 'holdover');
  t.equal(word({ clock: { ...clock!, locked: false } }), 'unlocked');
  t.equal(word({ clock: null }), 'unknown');
  t.equal(word({ online: false }), 'unknown');
  t.end();
});

const sync = (...series: (number | null)[][]): Sync =>
  ({ nodes: series.map((playoutErrorUs, at) => ({ id: `n${at}`, name: `room ${at}`, playoutErrorUs })) }) as Sync;

t.test('curves end now, however short they are', (t) => {
  const [curve] = curvesOf(sync([1, 2, 3]), 5);
  t.same(curve!.errorsUs, [null, null, 1, 2, 3]);
  t.same(curvesOf(sync([1, 2, 3]), 2)[0]!.errorsUs, [2, 3]);
  t.end();
});

t.test('the scale is fixed, and widens by steps where something would leave it', (t) => {
  t.equal(scaleUs(curvesOf(sync([null, 4, -29]), 3)), 30);
  t.equal(scaleUs(curvesOf(sync([31], [1]), 1)), 100);
  t.equal(scaleUs(curvesOf(sync([-2_500]), 1)), 3_000);
  t.equal(scaleUs(curvesOf(sync([5e9]), 1)), 1_000_000);
  t.equal(scaleUs([]), 30);
  t.end();
});

t.test('gaps are gaps, and nothing is drawn outside', (t) => {
  t.same(pointsOf([0, 30, null, -60, null], 30), [
    [
      [0, 0.5],
      [0.25, 0],
    ],
    [[0.75, 1]],
  ]);
  t.same(pointsOf([15], 30), [[[0, 0.25]]]);
  t.same(pointsOf([null], 30), []);
  t.end();
});

t.test('the newest figure is of now, or there is none', (t) => {
  const newest = (...errorsUs: (number | null)[]) => newestUs({ id: '', name: '', errorsUs });
  t.equal(newest(1, 2, null), 2);
  t.equal(newest(1, null, null, null, null), null);
  t.end();
});
