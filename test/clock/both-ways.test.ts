/** Two nodes that measure each other, and say so: the line that each then goes by, against the truth. */
import t from 'tap';
import { BothWays, type Reverse } from '../../src/clock/both-ways.js';
import { BURST_GAP_MS, COLD_GAPS_MS, SAMPLES_PER_BURST } from '../../src/clock/constants.js';
import { PeerFilter } from '../../src/clock/peer-filter.js';
import { type PeerLine, peerBoundAt, peerTimeAt } from '../../src/clock/peer-line.js';
import { type Sample, sampleOf } from '../../src/clock/sample.js';
import { localTime } from '../../src/core/units.js';
import { Draws, quantile, SimulatedClock } from './simulated-clocks.js';

/** How long a datagram takes at a moment of the simulation, nanoseconds. */
type Way = (draws: Draws, atS: number) => number;

const queued =
  (leastNs: number, meanNs: number): Way =>
  (draws) =>
    leastNs + draws.exponential(meanNs);

/** A queue of 2 ms that is there for 90 s, and then is not for as long. */
const comesAndGoes: Way = (draws, atS) =>
  60_000 + draws.exponential(8_000) + (atS % 180 > 90 ? 2e6 + draws.exponential(100_000) : 0);

const CHECK_EVERY_NS = 500e6;

class End {
  readonly filter = new PeerFilter({ stampSigmaNs: 2_000 });
  readonly ways = new BothWays();
  readonly clock: SimulatedClock;
  bursts = 0;
  nextNs: number;
  line: PeerLine | null = null;

  constructor(clock: SimulatedClock, firstNs: number) {
    this.clock = clock;
    this.nextNs = firstNs;
  }
}

/** The share of looks at which a corrected line was within its bound, and how far the lines were off after a minute. */
function simulate(init: { readonly seed: number; readonly seconds: number; readonly ab: Way; readonly ba: Way }) {
  const draws = new Draws(init.seed);
  const crystal = (ppm: number, zeroNs: bigint) => new SimulatedClock({ ppm, wander: 0.01, zeroNs }, draws);
  const [a, b] = [new End(crystal(0, 10n ** 15n), 0), new End(crystal(35, 2n * 10n ** 15n), 30e6)];
  let trueNs = 0;
  let [looks, held] = [0, 0];
  const errorsNs: number[] = [];
  const goOn = (untilNs: number) => {
    trueNs = Math.max(trueNs, untilNs);
    for (const { clock } of [a, b]) clock.advance(trueNs);
  };
  const look = () => {
    for (const [{ line, clock }, peer] of [
      [a, b],
      [b, a],
    ] as const) {
      if (line === null) continue;
      const local = clock.at(trueNs);
      const errorNs = Math.abs(Number(peerTimeAt(line, local) - peer.clock.at(trueNs)));
      looks += 1;
      if (errorNs <= peerBoundAt(line, local)) held += 1;
      if (trueNs > 60e9) errorsNs.push(errorNs);
    }
  };
  const burst = (own: End, peer: End, [out, back]: readonly [Way, Way]) => {
    const samples: Sample[] = [];
    let reverse: Reverse | null = null;
    for (let i = 0; i < SAMPLES_PER_BURST; i++) {
      goOn(trueNs + draws.between(2e6, 6e6));
      const thereNs = trueNs + out(draws, trueNs / 1e9);
      const answeredNs = thereNs + draws.between(20_000, 200_000);
      const backNs = answeredNs + back(draws, trueNs / 1e9);
      const late = () => draws.exponential(500);
      const sample = sampleOf({
        // A probe leaves from a timer: later after its stamp than an answer does.
        sentAt: own.clock.at(trueNs - 2_000 - draws.exponential(1_500)),
        peerReceivedAt: peer.clock.at(thereNs + late()),
        peerSentAt: peer.clock.at(answeredNs - late()),
        receivedAt: own.clock.at(backNs + late()),
      });
      if (sample !== null) samples.push(sample);
      const theirs = peer.filter.line();
      const peerAt = peer.clock.at(thereNs);
      if (theirs !== null) reverse = { peerAt, localAt: localTime(peerTimeAt(theirs, peerAt)) };
    }
    own.filter.take(samples);
    const line = own.filter.line();
    const roundTripNs = own.filter.roundTripNs();
    if (line !== null && roundTripNs !== null && reverse !== null) own.ways.take(line, reverse, roundTripNs);
    own.line = line && own.ways.corrected(line);
    const gapMs = COLD_GAPS_MS[++own.bursts] ?? draws.between(BURST_GAP_MS.least, BURST_GAP_MS.most);
    own.nextNs = trueNs + gapMs * 1e6;
  };
  for (let nextLookNs = 0; trueNs < init.seconds * 1e9; ) {
    const nextNs = Math.min(a.nextNs, b.nextNs);
    while (nextLookNs < nextNs) {
      goOn(nextLookNs);
      look();
      nextLookNs += CHECK_EVERY_NS;
    }
    goOn(nextNs);
    if (a.nextNs <= b.nextNs) burst(a, b, [init.ab, init.ba]);
    else burst(b, a, [init.ba, init.ab]);
  }
  return { looks, held, errorsNs };
}

/** Several houses. */
function simulateAll(seeds: number, rest: { readonly seconds: number; readonly ab: Way; readonly ba: Way }) {
  const all = Array.from({ length: seeds }, (_, seed) => simulate({ seed: seed + 1, ...rest }));
  const sum = (of: 'looks' | 'held') => all.reduce((total, one) => total + one[of], 0);
  return { heldShare: sum('held') / sum('looks'), errorsNs: all.flatMap(({ errorsNs }) => errorsNs) };
}

t.test('on cables, what stamps do is taken out: to a microsecond', (t) => {
  const cable = queued(60_000, 8_000);
  const { heldShare, errorsNs } = simulateAll(10, { seconds: 300, ab: cable, ba: cable });
  t.equal(heldShare, 1);
  t.ok(quantile(errorsNs, 0.5) < 1_500 && quantile(errorsNs, 0.99) < 5_000, `${quantile(errorsNs, 0.99)} ns`);
  t.end();
});

t.test('a queue that comes and goes on one way is within the bound of the corrected line', (t) => {
  const { heldShare } = simulateAll(40, { seconds: 1_200, ab: queued(60_000, 8_000), ba: comesAndGoes });
  t.ok(heldShare >= 0.999, `${(100 * heldShare).toFixed(3)} % of the looks`);
  t.end();
});
