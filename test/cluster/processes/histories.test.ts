/**
 * Four people at once at the nodes of a real house that are killed, stopped and cut off. Each of all their calls took place at one instant
 * between its beginning and its end, as if there were one machine: whatever befell the house, nobody could tell.
 */
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Queue, Queued, State, Track } from '../../../src/http/schema.js';
import { makeClocks } from '../../bench/sync/crystals.js';
import { hostNs } from '../../bench/sync/rooms.js';
import { temporaryFolder, until } from '../../support/daemon.js';
import { NODE_NAMES, type NodeName, stateOf } from '../../support/three-nodes.js';
import { WiredHouse } from '../../support/wired-house.js';
import { houseModel } from '../house-model.js';
import { linearize } from '../linearizable.js';
import { Clients, longSong, viewOf } from './clients.js';

const CLIENTS = 4;
/** The clocks of the nodes run up to one per cent apart, and one has a slow card. */
const PPM = [-5_000, 0, 5_000];
const SYNC_DELAYS_MS = [0, 0, 40];
/** Between two looks at who leads. Milliseconds. */
const LOOK_MS = 10;
/** How long a node is stopped or cut off: longer than an election takes. Milliseconds. */
const HARM_MS = 1_500;

t.setTimeout(230_000);

/** A house with one item in its queue, stopped. */
async function startedHouse(t: Test, envOf?: (index: number) => Readonly<Record<string, string>>) {
  const house = await WiredHouse.start(t, temporaryFolder(t), envOf);
  const { kitchen } = house.daemons;
  const track: Track = (await kitchen.upload('a.wav', longSong())).json;
  const { itemIds }: Queued = (await kitchen.call('POST', '/queue', { trackId: track.id })).json;
  const state: State = (await kitchen.call('GET', '/state?consistency=strong')).json;
  const model = houseModel({ ...viewOf(state), nextSeq: Number(itemIds[0]!.slice(1)) + 1 });
  return { house, track, model };
}

/** Whatever was asked of a house: it is whole again, all show the same, and it answered as one machine would have. */
async function judge(t: Test, house: WiredHouse, clients: Clients, model: ReturnType<typeof houseModel>) {
  await house.leader();
  for (const { url } of Object.values(house.daemons)) await clients.read(url);
  const daemons = Object.values(house.daemons);
  const views = await until('all have applied the same', async () => {
    const states = await Promise.all(daemons.map(stateOf));
    return new Set(states.map(({ cluster }) => cluster.appliedSlot)).size === 1 ? states : null;
  });
  const agreed = ({ queueVersion, queueLength, tracksRev, muted, transport, ...state }: State) => {
    const { status, itemId, startAtNs, changedBy } = transport;
    return {
      ...viewOf({ ...state, transport } as State),
      queueVersion,
      queueLength,
      tracksRev,
      muted,
      status,
      itemId,
      startAtNs,
      changedBy,
    };
  };
  const queues = await Promise.all(daemons.map(async (daemon) => (await daemon.call('GET', '/queue')).json as Queue));
  for (const [at, view] of views.entries()) {
    t.strictSame(agreed(view), agreed(views[0]!), `${NODE_NAMES[at]} shows the same state`);
    t.strictSame(
      queues[at]!.items.map(({ itemId, addedBy }) => ({ itemId, addedBy })),
      queues[0]!.items.map(({ itemId, addedBy }) => ({ itemId, addedBy })),
      'and the same queue',
    );
  }
  t.strictSame(clients.contradictions, [], 'nobody was told two things of one wish');
  const { ok, stuckAt } = linearize(model, clients.history);
  t.ok(ok, `${clients.history.length} calls, ${clients.unanswered} attempts without an answer: as by one machine`, {
    stuckAt,
  });
}

await t.test(
  '200 commands from four people at once, each sent to two nodes, while a node restarts: each is done once',
  async (t) => {
    const { house, track, model } = await startedHouse(t);
    const clients = new Clients(() => Object.values(house.daemons).map(({ url }) => url), {
      trackId: track.id,
      seed: 1,
      twice: true,
      givesUpOneIn: 1_000_000,
    });
    const asked = clients.run(CLIENTS, 200 / CLIENTS);
    const leader = await house.leader();
    await house.kill(leader);
    await house.restart(leader);
    await asked;
    await judge(t, house, clients, model);
  },
);

/** What is done to a node, and undone: the house is whole again after that. */
type Harm = (house: WiredHouse, victim: NodeName) => Promise<void>;

