/** A line through a counter's readings: what a clock that is slewed at once makes of it. */
import t from 'tap';
import { LineFilter } from '../../src/audio/line-filter.js';
import { Prng } from '../../src/core/prng.js';

const RATE = 48_000;

/** Reads a counter every `everyMs`: for a minute at `RATE`, then faster by `ppm`. Calls `after` for each reading from then on. */
function turn(everyMs: number, ppm: number, after: (filter: LineFilter, sinceMs: number) => void): void {
  const filter = new LineFilter({ nominalRate: RATE, ppm: 0, ppmSigma: 100, leastNoise: 0.3, firstNoise: 4.8 });
  const prng = new Prng(7);
  filter.restart(0, 0);
  for (let ms = everyMs; ms < 70_000; ms += everyMs) {
    const sinceMs = ms - 60_000;
    const counter = ((ms + Math.max(0, sinceMs) * ppm * 1e-6) / 1_000) * RATE;
    filter.advance(ms * 1e6);
    filter.correct(Math.floor(counter + prng.u32() / 2 ** 32));
    if (sinceMs > 0) after(filter, sinceMs);
  }
}

t.test('a rate that changes at once is found, and never overshot by much, however often the counter is read', (t) => {
  for (const everyMs of [4.7, 13.3, 19.7, 19.8, 24.9, 29.7, 49.7, 99.7]) {
    let most = 0;
    let last = 0;
    turn(everyMs, 500, (filter, sinceMs) => {
      most = Math.max(most, filter.ppm);
      if (sinceMs > 5_000) last = Math.max(last, Math.abs(filter.ppm - 500));
    });
    t.ok(most < 1_000, `every ${everyMs} ms: at most ${most} ppm`);
    t.ok(last < 20, `every ${everyMs} ms: off by ${last} ppm after 5 s`);
  }
  t.end();
});
