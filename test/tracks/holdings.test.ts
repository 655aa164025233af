/** What a node says that it holds is what others know of it, also when words get lost. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type Incarnation, nodeId, slot, type TrackId, trackId } from '../../src/core/ids.js';
import { type HoldingsMessage, OwnHoldings, PeerHoldings } from '../../src/tracks/holdings.js';
import { IDS_MAX } from '../../src/tracks/messages.js';

const PEER = nodeId('b'.repeat(32));
const CARD = 'c1' as Incarnation;
const id = (number: number): TrackId => trackId(number.toString(16).padStart(64, '0'));
const IDS = Array.from({ length: 20 }, (_, number) => id(number));

/** A node that holds these, and has told everybody. */
function ownOf(count: number, incarnation = CARD): OwnHoldings {
  const own = new OwnHoldings({ incarnation });
  for (let number = 0; number < count; number++) own.add(id(number));
  own.changes();
  return own;
}

const hear = (others: PeerHoldings, messages: readonly HoldingsMessage[]) =>
  messages.map((message) => others.heard(PEER, message));

t.test('all that is held is told, in as many pages as it takes', (t) => {
  for (const count of [0, 1, IDS_MAX, 2 * IDS_MAX + 5]) {
    const others = new PeerHoldings();
    const pages = ownOf(count).pages();
    t.equal(pages.length, Math.max(1, Math.ceil(count / IDS_MAX)));
    const news = hear(others, pages);
    t.equal(news.at(-1)!.added.length, count);
    t.ok(others.isKnown(PEER));
    t.notOk(others.holds(PEER, id(count)));
    if (count > 0) t.same(others.holders(id(count - 1)), [{ node: PEER, incarnation: CARD }]);
  }
  t.end();
});

t.test('a change tells what has changed, and a change back is none', (t) => {
  const own = ownOf(3);
  const others = new PeerHoldings();
  hear(others, own.pages());
  own.add(id(7));
  own.remove(id(1));
  own.remove(id(2));
  own.add(id(2));
  own.add(id(9));
  own.remove(id(9));
  const [change, ...more] = own.changes();
  t.same(more, []);
  t.same(hear(others, [change!]), [{ added: [id(7)], removed: [id(1)], isGap: false }]);
  t.same(own.changes(), [], 'it is told once');
  t.same(hear(others, [own.standing()]), [{ added: [], removed: [], isGap: false }]);
  t.end();
});

t.test('a great change takes several messages', (t) => {
  const own = ownOf(0);
  const others = new PeerHoldings();
  hear(others, own.pages());
  for (let number = 0; number < IDS_MAX + 10; number++) own.add(id(number));
  const changes = own.changes();
  t.equal(changes.length, 2);
  hear(others, changes);
  t.ok(others.holds(PEER, id(IDS_MAX + 9)) && others.isKnown(PEER));
  t.end();
});

t.test('who misses a change finds out by the next word, and asks for everything', (t) => {
  for (const next of ['another change', 'the standing'] as const) {
    const own = ownOf(3);
    const others = new PeerHoldings();
    hear(others, own.pages());
    own.remove(id(0));
    own.changes();
    if (next === 'another change') own.add(id(5));
    const [news] = hear(others, next === 'another change' ? own.changes() : [own.standing()]);
    t.ok(news!.isGap);
    t.notOk(others.isKnown(PEER));
    t.ok(others.holds(PEER, id(0)), 'until then what is known stays');
    const [all] = hear(others, own.pages());
    t.same(all!.removed, [id(0)]);
    t.ok(others.isKnown(PEER));
  }
  t.end();
});

t.test('who misses a page waits for all of them', (t) => {
  const pages = ownOf(3 * IDS_MAX).pages();
  for (const lost of [0, 1, 2]) {
    const others = new PeerHoldings();
    hear(
      others,
      pages.filter(({ page }) => page !== lost),
    );
    t.notOk(others.isKnown(PEER), `page ${lost}`);
    hear(others, pages);
    t.ok(others.isKnown(PEER));
  }
  t.end();
});

t.test('pages of two revisions make no whole', (t) => {
  const own = ownOf(2 * IDS_MAX);
  const [first] = own.pages();
  own.remove(id(3));
  own.changes();
  const others = new PeerHoldings();
  hear(others, [first!, own.pages()[1]!]);
  t.notOk(others.isKnown(PEER));
  t.end();
});

