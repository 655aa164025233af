import fc from 'fast-check';
import t from 'tap';
import { type ClusterTime, clusterTime } from '../../src/core/units.js';
import { effectiveFrom } from '../../src/playback/change.js';
import { checkPlayback } from '../../src/playback/invariants.js';
import {
  EMPTY_PLAYBACK,
  itemIdOf,
  type Playback,
  type Segment,
  TAIL_KEPT_NS,
  TAIL_SEGMENTS_MAX,
} from '../../src/playback/model.js';
import { durationNs, endOfCurrent, foldTo, positionAt, queueVersionAt, segments } from '../../src/playback/timeline.js';
import { heardAt } from './songs.js';
import { askedBy, grant, TRACKS, type Wish, wish } from './wishes.js';

const wishes = fc.array(wish, { minLength: 1, maxLength: 40 });
const RUNS = { seed: 1, numRuns: 1_500 };

/** What is true of one step: before, after (the same where refused), and when it was asked. */
type Step = (before: Playback, after: Playback, asked: ReturnType<typeof askedBy>, wish: Wish) => void;

/** Plays wishes from the empty house on, and looks at each step. */
function live(all: readonly Wish[], look: Step): void {
  let playback = EMPTY_PLAYBACK;
  let now = clusterTime(0n);
  for (const one of all) {
    const asked = askedBy(one, now);
    now = asked.stamp;
    const after = grant(playback, one, asked) ?? playback;
    look(playback, after, asked, one);
    playback = after;
  }
}

const later = (instant: ClusterTime, byNs: bigint) => clusterTime(instant + byNs);
const expectEqual = (actual: unknown, expected: unknown, what: string) => {
  const print = (value: unknown) =>
    JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? `${field}n` : field));
  if (print(actual) !== print(expected)) throw new Error(`${what}: ${print(actual)} is not ${print(expected)}`);
};

t.test('whatever is asked, in any order and at any time, the invariants hold', (t) => {
  fc.assert(
    fc.property(wishes, (all) => live(all, (_, after) => checkPlayback(after))),
    { seed: 2, numRuns: 2_000 },
  );
  t.end();
});

t.test('folding cannot be seen or heard', (t) => {
  const spans = fc.array(fc.tuple(fc.bigInt(0n, 30_000_000_000n), fc.bigInt(0n, 400_000_000n)), { maxLength: 3 });
  fc.assert(
    fc.property(wishes, spans, (all, looks) =>
      live(all, (_, after, { stamp }) => {
        for (const [first, second] of looks) {
          const when = later(stamp, first);
          const then = later(when, second);
          const folded = foldTo(after, when);
          expectEqual(segments(folded, then, 20), segments(after, then, 20), 'timeline');
          expectEqual(foldTo(folded, then), foldTo(after, then), 'facts');
          expectEqual(positionAt(folded, then), positionAt(after, then), 'position');
          expectEqual(queueVersionAt(folded, then), queueVersionAt(after, then), 'version');
        }
      }),
    ),
    RUNS,
  );
  t.end();
});

t.test('the timeline has no overlap, no gap where an item is complete, and ends where lengths say [row 24]', (t) => {
  fc.assert(
    fc.property(wishes, (all) =>
      live(all, (_, after, { stamp }) => {
        const frames = new Map(TRACKS.map((track) => [track.id, track.frames]));
        const timeline = segments(after, stamp, 80);
        const folded = foldTo(after, stamp);
        const factStarts = folded.transport.status === 'playing' ? folded.effectiveAt : null;
        timeline.forEach((segment, k) => {
          const { startAt, endAt, complete, startFrame, sampleRate, trackId } = segment;
          const next = timeline[k + 1];
          const whole = durationNs(frames.get(trackId)! - startFrame, sampleRate);
          if (complete) expectEqual(endAt - startAt, whole, 'length');
          else if (endAt - startAt >= whole) throw new Error('a segment that was cut is as long as a whole one');
          if (next !== undefined && next.startAt < endAt) throw new Error('overlap');
          // Between facts there may be silence (paused, then played); within one there is none.
          if (factStarts !== null && startAt >= factStarts && next !== undefined) {
            expectEqual(next.startAt, endAt, 'join');
            expectEqual(complete, true, 'complete');
          }
        });
        if (factStarts !== null && !timeline.some((segment) => segment.startAt === factStarts)) {
          throw new Error('the fact does not begin when it takes effect');
        }
      }),
    ),
    RUNS,
  );
  t.end();
});

t.test('what was agreed goes on sounding until a change takes effect', (t) => {
  fc.assert(
    fc.property(wishes, fc.array(fc.bigInt(0n, 999n), { minLength: 3, maxLength: 6 }), (all, permille) =>
      live(all, (before, after, asked) => {
        // A change of sound: until it takes effect. A change of the queue: until the current item ends.
        const changed = after.changedBy !== before.changedBy;
        const until = changed ? after.effectiveAt : (endOfCurrent(foldTo(before, asked.stamp)) ?? asked.stamp);
        const span = until - asked.stamp;
        if (span <= 0n || [before, after].some(({ tail }) => tail.length >= TAIL_SEGMENTS_MAX)) return;
        for (const part of permille) {
          const instant = later(asked.stamp, (span * part) / 1_000n);
          expectEqual(heardAt(after, instant), heardAt(before, instant), `at ${part} permille`);
        }
      }),
    ),
    RUNS,
  );
  t.end();
});

