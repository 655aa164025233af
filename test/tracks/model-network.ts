/**
 * A model of a house in which one file is copied: nodes with links of given rates, real plans, and nothing else. It shows what the plan's
 * choices come to, without a byte being moved.
 *
 * A node gives one chunk after the other, to those who asked in turn, what is soon to be heard before all else; a chunk is on its way up and down at once, and waits where either
 * link is taken. Control messages take a millisecond.
 */
import { type NodeId, nodeId, trackId } from '../../src/core/ids.js';
import { type ChunkPlan, chunkLength } from '../../src/library/chunks.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import type { ChunkSet } from '../../src/tracks/chunk-files.js';
import { addChunk, allChunks, hasChunk, noChunks } from '../../src/tracks/chunk-set.js';
import { type Ask, type DueChunk, FetchPlan } from '../../src/tracks/fetch-plan.js';

/** A control message takes so long, milliseconds. */
const CONTROL_MS = 1;
/** How often a plan is looked at although nothing happened, milliseconds. */
const TICK_MS = 250;

/** One node of the model. Rates in bytes a millisecond. */
export interface ModelNodeInit {
  readonly up: number;
  readonly down: number;
  /** It has the whole file from the beginning. */
  readonly isHolder?: boolean;
  /** To write a chunk takes so long, milliseconds. */
  readonly writeMs?: number;
  /** It is there from then on. Milliseconds. */
  readonly joinsAtMs?: number;
  /** It answers no more from then on, and nobody is told. Milliseconds. */
  readonly stallsAtMs?: number;
}

/** What is copied, and how. */
export interface ModelInit {
  readonly plan: ChunkPlan;
  readonly nodes: readonly ModelNodeInit[];
  /** At most so often others are told what has come, milliseconds. */
  readonly announceMs: number;
  readonly due?: (node: number) => readonly DueChunk[];
}

/** A node that takes part. */
interface ModelNode extends ModelNodeInit {
  readonly id: NodeId;
  readonly fetch: FetchPlan;
  have: ChunkSet;
  left: number;
  readonly asks: Map<ModelNode, Ask[]>;
  isGiving: boolean;
  downFreeAtMs: number;
  announcedAtMs: number;
  isAnnouncing: boolean;
  doneAtMs: number | null;
  /** Chunks that it gave. */
  given: number;
  /** Chunks that came although they were here. */
  wasted: number;
  /** What came, in that order, and from whom. */
  readonly came: { readonly index: number; readonly from: number }[];
}

/** A house in which a file is copied. */
export class ModelNetwork {
  /** The file that is copied. */
  static readonly FILE = trackId('f'.repeat(64));
  readonly time = new FakeTime();
  readonly nodes: readonly ModelNode[];
  readonly #init: ModelInit;

  constructor(init: ModelInit) {
    this.#init = init;
    const { count } = init.plan;
    this.nodes = init.nodes.map((node, number) => {
      const id = nodeId(String(number).padStart(2, '0'));
      const { isHolder = false } = node;
      const have = isHolder ? allChunks(count) : noChunks(count);
      const state = { isGiving: false, downFreeAtMs: 0, announcedAtMs: -1e9, isAnnouncing: false };
      const result = { doneAtMs: isHolder ? 0 : null, given: 0, wasted: 0, came: [] };
      const left = isHolder ? 0 : count;
      return { ...node, id, fetch: new FetchPlan({ self: id }), have, left, asks: new Map(), ...state, ...result };
    });
  }

  nowMs(): number {
    return Number(this.time.now()) / 1e6;
  }

  /** Runs until everybody has the file, and gives how long that took; null where it does not come to it within `msMax`. Milliseconds. */
  run(msMax = 3_600_000): number | null {
    const startMs = this.nowMs();
    for (const node of this.nodes) {
      this.time.after('join', node.joinsAtMs ?? 0, () => this.#join(node));
      if (node.stallsAtMs !== undefined) this.time.after('stall', node.stallsAtMs, () => node.asks.clear());
    }
    const isDone = () => this.nodes.every(({ doneAtMs, stallsAtMs }) => doneAtMs !== null || stallsAtMs !== undefined);
    while (!isDone() && this.nowMs() - startMs < msMax) this.time.advance(1);
    return isDone() ? Math.max(...this.nodes.map(({ doneAtMs }) => doneAtMs ?? 0)) - startMs : null;
  }

  #joined: ModelNode[] = [];

  #join(node: ModelNode): void {
    const { plan, due } = this.#init;
    if (node.left > 0) node.fetch.begin(ModelNetwork.FILE, plan, node.have);
    node.fetch.order([ModelNetwork.FILE]);
    node.fetch.due(due?.(this.nodes.indexOf(node)) ?? []);
    for (const other of this.#joined) {
      for (const [a, b] of [
        [node, other],
        [other, node],
      ] as const) {
        a.fetch.peerUp(b.id);
        this.#tell(b, a);
      }
    }
    this.#joined.push(node);
    this.time.every('tick', TICK_MS, () => this.#decide(node));
    this.#decide(node);
  }

  #isStalled({ stallsAtMs }: ModelNode): boolean {
    return stallsAtMs !== undefined && this.nowMs() >= 5_000 + stallsAtMs;
  }

