/** Cluster time on the page: right to half a round trip, whatever the ways are like, and whatever this machine's clock says. */
import fc from 'fast-check';
import t from 'tap';
import {
  type ClusterClock,
  clockErrorMs,
  clusterMs,
  instantMs,
  withProbe,
  withWord,
} from '../../../src/web/model/cluster-clock.js';

/** Decimal nanoseconds of a cluster that is `ms` old, beyond what a double holds exactly. */
const ns = (ms: number): string => (9_007_199_254_740_993n + BigInt(Math.round(ms * 1e6))).toString();

/** Asked at `sentMs`; the node read its clock, which is ahead of ours by `aheadMs`, after `thereMs`; the answer took `backMs`. */
const probe = (sentMs: number, thereMs: number, backMs: number, aheadMs: number) => ({
  sentMs,
  receivedMs: sentMs + thereMs + backMs,
  timeNs: ns(sentMs + thereMs + aheadMs),
});

const errorMs = (clock: ClusterClock, localMs: number, aheadMs: number) =>
  clusterMs(clock, localMs) - instantMs(clock, ns(localMs + aheadMs));

t.test('however unequal the two ways are, the error is within the bound that is claimed', (t) => {
  const way = fc.double({ min: 0, max: 400, noNaN: true });
  const probes = fc.array(fc.tuple(way, way), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(probes, fc.integer({ min: -1_000_000, max: 1_000_000 }), (ways, aheadMs) => {
      let clock: ClusterClock | null = null;
      let nowMs = 100;
      for (const [there, back] of ways) {
        clock = withProbe(clock, probe(nowMs, there, back, aheadMs));
        nowMs += there + back + 50;
      }
      return Math.abs(errorMs(clock!, nowMs, aheadMs)) <= clockErrorMs(clock!, nowMs) + 0.01;
    }),
  );
  t.pass();
  t.end();
});

t.test('the quickest answer counts; a slow one later changes nothing', (t) => {
  const quick = withProbe(null, probe(0, 2, 2, 500));
  const after = withProbe(quick, probe(1_000, 160, 0, 500));
  t.ok(Math.abs(errorMs(after, 2_000, 500)) < 3);
  t.end();
});

t.test('an old answer is trusted less and less: crystals differ', (t) => {
  const old = withProbe(null, probe(0, 1, 1, 0));
  t.ok(clockErrorMs(old, 600_000) > 100);
  const renewed = withProbe(old, probe(600_000, 10, 10, 30));
  t.ok(Math.abs(errorMs(renewed, 600_100, 30)) < 11);
  t.end();
});

t.test('cluster time may leap forward while the house was dark: what is from before goes', (t) => {
  let clock = withProbe(null, probe(0, 1, 1, 0));
  clock = withProbe(clock, probe(10_000, 5, 5, 3_600_000));
  t.ok(Math.abs(errorMs(clock, 10_100, 3_600_000)) < 6);
  t.end();
});

t.test('what the stream says is a first guess, and refutes a time that is too early', (t) => {
  const guessed = withWord(null, ns(1_000), 400);
  t.ok(Math.abs(errorMs(guessed, 400, 600)) < 0.001);
  const measured = withProbe(guessed, probe(500, 20, 20, 610));
  t.equal(withWord(measured, ns(1_000 + 610 - 200), 1_000), measured, 'a late word says nothing');
  const leapt = withWord(measured, ns(1_000 + 90_000), 1_000);
  t.ok(Math.abs(errorMs(leapt, 1_000, 90_000)) < 0.001);
  t.end();
});
