/** A reading that slews, and nobody who looks at it: it is back on its course, and stays there. */
import t from 'tap';
import { withEndOfSlew } from '../../src/clock/slew.js';
import { type ClockLine, ratePpmAt, readClock } from '../../src/core/clock-line.js';
import { addTime, clusterTime, type LocalTime, localTime } from '../../src/core/units.js';
import { House } from './house.js';

const inS = (at: LocalTime, seconds: number): LocalTime => addTime(at, BigInt(Math.round(seconds * 1e9)));

t.test('a follower that is silent while it slews comes to its course, and not past it', (t) => {
  const RATE_PPM = 30;
  for (const offNs of [50_000, -50_000]) {
    const house = new House([0, RATE_PPM, -20]);
    house.lead(0);
    house.run(30);
    house.measures(1, 0, { errorNs: offNs });
    house.run(0.05);
    const [leader, follower] = [house.nodes[0]!.clock, house.nodes[1]!.clock];
    const drawn = follower.line()!;
    const told = withEndOfSlew(drawn, follower.stateAt(drawn.localAt).offsetNs);
    const [at, leaderAt] = [house.localOf(1), house.localOf(0)];
    const off = (line: ClockLine, seconds: number) =>
      Number(
        readClock(line, inS(at, seconds * (1 + RATE_PPM / 1e6))) - readClock(leader.line()!, inS(leaderAt, seconds)),
      ) - offNs;
    t.ok(Math.abs(off(told, 0.2)) > 0.5 * Math.abs(offNs), 'it slews');
    for (const seconds of [1.2, 2, 5, 10]) {
      // What is not known of the drift goes on: 0.3 ppm in this house.
      const most = 300 * seconds + 300;
      t.ok(Math.abs(off(told, seconds)) < most, `${offNs} ns, after ${seconds} s: off by ${off(told, seconds)} ns`);
    }
    t.ok(Math.abs(off(drawn, 5)) > 3 * Math.abs(offNs), 'where it is not told when to end, it goes far past it');
  }
  t.end();
});

t.test('a line that slews runs at its course after the end, and one on its course as it did', (t) => {
  const line: ClockLine = { localAt: localTime(5n), clusterAt: clusterTime(1_000n), driftPpm: 80 };
  t.equal(withEndOfSlew(line, 0), line);
  t.equal(withEndOfSlew(line, 5), line, 'nanoseconds are what rounding leaves');
  const told = withEndOfSlew(line, -50_000);
  t.same(told.slew, { endsAt: 1_000_000_005n, thenPpm: 30 });
  t.equal(ratePpmAt(told, told.slew!.endsAt), 80);
  t.equal(ratePpmAt(told, inS(told.slew!.endsAt, 1)), 30);
  t.equal(readClock(told, inS(line.localAt, 1)), 1_000_081_000n);
  t.equal(readClock(told, inS(line.localAt, 3)), 3_000_141_000n);
  t.equal(withEndOfSlew({ ...line, driftPpm: 500 }, -3e6).slew!.thenPpm, 0, 'no faster than it may slew');
  t.equal(withEndOfSlew(line, null).slew!.thenPpm, 0, 'a coarse course runs as the local clock does');
  t.end();
});
