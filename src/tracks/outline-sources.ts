/**
 * OutlineSources: of whom to ask what a file's chunks are checked by. One that had no outline, or gave none in time, is not asked again for
 * a moment; one that gave a wrong one for longer.
 */
import type { NodeId } from '../core/ids.js';

/** For one file. */
export class OutlineSources {
  /** Local milliseconds. */
  readonly #notBefore = new Map<NodeId, number>();
  #asked: number;

  /** @param init `first`: where to begin among the peers, so that not all are asked of the same */
  constructor(init: { readonly first: number }) {
    this.#asked = init.first;
  }

  /** One of `peers`, another each time; null where none is to be asked now. */
  choose(peers: readonly NodeId[], nowMs: number): NodeId | null {
    const able = peers.filter((peer) => (this.#notBefore.get(peer) ?? nowMs) <= nowMs);
    return able[this.#asked++ % able.length] ?? null;
  }

  /** A peer is not to be asked for so long, milliseconds. */
  refuse(peer: NodeId, forMs: number, nowMs: number): void {
    this.#notBefore.set(peer, nowMs + forMs);
  }
}
