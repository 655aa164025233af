/** What was asked for lies over the view until the view has it, and an older view does not undo it. */
import fc from 'fast-check';
import t from 'tap';
import {
  ANSWERED_MS_MAX,
  answered,
  newest,
  type Pending,
  queueWith,
  stillPending,
  type Wish,
} from '../../../src/web/model/overlay.js';
import { item } from './views.js';

const queue = ['i1', 'i2', 'i3', 'i4'].map((id) => item(id));
const pend = (...wishes: Wish[]): Pending[] =>
  wishes.map((wish, at) => ({ id: at + 1, wish, slot: null, answeredMs: null }));
const shown = (...wishes: Wish[]) => queueWith(queue, pend(...wishes), true).map(({ itemId }) => itemId);
const move = (itemId: string, beforeItemId: string | null): Wish => ({ kind: 'move', itemId, beforeItemId });

t.test('a moved item stands where it was put, marked as under way', (t) => {
  t.same(shown(move('i4', 'i2')), ['i1', 'i4', 'i2', 'i3']);
  t.same(shown(move('i2', null)), ['i1', 'i3', 'i4', 'i2']);
  const items = queueWith(queue, pend(move('i4', 'i2')), true);
  t.same(
    items.filter(({ pending }) => pending).map(({ itemId }) => itemId),
    ['i4'],
  );
  t.end();
});

t.test(
  'a target that is gone sends it to the end, as the node would say; one that is gone itself is not shown',
  (t) => {
    t.same(shown(move('i2', 'i9')), ['i1', 'i3', 'i4', 'i2']);
    t.same(shown(move('i9', 'i2')), ['i1', 'i2', 'i3', 'i4']);
    t.end();
  },
);

t.test('the song that plays keeps its place', (t) => {
  t.same(shown(move('i3', 'i1')), ['i1', 'i3', 'i2', 'i4']);
  const stopped = queueWith(queue, pend(move('i3', 'i1')), false).map(({ itemId }) => itemId);
  t.same(stopped, ['i3', 'i1', 'i2', 'i4']);
  t.end();
});

t.test('removed items are gone, added ones are there, wishes add up in their order', (t) => {
  const added = { trackId: 't9', title: 'New', durationMs: 1 };
  t.same(shown({ kind: 'remove', itemIds: ['i2', 'i3'] }), ['i1', 'i4']);
  t.same(shown({ kind: 'add', items: [added], next: true }), ['i1', 'new-1-0', 'i2', 'i3', 'i4']);
  t.same(shown({ kind: 'add', items: [added], next: false }).at(-1), 'new-1-0');
  t.same(shown(move('i4', 'i2'), { kind: 'remove', itemIds: ['i2'] }), ['i1', 'i4', 'i3']);
  t.same(queueWith([], pend({ kind: 'add', items: [added], next: true }), true).length, 1);
  t.end();
});

t.test('a wish is over when the view has its slot, not at the first event', (t) => {
  const before = pend(move('i4', 'i2'));
  t.equal(stillPending(before, 99, 0), before, 'no slot yet: no view can have it');
  const told = answered(before, 1, 100, 0);
  t.equal(stillPending(told, 99, 10).length, 1, 'an older event is on its way');
  t.equal(stillPending(told, 100, 10).length, 0);
  t.equal(stillPending(told, 99, ANSWERED_MS_MAX).length, 0, 'and is not waited for for ever');
  t.equal(answered(before, 7, 100, 0)[0]!.slot, null, 'another answer');
  t.end();
});

t.test('the newest wish of a kind is the one that counts', (t) => {
  const pending = pend(
    { kind: 'volume', node: null, volume: 30 },
    { kind: 'volume', node: 'n1', volume: 40 },
    { kind: 'volume', node: null, volume: 50 },
  );
  t.equal(newest(pending, 'volume', ({ node }) => node === null)?.volume, 50);
  t.equal(newest(pending, 'volume')?.volume, 50);
  t.equal(newest(pending, 'rename'), undefined);
  t.end();
});

t.test('moves lose and double nothing', (t) => {
  const id = fc.constantFrom('i1', 'i2', 'i3', 'i4', 'i5');
  const moves = fc.array(fc.tuple(id, fc.option(id)));
  fc.assert(
    fc.property(moves, (wishes) => {
      const ids = shown(...wishes.map(([itemId, before]) => move(itemId, before)));
      return [...ids].sort().join() === 'i1,i2,i3,i4';
    }),
  );
  t.pass();
  t.end();
});
