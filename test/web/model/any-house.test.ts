/** Whatever view the contract allows, the page makes sense of it. */
import fc from 'fast-check';
import t from 'tap';
import { type StateEvent, StateEvent as StateEventSchema, Sync as SyncSchema } from '../../../src/http/schema.js';
import { type Pending, queueWith, type Wish } from '../../../src/web/model/overlay.js';
import { momentOf } from '../../../src/web/model/position.js';
import { apartUs, roomsOf } from '../../../src/web/model/rooms.js';
import { curvesOf, pointsOf, scaleUs } from '../../../src/web/model/sync-chart.js';
import { uploadRows } from '../../../src/web/model/upload-list.js';
import { wholeQueue } from '../../../src/web/model/whole-queue.js';
import { anyOf } from '../support/contract-values.js';

const anyView = anyOf(StateEventSchema) as fc.Arbitrary<StateEvent>;
const RUNS = { numRuns: 500 };

t.test('the position is within its song, whatever is told and however long ago', (t) => {
  fc.assert(
    fc.property(anyView, fc.double({ min: -1e9, max: 1e9, noNaN: true }), (view, sinceMs) => {
      const { positionMs, durationMs, startsInMs, status } = momentOf(view, sinceMs);
      return (
        positionMs >= 0 &&
        (durationMs <= 0 || positionMs <= durationMs) &&
        startsInMs >= 0 &&
        (startsInMs === 0 || status === 'playing')
      );
    }),
    RUNS,
  );
  t.end();
});

t.test('what was asked for of the queue loses nothing but what was removed, and moves nothing that plays', (t) => {
  const anyWish = (view: StateEvent): fc.Arbitrary<Wish> => {
    const anyId = fc.constantFrom('nowhere', ...view.queue.map(({ itemId }) => itemId));
    return fc.oneof(
      fc.record({ kind: fc.constant('move' as const), itemId: anyId, beforeItemId: fc.option(anyId) }),
      fc.record({ kind: fc.constant('remove' as const), itemIds: fc.array(anyId) }),
      fc.record({
        kind: fc.constant('add' as const),
        items: fc.constant(view.queue),
        next: fc.boolean(),
      }),
    );
  };
  const anyCase = anyView.chain((view) => fc.tuple(fc.constant(view), fc.array(anyWish(view), { maxLength: 4 })));
  fc.assert(
    fc.property(anyCase, ([view, wishes]) => {
      const queue = view.queue.map((item, at) => ({ ...item, itemId: `${item.itemId}-${at}` }));
      const pending = wishes.map((wish, id): Pending => ({ id, wish, slot: null, answeredMs: null }));
      const shown = queueWith(queue, pending, false).map(({ itemId }) => itemId);
      const removed = wishes.flatMap((wish) => (wish.kind === 'remove' ? wish.itemIds : []));
      return (
        new Set(shown).size === shown.length &&
        queue.every(({ itemId }) => shown.includes(itemId) || removed.includes(itemId))
      );
    }),
    RUNS,
  );
  t.end();
});

t.test('rooms, uploads and the queue are as many as are told', (t) => {
  fc.assert(
    fc.property(anyView, (view) => {
      const rooms = roomsOf(view);
      const apart = apartUs(rooms);
      return (
        rooms.length === view.nodes.length &&
        (apart === null || apart >= 0) &&
        uploadRows([], view.uploads).length === view.uploads.length &&
        wholeQueue(view, null).items.length === view.queue.length
      );
    }),
    RUNS,
  );
  t.end();
});

t.test('every curve stays in its box', (t) => {
  fc.assert(
    fc.property(anyOf(SyncSchema), (sync) => {
      const curves = curvesOf(sync as Parameters<typeof curvesOf>[0], 120);
      const scale = scaleUs(curves);
      return curves
        .flatMap(({ errorsUs }) => pointsOf(errorsUs, scale).flat())
        .every(([x, y]) => x >= 0 && x <= 1 && y >= 0 && y <= 1);
    }),
    RUNS,
  );
  t.end();
});
