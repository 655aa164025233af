/** Every checker complains of what it watches for, and of nothing else. */
import t from 'tap';
import { InvariantError } from '../../src/core/assert.js';
import { type ErrorCode, TuttiError } from '../../src/core/errors.js';
import { nodeId } from '../../src/core/ids.js';
import type { Ballot } from '../../src/paxos/ballot.js';
import { PowerCut } from '../../src/ports/fake-disk.js';
import { firstViolation, newCheckers } from './checkers/checkers.js';
import type { Observation } from './checkers/observation.js';

const ballot = (round: number): Ballot => ({ configId: 1, round, node: nodeId('a'.repeat(32)) });

const started = (process: number, node = 'a', card = node): Observation => ({
  type: 'started',
  process,
  node,
  card,
  imaged: false,
});
const applied = (process: number, slot: number, value = `v${slot}`, effectOf: string | null = null): Observation => ({
  type: 'applied',
  process,
  slot,
  value,
  stampNs: BigInt(slot),
  payload: value,
  effectOf,
});
const durable = (process: number, promised: Ballot | null, ...slots: number[]): Observation => ({
  type: 'durable',
  process,
  promised,
  accepted: slots.map((slot) => ({ slot, ballot: ballot(1) })),
});
const clock = (process: number, clusterMs: number, trueMs: number, epoch = 1): Observation => ({
  type: 'clock',
  process,
  clusterNs: BigInt(clusterMs) * 1_000_000n,
  trueNs: BigInt(trueMs) * 1_000_000n,
  epoch,
  lineIsKnown: true,
});

/** Shows a history to all checkers; gives the name of the first that complains, null where none does. */
function complaintOf(...history: readonly Observation[]): string | null {
  const checkers = newCheckers();
  for (const observation of history) {
    const violation = firstViolation(checkers, observation);
    if (violation !== undefined) return violation.checker;
  }
  return null;
}

t.test('two nodes that apply the same are fine, two values in a slot are not', (t) => {
  t.equal(complaintOf(applied(1, 1), applied(2, 1), applied(1, 2), applied(2, 2)), null);
  t.equal(complaintOf(applied(1, 1, 'x'), applied(2, 1, 'y')), 'one value per slot');
  t.equal(complaintOf(applied(1, 1), applied(1, 3)), 'one value per slot', 'a slot that is left out');
  t.equal(complaintOf({ type: 'restored', process: 1, slot: 7 }, applied(1, 8)), null, 'a snapshot may skip some');
  t.end();
});

t.test('a card keeps its promise, over restarts too', (t) => {
  const recovered = (round: number): Observation => ({
    type: 'recovered',
    process: 2,
    promised: ballot(round),
    accepted: [],
    unknown: [],
    base: 0,
    chosenUpTo: 0,
  });
  t.equal(complaintOf(started(1), durable(1, ballot(3)), started(2), recovered(3)), null);
  t.equal(complaintOf(started(1), durable(1, ballot(3)), started(2), recovered(2)), 'promises hold');
  t.equal(complaintOf(started(1), durable(1, ballot(3)), durable(1, ballot(2))), 'promises hold');
  const other: Observation = { type: 'started', process: 2, node: 'a', card: 'a', imaged: true };
  t.equal(complaintOf(started(1), durable(1, ballot(3)), other, recovered(2)), null, 'an older image may know less');
  t.end();
});

t.test('nobody says what its card does not hold', (t) => {
  const says: Observation = { type: 'promised', process: 1, ballot: ballot(3) };
  t.equal(complaintOf(started(1), durable(1, ballot(3)), says), null);
  t.equal(complaintOf(started(1), durable(1, ballot(2)), says), 'promises hold');
  const accepts: Observation = { type: 'accepted', process: 1, ballot: ballot(1), upTo: 4 };
  t.equal(complaintOf(started(1), durable(1, null, 4), accepts), null);
  t.equal(complaintOf(started(1), durable(1, null, 3), accepts), 'promises hold');
  t.equal(complaintOf(started(1), { type: 'installed', process: 1, base: 4 }, accepts), null, 'a snapshot holds it');
  t.end();
});

t.test('what is applied is on the cards of a majority of those who vote', (t) => {
  const chosen: Observation = { type: 'chosen', slot: 1, voters: ['a', 'b', 'c'] };
  t.equal(complaintOf(started(1, 'a'), started(2, 'b'), durable(1, null, 1), durable(2, null, 1), chosen), null);
  t.equal(complaintOf(started(1, 'a'), started(2, 'b'), durable(1, null, 1), chosen), 'chosen on a quorum');
  t.equal(
    complaintOf(started(1, 'a'), started(2, 'learner'), durable(1, null, 1), durable(2, null, 1), chosen),
    'chosen on a quorum',
    'who does not vote does not count',
  );
  t.end();
});

