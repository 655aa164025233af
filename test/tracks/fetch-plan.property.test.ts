/** Whatever happens, and in whatever order, the plan keeps its invariants; and once nothing goes wrong any more, all that can be had is had. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type NodeId, nodeId, type TrackId, trackId } from '../../src/core/ids.js';
import { chunkPlan } from '../../src/library/chunks.js';
import { addChunk, noChunks } from '../../src/tracks/chunk-set.js';
import {
  DUE_NEAR_MS,
  DUE_PATIENCE_MS,
  IN_FLIGHT_BYTES_MAX,
  PATIENCE_MS_MIN,
  REFUSED_MS,
  WINDOW_MAX,
} from '../../src/tracks/exchange-limits.js';
import { FetchPlan } from '../../src/tracks/fetch-plan.js';

const COUNT = 20;
const PEERS = ['a', 'b', 'c', 'd'].map(nodeId);
const FILES = ['1', '2'].map((digit) => trackId(digit.repeat(64)));
/** So large that a few of them fill the memory that is meant for them. */
const CHUNK_BYTES = 2 << 20;
const PLAN = chunkPlan(COUNT * CHUNK_BYTES - 5, CHUNK_BYTES);

const EVERY = Array.from({ length: COUNT }, (_, index) => index);

const setOf = (indexes: Iterable<number>) => {
  const set = noChunks(COUNT);
  for (const index of indexes) addChunk(set, index);
  return set;
};

/** A chunk that was asked for: of whom, when, and whether the plan may have given it up. */
interface Flight {
  readonly peer: NodeId;
  readonly id: TrackId;
  readonly index: number;
  readonly atMs: number;
}

type Step =
  | { readonly do: 'up' | 'down' | 'forget'; readonly peer: number }
  | { readonly do: 'says'; readonly peer: number; readonly file: number; readonly has: readonly number[] | 'all' }
  | { readonly do: 'comes' | 'lacks' | 'lost'; readonly flight: number }
  | { readonly do: 'kept' | 'failed' | 'bad'; readonly writing: number }
  | { readonly do: 'due'; readonly chunks: readonly (readonly [number, number, number])[] }
  | { readonly do: 'order'; readonly files: readonly number[] }
  | { readonly do: 'trip'; readonly peer: number; readonly latest: number }
  | { readonly do: 'restart'; readonly file: number }
  | { readonly do: 'wait'; readonly ms: number };

