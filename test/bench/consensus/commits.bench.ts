/**
 * Commits and strong reads of three nodes, beside etcd's: one client, and 16 and 64 at once, all at the leader.
 *
 * Both clusters stand on this machine the whole time, on the same disk, with TLS between their nodes. A figure is the median of five runs;
 * the runs alternate, and so does who goes first, so that whatever else the machine does meets both.
 */
import { readFileSync } from 'node:fs';
import { atMost, atMostTimesPeer, forInformation, type Row, type Suite, skipped, timesPeer } from '../row.js';
import { type Contestant, leaderOf, type Member } from './contestant.js';
import { findEtcd, startEtcd } from './etcd-cluster.js';
import { atOnce, latenciesOf, oneByOne } from './load.js';
import { median } from './statistics.js';
import { startHouse } from './tutti-house.js';

const ROUNDS = 5;
/** Before the first round: code is compiled, logs are in use. Requests. */
const WARM_UP = 3_000;
/** Requests of one run. */
const SEQUENTIAL = 1_000;
const AT_ONCE = { 16: 4_000, 64: 8_000 } as const;

/** The figures of one run of one side. Latencies in milliseconds, rates per second. */
interface Figures {
  readonly commitP50: number;
  readonly commitP99: number;
  readonly rate16: number;
  readonly rate64: number;
  readonly readP50: number;
  readonly readP99: number;
  /** Bytes that all its processes wrote to disks while it was asked for reads. */
  readonly readWroteBytes: number;
}

async function measure(contestant: Contestant): Promise<Figures> {
  const leader = await leaderOf(contestant);
  const write = (n: number) => leader.writeRequest(n);
  const read = leader.strongReadRequest();
  const commit = latenciesOf(await oneByOne(leader.port, write, SEQUENTIAL));
  const rate16 = await atOnce(leader.port, write, 16, AT_ONCE[16]);
  const rate64 = await atOnce(leader.port, write, 64, AT_ONCE[64]);
  const before = writtenBytes(contestant.members);
  const reads = latenciesOf(await oneByOne(leader.port, () => read, SEQUENTIAL));
  return {
    commitP50: commit.p50,
    commitP99: commit.p99,
    rate16,
    rate64,
    readP50: reads.p50,
    readP99: reads.p99,
    readWroteBytes: writtenBytes(contestant.members) - before,
  };
}

/** What processes caused to be written to disks so far (proc(5), /proc/PID/io). */
function writtenBytes(members: readonly Member[]): number {
  const of = ({ pid }: Member) => Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
  return members.reduce((sum, member) => sum + of(member), 0);
}

async function warmUp(contestant: Contestant): Promise<void> {
  const leader = await leaderOf(contestant);
  await atOnce(leader.port, (n) => leader.writeRequest(n), 16, WARM_UP);
  await oneByOne(leader.port, () => leader.strongReadRequest(), WARM_UP / 10);
}

/** The median of each figure over the rounds. */
const medians = (rounds: readonly Figures[]): Figures =>
  Object.fromEntries(
    Object.keys(rounds[0]!).map((name) => [name, median(rounds.map((figures) => figures[name as keyof Figures]))]),
  ) as unknown as Figures;

async function run(): Promise<Row[]> {
  const etcd = findEtcd();
  const contestants: Contestant[] = [await startHouse()];
  const rounds = new Map<Contestant, Figures[]>();
  try {
    if (!('missing' in etcd)) contestants.push(await startEtcd(etcd.path));
    for (const contestant of contestants) {
      await warmUp(contestant);
      rounds.set(contestant, []);
    }
    for (let round = 0; round < ROUNDS; round++) {
      const order = round % 2 === 0 ? contestants : contestants.toReversed();
      for (const contestant of order) rounds.get(contestant)!.push(await measure(contestant));
    }
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
  const [ours, theirs] = contestants.map((contestant) => medians(rounds.get(contestant)!));
  const rows = rowsOf(ours!, theirs);
  return 'missing' in etcd ? [...rows, skipped('beside etcd', etcd.missing)] : rows;
}

function rowsOf(ours: Figures, theirs: Figures | undefined): Row[] {
  const beside = (name: keyof Figures, what: string, unit: string, judge: typeof timesPeer, factor: number): Row => {
    const row = { what, figure: ours[name], unit };
    return theirs === undefined
      ? forInformation(row)
      : judge(factor, { ...row, peer: { name: 'etcd', figure: theirs[name] } });
  };
  return [
    beside('commitP50', 'commit, one after another: p50', 'ms', atMostTimesPeer, 0.75),
    beside('commitP99', 'commit, one after another: p99', 'ms', atMostTimesPeer, 0.9),
    beside('rate16', 'commits, 16 at once', '/s', timesPeer, 2),
    beside('rate64', 'commits, 64 at once', '/s', timesPeer, 2),
    beside('readP50', 'strong read: p50', 'ms', atMostTimesPeer, 0.9),
    atMost(0, { what: 'strong reads: written to disks', figure: ours.readWroteBytes, unit: 'B' }),
  ];
}

const suite: Suite = { name: 'consensus-commits', run };
export default suite;
