/**
 * WantedFile: one file that is being fetched, chunk by chunk: what is here, what is on its way, what is open, and who has what.
 *
 * A chunk is *open* while it is neither here, nor on its way, nor being written. Part of FetchPlan, and as pure.
 */
import { assert } from '../core/assert.js';
import type { TrackId } from '../core/ids.js';
import type { ChunkPlan } from '../library/chunks.js';
import type { ChunkSet } from './chunk-files.js';
import { addChunk, allChunks, chunksWithin, countChunks, hasChunk, noChunks, removeChunk } from './chunk-set.js';
import { BAD_CHUNKS_MAX, REFUSED_MS } from './exchange-limits.js';

/** What one peer has of a file. */
export interface Source {
  readonly said: Said;
  /** What it may be asked for, and how many that are. */
  readonly chunks: ChunkSet;
  count: number;
  /** What it said that it has not, or gave wrong; and when it last did, local milliseconds. */
  readonly refused: ChunkSet;
  refusedAtMs: number;
  /** How often it gave a wrong one. */
  bad: number;
  /** What it has asked others for, and when it said so, local milliseconds. */
  readonly coming: ChunkSet;
  readonly saidAtMs: number;
}

/** What a peer says of a file: that it has all of it, or which chunks it has, and which are on their way to it. */
export type Said = 'all' | { readonly chunks: ChunkSet; readonly coming: ChunkSet };

/** Which part of a file a node fetches first, so that nodes begin at different places and seldom meet: chunks `from` to before `to`. */
export interface Share {
  readonly from: number;
  readonly to: number;
  /** Odd, another one for each node. */
  readonly mixer: number;
}

/** The place of a chunk in the order of a share: a scramble of all numbers below 2^32, as odd factors make (Knuth, TAOCP 3, section 6.4). */
const rankIn = ({ from, to, mixer }: Share, index: number): number =>
  index >= from && index < to ? index - to : Math.imul(index + 1, mixer) >>> 0;

/** True where a peer may be asked again for what it refused: its card, its memory or the network may be well by now. */
export const isForgiven = ({ refusedAtMs }: Source, nowMs: number): boolean =>
  refusedAtMs > Number.NEGATIVE_INFINITY && nowMs - refusedAtMs >= REFUSED_MS;

/** One file; `R` is what is known of a chunk that is being written. */
export class WantedFile<R> {
  readonly id: TrackId;
  readonly plan: ChunkPlan;
  /** What is here: not to be changed. */
  readonly have: ChunkSet;
  /** What has come and is not kept yet. */
  readonly writing = new Map<number, R>();
  #left: number;
  readonly #open: ChunkSet;
  #openCount: number;
  /** How many peers have each chunk. */
  readonly #copies: Uint16Array;
  /** From how many peers each chunk is on its way; those that are from none are left out. */
  readonly #asked = new Map<number, number>();

  constructor(id: TrackId, plan: ChunkPlan, have: ChunkSet) {
    this.id = id;
    this.plan = plan;
    this.have = chunksWithin(have, plan.count);
    this.#open = allChunks(plan.count).map((byte, at) => byte & ~this.have[at]!);
    this.#openCount = countChunks(this.#open);
    this.#left = this.#openCount;
    this.#copies = new Uint16Array(plan.count);
  }

  /** Chunks that are not here. */
  get left(): number {
    return this.#left;
  }

  /** Chunks that nobody was asked for. */
  get openCount(): number {
    return this.#openCount;
  }

