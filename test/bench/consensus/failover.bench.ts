/**
 * Failover: the leader is killed, and clients go on asking the others. How long until the first write that was asked for after that is
 * answered?
 *
 * A client that waits for the answer to a request which went down with the leader would measure its own patience. So a new request
 * leaves every few milliseconds, to each survivor, on a connection of its own, and the first good answer counts.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { atMost, atMostTimesPeer, forInformation, type Row, type Suite, skipped } from '../row.js';
import { type Contestant, leaderOf, type Member, type Timing, until } from './contestant.js';
import { findEtcd, startEtcd } from './etcd-cluster.js';
import { HttpConnection } from './http-client.js';
import { percentile } from './statistics.js';
import { startHouse } from './tutti-house.js';

/** Between two requests to one survivor: the resolution of the figure. Milliseconds. */
const ASK_EVERY_MS = 5;
/** Connections that are opened to each survivor ahead of the kill; more are opened when they are all in use. */
const CONNECTIONS = 60;
/** After the killed one is back and has caught up, until the next kill: all have settled. Milliseconds. */
const REST_MS = 300;
const GIVE_UP_MS = 30_000;

/** How often, on each side, and with which patience: the same on both. */
const KILLS = 30;
const EQUAL: Timing = { heartbeatMs: 30, electionMs: 200 };
/** What failover may take at most as the product comes, at p99. Milliseconds. */
const PRODUCT_P99_MS_MAX = 1_200;

/** Lets {@link killInTurn} have the contestants, and ends them. */
async function failovers(contestants: readonly Contestant[]): Promise<number[][]> {
  try {
    return await killInTurn(contestants);
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
}

/** Kills the leaders of the contestants in turn, {@link KILLS} times each; gives what each failover took, in milliseconds. */
async function killInTurn(contestants: readonly Contestant[]): Promise<number[][]> {
  const took = contestants.map((): number[] => []);
  for (let kill = 0; kill < KILLS; kill++) {
    for (const [index, contestant] of contestants.entries()) {
      const leader = await leaderOf(contestant);
      const survivors = contestant.members.filter((member) => member !== leader);
      took[index]!.push(await failover(leader, survivors, kill));
      leader.start();
      await caughtUp(leader, survivors);
      await wait(REST_MS);
    }
  }
  return took;
}

/**
 * Kills the leader; gives how long it took until a write that was asked for after that was answered, milliseconds. `kill`: how often it was
 * done before, for writes that differ.
 */
export async function failover(
  leader: Pick<Member, 'end'>,
  survivors: readonly Pick<Member, 'port' | 'writeRequest'>[],
  kill: number,
): Promise<number> {
  const pools = await Promise.all(
    survivors.map(async ({ port }) =>
      Promise.all(Array.from({ length: CONNECTIONS }, () => HttpConnection.open(port))),
    ),
  );
  const opened = pools.flat();
  const ended = leader.end('SIGKILL');
  const killedAt = performance.now();
  let answeredAt: number | undefined;
  let n = 1_000 * kill;
  const ask = async (survivor: number) => {
    const member = survivors[survivor]!;
    const pool = pools[survivor]!;
    const connection = pool.pop() ?? (await HttpConnection.open(member.port));
    if (!opened.includes(connection)) opened.push(connection);
    const { status } = await connection.send(member.writeRequest(n++));
    if (status === 200) answeredAt ??= performance.now();
    pool.push(connection);
  };
  while (answeredAt === undefined) {
    // An answer that says no, or a connection that is lost, is one of the many that are not counted.
    for (const survivor of survivors.keys()) void ask(survivor).catch(() => {});
    await wait(ASK_EVERY_MS);
    if (performance.now() - killedAt > GIVE_UP_MS) throw new Error('no survivor took over');
  }
  await ended;
  for (const connection of opened) connection.close();
  return answeredAt - killedAt;
}

/** Waits until `member` has applied what the others had when this was called. */
async function caughtUp(member: Member, others: readonly Member[]): Promise<void> {
  const indexes = await Promise.all(others.map((other) => until('a survivor answers', () => other.appliedIndex())));
  const goal = Math.max(...indexes);
  await until('the one that was killed has caught up', async () => (await member.appliedIndex()) >= goal);
}

async function run(): Promise<Row[]> {
  const rows: Row[] = [];
  const etcd = findEtcd();
  const equal: Contestant[] = [await startHouse({ timing: EQUAL })];
  if ('missing' in etcd) rows.push(skipped('failover beside etcd', etcd.missing));
  else equal.push(await startEtcd(etcd.path, EQUAL));
  const [ours, theirs] = await failovers(equal);
  const what = `failover, ${KILLS} kills, heartbeat ${EQUAL.heartbeatMs} ms, election ${EQUAL.electionMs} ms`;
  for (const [name, p] of [
    ['p50', 0.5],
    ['p90', 0.9],
  ] as const) {
    const row = { what: `${what}: ${name}`, figure: percentile(ours!, p), unit: 'ms' };
    if (theirs === undefined) rows.push(forInformation(row));
    else rows.push(atMostTimesPeer(1, { ...row, peer: { name: 'etcd', figure: percentile(theirs, p) } }));
  }
  const [took] = await failovers([await startHouse()]);
  const figure = percentile(took!, 0.99);
  rows.push(atMost(PRODUCT_P99_MS_MAX, { what: `failover, ${KILLS} kills, as it comes: p99`, figure, unit: 'ms' }));
  return rows;
}

const suite: Suite = { name: 'consensus-failover', run };
export default suite;