const killed: Harm = async (house, victim) => {
  await house.kill(victim);
  await wait(HARM_MS);
  await house.restart(victim);
};
const stopped: Harm = async ({ daemons }, victim) => {
  daemons[victim].process.kill('SIGSTOP');
  await wait(HARM_MS);
  daemons[victim].process.kill('SIGCONT');
};
const cutOff: Harm = async ({ wires }, victim) => {
  if ('missing' in wires) return;
  wires.pull(NODE_NAMES.indexOf(victim));
  await wait(HARM_MS);
  wires.plug(NODE_NAMES.indexOf(victim));
};
const unheard: Harm = async ({ wires }, victim) => {
  if ('missing' in wires) return;
  const at = NODE_NAMES.indexOf(victim);
  const others = [0, 1, 2].filter((other) => other !== at);
  for (const other of others) wires.lose(at, other);
  await wait(HARM_MS);
  for (const other of others) wires.restore(at, other);
};

/** Watches who says of itself that it leads, until `stop`. */
class LeaderWatch {
  readonly #claims = new Map<string, Claim[]>();
  #isRunning = true;

  constructor(house: WiredHouse) {
    for (const name of NODE_NAMES) void this.#watch(house, name);
  }

  stop(): void {
    this.#isRunning = false;
  }

  /** Instants at which two led. Whoever says so twice in one term has led all the while in between. */
  get twoAtOnce(): readonly (readonly Claim[])[] {
    const terms = [...this.#claims.values()].flatMap((claims) =>
      claims.slice(1).map((claim, at) => [claims[at]!, claim] as const),
    );
    const led = terms.filter(([one, next]) => one.term === next.term);
    const all = [...this.#claims.values()].flat();
    return led.flatMap(([one, next]) =>
      all
        .filter(
          ({ node, askedAt, answeredAt }) => node !== one.node && askedAt > one.answeredAt && answeredAt < next.askedAt,
        )
        .map((other) => [one, other, next]),
    );
  }

  get claims(): number {
    return [...this.#claims.values()].flat().length;
  }

  async #watch({ daemons }: WiredHouse, node: NodeName): Promise<void> {
    const claims: Claim[] = [];
    this.#claims.set(node, claims);
    while (this.#isRunning) {
      const askedAt = performance.now();
      const state = await stateOf(daemons[node]).catch(() => null);
      if (state?.cluster.role === 'leader')
        claims.push({ node, term: state.cluster.leaderSinceNs!, askedAt, answeredAt: performance.now() });
      await wait(LOOK_MS);
    }
  }
}

/** A node said that it leads: at some instant between these two. */
interface Claim {
  readonly node: NodeName;
  readonly term: string;
  readonly askedAt: number;
  readonly answeredAt: number;
}

await t.test(
  '[row 67] people ask while leaders and followers are killed, stopped, cut off and not heard, by clocks one per cent apart',
  async (t) => {
    const clocks = makeClocks(temporaryFolder(t), hostNs());
    if ('missing' in clocks) t.comment(`with clocks that run alike: ${clocks.missing}`);
    const { house, track, model } = await startedHouse(t, (index) => ({
      ...('missing' in clocks ? {} : clocks.wrap({ offsetS: 0, ppm: PPM[index]!, wanderPpm: 0, seed: 1 }, []).env),
      TUTTI_TEST_SYNC_DELAY_MS: String(SYNC_DELAYS_MS[index]),
    }));
    const watch = new LeaderWatch(house);
    if ('missing' in house.wires) t.comment(`without partitions: ${house.wires.missing}`);
    const clients = new Clients(() => Object.values(house.daemons).map(({ url }) => url), {
      trackId: track.id,
      seed: 2,
      twice: false,
      givesUpOneIn: 10,
    });
    const asked = clients.run(CLIENTS);
    for (const harm of [killed, stopped, cutOff, unheard]) {
      for (const who of ['leader', 'follower'] as const) {
        const leader = await house.leader();
        await harm(house, who === 'leader' ? leader : NODE_NAMES.find((name) => name !== leader)!);
      }
    }
    await house.leader();
    clients.stop();
    watch.stop();
    await asked;
    t.ok(watch.claims > 0);
    t.strictSame(watch.twoAtOnce, [], `of ${watch.claims} times that somebody said that it leads, no two at once`);
    await judge(t, house, clients, model);
  },
);
