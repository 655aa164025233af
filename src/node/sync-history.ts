/**
 * SyncHistory: how far every node was out of step, second by second, for the last ten minutes; and what that comes to between them.
 *
 * All nodes look at the same instants of cluster time (reports.ts), so figures of one second belong together. They are what the nodes
 * themselves know, by their clocks and cards: what no node can see, such as an unequal pair of ways through the network, is within the bound.
 */
import type { NodeId } from '../core/ids.js';
import { NS_PER_S } from '../core/units.js';
import { playoutErrorUs, type Report } from './report.js';

/** Seconds that are kept. */
export const HISTORY_S = 600;

/** One node's part of it: a value for each second, null where it was not heard or did not sound. */
export interface NodeHistory {
  readonly playoutErrorUs: (number | null)[];
  readonly boundUs: (number | null)[];
}

/** Distances between nodes, microseconds; null where no two nodes sounded at the same time. */
export interface Distances {
  readonly p50Us: number | null;
  readonly p95Us: number | null;
  readonly p99Us: number | null;
  readonly maxUs: number | null;
}

/** How far two nodes were apart. */
export interface PairSpread extends Distances {
  readonly nodes: readonly [NodeId, NodeId];
  /** In how many seconds both sounded. */
  readonly seconds: number;
}

/** How far all nodes were apart, each from each. */
export interface Spread extends Distances {
  /** Pairs of nodes that sounded at the same time, at some time. */
  readonly pairs: number;
  readonly windowS: number;
}

/** The last ten minutes. */
export class SyncHistory {
  readonly #rings = new Map<NodeId, Ring>();

  /** Takes a report in. What is older than all that is kept, or from the future, is passed over. */
  note(node: NodeId, report: Report): void {
    const ring = this.#rings.get(node) ?? new Ring();
    this.#rings.set(node, ring);
    ring.set(secondOf(report.atNs), playoutErrorUs(report), report.clock.errorUs);
  }

  /** Forgets all but these: the others have left. */
  keep(nodes: readonly NodeId[]): void {
    for (const node of [...this.#rings.keys()]) if (!nodes.includes(node)) this.#rings.delete(node);
  }

  /** The first second of the window that ends at `nowNs`, cluster time; the house may not be that old. */
  firstNs(nowNs: bigint): bigint {
    const first = secondOf(nowNs) - HISTORY_S + 1;
    return BigInt(Math.max(0, first)) * NS_PER_S;
  }

  /** A node's part, from `firstNs` on, one value a second. */
  of(node: NodeId, nowNs: bigint): NodeHistory {
    const seconds = this.#seconds(nowNs);
    const ring = this.#rings.get(node);
    return {
      playoutErrorUs: seconds.map((second) => ring?.errorAt(second) ?? null),
      boundUs: seconds.map((second) => ring?.boundAt(second) ?? null),
    };
  }

  /** Of each two nodes that sounded at the same time, and of all of these together. */
  distances(nowNs: bigint): { readonly pairs: PairSpread[]; readonly spread: Spread } {
    const seconds = this.#seconds(nowNs);
    const nodes = Array.from(this.#rings.keys()).sort();
    const errorsUs = nodes.map((node) => Float64Array.from(seconds, (second) => this.#errorUs(node, second)));
    const all = new Float64Array((seconds.length * nodes.length * (nodes.length - 1)) / 2);
    const pairs: PairSpread[] = [];
    let count = 0;
    for (const [a, ofA] of errorsUs.entries()) {
      for (let b = a + 1; b < nodes.length; b += 1) {
        const from = count;
        for (const [at, errorUs] of errorsUs[b]!.entries()) {
          const distanceUs = Math.abs(ofA[at]! - errorUs);
          if (!Number.isNaN(distanceUs)) all[count++] = distanceUs;
        }
        if (count === from) continue;
        pairs.push({ nodes: [nodes[a]!, nodes[b]!], seconds: count - from, ...summed(all.slice(from, count)) });
      }
    }
    return { pairs, spread: { ...summed(all.subarray(0, count)), pairs: pairs.length, windowS: HISTORY_S } };
  }

  #errorUs(node: NodeId, second: number): number {
    return this.#rings.get(node)?.errorAt(second) ?? Number.NaN;
  }

  #seconds(nowNs: bigint): number[] {
    const first = Number(this.firstNs(nowNs) / NS_PER_S);
    return Array.from({ length: secondOf(nowNs) - first + 1 }, (_, index) => first + index);
  }
}

const secondOf = (ns: bigint): number => Number(ns / NS_PER_S);

/** The values at these shares of all, by the nearest rank; `values` are sorted in their place. */
function summed(values: Float64Array): Distances {
  const sorted = values.sort();
  const at = (share: number) => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    return value === undefined ? null : Math.round(value * 10) / 10;
  };
  return { p50Us: at(0.5), p95Us: at(0.95), p99Us: at(0.99), maxUs: at(1) };
}

/** One node's seconds. NaN stands for "not known". */
class Ring {
  /** Which second is in each place. */
  readonly #seconds = new Float64Array(HISTORY_S).fill(-1);
  readonly #errorsUs = new Float64Array(HISTORY_S);
  readonly #boundsUs = new Float64Array(HISTORY_S);

  set(second: number, errorUs: number | null, boundUs: number | null): void {
    const at = second % HISTORY_S;
    if (this.#seconds[at]! > second) return;
    this.#seconds[at] = second;
    this.#errorsUs[at] = errorUs ?? Number.NaN;
    this.#boundsUs[at] = boundUs ?? Number.NaN;
  }

  errorAt(second: number): number | null {
    return this.#valueAt(this.#errorsUs, second);
  }

  boundAt(second: number): number | null {
    return this.#valueAt(this.#boundsUs, second);
  }

  #valueAt(values: Float64Array, second: number): number | null {
    const at = second % HISTORY_S;
    const value = values[at]!;
    return this.#seconds[at] !== second || Number.isNaN(value) ? null : Math.round(value * 10) / 10;
  }
}
