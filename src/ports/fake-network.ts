/**
 * FakeNetwork: the paths between hosts, on a FakeTime and from a seed, for FakeDatagram and FakePeerLink.
 *
 * Every direction of every path has its own conditions, and can be cut on its own: much of what breaks clusters goes wrong one way
 * only. A seed gives the same delays, losses and duplicates at every run.
 */
import { assert } from '../core/assert.js';
import { Prng } from '../core/prng.js';
import type { Time } from './time.js';

/** How one direction of a path treats what is sent. */
export interface PathConditions {
  /** Every packet takes this long, milliseconds. */
  readonly delayMs: number;
  /** And up to this much more, evenly spread, milliseconds: datagrams overtake one another by it. */
  readonly jitterMs: number;
  /** Which part of the datagrams is lost, 0 to 1. Messages of a PeerLink are not: TCP repeats them. */
  readonly lossRatio: number;
  /** Which part of the datagrams arrives twice, 0 to 1. */
  readonly duplicateRatio: number;
}

/** A quiet house: half a millisecond, nothing lost. */
const CONDITIONS_DEFAULT: PathConditions = { delayMs: 0.5, jitterMs: 0, lossRatio: 0, duplicateRatio: 0 };

/** What a FakeDatagram or FakePeerLink is told of. */
export interface NetworkListener {
  /** Some path was cut or healed. */
  pathsChanged(): void;
  /** Connections between these hosts break now. */
  connectionsReset(hostA: string, hostB: string): void;
}

/** All paths between all hosts. A host is any text. */
export class FakeNetwork {
  readonly time: Time;
  /** Draws what happens to packets. */
  readonly prng: Prng;
  #everywhere: PathConditions;
  readonly #paths = new Map<string, Partial<PathConditions>>();
  /** What `conditions` found out, since every packet asks. */
  readonly #known = new Map<string, PathConditions>();
  readonly #cuts = new Set<string>();
  readonly #listeners = new Set<NetworkListener>();
  readonly #bound = new Map<string, unknown>();

  constructor(components: { readonly time: Time }, init: Partial<PathConditions> & { readonly seed?: number } = {}) {
    const { seed = 1, ...conditions } = init;
    this.time = components.time;
    this.prng = new Prng(seed);
    this.#everywhere = { ...CONDITIONS_DEFAULT, ...conditions };
  }

  /** Changes the conditions from one host to another, or (neither given) of all paths that have none of their own. */
  setConditions(conditions: Partial<PathConditions>, path?: { readonly from: string; readonly to: string }): void {
    this.#known.clear();
    if (path === undefined) {
      this.#everywhere = { ...this.#everywhere, ...conditions };
    } else {
      const key = pathKey(path.from, path.to);
      this.#paths.set(key, { ...this.#paths.get(key), ...conditions });
    }
  }

  /** From now on nothing gets from one host to the other; the way back stays as it is. */
  cut(from: string, to: string): void {
    this.#cuts.add(pathKey(from, to));
    this.#tell((listener) => listener.pathsChanged());
  }

  /** Cuts every path, both ways, between hosts of different groups. */
  partition(...groups: readonly (readonly string[])[]): void {
    for (const group of groups) {
      const others = groups.filter((other) => other !== group).flat();
      for (const from of group) for (const to of others) this.cut(from, to);
    }
  }

  /** Mends one direction, or (nothing given) all. */
  heal(path?: { readonly from: string; readonly to: string }): void {
    if (path === undefined) this.#cuts.clear();
    else this.#cuts.delete(pathKey(path.from, path.to));
    this.#tell((listener) => listener.pathsChanged());
  }

  /** Breaks the connections between two hosts, as a router that restarts does; they are made anew. What was on its way is lost. */
  reset(hostA: string, hostB: string): void {
    this.#tell((listener) => listener.connectionsReset(hostA, hostB));
  }

  /** True while nothing gets from one host to the other. */
  isCut(from: string, to: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(pathKey(from, to));
  }

  /** The conditions from one host to another. */
  conditions(from: string, to: string): PathConditions {
    if (this.#paths.size === 0) return this.#everywhere;
    const key = pathKey(from, to);
    const known = this.#known.get(key) ?? { ...this.#everywhere, ...this.#paths.get(key) };
    this.#known.set(key, known);
    return known;
  }

  /** How long the next packet takes from one host to another, milliseconds. */
  drawDelayMs(from: string, to: string): number {
    const { delayMs, jitterMs } = this.conditions(from, to);
    return delayMs + jitterMs * this.prng.fraction();
  }

  /** Takes a place such as `udp 10.0.0.1:7420` for `owner`; false where somebody has it. */
  bind(place: string, owner: unknown): boolean {
    if (this.#bound.has(place)) return false;
    this.#bound.set(place, owner);
    return true;
  }

  /** Gives up a place. */
  unbind(place: string): void {
    this.#bound.delete(place);
  }

  /** Who has the place. */
  boundTo(place: string): unknown {
    return this.#bound.get(place);
  }

  /** `listener` hears of cuts and resets until the function that this returns is called. */
  listen(listener: NetworkListener): () => void {
    assert(!this.#listeners.has(listener), 'a listener listens once');
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(call: (listener: NetworkListener) => void): void {
    for (const listener of [...this.#listeners]) call(listener);
  }
}

const pathKey = (from: string, to: string): string => `${from} > ${to}`;
