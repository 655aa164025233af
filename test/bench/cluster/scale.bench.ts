/**
 * What a house of many costs: 3, 9, 30 and 100 nodes, as messages and bytes of consensus. How many of them vote the house sees to itself
 * (replication/voters.ts).
 *
 * The replicas are real; time, network and disks are simulated, so the counts are the same at every run and on every machine. What a message
 * costs is another question: `npm run bench -- consensus-commits` and docs/scale.md.
 */
import type { NodeId } from '../../../src/core/ids.js';
import { bytes, TestCluster, type TestNode } from '../../replication/cluster.js';
import { atMost, forInformation, type Row, type Suite } from '../row.js';

const SIZES = [3, 9, 30, 100] as const;
const FOUNDERS = 3;
/** How long it takes at most until no more roles change, milliseconds. */
const SETTLE_MS = 60_000;
/** How long a house that nobody asks anything is watched, milliseconds. */
const IDLE_MS = 10_000;
const COMMITS = 50;
/** About what a press of skip takes in the log. */
const COMMAND = bytes('x'.repeat(160));

/** What one node sent. */
interface Sent {
  messages: number;
  bytes: number;
}

interface Figures {
  readonly voters: number;
  /** Per second; the last node votes where all do. */
  readonly idle: { readonly leader: Sent; readonly last: Sent };
  /** Per commit. */
  readonly commit: { readonly leader: Sent; readonly all: Sent };
  /** From the proposal to the last node that applied it, milliseconds; delay 0.5 ms a way, 2 ms a batch. */
  readonly everywhereMs: number;
}

async function measure(size: number): Promise<Figures> {
  const letters = Array.from({ length: size }, (_, at) => String(at).padStart(2, '0'));
  const sent = new Map<NodeId, Sent>();
  const cluster = new TestCluster(letters, {
    sent: (from, length) => {
      const node = sent.get(from) ?? { messages: 0, bytes: 0 };
      sent.set(from, { messages: node.messages + 1, bytes: node.bytes + length });
    },
  });
  await cluster.start(letters.slice(FOUNDERS));
  const leader = await cluster.awaitLeader();
  const isOne = () => cluster.nodes.every((node) => node.replica.status().leader === leader.id);
  await cluster.until(isOne, 'all follow');
  // Learners come to vote one after another, where the house wants more.
  await cluster.pass(SETTLE_MS);
  const voters = leader.replica.status().members.filter(({ voter }) => voter).length;

  const sentBy = ({ id }: TestNode): Sent => sent.get(id) ?? { messages: 0, bytes: 0 };
  sent.clear();
  await cluster.pass(IDLE_MS);
  const perSecond = ({ messages, bytes: length }: Sent): Sent => ({
    messages: messages / (IDLE_MS / 1_000),
    bytes: length / (IDLE_MS / 1_000),
  });
  const last = cluster.nodes.findLast((node) => node !== leader)!;
  const idle = { leader: perSecond(sentBy(leader)), last: perSecond(sentBy(last)) };
  const idleAll = perSecond(total(sent));

  sent.clear();
  const startedAt = cluster.time.now();
  let slowestNs = 0n;
  for (let count = 0; count < COMMITS; count++) {
    const before = cluster.time.now();
    const slot = await cluster.settle(leader.replica.propose(COMMAND));
    await cluster.until(() => cluster.nodes.every(({ recorder }) => recorder.slot >= slot), 'it is everywhere');
    const took = cluster.time.now() - before;
    if (took > slowestNs) slowestNs = took;
  }
  const seconds = Number(cluster.time.now() - startedAt) / 1e9;
  const perCommit = (all: Sent, quiet: Sent): Sent => ({
    messages: (all.messages - quiet.messages * seconds) / COMMITS,
    bytes: (all.bytes - quiet.bytes * seconds) / COMMITS,
  });
  const commit = { leader: perCommit(sentBy(leader), idle.leader), all: perCommit(total(sent), idleAll) };
  await cluster.stop();
  return { voters, idle, commit, everywhereMs: Number(slowestNs) / 1e6 };
}

const total = (sent: ReadonlyMap<NodeId, Sent>): Sent =>
  [...sent.values()].reduce(
    (sum, each) => ({ messages: sum.messages + each.messages, bytes: sum.bytes + each.bytes }),
    { messages: 0, bytes: 0 },
  );

async function run(): Promise<Row[]> {
  const rows: Row[] = [];
  const tell = (what: string, figure: number, unit: string) => rows.push(forInformation({ what, figure, unit }));
  let ofThree: Figures | null = null;
  for (const size of SIZES) {
    const figures = await measure(size);
    ofThree ??= figures;
    const { voters, idle, commit, everywhereMs } = figures;
    tell(`${size} nodes: of these vote`, voters, '');
    tell(`${size} nodes, idle: the leader sends`, idle.leader.messages, 'messages/s');
    tell(`${size} nodes, idle: the leader sends`, idle.leader.bytes, 'B/s');
    if (size > voters) tell(`${size} nodes, idle: a learner sends`, idle.last.messages, 'messages/s');
    tell(`${size} nodes, a commit: the leader sends`, commit.leader.messages, 'messages');
    tell(`${size} nodes, a commit: the leader sends`, commit.leader.bytes, 'B');
    tell(`${size} nodes, a commit: all send`, commit.all.messages, 'messages');
    const what = `${size} nodes, a commit: applied by the last of them`;
    // Learners must not slow down who votes, and hear of it one way later.
    rows.push(atMost(2 * ofThree.everywhereMs + 10, { what, figure: everywhereMs, unit: 'ms' }));
  }
  return rows;
}

const suite: Suite = { name: 'cluster-scale', run };
export default suite;
