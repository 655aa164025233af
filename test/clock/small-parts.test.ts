/** The small parts of the clock: samples, the filter's arithmetic, sequences, lines, both directions. */
import fc from 'fast-check';
import t from 'tap';
import { BothWays } from '../../src/clock/both-ways.js';
import { REVERSE_WEIGHT, ROUND_TRIP_NS_MAX } from '../../src/clock/constants.js';
import { correct, type Estimate, predict } from '../../src/clock/kalman.js';
import { type PeerLine, peerBoundAt, peerTimeAt } from '../../src/clock/peer-line.js';
import { ReplayWindow } from '../../src/clock/replay-window.js';
import { quickestOf, sampleOf } from '../../src/clock/sample.js';
import { localTime } from '../../src/core/units.js';

const stamps = (sentAt: bigint, peerReceivedAt: bigint, peerSentAt: bigint, receivedAt: bigint) => ({
  sentAt: localTime(sentAt),
  peerReceivedAt: localTime(peerReceivedAt),
  peerSentAt: localTime(peerSentAt),
  receivedAt: localTime(receivedAt),
});

t.test('a sample is the middle of both stays, and the time on the network', async (t) => {
  t.same(sampleOf(stamps(1_000n, 50_100n, 50_300n, 1_400n)), { localAt: 1_200n, peerAt: 50_200n, roundTripNs: 200 });
});

t.test('stamps that cannot be true make no sample', async (t) => {
  t.equal(sampleOf(stamps(1_000n, 50_300n, 50_100n, 1_400n)), null, 'answered before it came');
  t.equal(sampleOf(stamps(1_400n, 50_100n, 50_300n, 1_000n)), null, 'heard before it was asked');
  t.equal(sampleOf(stamps(1_000n, 50_000n, 50_500n, 1_400n)), null, 'the peer took longer than all of it');
  t.equal(sampleOf(stamps(0n, 0n, 0n, BigInt(ROUND_TRIP_NS_MAX) + 1n)), null, 'too long to learn from');
});

t.test('the quickest of none is none', async (t) => {
  t.equal(quickestOf([]), null);
});

t.test('whatever the network does, a sample is off by half its round trip at most', async () => {
  const ns = fc.bigInt({ min: 0n, max: 300_000_000n });
  fc.assert(
    fc.property(ns, ns, ns, fc.bigInt({ min: 0n, max: 10n ** 18n }), (out, stay, back, ahead) => {
      const sample = sampleOf(
        stamps(1_000n, 1_000n + out + ahead, 1_000n + out + stay + ahead, 1_000n + out + stay + back),
      );
      return sample !== null && Math.abs(Number(sample.peerAt - sample.localAt - ahead)) <= sample.roundTripNs / 2 + 1;
    }),
    { seed: 1, numRuns: 1_000 },
  );
});

const unsure: Estimate = { offset: 0, drift: 0, offsetVar: 1, covariance: 0, driftVar: 1 };

t.test('time makes a filter doubt, a measurement makes it surer', async (t) => {
  const later = predict({ ...unsure, drift: 3 }, 2, 0.5);
  t.equal(later.offset, 6);
  t.equal(later.offsetVar, 1 + 4 + (0.25 * 8) / 3);
  t.equal(later.driftVar, 1.5);
  const surer = correct(later, 7, 1);
  t.ok(surer.offsetVar < later.offsetVar && surer.driftVar < later.driftVar);
  t.ok(surer.offset > 6 && surer.offset < 7, 'between what it held and what was measured');
  t.ok(surer.drift > 3, 'what is ahead ran faster');
});

t.test('a filter cannot look back, nor take a measurement to be exact', async (t) => {
  t.throws(() => predict(unsure, -1, 1), { name: 'InvariantError' });
  t.throws(() => correct(unsure, 0, 0), { name: 'InvariantError' });
});