t.test('what was acknowledged is there, then and at the end', (t) => {
  const acknowledged = (slot: number): Observation => ({ type: 'acknowledged', payload: 'v1', slot });
  const converged = (slot: number): Observation => ({ type: 'converged', nodes: [{ process: 1, slot }] });
  t.equal(complaintOf(applied(1, 1), acknowledged(1), converged(1)), null);
  t.equal(complaintOf(applied(1, 1), acknowledged(2)), 'acknowledged survives');
  t.equal(complaintOf(applied(1, 1), acknowledged(1), converged(0)), 'acknowledged survives');
  t.end();
});

t.test('equal slots have equal states', (t) => {
  const state = (process: number, hash: string): Observation => ({ type: 'state', process, slot: 9, hash });
  t.equal(complaintOf(state(1, 'x'), state(2, 'x')), null);
  t.equal(complaintOf(state(1, 'x'), state(2, 'y')), 'equal state at equal slots');
  t.end();
});

t.test('what was proposed once is applied in one slot, and a key takes effect once', (t) => {
  const proposed: Observation = { type: 'proposed', payload: 'x' };
  t.equal(complaintOf(proposed, applied(1, 1, 'x'), applied(2, 1, 'x')), null, 'at every node');
  t.equal(complaintOf(proposed, applied(1, 1, 'x'), applied(1, 2, 'x')), 'exactly once');
  t.equal(complaintOf(proposed, proposed, applied(1, 1, 'x'), applied(1, 2, 'x')), null, 'proposed twice');
  t.equal(complaintOf(applied(1, 1, 'x', 'key'), applied(1, 2, 'y', 'key')), 'exactly once');
  t.end();
});

t.test('a strong read sees what was answered before it began', (t) => {
  const acknowledged: Observation = { type: 'acknowledged', payload: 'v1', slot: 1 };
  const began: Observation = { type: 'read-began', read: 0 };
  const ended = (slot: number, seen: number): Observation => ({ type: 'read-ended', read: 0, slot, seen });
  t.equal(complaintOf(applied(1, 1), acknowledged, began, ended(1, 1)), null);
  t.equal(complaintOf(applied(1, 1), acknowledged, began, ended(0, 0)), 'linearizable reads');
  t.equal(
    complaintOf(applied(1, 1), began, acknowledged, ended(0, 0)),
    null,
    'what is answered meanwhile may be missed',
  );
  t.equal(complaintOf(began, ended(2, 1)), 'linearizable reads', 'answered before the state was there');
  const another: Observation = { type: 'read-began', read: 1 };
  t.equal(
    complaintOf(began, ended(1, 5), another, { type: 'read-ended', read: 1, slot: 4, seen: 4 }),
    'linearizable reads',
    'what one read has shown, the next one shows too',
  );
  t.end();
});

t.test('one node holds the lease', (t) => {
  t.equal(complaintOf({ type: 'lease', holders: [] }, { type: 'lease', holders: ['m1'] }), null);
  t.equal(complaintOf({ type: 'lease', holders: ['m1', 'm2'] }), 'one lease holder');
  t.end();
});

t.test('stamps rise', (t) => {
  const stamped = (slot: number, stampNs: bigint): Observation =>
    ({ ...applied(1, slot), stampNs }) as Extract<Observation, { type: 'applied' }>;
  t.equal(complaintOf(stamped(1, 5n), stamped(2, 6n)), null);
  t.equal(complaintOf(stamped(1, 5n), stamped(2, 5n)), 'stamps rise');
  t.end();
});

t.test('cluster time runs on, and leaps only where the epoch moves', (t) => {
  t.equal(complaintOf(clock(1, 1_000, 0), clock(1, 1_101, 100)), null);
  t.equal(complaintOf(clock(1, 1_000, 0), clock(1, 999, 100)), 'cluster time runs');
  t.equal(complaintOf(clock(1, 1_000, 0), clock(1, 9_000, 100)), 'cluster time runs');
  t.equal(complaintOf(clock(1, 1_000, 0), clock(1, 9_000, 100, 2)), null);
  t.equal(complaintOf(clock(2, 9_000, 0), clock(1, 1_000, 0), clock(1, 9_100, 100)), null, 'to where another is');
  t.equal(complaintOf(clock(2, 9_000, 0), clock(1, 1_000, 0), clock(1, 9_200, 100)), 'cluster time runs', 'beyond');
  t.equal(complaintOf(clock(2, 1_500, 0), clock(1, 1_000, 0), clock(1, 1_600, 100)), 'cluster time runs', 'too near');
  t.end();
});

