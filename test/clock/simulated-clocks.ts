/** Two machines' clocks, the network between them, and the truth of both, for simulations of hours in a moment. */
import { BURST_GAP_MS, COLD_GAPS_MS, SAMPLES_PER_BURST } from '../../src/clock/constants.js';
import { PeerFilter } from '../../src/clock/peer-filter.js';
import { peerBoundAt, peerTimeAt } from '../../src/clock/peer-line.js';
import { type Sample, sampleOf } from '../../src/clock/sample.js';
import { Prng } from '../../src/core/prng.js';
import { type LocalTime, localTime } from '../../src/core/units.js';

/** Draws from the distributions that clocks and networks have. */
export class Draws {
  readonly prng: Prng;

  constructor(seed: number) {
    this.prng = new Prng(seed);
  }

  /** Mean 0, one sigma of 1 (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.prng.fraction()));
    return radius * Math.cos(2 * Math.PI * this.prng.fraction());
  }

  /** Mean `mean`, 0 or more: what queues add. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.prng.fraction());
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.prng.fraction();
  }
}

/** How a crystal behaves. */
export interface Crystal {
  readonly ppm: number;
  /** Random walk of its rate, ppm in a root of a second. */
  readonly wander: number;
  /** What it reads at true time 0, nanoseconds. */
  readonly zeroNs: bigint;
}

/** A machine's clock over true time, in nanoseconds from 0 on. Only ever read at rising instants, a burst at a time. */
export class SimulatedClock {
  ppm: number;
  readonly #crystal: Crystal;
  readonly #draws: Draws;
  #trueNs = 0;
  /** By how much it is ahead of true time there, less its zero. */
  #aheadNs = 0;

  constructor(crystal: Crystal, draws: Draws) {
    this.ppm = crystal.ppm;
    this.#crystal = crystal;
    this.#draws = draws;
  }

  /** Time goes on until then; the rate walks on. */
  advance(trueNs: number): void {
    const passed = trueNs - this.#trueNs;
    this.#aheadNs += (passed * this.ppm) / 1e6;
    this.#trueNs = trueNs;
    this.ppm += this.#crystal.wander * Math.sqrt(passed / 1e9) * this.#draws.normal();
  }

  /** Leaps: the machine rebooted, or (back) was suspended for so long. */
  leap(byNs: number): void {
    this.#aheadNs += byNs;
  }

  /** What it reads a moment after the instant that it was advanced to. */
  at(trueNs: number): LocalTime {
    const ahead = this.#aheadNs + ((trueNs - this.#trueNs) * this.ppm) / 1e6;
    return localTime(this.#crystal.zeroNs + BigInt(Math.round(trueNs + ahead)));
  }
}

/** One way through the network: how long a datagram takes, nanoseconds; null for one that is lost. */
export type Way = (draws: Draws) => number | null;

/** A way of so long at least, plus what queues add on average; a part of the datagrams is lost. */
export const queued =
  (leastNs: number, meanNs: number, lossRatio = 0): Way =>
  (draws) =>
    draws.prng.fraction() < lossRatio ? null : leastNs + draws.exponential(meanNs);

/** What is found in one simulation. */
export interface Found {
  /** Of the line against the truth, nanoseconds, with the bound that went with it: on average twice a second from the first line on. */
  readonly checks: { readonly atS: number; readonly errorNs: number; readonly boundNs: number }[];
}

/** One node that measures another. */
export interface Pair {
  readonly seed: number;
  readonly seconds: number;
  readonly mine: Crystal;
  readonly theirs: Crystal;
  readonly out: Way;
  readonly back: Way;
  /** How late stamps are, on average, nanoseconds. */
  readonly stampNs: number;
  /** Before each burst: what happens to the two clocks, and false where nobody is heard. */
  readonly meanwhile?: (
    atS: number,
    clocks: { readonly mine: SimulatedClock; readonly theirs: SimulatedClock },
  ) => boolean;
  /** Heard after each burst. */
  readonly after?: (filter: PeerFilter, atS: number) => void;
}

/** Lines are looked at so often between two bursts. */
const CHECKS_PER_GAP = 7;

/** Runs the bursts of a pair through a filter, as the prober would, and holds every line against the truth. */
export function simulate(pair: Pair): Found {
  const draws = new Draws(pair.seed);
  const mine = new SimulatedClock(pair.mine, draws);
  const theirs = new SimulatedClock(pair.theirs, draws);
  const filter = new PeerFilter({ stampSigmaNs: 2_000 });
  const checks: Found['checks'] = [];
  let trueNs = 0;

  const exchange = (): Sample | null => {
    const [out, back] = [pair.out(draws), pair.back(draws)];
    if (out === null || back === null) return null;
    const late = () => draws.exponential(pair.stampNs);
    const sent = trueNs;
    const there = sent + out;
    const answered = there + draws.between(20_000, 200_000);
    return sampleOf({
      sentAt: mine.at(sent - late()),
      peerReceivedAt: theirs.at(there + late()),
      peerSentAt: theirs.at(answered - late()),
      receivedAt: mine.at(answered + back + late()),
    });
  };
  const check = () => {
    const line = filter.line();
    if (line === null) return;
    const local = mine.at(trueNs);
    const errorNs = Number(peerTimeAt(line, local) - theirs.at(trueNs));
    checks.push({ atS: trueNs / 1e9, errorNs, boundNs: peerBoundAt(line, local) });
  };

  for (let burst = 0; trueNs < pair.seconds * 1e9; burst++) {
    const gapMs = COLD_GAPS_MS[burst] ?? draws.between(BURST_GAP_MS.least, BURST_GAP_MS.most);
    for (let part = 0; part < CHECKS_PER_GAP; part++) {
      trueNs += (gapMs * 1e6) / CHECKS_PER_GAP;
      mine.advance(trueNs);
      theirs.advance(trueNs);
      check();
    }
    if (pair.meanwhile?.(trueNs / 1e9, { mine, theirs }) === false) continue;
    const samples: Sample[] = [];
    for (let i = 0; i < SAMPLES_PER_BURST; i++) {
      trueNs += draws.between(2e6, 6e6);
      const sample = exchange();
      if (sample !== null) samples.push(sample);
    }
    filter.take(samples);
    check();
    pair.after?.(filter, trueNs / 1e9);
  }
  return { checks };
}

/** Of some numbers, the one below which that part of them is. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