const peer = fc.nat({ max: PEERS.length - 1 });
const file = fc.nat({ max: FILES.length - 1 });
const index = fc.nat({ max: COUNT - 1 });
const any = fc.nat({ max: 50 });
const said = fc.oneof(fc.constant('all' as const), fc.array(index, { maxLength: COUNT }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('up' as const, 'down' as const, 'forget' as const), peer }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('says' as const), peer, file, has: said }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('comes' as const, 'comes' as const, 'lacks' as const, 'lost' as const),
      flight: any,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('kept' as const, 'kept' as const, 'failed' as const, 'bad' as const),
      writing: any,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('due' as const),
      chunks: fc.array(fc.tuple(file, index, fc.nat({ max: 8_000 })), { maxLength: 6 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('order' as const), files: fc.uniqueArray(file, { maxLength: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trip' as const), peer, latest: fc.nat({ max: 100 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), file }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 3_000 }) }) },
);

/** The plan with a twin that only remembers. */
class World {
  readonly plan = new FetchPlan({ self: nodeId('m') });
  nowMs = 10_000;
  readonly up = new Set<NodeId>();
  /** What peers may be asked for, by peer and file. */
  readonly offered = new Map<string, Set<number>>();
  readonly whole = new Set<string>();
  flights: Flight[] = [];
  writing: { readonly id: TrackId; readonly index: number; readonly peer: NodeId }[] = [];
  readonly have = new Map<TrackId, Set<number>>(FILES.map((id) => [id, new Set()]));
  due = new Map<string, number>();
  readonly bad = new Map<string, number>();

  constructor() {
    for (const id of FILES) this.plan.begin(id, PLAN, noChunks(COUNT));
    this.plan.order(FILES);
  }

  take(step: Step): void {
    switch (step.do) {
      case 'up': {
        const node = PEERS[step.peer]!;
        if (this.up.has(node)) return;
        this.up.add(node);
        this.plan.peerUp(node);
        return;
      }
      case 'down':
        this.#down(PEERS[step.peer]!);
        return;
      case 'forget':
        for (const id of FILES) this.#says(PEERS[step.peer]!, id, null);
        return;
      case 'says':
        this.#says(PEERS[step.peer]!, FILES[step.file]!, step.has);
        return;
      case 'comes':
      case 'lacks':
      case 'lost': {
        const drawn = this.flights[step.flight % this.flights.length];
        if (drawn === undefined || step.do === 'lost') return;
        // What was asked for twice of one peer is the same: it counts as the later one.
        const isSame = ({ peer, id, index }: Flight) => peer === drawn.peer && id === drawn.id && index === drawn.index;
        const flight = this.flights.findLast(isSame)!;
        this.flights = this.flights.filter((other) => other !== flight);
        if (step.do === 'comes') this.comes(flight);
        else this.#lacks(flight);
        return;
      }
      case 'kept':
      case 'failed':
      case 'bad': {
        const chunk = this.writing[step.writing % this.writing.length];
        if (chunk !== undefined) this.written(chunk, step.do);
        return;
      }
      case 'due':
        this.due = new Map(step.chunks.map(([file, index, inMs]) => [`${FILES[file]} ${index}`, this.nowMs + inMs]));
        this.plan.due(step.chunks.map(([file, index, inMs]) => ({ id: FILES[file]!, index, atMs: this.nowMs + inMs })));
        return;
      case 'order':
        this.plan.order(step.files.map((file) => FILES[file]!));
        return;
      case 'trip':
        this.plan.measured(PEERS[step.peer]!, { least: 2, latest: step.latest }, this.nowMs);
        return;
      case 'restart':
        this.#restart(FILES[step.file]!);
        return;
      case 'wait':
        this.nowMs += step.ms;
    }
  }

  #down(node: NodeId): void {
    this.up.delete(node);
    this.flights = this.flights.filter(({ peer }) => peer !== node);
    for (const id of FILES) this.offered.delete(`${node} ${id}`);
    for (const id of FILES) this.whole.delete(`${node} ${id}`);
    for (const id of FILES) this.bad.delete(`${node} ${id}`);
    this.plan.peerDown(node);
  }

  #says(node: NodeId, id: TrackId, has: readonly number[] | 'all' | null): void {
    if (!this.up.has(node)) return;
    const key = `${node} ${id}`;
    if (has === null || (has === 'all' && !this.whole.has(key))) {
      this.#forgive(key);
    }
    if (has === 'all') this.whole.add(key);
    else this.whole.delete(key);
    const all = has === 'all' ? EVERY : (has ?? []);
    if (has === null) this.offered.delete(key);
    else this.offered.set(key, new Set(all));
    const coming = noChunks(COUNT);
    this.plan.has(node, id, has === 'all' || has === null ? has : { chunks: setOf(has), coming }, this.nowMs);
  }

  readonly refused = new Set<string>();
  /** When a peer last refused something of a file, or gave it wrong. */
  readonly refusedAtMs = new Map<string, number>();

  #forgive(key: string): void {
    this.bad.delete(key);
    this.refusedAtMs.delete(key);
    for (const refused of [...this.refused]) if (refused.startsWith(`${key} `)) this.refused.delete(refused);
  }

  #lacks({ peer, id, index }: Flight): void {
    if (this.offered.has(`${peer} ${id}`)) {
      this.refused.add(`${peer} ${id} ${index}`);
      this.refusedAtMs.set(`${peer} ${id}`, this.nowMs);
    }
    this.plan.lacks(peer, id, index, this.nowMs);
  }

  /** True where the peer may be asked for it. */
  mayGive(peer: NodeId, id: TrackId, index: number): boolean {
    const key = `${peer} ${id}`;
    const isOut = (this.bad.get(key) ?? 0) >= 3;
    return !isOut && this.offered.get(key)?.has(index) === true && !this.refused.has(`${key} ${index}`);
  }

  comes({ peer, id, index }: Flight): void {
    const isNeeded =
      !this.have.get(id)!.has(index) && !this.writing.some((one) => one.id === id && one.index === index);
    if (!this.plan.arrived(peer, id, index, this.nowMs)) return;
    assert.ok(isNeeded, `${index} came, and is not written twice`);
    this.writing.push({ id, index, peer });
  }

  written(chunk: World['writing'][number], how: 'kept' | 'failed' | 'bad'): void {
    const { id, index } = chunk;
    this.writing = this.writing.filter((other) => other !== chunk);
    if (how === 'kept') this.have.get(id)!.add(index);
    if (how !== 'bad') {
      this.plan[how](id, index);
      return;
    }
    const from = this.plan.bad(id, index, this.nowMs);
    const key = `${from} ${id}`;
    if (from === null || !this.offered.has(key)) return;
    this.refused.add(`${key} ${index}`);
    this.refusedAtMs.set(key, this.nowMs);
    this.bad.set(key, (this.bad.get(key) ?? 0) + 1);
  }

  /** The file is given up and begun anew with what is here. */
  #restart(id: TrackId): void {
    this.plan.end(id);
    this.writing = this.writing.filter((one) => one.id !== id);
    for (const peer of PEERS) {
      this.offered.delete(`${peer} ${id}`);
      this.whole.delete(`${peer} ${id}`);
      this.#forgive(`${peer} ${id}`);
    }
    this.plan.begin(id, PLAN, setOf(this.have.get(id)!));
    this.plan.order(FILES);
  }

  /** Asks, and checks what is asked. */
  next(): void {
    const before = this.flights;
    for (const [key, atMs] of [...this.refusedAtMs]) if (this.nowMs - atMs >= REFUSED_MS) this.#forgive(key);
    for (const { peer, id, index, isDue } of this.plan.next(this.nowMs)) {
      const what = `${index} of ${id[0]} from ${peer}`;
      assert.ok(this.up.has(peer), `${what}: the peer is up`);
      assert.ok(this.mayGive(peer, id, index), `${what}: it has it`);
      assert.ok(!this.have.get(id)!.has(index), `${what}: it is not here`);
      assert.ok(!this.writing.some((one) => one.id === id && one.index === index), `${what}: nor being written`);
      // What was asked for long ago may have been given up.
      const others = before.filter(
        (one) => one.id === id && one.index === index && this.nowMs - one.atMs < PATIENCE_MS_MIN,
      );
      const dueAtMs = this.due.get(`${id} ${index}`);
      if (others.length > 0) {
        assert.ok(isDue && dueAtMs! - this.nowMs < DUE_NEAR_MS, `${what}: only what is heard soon is asked for twice`);
        assert.ok(others.length === 1 && this.nowMs - others[0]!.atMs >= DUE_PATIENCE_MS, `${what}: and of two`);
        assert.notEqual(others[0]!.peer, peer, `${what}: of two others`);
      }
      this.flights = [...this.flights, { peer, id, index, atMs: this.nowMs }];
    }
    for (const peer of PEERS) {
      // What was asked for longer ago may have been given up.
      const coming = this.flights.filter((one) => one.peer === peer && this.nowMs - one.atMs < PATIENCE_MS_MIN);
      assert.ok(coming.length <= WINDOW_MAX, `${coming.length} chunks are on their way from ${peer}`);
    }
    const { inFlightBytes } = this.plan;
    assert.ok(inFlightBytes >= 0 && inFlightBytes <= IN_FLIGHT_BYTES_MAX, `${inFlightBytes} bytes are on their way`);
  }

  /** From now on whatever is asked for comes and is kept. */
  settle(): void {
    this.plan.order(FILES);
    for (let round = 0; round < 400; round++) {
      this.nowMs += 250;
      this.next();
      for (const flight of this.flights) this.comes(flight);
      this.flights = [];
      for (const chunk of this.writing) this.written(chunk, 'kept');
    }
  }
}

