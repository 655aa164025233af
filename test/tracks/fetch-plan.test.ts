/** The plan asks for the right chunk of the right peer: examples, one for each of its rules. */
import t from 'tap';
import { type NodeId, nodeId, type TrackId, trackId } from '../../src/core/ids.js';
import { type ChunkPlan, chunkPlan } from '../../src/library/chunks.js';
import { addChunk, noChunks } from '../../src/tracks/chunk-set.js';
import { IN_FLIGHT_BYTES_MAX, REFUSED_MS, SPARED_MS, WINDOW_MAX } from '../../src/tracks/exchange-limits.js';
import { type Ask, FetchPlan } from '../../src/tracks/fetch-plan.js';
import { Pace } from '../../src/tracks/pace.js';

const KIB = 1_024;
const CHUNK = 256 * KIB;
const SELF = nodeId('m');
const [A, B, C] = [nodeId('a'), nodeId('b'), nodeId('c')];
const SONG = trackId('1'.repeat(64));
const NEXT_SONG = trackId('2'.repeat(64));
const plan = (count: number, chunkBytes = CHUNK): ChunkPlan => chunkPlan(count * chunkBytes, chunkBytes);
const setOf = (...indexes: readonly number[]) => {
  const set = noChunks(64);
  for (const index of indexes) addChunk(set, index);
  return set;
};
const some = (...indexes: readonly number[]) => ({ chunks: setOf(...indexes), coming: setOf() });

/** A plan with a clock that stands. */
class Rig {
  readonly plan = new FetchPlan({ self: SELF });
  nowMs = 1_000;

  constructor(files: Readonly<Record<TrackId, ChunkPlan>>, peers: readonly NodeId[]) {
    for (const [id, plan] of Object.entries(files)) this.plan.begin(trackId(id), plan, noChunks(plan.count));
    this.plan.order(Object.keys(files).map(trackId));
    for (const peer of peers) this.plan.peerUp(peer);
  }

  all(peer: NodeId, id: TrackId = SONG): void {
    this.plan.has(peer, id, 'all', this.nowMs);
  }

  some(peer: NodeId, ...indexes: readonly number[]): void {
    this.plan.has(peer, SONG, some(...indexes), this.nowMs);
  }

  /** What is asked now, such as `a 3` or `b 4 due`; of the second song `a 2:3`. */
  asks(): string[] {
    return this.plan.next(this.nowMs).map(shown);
  }

  /** What was asked of a peer came and is kept. */
  comes(peer: NodeId, index: number, id: TrackId = SONG): void {
    if (this.plan.arrived(peer, id, index, this.nowMs)) this.plan.kept(id, index);
  }

  /** Everything that is asked comes after so many milliseconds, until nothing more is. Gives what was asked. */
  run(tookMs: number): string[] {
    const all: string[] = [];
    for (let asks = this.plan.next(this.nowMs); asks.length > 0; asks = this.plan.next(this.nowMs)) {
      for (const ask of asks) {
        this.nowMs += tookMs;
        this.comes(ask.peer, ask.index, ask.id);
        all.push(shown(ask));
      }
    }
    return all;
  }
}

const shown = ({ peer, id, index, isDue }: Ask): string =>
  `${peer} ${id === SONG ? '' : '2:'}${index}${isDue ? ' due' : ''}`;

t.test('what fewest have is asked for first', (t) => {
  const rig = new Rig({ [SONG]: plan(8) }, [A, B, C]);
  rig.all(A);
  rig.some(B, 0, 1, 3, 4, 5, 6, 7);
  rig.some(C, 1, 3, 4, 5, 6, 7);
  // C has least and chooses first, then B; only A has 2, and only A and B have 0. Of C's all are as rare, and 5 is in this node's share.
  t.same(rig.asks().toSorted(), ['a 2', 'b 0', 'c 5']);
  t.end();
});

t.test('nodes that lack a file begin at different places, in the order of their ids', (t) => {
  const places = ['k', 'l', 'm'].map((self) => {
    const plan8 = new FetchPlan({ self: nodeId(self) });
    plan8.begin(SONG, plan(9), noChunks(9));
    plan8.order([SONG]);
    for (const peer of ['a', 'k', 'l', 'm'].filter((node) => node !== self)) plan8.peerUp(nodeId(peer));
    plan8.has(A, SONG, 'all', 0);
    return plan8.next(0).map(shown);
  });
  t.same(places, [['a 0'], ['a 3'], ['a 6']]);
  t.end();
});

