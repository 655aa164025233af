/** Catch-up: a member that was away while thousands of entries were agreed comes back, from the start of its process on. */
import { atMostTimesPeer, forInformation, type Row, type Suite, skipped } from '../row.js';
import { type Contestant, leaderOf, until } from './contestant.js';
import { findEtcd, startEtcd } from './etcd-cluster.js';
import { atOnce } from './load.js';
import { median } from './statistics.js';
import { startHouse } from './tutti-house.js';

/** Entries that were missed, and how often that is measured. */
const ENTRIES = 20_000;
const ROUNDS = 3;

/** Clients that make the entries. */
const WRITERS = 64;

/** Milliseconds from the start of a member's process until it has applied the entries that were agreed while it was away. */
async function catchUp(contestant: Contestant): Promise<number> {
  const leader = await leaderOf(contestant);
  const absent = contestant.members.find((member) => member !== leader)!;
  await absent.end('SIGTERM');
  await atOnce(leader.port, (n) => leader.writeRequest(n), WRITERS, ENTRIES);
  const goal = await leader.appliedIndex();
  const startedAt = performance.now();
  absent.start();
  return until(`${contestant.name} has caught up`, async () => {
    const index = await absent.appliedIndex();
    return index >= goal ? performance.now() - startedAt : undefined;
  });
}

async function run(): Promise<Row[]> {
  const etcd = findEtcd();
  const contestants: Contestant[] = [await startHouse()];
  const took = new Map<Contestant, number[]>();
  try {
    if (!('missing' in etcd)) contestants.push(await startEtcd(etcd.path));
    for (let round = 0; round < ROUNDS; round++) {
      for (const contestant of contestants) {
        took.set(contestant, [...(took.get(contestant) ?? []), await catchUp(contestant)]);
      }
    }
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
  const [ours, theirs] = contestants.map((contestant) => median(took.get(contestant)!));
  const row = { what: `catch-up of ${ENTRIES} entries, with the start of the process`, figure: ours!, unit: 'ms' };
  if ('missing' in etcd) return [forInformation(row), skipped('beside etcd', etcd.missing)];
  return [atMostTimesPeer(2, { ...row, peer: { name: 'etcd', figure: theirs! } })];
}

const suite: Suite = { name: 'consensus-catch-up', run };
export default suite;
