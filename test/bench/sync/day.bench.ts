/** A day of three rooms in simulated time: crystals that warm up and wander, a network that queues, another leader every three hours. */
import { percentile } from '../consensus/statistics.js';
import { atMost, forInformation, type Row, type Suite } from '../row.js';
import { liveThrough } from './day-house.js';
import { slopePerHour } from './thread-notes.js';

const HOURS = 24;
const TERM_HOURS = 3;
/** A house that has just begun does not know its crystals yet. Seconds. */
const SETTLE_S = 60;

function run(): Promise<Row[]> {
  const { looks, snaps, outOfBound, widestUs } = liveThrough({ hours: HOURS, termHours: TERM_HOURS, seed: 1 });
  const settled = looks.filter(({ atS }) => atS > SETTLE_S);
  const apart = settled.map(({ apartUs }) => apartUs);
  const what = `${HOURS} h of simulated clocks and cards`;
  return Promise.resolve([
    forInformation({ what: `${what}: seconds in which all sounded`, figure: looks.length, unit: '' }),
    atMost(1_000, {
      what: `${what}: apart at most`,
      figure: percentile(
        looks.map(({ apartUs }) => apartUs),
        1,
      ),
      unit: 'us',
    }),
    atMost(10, { what: `${what}: apart, median`, figure: percentile(apart, 0.5), unit: 'us' }),
    atMost(30, { what: `${what}: apart, p99`, figure: percentile(apart, 0.99), unit: 'us' }),
    forInformation({
      what: `${what}: spread grows by`,
      figure: slopePerHour(settled.map(({ atS, apartUs }) => ({ atH: atS / 3_600, value: apartUs }))),
      unit: 'us/h',
    }),
    atMost(0, { what: `${what}: positions set anew`, figure: snaps, unit: '' }),
    atMost(0, { what: `${what}: clocks outside of their bounds`, figure: outOfBound, unit: '' }),
    forInformation({ what: `${what}: widest bound`, figure: widestUs, unit: 'us' }),
  ]);
}

const suite: Suite = { name: 'sync-day', run };
export default suite;