t.test('after a lost connection the next change is not believed, and what was said stays true', (t) => {
  const own = ownOf(2);
  const others = new PeerHoldings();
  hear(others, own.pages());
  others.down(PEER);
  t.ok(others.holds(PEER, id(1)));
  own.add(id(5));
  t.ok(hear(others, own.changes())[0]!.isGap, 'the peer may be another process, which counts anew');
  others.forget(PEER);
  t.same(others.holders(id(1)), []);
  t.end();
});

t.test('what is held is held under one incarnation', (t) => {
  const others = new PeerHoldings();
  hear(others, ownOf(2).pages());
  const fresh = ownOf(1, 'c2' as Incarnation);
  t.ok(hear(others, [fresh.standing()])[0]!.isGap);
  hear(others, fresh.pages());
  t.same(others.holders(id(0)), [{ node: PEER, incarnation: 'c2' }]);
  t.same(others.holders(id(1)), []);
  t.end();
});

t.test('words that were taken back are given anew, to whoever missed nothing without asking', (t) => {
  const own = ownOf(2);
  const others = new PeerHoldings();
  hear(others, own.pages());
  own.retracted(slot(9));
  t.equal(own.sinceSlot, 9);
  t.same(others.holders(id(0)), [{ node: PEER, incarnation: CARD }], 'until it is heard');
  const changes = own.changes();
  t.equal(changes.length, 1);
  t.same(hear(others, changes), [{ added: [], removed: [], isGap: false }]);
  t.same(others.holders(id(0)), [{ node: PEER, incarnation: CARD, sinceSlot: 9 }]);
  t.same(own.changes(), [], 'it is told once');
  const fresh = new PeerHoldings();
  hear(fresh, own.pages());
  t.same(fresh.holders(id(1)), [{ node: PEER, incarnation: CARD, sinceSlot: 9 }]);
  t.end();
});

t.test('who missed that a file is not held any more does not take the word on it for a new one', (t) => {
  const own = ownOf(2);
  const others = new PeerHoldings();
  hear(others, own.pages());
  own.remove(id(0));
  own.changes();
  own.retracted(slot(9));
  t.ok(hear(others, own.changes())[0]!.isGap);
  t.ok(hear(others, [own.standing()])[0]!.isGap);
  t.same(others.holders(id(0)), [{ node: PEER, incarnation: CARD }], 'it is as old as it was');
  hear(others, own.pages());
  t.same(others.holders(id(0)), []);
  t.same(others.holders(id(1)), [{ node: PEER, incarnation: CARD, sinceSlot: 9 }]);
  t.end();
});

t.test('nor does who has heard only some of what is not held any more', (t) => {
  const own = ownOf(2 * IDS_MAX);
  const others = new PeerHoldings();
  hear(others, own.pages());
  for (let number = 0; number < IDS_MAX + 10; number++) own.remove(id(number));
  own.retracted(slot(9));
  const [first, ...rest] = own.changes();
  hear(others, [first!]);
  t.same(others.holders(id(IDS_MAX + 5)), [{ node: PEER, incarnation: CARD }]);
  hear(others, rest);
  t.same(others.holders(id(IDS_MAX + 5)), []);
  t.same(others.holders(id(IDS_MAX + 10)), [{ node: PEER, incarnation: CARD, sinceSlot: 9 }]);
  t.end();
});

t.test('whatever gets lost, the answer to the next question tells everything', (t) => {
  const step = fc.record({ id: fc.constantFrom(...IDS), isAdded: fc.boolean(), isLost: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const own = ownOf(5);
      const others = new PeerHoldings();
      const twin = new Set(IDS.slice(0, 5));
      hear(others, own.pages());
      for (const { id, isAdded, isLost } of steps) {
        if (isAdded) own.add(id);
        else own.remove(id);
        if (isAdded) twin.add(id);
        else twin.delete(id);
        const changes = own.changes();
        if (!isLost) hear(others, changes);
        if (others.isKnown(PEER) && !isLost) continue;
        hear(others, [own.standing()]);
        if (!others.isKnown(PEER)) hear(others, own.pages());
        assert.deepEqual(
          IDS.filter((one) => others.holds(PEER, one)),
          IDS.filter((one) => twin.has(one)),
        );
      }
    }),
    { seed: 1, numRuns: 300 },
  );
  t.pass();
  t.end();
});