t.test('the files are fetched in their order, and a peer that has nothing of the first gives of the next', (t) => {
  const rig = new Rig({ [SONG]: plan(2), [NEXT_SONG]: plan(2) }, [A, B]);
  rig.all(A);
  rig.all(A, NEXT_SONG);
  rig.all(B, NEXT_SONG);
  t.same(rig.asks(), ['b 2:0', 'a 1']);
  rig.plan.order([NEXT_SONG]);
  rig.comes(A, 1);
  t.same(rig.asks(), ['a 2:1'], 'one that is not in the order rests');
  t.end();
});

t.test('what is soon to be heard comes first, in its order, also of several tracks', (t) => {
  const rig = new Rig({ [SONG]: plan(64), [NEXT_SONG]: plan(64) }, [A]);
  rig.all(A);
  rig.all(A, NEXT_SONG);
  rig.plan.order([SONG]);
  const heard = [
    { id: NEXT_SONG, index: 40 },
    { id: SONG, index: 30 },
    { id: NEXT_SONG, index: 41 },
    { id: SONG, index: 31 },
  ];
  rig.plan.due(heard.map((one, at) => ({ ...one, atMs: 60_000 + at })));
  const asked = rig.run(20);
  t.same(asked.slice(0, 4), ['a 2:40 due', 'a 30 due', 'a 2:41 due', 'a 31 due']);
  t.equal(asked.length, 66, 'then the rest of the file that is in the order');
  t.equal(new Set(asked).size, 66);
  t.end();
});

t.test('of those who have what is due, the one that will have given it first is asked', (t) => {
  const rig = new Rig({ [SONG]: plan(64) }, [A, B]);
  rig.some(A, 0);
  rig.some(B, 1);
  t.same(rig.asks().toSorted(), ['a 0', 'b 1']);
  rig.nowMs += 10;
  rig.comes(B, 1);
  rig.nowMs += 500;
  rig.comes(A, 0);
  rig.plan.order([]);
  for (const peer of [A, B]) rig.all(peer);
  rig.plan.due([9, 10, 11].map((index) => ({ id: SONG, index, atMs: 60_000 })));
  t.same(rig.asks(), ['b 9 due', 'b 10 due', 'a 11 due'], 'B, until it has as much to do as it may');
  t.end();
});

t.test('what is heard in a moment and keeps us waiting is asked of a second peer, and of no third', (t) => {
  const rig = new Rig({ [SONG]: plan(4) }, [A, B, C]);
  rig.plan.order([]);
  for (const peer of [A, B, C]) rig.all(peer);
  rig.plan.due([{ id: SONG, index: 2, atMs: rig.nowMs + 4_000 }]);
  t.equal(rig.asks().length, 1);
  rig.nowMs += 900;
  t.same(rig.asks(), [], 'there is time yet');
  rig.nowMs += 200;
  t.equal(rig.asks().length, 1, 'now there is not');
  rig.nowMs += 400;
  t.same(rig.asks(), []);
  t.end();
});

t.test('nothing else is asked twice while it is on its way', (t) => {
  const rig = new Rig({ [SONG]: plan(1) }, [A, B]);
  for (const peer of [A, B]) rig.all(peer);
  t.equal(rig.asks().length, 1);
  rig.nowMs += 1_000;
  t.same(rig.asks(), []);
  t.end();
});

t.test('the last chunk of which one has the only copy is left to who is getting it, for a moment', (t) => {
  const rig = new Rig({ [SONG]: plan(2) }, [A, B]);
  rig.all(A);
  rig.plan.has(B, SONG, { chunks: setOf(), coming: setOf(0, 1) }, rig.nowMs);
  t.same(rig.asks(), []);
  rig.nowMs += SPARED_MS + 1;
  t.equal(rig.asks().length, 1, 'it takes too long');
  rig.plan.has(B, SONG, some(0, 1), rig.nowMs);
  t.equal(rig.asks().length, 1, 'B has it by now, and gives it');
  t.end();
});

t.test('a late chunk is asked of another peer, and taken if it comes after all', (t) => {
  const rig = new Rig({ [SONG]: plan(1) }, [A, B]);
  rig.all(A);
  t.same(rig.asks(), ['a 0']);
  rig.all(B);
  rig.nowMs += 2_100;
  t.same(rig.asks(), ['b 0']);
  t.ok(rig.plan.arrived(A, SONG, 0, rig.nowMs), 'A gives it first after all');
  t.notOk(rig.plan.arrived(B, SONG, 0, rig.nowMs), 'and B’s is one too many');
  rig.plan.kept(SONG, 0);
  t.ok(rig.plan.isWhole(SONG));
  t.end();
});

