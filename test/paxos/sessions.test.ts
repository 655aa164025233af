/** Each proposal counts once: the table of sessions beside a model that forgets nothing. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type BootId, type NodeId, slot } from '../../src/core/ids.js';
import type { Session } from '../../src/paxos/entry.js';
import { CLOSED_BOOTS, NODES_MAX, Sessions, seqBefore, WINDOW } from '../../src/paxos/sessions.js';

const from = (node: string, boot: string, seq: number): Session => ({
  node: node as NodeId,
  boot: boot as BootId,
  seq,
});

t.test('a proposal that stands in two slots is applied in the first', (t) => {
  const sessions = new Sessions();
  t.equal(sessions.take(from('a', 'b1', 1), slot(1)), true);
  t.equal(sessions.take(from('a', 'b1', 2), slot(2)), true);
  t.equal(sessions.take(from('a', 'b1', 1), slot(3)), false);
  t.equal(sessions.take(from('b', 'b1', 1), slot(4)), true, 'another node counts for itself');
  t.equal(sessions.slotOf(from('a', 'b1', 2)), 2);
  t.equal(sessions.slotOf(from('a', 'b1', 3)), null);
  t.end();
});

t.test('a later start of the node closes its session, and what is left of that one is passed over', (t) => {
  const sessions = new Sessions();
  sessions.take(from('a', 'b1', 1), slot(1));
  t.equal(sessions.take(from('a', 'b2', 1), slot(2)), true);
  t.equal(sessions.take(from('a', 'b1', 2), slot(3)), false);
  t.equal(sessions.take(from('a', 'b2', 2), slot(4)), true);
  t.match(sessions.bootOf('a' as NodeId), { boot: 'b2', openedAt: 2 });
  t.end();
});

t.test(
  'a command of an earlier start that comes late closes nothing, though the log saw none of that start before',
  (t) => {
    const sessions = new Sessions();
    const of = (start: number, count: number) => from('a', `b${start}`, seqBefore(start) + count);
    t.equal(sessions.take(of(1, 1), slot(1)), true);
    t.equal(sessions.take(of(3, 1), slot(2)), true);
    t.equal(sessions.take(of(2, 1), slot(3)), false, 'its process is over, and nobody waits for it');
    t.equal(sessions.take(of(3, 2), slot(4)), true, 'the one that runs goes on');
    t.match(sessions.bootOf('a' as NodeId), { boot: 'b3', openedAt: 2 }, 'and its card is known by it');
    t.equal(sessions.take(of(2, 1), slot(5)), false);
    t.equal(sessions.take(of(4, 7), slot(6)), true, 'a later start closes it');
    t.equal(sessions.take(of(3, 3), slot(7)), false);
    t.end();
  },
);

t.test('proposals may come out of order within the window, and not below it', (t) => {
  const sessions = new Sessions();
  t.equal(sessions.take(from('a', 'b', WINDOW + 1), slot(1)), true);
  t.equal(sessions.take(from('a', 'b', 2), slot(2)), true);
  t.equal(sessions.take(from('a', 'b', 1), slot(3)), false, 'it may have been applied, and is forgotten');
  t.end();
});

t.test('it agrees with a model that forgets nothing, through snapshots', (t) => {
  const step = fc.record({
    node: fc.constantFrom('a', 'b'),
    restart: fc.integer({ min: 0, max: 20 }).map((n) => n === 0),
    back: fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: WINDOW - 1 })),
    old: fc.integer({ min: 0, max: 10 }).map((n) => n === 0),
    snapshot: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      let sessions = new Sessions();
      const applied = new Set<string>();
      const boots = new Map<string, { boot: number; next: number }>();
      steps.forEach(({ node, restart, back, old, snapshot }, at) => {
        const now = boots.get(node) ?? { boot: 1, next: 1 };
        if (restart && applied.has(`${node} ${now.boot}`)) Object.assign(now, { boot: now.boot + 1, next: 1 });
        boots.set(node, now);
        const boot = old && now.boot > 1 ? now.boot - 1 : now.boot;
        // A new one now and then, else one of the last ones again.
        const seq = back === 0 ? now.next++ : Math.max(1, now.next - back);
        if (back !== 0 && seq >= now.next) now.next = seq + 1;
        const key = `${node} ${boot} ${seq}`;
        const isClosed = boot < now.boot && applied.has(`${node} ${now.boot}`);
        const expected = !applied.has(key) && !isClosed;
        assert.equal(sessions.take(from(node, `${boot}`, seq), slot(at + 1)), expected, key);
        if (expected) applied.add(key).add(`${node} ${boot}`);
        if (snapshot) sessions = Sessions.decode(sessions.encode());
      });
    }),
    { seed: 1, numRuns: 300 },
  );
  t.pass();
  t.end();
});

t.test('equal tables give equal bytes, whatever their past', (t) => {
  const one = new Sessions();
  let other = new Sessions();
  const takes = [from('a', 'b', 1), from('c', 'b', 2), from('c', 'b', 1)];
  takes.forEach((session, at) => {
    one.take(session, slot(at + 1));
    other = Sessions.decode(other.encode());
    other.take(session, slot(at + 1));
  });
  t.strictSame(other.encode(), one.encode());
  const decoded = Sessions.decode(one.encode());
  t.equal(
    decoded.take(from('c', 'b', 2), slot(9)),
    false,
    'what was applied before the snapshot is not applied after it',
  );
  t.end();
});

t.test('it is bounded: closed starts, remembered numbers, nodes', (t) => {
  const sessions = new Sessions();
  for (let boot = 1; boot <= 3 * CLOSED_BOOTS; boot++) sessions.take(from('a', `boot ${boot}`, 1), slot(boot));
  for (let seq = 2; seq <= 10 * WINDOW; seq++)
    sessions.take(from('a', `boot ${3 * CLOSED_BOOTS}`, seq), slot(100 + seq));
  const one = sessions.encode().length;
  t.ok(one < 6 * WINDOW, `${one} bytes`);
  for (let node = 1; node <= 2 * NODES_MAX; node++) sessions.take(from(`node ${node}`, 'b', 1), slot(100_000 + node));
  t.equal(sessions.bootOf('a' as NodeId), null, 'the one that was silent the longest is forgotten first');
  t.not(sessions.bootOf(`node ${2 * NODES_MAX}` as NodeId), null);
  t.ok(Sessions.decode(sessions.encode()));
  t.end();
});
