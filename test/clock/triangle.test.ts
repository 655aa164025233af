/** Going around three clocks. */
import t from 'tap';
import type { PeerLine } from '../../src/clock/peer-line.js';
import { closureOf } from '../../src/clock/triangle.js';
import { localTime } from '../../src/core/units.js';

/** Of a clock that is `aheadNs` ahead of the other and `ppm` faster. */
const line = (localNs: bigint, aheadNs: bigint, ppm = 0, boundNs = 10): PeerLine => ({
  localAt: localTime(localNs),
  peerAt: localTime(localNs + aheadNs),
  driftPpm: ppm,
  boundNs,
  boundPpm: 0,
});

t.test('lines that are true close', async (t) => {
  const round = { ab: line(0n, 1_000n), bc: line(1_000n, 5_000n), ca: line(6_000n, -6_000n) };
  t.same(closureOf(round, localTime(0n)), { errorNs: 0, boundNs: 30 });
  t.same(closureOf(round, localTime(77_000n)).errorNs, 0, 'at any time');
});

t.test('an error in one of them shows whole', async (t) => {
  const round = { ab: line(0n, 1_000n), bc: line(1_000n, 5_250n), ca: line(6_000n, -6_000n) };
  const { errorNs, boundNs } = closureOf(round, localTime(0n));
  t.equal(errorNs, 250);
  t.ok(Math.abs(errorNs) > boundNs, 'and says that a bound is wrong');
});

t.test('drifts count: a round through a faster clock comes back in time', async (t) => {
  const second = 1_000_000_000n;
  const round = { ab: line(0n, 0n, 100), bc: line(0n, 0n), ca: line(0n, 0n, -100) };
  // 1.0001 times 0.9999.
  t.equal(closureOf(round, localTime(second)).errorNs, -10);
  t.equal(closureOf({ ...round, ca: line(0n, 0n) }, localTime(second)).errorNs, 100_000);
});
