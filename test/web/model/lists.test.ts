/** Long lists, moved items, and files in the order of their names. */
import fc from 'fast-check';
import t from 'tap';
import { isUnusual, missingOn, SORTS, sorted, tracksWith } from '../../../src/web/model/library-list.js';
import { compareNames, folded, titleOfFile } from '../../../src/web/model/name-order.js';
import { queueWith } from '../../../src/web/model/overlay.js';
import { beforeWhich, edgeScroll, placeOf, stepAside } from '../../../src/web/model/reorder.js';
import { rowsAt } from '../../../src/web/model/virtual-window.js';
import { item, node, track } from './views.js';

t.test('short lists are there whole; of long ones what is seen, and a little more', (t) => {
  const place = { top: 100, viewHeight: 800, rowHeight: 50 };
  t.same(rowsAt(place, 200), { from: 0, to: 200 });
  t.same(rowsAt(place, 2_000), { from: 0, to: 27 });
  t.same(rowsAt({ ...place, top: -50_000 }, 2_000), { from: 988, to: 1_029 });
  t.same(rowsAt({ ...place, top: -99_900 }, 2_000), { from: 1_986, to: 2_000 });
  t.end();
});

t.test('every row that is seen is there, wherever the list stands', (t) => {
  const number = fc.integer({ min: -200_000, max: 2_000 });
  fc.assert(
    fc.property(number, fc.integer({ min: 0, max: 4_000 }), (top, count) => {
      const { from, to } = rowsAt({ top, viewHeight: 800, rowHeight: 50 }, count);
      const isSeen = (row: number) => top + row * 50 < 800 && top + (row + 1) * 50 > 0;
      const seen = Array.from({ length: count }, (_, row) => row).filter(isSeen);
      return seen.every((row) => from <= row && row < to);
    }),
    { numRuns: 30 },
  );
  t.pass();
  t.end();
});

t.test('a held item is over the place where it looks to be, never before the song that plays', (t) => {
  const bounds = { first: 1, count: 6 };
  t.equal(placeOf({ from: 3, dy: 0 }, 50, bounds), 3);
  t.equal(placeOf({ from: 3, dy: 74 }, 50, bounds), 4);
  t.equal(placeOf({ from: 3, dy: 76 }, 50, bounds), 5);
  t.equal(placeOf({ from: 3, dy: -900 }, 50, bounds), 1);
  t.equal(placeOf({ from: 3, dy: 900 }, 50, bounds), 5);
  t.end();
});

t.test('the others step aside for it', (t) => {
  const steps = (from: number, to: number) => [0, 1, 2, 3, 4].map((at) => stepAside(at, from, to, 50));
  t.same(steps(1, 3), [0, 0, -50, -50, 0]);
  t.same(steps(3, 1), [0, 50, 50, 0, 0]);
  t.same(steps(2, 2), [0, 0, 0, 0, 0]);
  t.end();
});

t.test('what is asked for by item is what was seen by place', (t) => {
  const items = ['i1', 'i2', 'i3', 'i4', 'i5'].map((id) => item(id));
  const place = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(place, place, (from, to) => {
      const { itemId } = items[from]!;
      const wish = { kind: 'move', itemId, beforeItemId: beforeWhich(items, from, to) } as const;
      const moved = queueWith(items, [{ id: 1, wish, slot: null, answeredMs: null }], true);
      return moved[to]!.itemId === itemId;
    }),
  );
  t.equal(beforeWhich(items, 1, 4), null);
  t.end();
});

t.test('near an edge the list scrolls, the faster the nearer', (t) => {
  const view = { top: 100, bottom: 700 };
  t.equal(edgeScroll(400, view), 0);
  t.ok(edgeScroll(110, view) < edgeScroll(150, view) && edgeScroll(150, view) < 0);
  t.ok(edgeScroll(690, view) > 0);
  t.equal(edgeScroll(9_999, view), edgeScroll(700, view));
  t.end();
});

t.test('file names are in the order in which people number them', (t) => {
  const names = ['10 b.wav', '2 a.wav', '02 c.wav', 'Étude.wav', 'etude.wav', 'a/1.wav', 'a/01.wav', '2.wav', ''];
  t.same([...names].sort(compareNames), [
    '',
    '2 a.wav',
    '02 c.wav',
    '2.wav',
    '10 b.wav',
    'a/01.wav',
    'a/1.wav',
    'etude.wav',
    'Étude.wav',
  ]);
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => {
      const isOrder = Math.sign(compareNames(a, b)) === -Math.sign(compareNames(b, a)) && compareNames(a, a) === 0;
      const isChain = !(compareNames(a, b) <= 0 && compareNames(b, c) <= 0) || compareNames(a, c) <= 0;
      return isOrder && isChain;
    }),
  );
  t.end();
});

t.test('a file is shown without its ending', (t) => {
  t.equal(titleOfFile('Album/01 Song.WAV'), '01 Song');
  t.equal(titleOfFile('x.wav.wav'), 'x');
  t.equal(folded('ÉTUDE'), 'etude');
  t.end();
});

const LIBRARY = [
  track('1', { title: 'Étude', artist: 'Czerny', album: 'School', number: 2, durationMs: 3, addedAt: '2026-01-03' }),
  track('2', { title: 'Waltz', artist: 'Someone', album: null, durationMs: 1, addedAt: '2026-01-01' }),
  track('3', { title: 'Aria', artist: 'Czerny', album: 'School', number: 1, durationMs: 2, addedAt: '2026-01-02' }),
  track('4', { title: 'Bolero', album: 'School', durationMs: 2, addedAt: '2026-01-02' }),
];

t.test('the library is found by every word, without accents and case', (t) => {
  const found = (text: string) => tracksWith(LIBRARY, text).map(({ id }) => id);
  t.same(found('etude'), ['1']);
  t.same(found(' CZERNY  school '), ['1', '3']);
  t.same(found(''), ['1', '2', '3', '4']);
  t.same(found('nobody'), []);
  t.end();
});

t.test('the library is in the order that was asked for', (t) => {
  const collate = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const order = Object.fromEntries(
    SORTS.map((by) => [
      by,
      sorted(LIBRARY, by, collate)
        .map(({ id }) => id)
        .join(''),
    ]),
  );
  t.same(order, { title: '3421', album: '4312', added: '1342', length: '2341' });
  t.end();
});

t.test('what most files are is not worth a word', (t) => {
  t.equal(isUnusual(track('1')), false);
  t.equal(isUnusual(track('1', { sampleRate: 48_000 })), false);
  t.equal(isUnusual(track('1', { sampleRate: 96_000 })), true);
  t.equal(isUnusual(track('1', { bits: 24 })), true);
  t.equal(isUnusual(track('1', { channels: 1 })), true);
  t.end();
});

t.test('of what is not on every card it is known on how many, and it is noticed that nothing has changed', (t) => {
  const lacks = (...first: readonly string[]) => {
    const { disk } = node('kitchen');
    return { disk: { ...disk!, tracksMissing: { count: first.length, first: [...first] } } };
  };
  const missing = missingOn([lacks('a', 'b'), lacks('b'), { disk: null }]);
  t.same(
    [...missing],
    [
      ['a', 1],
      ['b', 2],
    ],
  );
  t.equal(missingOn([lacks('b'), lacks('b', 'a')], missing), missing);
  t.same(
    [...missingOn([lacks('a', 'c'), lacks('c')], missing)],
    [
      ['a', 1],
      ['c', 2],
    ],
  );
  t.same([...missingOn([], missing)], []);
  t.end();
});