  #decide(node: ModelNode): void {
    if (this.#isStalled(node)) return;
    const asks = node.fetch.next(this.nowMs());
    for (const ask of asks) this.time.after('ask', CONTROL_MS, () => this.#asked(node, ask));
    if (asks.length > 0) this.#announce(node);
  }

  #asked(by: ModelNode, ask: Ask): void {
    const giver = this.nodes.find(({ id }) => id === ask.peer)!;
    giver.asks.set(by, [...(giver.asks.get(by) ?? []), ask]);
    this.#give(giver);
  }

  #give(giver: ModelNode): void {
    if (giver.isGiving || this.#isStalled(giver)) return;
    const asks = [...giver.asks].flatMap(([taker, asks]) => asks.map((ask) => ({ taker, ask })));
    const next = asks.find(({ ask }) => ask.isDue) ?? asks[0];
    if (next === undefined) return;
    const { taker, ask } = next;
    const { index } = ask;
    const left = giver.asks.get(taker)!.filter((other) => other !== ask);
    // It is the others' turn.
    giver.asks.delete(taker);
    if (left.length > 0) giver.asks.set(taker, left);
    const bytes = chunkLength(this.#init.plan, index);
    giver.isGiving = true;
    giver.given++;
    const startMs = this.nowMs();
    const upMs = bytes / giver.up;
    taker.downFreeAtMs = Math.max(taker.downFreeAtMs, startMs) + bytes / taker.down;
    const comesMs = CONTROL_MS + Math.max(startMs + upMs, taker.downFreeAtMs) - startMs;
    this.time.after('given', upMs, () => {
      giver.isGiving = false;
      this.#give(giver);
    });
    this.time.after('comes', comesMs, () => this.#came(giver, taker, index));
  }

  #came(giver: ModelNode, taker: ModelNode, index: number): void {
    const isWanted = taker.fetch.arrived(giver.id, ModelNetwork.FILE, index, this.nowMs());
    if (!isWanted) taker.wasted++;
    else this.time.after('written', taker.writeMs ?? 0, () => this.#written(taker, index, this.nodes.indexOf(giver)));
    this.#decide(taker);
  }

  #written(node: ModelNode, index: number, from: number): void {
    if (hasChunk(node.have, index)) throw new Error('a chunk is written once');
    node.fetch.kept(ModelNetwork.FILE, index);
    node.have = node.have.slice();
    addChunk(node.have, index);
    node.came.push({ index, from });
    node.left--;
    if (node.left === 0) {
      node.doneAtMs = this.nowMs();
      node.fetch.end(ModelNetwork.FILE);
    }
    this.#announce(node);
    this.#decide(node);
  }

  #announce(node: ModelNode): void {
    const waitMs = node.announcedAtMs + this.#init.announceMs - this.nowMs();
    if (waitMs > 0 && node.left > 0) {
      if (node.isAnnouncing) return;
      node.isAnnouncing = true;
      this.time.after('announce', waitMs, () => {
        node.isAnnouncing = false;
        this.#tellAll(node);
      });
    } else {
      this.#tellAll(node);
    }
  }

  #tellAll(node: ModelNode): void {
    node.announcedAtMs = this.nowMs();
    for (const other of this.#joined) {
      if (other !== node && !this.#isStalled(node)) this.time.after('told', CONTROL_MS, () => this.#tell(node, other));
    }
  }

  #tell(node: ModelNode, other: ModelNode): void {
    const coming = node.fetch.comingOf(ModelNetwork.FILE) ?? noChunks(0);
    const said = node.left === 0 ? 'all' : { chunks: node.have, coming };
    other.fetch.has(node.id, ModelNetwork.FILE, said, this.nowMs());
    this.#decide(other);
  }
}