t.test('what has sounded a moment ago stays as it was, for a room that is behind by its latency', (t) => {
  fc.assert(
    fc.property(wishes, fc.array(fc.bigInt(0n, 999n), { minLength: 3, maxLength: 6 }), (all, permille) =>
      live(all, (before, after, { stamp }) => {
        if ([before, after].some(({ tail }) => tail.length >= TAIL_SEGMENTS_MAX)) return;
        for (const part of permille) {
          const back = 1n + (TAIL_KEPT_NS * part) / 1_000n;
          if (back > stamp) continue;
          expectEqual(heardAt(after, later(stamp, -back)), heardAt(before, later(stamp, -back)), `${back} ns ago`);
        }
      }),
    ),
    RUNS,
  );
  t.end();
});

t.test('a command is heard after its whole lead, unless it begins what begins then anyway', (t) => {
  fc.assert(
    fc.property(wishes, (all) =>
      live(all, (before, after, asked) => {
        if (after.changedBy === before.changedBy || after.effectiveAt >= effectiveFrom(before, asked)) return;
        const due = segments(before, after.effectiveAt, 1)[0];
        const now = segments(after, after.effectiveAt, 1)[0];
        expectEqual(now, due, 'what begins early');
      }),
    ),
    RUNS,
  );
  t.end();
});

t.test('the version never goes down: not with time, and not over a command that is applied within its lead', (t) => {
  fc.assert(
    fc.property(wishes, fc.bigInt(0n, 1_000n), (all, permille) =>
      live(all, (before, after, asked) => {
        const span = effectiveFrom(before, asked) - asked.stamp;
        const instant = later(asked.stamp, (span * permille) / 1_000n);
        if (queueVersionAt(after, instant) < queueVersionAt(before, instant)) throw new Error('down over a command');
        if (queueVersionAt(after, later(instant, permille)) < queueVersionAt(after, instant)) throw new Error('down');
        const ids = (playback: Playback) =>
          foldTo(playback, instant)
            .queue.map((item) => item.id)
            .join();
        if (ids(before) !== ids(after) && queueVersionAt(after, instant) === queueVersionAt(before, instant)) {
          // Both versions may have counted the same ends; at the command's stamp they must differ.
          const [was, is] = [before, after].map((playback) => queueVersionAt(playback, asked.stamp));
          if (was === is) throw new Error('the queue changed and its version did not');
        }
      }),
    ),
    RUNS,
  );
  t.end();
});

t.test(
  'facts never move back: the effective time of one command is not before that of another that came first',
  (t) => {
    fc.assert(
      fc.property(wishes, (all) =>
        live(all, (before, after) => {
          if (after.effectiveAt < before.effectiveAt) throw new Error('back');
        }),
      ),
      RUNS,
    );
    t.end();
  },
);

/** Folding as a child would do it: one end at a time. */
function foldOneByOne(start: Playback, instant: ClusterTime): Playback {
  const lately = (tail: readonly Segment[]) => tail.filter((segment) => segment.endAt > instant - TAIL_KEPT_NS);
  let playback = { ...start, tail: lately(start.tail) };
  for (;;) {
    const end = endOfCurrent(playback);
    if (end === null || end > instant) return playback;
    const [played] = segments(playback, clusterTime(end - 1n), 1);
    const [ended, ...rest] = playback.queue;
    const { repeat, nextSeq } = playback;
    const again = { ...ended!, seq: nextSeq, id: itemIdOf(nextSeq) };
    const queue = repeat === 'one' ? playback.queue : repeat === 'all' ? [...rest, again] : rest;
    const head = queue[0];
    playback = {
      ...playback,
      tail: lately([...playback.tail, played!]).slice(-TAIL_SEGMENTS_MAX),
      queue,
      history: repeat === 'one' ? playback.history : [...playback.history, ended!].slice(-50),
      nextSeq: repeat === 'all' ? nextSeq + 1 : nextSeq,
      queueVersion: playback.queueVersion + 1,
      effectiveAt: end,
      transport:
        head === undefined
          ? { status: 'stopped' }
          : { status: 'playing', itemId: head.id, startedAt: end, startFrame: 0 },
    };
  }
}

t.test('skipping rounds by division gives what ending one item after another gives', (t) => {
  const some = fc.array(fc.constantFrom(...TRACKS.slice(1)), { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(some, fc.constantFrom('off', 'all', 'one'), fc.bigInt(0n, 60_000_000_000n), (tracks, repeat, span) => {
      const wishFor = (what: Wish['what'], a: number): Wish => ({ what, a, b: 0, afterNs: 1n, leadNs: 0n });
      let playback: Playback = { ...EMPTY_PLAYBACK, repeat };
      for (const track of tracks) {
        playback = grant(
          playback,
          { ...wishFor('add', TRACKS.indexOf(track)), b: 4 },
          askedBy(wishFor('add', 0), clusterTime(0n)),
        )!;
      }
      playback = grant(playback, wishFor('play', 0), askedBy(wishFor('play', 0), clusterTime(0n)))!;
      expectEqual(foldTo(playback, clusterTime(span)), foldOneByOne(playback, clusterTime(span)), 'folded');
    }),
    { seed: 3, numRuns: 150 },
  );
  t.end();
});