t.test('variances stay variances, whatever is measured', async () => {
  const steps = fc.array(
    fc.tuple(
      fc.double({ min: 0, max: 1e4, noNaN: true }),
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.double({ min: 1, max: 1e12, noNaN: true }),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, (steps) => {
      let estimate: Estimate = { ...unsure, offsetVar: 4e6, driftVar: 9e8 };
      return steps.every(([seconds, measured, variance]) => {
        estimate = correct(predict(estimate, seconds, 10), measured, variance);
        return estimate.offsetVar >= 0 && estimate.driftVar >= 0 && Number.isFinite(estimate.offset + estimate.drift);
      });
    }),
    { seed: 1, numRuns: 300 },
  );
});

t.test('each number of a sequence is fresh once, also out of order, and never from too far back', async (t) => {
  const window = new ReplayWindow();
  const fresh = (...sequence: readonly number[]) => sequence.map((n) => window.isFresh(BigInt(n)));
  t.same(fresh(0, 0, 2, 1, 1, 2), [true, false, true, true, false, false]);
  t.same(fresh(65, 2, 3, 64, 65), [true, false, true, true, false], '63 below the highest still count');
  t.same(fresh(66, 2), [true, false], '64 below do not');
  t.same(fresh(1_000_000, 66, 999_999, 1_000_000), [true, false, true, false], 'however far it leaps');
});

t.test('a window takes nothing twice, in any order', async () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 300n }), { maxLength: 200 }), (sequence) => {
      const window = new ReplayWindow();
      const taken = sequence.filter((n) => window.isFresh(n));
      return new Set(taken).size === taken.length;
    }),
    { seed: 1, numRuns: 300 },
  );
});

const line: PeerLine = {
  localAt: localTime(1_000n),
  peerAt: localTime(9_000n),
  driftPpm: 50,
  boundNs: 100,
  boundPpm: 2,
};

t.test('a line is read by its drift, and its bound grows both ways', async (t) => {
  t.equal(peerTimeAt(line, localTime(1_000_001_000n)), 1_000_059_000n);
  t.equal(peerTimeAt(line, localTime(0n)), 8_000n);
  t.equal(peerBoundAt(line, line.localAt), 100);
  t.equal(peerBoundAt(line, localTime(1_000_001_000n)), 2_100);
  t.equal(peerBoundAt(line, localTime(1_000n - 1_000_000_000n)), 2_100);
});

t.test('what both directions disagree about is shared', async (t) => {
  const flat: PeerLine = { ...line, driftPpm: 0 };
  // This node reads the peer 8,000 ns ahead; the peer reads itself 7,960 ns ahead of this node.
  const reverse = { peerAt: localTime(20_000n), localAt: localTime(12_040n) };
  const ways = new BothWays();
  const movedBack = (ns: number) => ({ ...flat, peerAt: localTime(9_000n - BigInt(ns)), boundNs: 100 + ns });
  t.same(ways.corrected(flat), flat);
  ways.take(flat, reverse, 1_000);
  t.same(ways.corrected(flat), movedBack(20), 'half of it, which is also in the bound');
  ways.take(flat, { ...reverse, localAt: localTime(12_120n) }, 1_000);
  t.same(ways.corrected(flat), movedBack(20 + REVERSE_WEIGHT * 40), 'a later word counts for a part');
  ways.reset();
  t.same(ways.corrected(flat), flat);
});

t.test(
  'a peer that reads a clock of this node that is gone moves no line, and what it said before is forgotten',
  async (t) => {
    const ways = new BothWays();
    const agreeing = { peerAt: peerTimeAt(line, localTime(5_000n)), localAt: localTime(5_000n) };
    ways.take(line, { ...agreeing, localAt: localTime(5_400n) }, 1_000);
    t.ok(ways.corrected(line).peerAt < line.peerAt);
    ways.take(line, { peerAt: localTime(20_000n), localAt: localTime(10n ** 15n) }, 1_000);
    t.same(ways.corrected(line), line);
    ways.take(line, { peerAt: localTime(10n ** 15n), localAt: localTime(0n) }, 1_000);
    t.same(ways.corrected(line), line);
  },
);
