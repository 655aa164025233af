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
    const rooms = [...this.#rings.keys()].sort().map((node) => {
      const ring = this.#rings.get(node)!;
      return { node, errorsUs: Float64Array.from(seconds, (second) => ring.errorAt(second) ?? Number.NaN) };
    });
    const perPair = rooms
      .flatMap((a, at) =>
        rooms.slice(at + 1).map((b) => ({ nodes: [a.node, b.node] as const, apartUs: between(a, b) })),
      )
      .filter(({ apartUs }) => apartUs.length > 0);
    const all = perPair.flatMap(({ apartUs }) => [...apartUs]);
    return {
      pairs: perPair.map(({ nodes, apartUs }) => ({ nodes, seconds: apartUs.length, ...summed(apartUs) })),
      spread: { ...summed(all), pairs: perPair.length, windowS: HISTORY_S },
    };
  }

  #seconds(nowNs: bigint): number[] {
    const first = Number(this.firstNs(nowNs) / NS_PER_S);
    return Array.from({ length: secondOf(nowNs) - first + 1 }, (_, index) => first + index);
  }
}

const secondOf = (ns: bigint): number => Number(ns / NS_PER_S);

interface Errors {
  /** A value for each second, NaN where there is none. */
  readonly errorsUs: Float64Array;
}

/** How far two were apart, in each second in which both sounded. */
const between = (a: Errors, b: Errors): Float64Array =>
  a.errorsUs.map((errorUs, at) => Math.abs(errorUs - b.errorsUs[at]!)).filter((apartUs) => !Number.isNaN(apartUs));

/** The values at these shares of all, by the nearest rank. */
function summed(values: Iterable<number>): Distances {
  const sorted = Float64Array.from(values).sort();
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