t.test('the plan keeps its invariants whatever happens, and comes to an end', (t) => {
  let [steps, had] = [0, 0];
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (all) => {
      const world = new World();
      for (const node of [0, 1, 2]) {
        world.take({ do: 'up', peer: node });
        world.take({ do: 'says', peer: node, file: 0, has: node === 0 ? 'all' : [1, 5, 9] });
      }
      for (const one of all) {
        world.take(one);
        world.next();
        steps++;
      }
      world.settle();
      for (const id of FILES) {
        for (let index = 0; index < COUNT; index++) {
          const canBeHad = [...world.up].some((node) => world.mayGive(node, id, index));
          assert.ok(!canBeHad || world.have.get(id)!.has(index), `${index} of ${id[0]} can be had, and is here`);
        }
        had += world.have.get(id)!.size;
      }
      assert.equal(world.plan.inFlightBytes, 0, 'nothing is on its way at the end');
    }),
    { seed: 1, numRuns: 800 },
  );
  t.ok(steps > 25_000 && had > 10_000, `${steps} steps, ${had} chunks`);
  t.end();
});

/** Who has which chunks of one file, which are on their way to somebody, and what is soon to be heard. */
const house = fc.record({
  peers: fc.array(fc.oneof(fc.constant('all' as const), fc.array(index, { maxLength: COUNT })), {
    minLength: 1,
    maxLength: PEERS.length,
  }),
  have: fc.array(index, { maxLength: COUNT / 2 }),
  due: fc.array(index, { maxLength: 5 }),
  /** What has come of each peer before, which widens its window. */
  came: fc.nat({ max: 8 }),
});