  /** False for a chunk that the file has not. */
  isOpen(index: number): boolean {
    return hasChunk(this.#open, index);
  }

  /** From how many peers it is on its way. */
  askedOf(index: number): number {
    return this.#asked.get(index) ?? 0;
  }

  /** Some open chunk is in `chunks`, or something is on its way. */
  canMove(sources: Iterable<Source>): boolean {
    if (this.#asked.size > 0 || this.writing.size > 0) return true;
    for (const { chunks } of sources) if (this.#open.some((byte, at) => (byte & chunks[at]!) !== 0)) return true;
    return false;
  }

  /**
   * Of the open chunks in `chunks` the one that fewest peers have; null where there is none. Of equally rare ones, those of this node's own
   * share come first and in order, the others in an order that no other node has. One in `spared` counts only where several peers have it.
   */
  rarest(chunks: ChunkSet, spared: ChunkSet, share: Share): number | null {
    const { count } = this.plan;
    let best: number | null = null;
    let bestCopies = Number.POSITIVE_INFINITY;
    let bestRank = 0;
    for (let index = 0; index < count; index++) {
      const bits = (this.#open[index >> 3]! & chunks[index >> 3]!) >> (index & 7);
      if (bits === 0) {
        // Nor is there any in the rest of this byte: most of a file is, most of the time, not to be looked at.
        index |= 7;
      } else if ((bits & 1) !== 0) {
        const copies = this.#copies[index]!;
        if (copies > bestCopies || (copies === 1 && hasChunk(spared, index))) continue;
        const rank = rankIn(share, index);
        if (copies === bestCopies && rank > bestRank) continue;
        best = index;
        bestCopies = copies;
        bestRank = rank;
      }
    }
    return best;
  }

  // What happens to a chunk.

  /** It was asked of one more peer. */
  asked(index: number): void {
    this.#asked.set(index, this.askedOf(index) + 1);
    this.#close(index);
  }

  /** It is not on its way from one of them any more. */
  released(index: number): void {
    const left = this.askedOf(index) - 1;
    assert(left >= 0, 'what was asked for is released once');
    if (left > 0) this.#asked.set(index, left);
    else this.#asked.delete(index);
    this.#reopen(index);
  }

  /** It came. False where it is not needed: it is here, or being written. */
  came(index: number, request: R): boolean {
    if (hasChunk(this.have, index) || this.writing.has(index)) return false;
    this.writing.set(index, request);
    this.#close(index);
    return true;
  }

  /** It was written, or could not be. Gives what `came` was given; undefined where it did not come. */
  written(index: number, isKept: boolean): R | undefined {
    const request = this.writing.get(index);
    if (request === undefined) return undefined;
    this.writing.delete(index);
    if (isKept) {
      addChunk(this.have, index);
      this.#left--;
    } else {
      this.#reopen(index);
    }
    return request;
  }

  #close(index: number): void {
    if (!this.isOpen(index)) return;
    removeChunk(this.#open, index);
    this.#openCount--;
  }

  #reopen(index: number): void {
    if (this.isOpen(index) || hasChunk(this.have, index) || this.writing.has(index) || this.#asked.has(index)) return;
    addChunk(this.#open, index);
    this.#openCount++;
  }

  // Who has what.

  /** What is on its way to this node, or being written. */
  coming(): ChunkSet {
    const set = noChunks(this.plan.count);
    for (const indexes of [this.#asked.keys(), this.writing.keys()]) for (const index of indexes) addChunk(set, index);
    return set;
  }

  /** What a peer says. What it refused `before` counts no more when it has the file anew, or was forgiven. */
  sourceOf(said: Said, before: Source | undefined, saidAtMs: number): Source {
    const { count } = this.plan;
    const isWhole = said === 'all';
    const isAnew = before === undefined || (isWhole && before.said !== 'all') || isForgiven(before, saidAtMs);
    const nothing = { refused: noChunks(count), refusedAtMs: Number.NEGATIVE_INFINITY, bad: 0 };
    const { refused, refusedAtMs, bad } = isAnew ? nothing : before;
    const all = isWhole ? allChunks(count) : chunksWithin(said.chunks, count);
    const coming = isWhole ? noChunks(count) : chunksWithin(said.coming, count);
    const chunks = bad < BAD_CHUNKS_MAX ? all.map((byte, at) => byte & ~refused[at]!) : noChunks(count);
    return { said, chunks, count: countChunks(chunks), refused, refusedAtMs, bad, coming, saidAtMs };
  }

  /** A peer with these chunks came (1) or went (-1). */
  counted({ chunks }: Source, by: 1 | -1): void {
    for (let index = 0; index < this.plan.count; index++) {
      if (chunks[index >> 3] === 0) index |= 7;
      else if (hasChunk(chunks, index)) this.#copies[index] = this.#copies[index]! + by;
    }
  }

  /** A counted peer is not to be asked for this chunk; where `isBad` it gave a wrong one, and after three of those for none. */
  refused(source: Source, index: number, how: { readonly isBad: boolean; readonly nowMs: number }): void {
    if (how.isBad) source.bad++;
    source.refusedAtMs = how.nowMs;
    const isOut = source.bad >= BAD_CHUNKS_MAX;
    for (let each = isOut ? 0 : index; isOut ? each < this.plan.count : each === index; each++) {
      addChunk(source.refused, each);
      if (!hasChunk(source.chunks, each)) continue;
      removeChunk(source.chunks, each);
      source.count--;
      this.#copies[each] = this.#copies[each]! - 1;
    }
  }
}