t.test('a large chunk has longer to come', (t) => {
  const rig = new Rig({ [SONG]: plan(1, 4_096 * KIB) }, [A, B]);
  for (const peer of [A, B]) rig.all(peer);
  t.equal(rig.asks().length, 1);
  rig.nowMs += 20_000;
  t.same(rig.asks(), [], 'eight seconds are usual at first');
  rig.nowMs += 20_000;
  t.equal(rig.asks().length, 1);
  t.end();
});

t.test('a peer that lets one wait is asked again, later each time', (t) => {
  const rig = new Rig({ [SONG]: plan(1) }, [A]);
  rig.all(A);
  const askedAt: number[] = [];
  for (const endMs = 130_000; rig.nowMs < endMs; rig.nowMs += 250) if (rig.asks().length > 0) askedAt.push(rig.nowMs);
  const pauses = askedAt.slice(1).map((at, n) => Math.round((at - askedAt[n]!) / 1_000));
  t.same(pauses, [4, 6, 10, 18, 32, 32], 'two seconds of patience, and 2, 4, 8, 16, 30, 30 aside');
  t.end();
});

t.test('a chunk that was given wrong is asked of another; after three nothing of that file is', (t) => {
  const rig = new Rig({ [SONG]: plan(8), [NEXT_SONG]: plan(1) }, [A]);
  rig.all(A);
  rig.all(A, NEXT_SONG);
  const wrong = new Set<number>();
  while (wrong.size < 3) {
    for (const { id, index } of rig.plan.next(rig.nowMs)) {
      t.equal(id, SONG);
      t.notOk(wrong.has(index), `${index} was not asked for before`);
      wrong.add(index);
      rig.nowMs += 10;
      t.ok(rig.plan.arrived(A, SONG, index, rig.nowMs));
      t.equal(rig.plan.bad(SONG, index, rig.nowMs), A);
    }
  }
  t.same(rig.asks(), ['a 2:0']);
  rig.comes(A, 0, NEXT_SONG);
  t.notOk(rig.plan.canMove(SONG));
  rig.plan.has(A, SONG, null, rig.nowMs);
  rig.all(A);
  t.ok(rig.plan.canMove(SONG), 'once it says anew that it has the file, it is believed');
  t.end();
});

t.test('what a peer refused or gave wrong it is asked for again a minute after the last time', (t) => {
  const rig = new Rig({ [SONG]: plan(2) }, [A]);
  rig.all(A);
  const [first] = rig.plan.next(rig.nowMs);
  rig.plan.lacks(A, SONG, first!.index, rig.nowMs);
  rig.nowMs += 10_000;
  const [second] = rig.plan.next(rig.nowMs);
  t.ok(rig.plan.arrived(A, SONG, second!.index, rig.nowMs));
  t.notOk(rig.plan.isDisputed(SONG));
  rig.plan.bad(SONG, second!.index, rig.nowMs);
  t.ok(rig.plan.isDisputed(SONG), 'what it gave and what is known of the file do not agree');
  rig.nowMs += REFUSED_MS - 1;
  t.same(rig.asks(), []);
  rig.nowMs += 1;
  t.same(rig.asks().toSorted(), ['a 0', 'a 1']);
  t.notOk(rig.plan.isDisputed(SONG));
  t.end();
});

t.test('what a peer says that it has not got, it is not asked for', (t) => {
  const rig = new Rig({ [SONG]: plan(2) }, [A, B]);
  rig.all(A);
  const [first] = rig.plan.next(rig.nowMs);
  rig.plan.lacks(A, SONG, first!.index, rig.nowMs);
  const other = 1 - first!.index;
  t.same(rig.asks(), [`a ${other}`]);
  rig.all(B);
  t.same(rig.asks(), [`b ${first!.index}`]);
  t.end();
});

t.test('what was on its way from a peer that is gone is asked of another', (t) => {
  const rig = new Rig({ [SONG]: plan(1) }, [A, B]);
  rig.all(A);
  t.same(rig.asks(), ['a 0']);
  rig.all(B);
  rig.plan.peerDown(A);
  t.same(rig.asks(), ['b 0']);
  t.notOk(rig.plan.arrived(A, SONG, 0, rig.nowMs));
  t.end();
});