t.test('what is due is asked for first, in its order, then what fewest have', (t) => {
  let [dueAsks, rareAsks] = [0, 0];
  fc.assert(
    fc.property(house, ({ peers, have, due, came }) => {
      const plan = new FetchPlan({ self: nodeId('m') });
      const id = FILES[0]!;
      const small = chunkPlan(COUNT * 1_024, 1_024);
      const has = new Map(peers.map((said, n) => [PEERS[n]!, new Set(said === 'all' ? EVERY : said)]));
      plan.begin(FILES[1]!, small, noChunks(COUNT));
      for (const node of has.keys()) {
        plan.peerUp(node);
        plan.has(node, FILES[1]!, 'all', 0);
      }
      plan.order([FILES[1]!]);
      for (let n = 0; n < came; n++) {
        for (const ask of plan.next(n * 10)) {
          plan.arrived(ask.peer, ask.id, ask.index, n * 10 + 5);
          plan.kept(ask.id, ask.index);
        }
      }
      plan.end(FILES[1]!);
      plan.begin(id, small, setOf(have));
      for (const [node, said] of has) {
        plan.has(node, id, { chunks: setOf(said), coming: noChunks(COUNT) }, 100);
      }
      plan.order([id]);
      plan.due(due.map((index) => ({ id, index, atMs: 5_000 })));
      const open = new Set(EVERY.filter((index) => !have.includes(index)));
      const copies = (index: number) => [...has.values()].filter((said) => said.has(index)).length;
      const canCome = [...new Set(due)].filter((index) => open.has(index) && copies(index) > 0);
      const asks = plan.next(100);
      const asked = asks.filter(({ isDue }) => isDue).map(({ index }) => index);
      assert.deepEqual(
        asked,
        canCome.filter((index) => asked.includes(index)),
        'in its order',
      );
      assert.ok(
        asks.slice(0, asked.length).every(({ isDue }) => isDue),
        'before all else',
      );
      const full = new Set(asks.map(({ peer }) => peer));
      for (const index of canCome.filter((index) => !asked.includes(index))) {
        const able = [...has].filter(([, said]) => said.has(index)).map(([node]) => node);
        assert.ok(
          able.every((node) => full.has(node)),
          `${index} is due, and some peer that has it was not asked`,
        );
      }
      for (const { peer, index, isDue } of asks) {
        assert.ok(open.delete(index), `${index} was open`);
        if (isDue) continue;
        const rarest = Math.min(...[...open, index].filter((other) => has.get(peer)!.has(other)).map(copies));
        assert.equal(copies(index), rarest, `${index} is of the rarest that ${peer} has`);
        rareAsks++;
      }
      dueAsks += asked.length;
    }),
    { seed: 1, numRuns: 2_000 },
  );
  t.ok(dueAsks > 1_000 && rareAsks > 2_000, `${dueAsks} due, ${rareAsks} rare`);
  t.end();
});
