/** The power of the whole house is cut, again and again, while four people ask for things: is all there that they were told? */
import { Prng } from '../../../src/core/prng.js';
import { type Cut, cutPower, songIn } from '../../cluster/processes/power-cut.js';
import { percentile } from '../consensus/statistics.js';
import { startHouse } from '../consensus/tutti-house.js';
import { atMost, forInformation, type Row, type Suite } from '../row.js';

const CUTS = 20;

async function run(): Promise<Row[]> {
  const house = await startHouse();
  try {
    const trackId = await songIn(house);
    const prng = new Prng(20);
    const cuts: Cut[] = [];
    while (cuts.length < CUTS) cuts.push(await cutPower(house, trackId, () => prng.fraction()));
    const sum = (count: (cut: Cut) => number) => cuts.reduce((total, cut) => total + count(cut), 0);
    const back = cuts.map(({ backMs }) => backMs);
    const what = `all killed at one instant, ${CUTS} times`;
    return [
      atMost(0, {
        what: `${what}: not as one machine that stood still: lost, doubled or late`,
        figure: sum(({ verdict }) => (verdict.ok ? 0 : 1)),
        unit: '',
      }),
      forInformation({
        what: `${what}: calls that were answered before`,
        figure: sum((cut) => cut.answered),
        unit: '',
      }),
      forInformation({ what: `${what}: calls under way`, figure: sum((cut) => cut.unanswered), unit: '' }),
      forInformation({
        what: `${what}: from power to a command done on each: p50`,
        figure: percentile(back, 0.5) / 1e3,
        unit: 's',
      }),
      forInformation({ what: `${what}: at most`, figure: percentile(back, 1) / 1e3, unit: 's' }),
    ];
  } finally {
    await house.stop();
  }
}

const suite: Suite = { name: 'cluster-dark', run };
export default suite;