t.test('what nobody asked for is not taken', (t) => {
  const rig = new Rig({ [SONG]: plan(3) }, [A]);
  rig.some(A, 0);
  t.same(rig.asks(), ['a 0']);
  t.notOk(rig.plan.arrived(A, SONG, 1, rig.nowMs));
  t.notOk(rig.plan.arrived(B, SONG, 0, rig.nowMs));
  t.notOk(rig.plan.arrived(A, NEXT_SONG, 0, rig.nowMs));
  rig.plan.end(SONG);
  t.notOk(rig.plan.arrived(A, SONG, 0, rig.nowMs), 'nor what is not fetched any more');
  t.equal(rig.plan.inFlightBytes, 0);
  t.end();
});

t.test('what could not be written is asked for again', (t) => {
  const rig = new Rig({ [SONG]: plan(1) }, [A]);
  rig.all(A);
  rig.asks();
  t.ok(rig.plan.arrived(A, SONG, 0, rig.nowMs));
  t.same(rig.asks(), [], 'it is being written');
  rig.plan.failed(SONG, 0);
  t.same(rig.asks(), ['a 0']);
  t.end();
});

t.test('while a chunk is written the next one comes, and no more than that', (t) => {
  const rig = new Rig({ [SONG]: plan(20) }, [A]);
  rig.all(A);
  rig.plan.measured(A, { least: 1, latest: 100 }, rig.nowMs);
  const arrive = (ask: string) => t.ok(rig.plan.arrived(A, SONG, Number(ask.slice(2)), rig.nowMs), ask);
  const [first, ...none] = rig.asks();
  t.same(none, []);
  arrive(first!);
  rig.plan.measured(A, { least: 1, latest: 100 }, rig.nowMs + 300);
  const [second, ...more] = rig.asks();
  t.same(more, [], 'its window is one');
  arrive(second!);
  rig.plan.measured(A, { least: 1, latest: 100 }, rig.nowMs + 600);
  t.same(rig.asks(), [], 'two wait for the card');
  rig.plan.kept(SONG, Number(first!.slice(2)));
  t.equal(rig.asks().length, 1);
  t.end();
});

t.test('from all peers together no more is on its way than memory is meant for', (t) => {
  const peers = Array.from({ length: 20 }, (_, n) => nodeId(`p${n}`));
  for (const mib of [1, 4]) {
    const rig = new Rig({ [SONG]: plan(64, mib << 20) }, peers);
    for (const peer of peers) rig.all(peer);
    t.equal(rig.asks().length, IN_FLIGHT_BYTES_MAX / (mib << 20));
    t.equal(rig.plan.inFlightBytes, IN_FLIGHT_BYTES_MAX);
  }
  t.end();
});

t.test('a window begins at one chunk and grows by one for each that came in full, up to four', (t) => {
  const pace = new Pace();
  const windows: number[] = [pace.window];
  for (let nowMs = 0; windows.length < 20; nowMs += 20) {
    pace.arrived(CHUNK, nowMs, nowMs + 20);
    windows.push(pace.window);
  }
  t.same(windows.slice(0, 9), [1, 2, 2, 2, 3, 3, 3, 4, 4]);
  t.equal(windows.at(-1), WINDOW_MAX);
  t.end();
});

t.test('a window halves while control messages take three times what they need, and goes no lower than one', (t) => {
  const pace = new Pace();
  for (let n = 0; n < 20; n++) pace.arrived(CHUNK, n * 20, n * 20 + 20);
  pace.measured(null, 1_000);
  pace.measured({ least: 4, latest: 12 }, 1_000);
  t.equal(pace.window, 4, 'three times is in nobody’s way');
  pace.measured({ least: 0.2, latest: 5 }, 1_000);
  t.equal(pace.window, 4, 'nor are a few milliseconds');
  const windows = [1_000, 1_100, 1_250, 1_500, 2_000].map((nowMs) => {
    pace.measured({ least: 4, latest: 13 }, nowMs);
    return pace.window;
  });
  t.same(windows, [2, 2, 1, 1, 1], 'once in 250 ms');
  for (let n = 0; n < 10; n++) pace.arrived(CHUNK, 3_000 + n, 3_001 + n);
  t.equal(pace.window, 1, 'nor does it grow meanwhile, however much comes');
  pace.measured({ least: 4, latest: 5 }, 3_100);
  pace.arrived(CHUNK, 3_100, 3_120);
  t.equal(pace.window, 2, 'and then it does');
  t.end();
});