t.test('a process ends by itself only for what was done to its disk', (t) => {
  const ended = (error: Error, ...causes: ErrorCode[]): Observation => ({ type: 'ended', process: 1, error, causes });
  t.equal(complaintOf(ended(new PowerCut('off'))), null);
  for (const code of ['DISK_FAILED', 'DISK_FULL', 'STORE_UNREADABLE', 'BAD_SNAPSHOT'] as const) {
    t.equal(complaintOf(ended(new TuttiError(code), code)), null);
    t.equal(complaintOf(ended(new TuttiError(code))), 'no broken invariant', `${code} of a disk that is well`);
  }
  t.equal(complaintOf(ended(new InvariantError('broken'), 'DISK_FAILED')), 'no broken invariant');
  t.equal(complaintOf(ended(new TypeError('x is undefined'))), 'no broken invariant');
  t.end();
});

t.test('what was durable is found again, or known to be lost', (t) => {
  const found = (slots: readonly number[], rest: { unknown?: number[]; base?: number } = {}): Observation => ({
    type: 'recovered',
    process: 2,
    promised: ballot(2),
    accepted: slots.map((slot) => ({ slot, ballot: ballot(1) })),
    unknown: rest.unknown ?? [],
    base: rest.base ?? 0,
    chosenUpTo: 0,
  });
  const before = [started(1), durable(1, null, 1, 2), started(2)];
  t.equal(complaintOf(...before, found([1, 2])), null);
  t.equal(complaintOf(...before, found([1])), 'what is durable is found again');
  t.equal(complaintOf(...before, found([1], { unknown: [2] })), null);
  t.equal(complaintOf(...before, found([2], { base: 1 })), null, 'a snapshot holds it');
  const replaced: Observation = {
    type: 'durable',
    process: 1,
    promised: null,
    accepted: [{ slot: 2, ballot: ballot(2) }],
  };
  t.equal(
    complaintOf(started(1), replaced, started(2), found([2])),
    'what is durable is found again',
    'an older record',
  );
  t.end();
});

t.test('a promise that only a lost batch stated may be lost with it; one that was written may not', (t) => {
  const found = (round: number, unknown: number[]): Observation => ({
    type: 'recovered',
    process: 2,
    promised: ballot(round),
    accepted: [],
    unknown,
    base: 0,
    chosenUpTo: 0,
  });
  t.equal(complaintOf(started(1), durable(1, null, 1), started(2), found(0, [1])), null);
  t.equal(complaintOf(started(1), durable(1, null, 1), started(2), found(0, [])), 'promises hold');
  t.equal(complaintOf(started(1), durable(1, ballot(1), 1), started(2), found(0, [1])), 'promises hold');
  t.end();
});

t.test('an idle house writes nothing', (t) => {
  t.equal(complaintOf({ type: 'idle', seconds: 10, writes: 0, syncs: 0 }), null);
  t.equal(complaintOf({ type: 'idle', seconds: 10, writes: 1, syncs: 0 }), 'idle writes nothing');
  t.end();
});

t.test(
  'a track is on the cards of a majority of those who vote, when it is agreed and when others come to vote',
  (t) => {
    const counted = (why: 'chosen' | 'voters', ...holders: string[]): Observation => ({
      type: 'track-counted',
      why,
      slot: 9,
      track: 'f00d',
      voters: ['a', 'b', 'c'],
      holders,
    });
    t.equal(complaintOf(counted('chosen', 'a', 'c'), counted('voters', 'b', 'c')), null);
    t.equal(complaintOf(counted('chosen', 'a')), 'every track on a majority');
    t.equal(complaintOf(counted('voters', 'a')), 'every track on a majority');
    t.end();
  },
);

t.test('an answered upload is in the library at the end, unless it was removed since', (t) => {
  const uploaded = (slot: number): Observation => ({ type: 'uploaded', track: 'f00d', slot });
  const removed = (slot: number): Observation => ({ type: 'track-removed', track: 'f00d', slot });
  const library = (...tracks: string[]): Observation => ({ type: 'library', tracks });
  t.equal(complaintOf(uploaded(3), library('f00d', 'beef')), null);
  t.equal(complaintOf(uploaded(3), library('beef')), 'answered uploads survive');
  t.equal(complaintOf(removed(5), uploaded(3), library()), null, 'the answer may come after the removal');
  t.equal(complaintOf(uploaded(3), removed(5), uploaded(7), library()), 'answered uploads survive', 'sent again');
  t.end();
});

t.test('a file, and what is heard of it, is what its id says', (t) => {
  const seen = (found: string | null): Observation => ({
    type: 'seen',
    process: 1,
    how: 'plays',
    track: 'f00d',
    found,
  });
  t.equal(complaintOf(seen('f00d')), null);
  t.equal(complaintOf(seen('beef')), 'files are what their ids say');
  t.end();
});
