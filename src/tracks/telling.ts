/**
 * Telling: how the others learn what has come of the files that are on their way to this node, so that they ask for it.
 *
 * Not at once for each chunk, but ARRIVING_MS after the last word at the latest; and again now and then, since a word may get lost, and
 * with it the only knowledge of who has a chunk. Who holds the file needs no telling, unless it waits for others to hold it too. The end is told
 * at once.
 */
import type { NodeId, TrackId } from '../core/ids.js';
import type { ChunkSet } from './chunk-files.js';
import { ARRIVING_AGAIN_MS, ARRIVING_MS } from './exchange-limits.js';
import type { Message } from './messages.js';

/** What is told of a file. */
export interface Arriving {
  readonly chunks: ChunkSet;
  readonly coming: ChunkSet;
}

/** What telling works with. */
export interface TellingComponents {
  readonly send: (to: NodeId, message: Message) => void;
  /** What has come of a file that is told of. */
  readonly arriving: (id: TrackId) => Arriving;
  /** Peers that are up. */
  readonly peers: () => readonly NodeId[];
  /** What has come of a file here is nothing to this peer. */
  readonly isIndifferent: (peer: NodeId, id: TrackId) => boolean;
}

/** How a file was last told of. */
interface Told {
  /** Local milliseconds. */
  atMs: number;
  isOld: boolean;
}

const NOTHING: Arriving = { chunks: new Uint8Array(0), coming: new Uint8Array(0) };

/** The files that others are told of. */
export class Telling {
  readonly #components: TellingComponents;
  readonly #told = new Map<TrackId, Told>();

  constructor(components: TellingComponents) {
    this.#components = components;
  }

  /** Something has come or was asked for, or the file is begun. */
  note(id: TrackId): void {
    const told = this.#told.get(id);
    if (told === undefined) this.#told.set(id, { atMs: Number.NEGATIVE_INFINITY, isOld: true });
    else told.isOld = true;
  }

  /** It is held, which says more. */
  held(id: TrackId): void {
    this.#told.delete(id);
  }

  /** It is not on its way any more. */
  over(id: TrackId): void {
    if (!this.#told.delete(id)) return;
    for (const peer of this.#components.peers()) this.#tell(peer, id, NOTHING);
  }

  /** A peer came up, or lost this file. */
  greet(peer: NodeId, ids: Iterable<TrackId> = this.#told.keys()): void {
    for (const id of ids) if (this.#told.has(id)) this.#tell(peer, id, this.#components.arriving(id));
  }

  /** Tells what is to be told now. Gives when that will be again, in milliseconds; null where nothing is on its way. */
  look(nowMs: number): number | null {
    let nextMs: number | null = null;
    for (const [id, told] of this.#told) {
      const waitMs = () => told.atMs + (told.isOld ? ARRIVING_MS : ARRIVING_AGAIN_MS) - nowMs;
      if (waitMs() <= 0) {
        told.isOld = false;
        told.atMs = nowMs;
        this.#tellAll(id);
      }
      nextMs = Math.min(waitMs(), nextMs ?? ARRIVING_AGAIN_MS);
    }
    return nextMs;
  }

  #tellAll(id: TrackId): void {
    const { peers, isIndifferent, arriving } = this.#components;
    const what = arriving(id);
    for (const peer of peers()) if (!isIndifferent(peer, id)) this.#tell(peer, id, what);
  }

  #tell(peer: NodeId, id: TrackId, { chunks, coming }: Arriving): void {
    this.#components.send(peer, { type: 'arriving', id, chunks, coming });
  }
}
