/** 16 jobs of 5 s in libuv's pool of every node at once: commits go on, and nobody loses the lead for it. */
import { fileURLToPath } from 'node:url';
import { atMost, forInformation, type Row, type Suite } from '../row.js';
import { leaderOf } from './contestant.js';
import { type Latencies, latenciesOf, oneByOne } from './load.js';
import { startHouse } from './tutti-house.js';

const HOG = fileURLToPath(new URL('./hog.js', import.meta.url));
/** As long as the jobs keep the pool full. Milliseconds. */
const FULL_MS = 19_000;

/** The longest commit that nobody takes for a late one: below the least gap between two elections. Milliseconds. */
const COMMIT_MS_MAX = 250;

/** Latencies of commits with the pool free and with it full, milliseconds, and whether the leader was another one afterwards. */
async function underFullPool(): Promise<{
  readonly free: Latencies;
  readonly full: Latencies;
  readonly leaderChanged: boolean;
}> {
  const house = await startHouse({ nodeArgs: ['--import', HOG] });
  try {
    const leader = await leaderOf(house);
    const commit = (n: number) => leader.writeRequest(n);
    const free = await oneByOne(leader.port, commit, 1_000);
    for (const { pid } of house.members) process.kill(pid, 'SIGUSR2');
    const full: number[] = [];
    const endsAt = performance.now() + FULL_MS;
    while (performance.now() < endsAt) full.push(...(await oneByOne(leader.port, commit, 100)));
    const leaderChanged = (await leaderOf(house)) !== leader;
    return { free: latenciesOf(free), full: latenciesOf(full), leaderChanged };
  } finally {
    await house.stop();
  }
}

async function run(): Promise<Row[]> {
  const { free, full, leaderChanged } = await underFullPool();
  const what = "16 jobs of 5 s in libuv's pool of every node";
  return [
    forInformation({ what: 'commit with the pool free: p99', figure: free.p99, unit: 'ms' }),
    forInformation({ what: `${what}: commit p99`, figure: full.p99, unit: 'ms' }),
    atMost(COMMIT_MS_MAX, { what: `${what}: slowest commit`, figure: full.max, unit: 'ms' }),
    atMost(0, { what: `${what}: changes of leader`, figure: leaderChanged ? 1 : 0, unit: '' }),
  ];
}

const suite: Suite = { name: 'consensus-pool', run };
export default suite;
