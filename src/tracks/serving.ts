/**
 * Serving: gives peers the chunks and outlines that they ask for.
 *
 * Chunks are large and many, so little of them is anywhere: what was asked for waits as a few numbers, one chunk at a time is read from the
 * card, and the next for a peer only when the network has taken most of what it was given. What is soon to be heard goes before what
 * is not; else peers are served in turn.
 *
 * Invariants:
 *  1. At most one read is under way.
 *  2. For a peer at most ASKS_WAITING_MAX chunks wait to be read, each once.
 *  3. For a peer the network has at most CHUNKS_QUEUED_MAX chunks, and for all QUEUED_BYTES_MAX or one chunk.
 */
import { TuttiError } from '../core/errors.js';
import type { NodeId, TrackId } from '../core/ids.js';
import type { PeerMail } from '../ports/peer-mail.js';
import type { ChunkFiles } from './chunk-files.js';
import { ASKS_WAITING_MAX, CHUNKS_QUEUED_MAX, QUEUED_BYTES_MAX } from './exchange-limits.js';
import { encodeMessage, type Message } from './messages.js';

/** What a peer asked for: a chunk, or (index null) the outline of the file. */
export interface Asked {
  readonly id: TrackId;
  readonly index: number | null;
  readonly isDue: boolean;
}

/** What serving works with. */
export interface ServingComponents {
  readonly mail: PeerMail;
  readonly files: ChunkFiles;
  /** Bytes of a chunk of this file, as far as this node knows the file; else the largest. */
  readonly chunkBytes: (id: TrackId) => number;
  /** What was asked for cannot be read. */
  readonly unreadable: (asked: Asked, error: TuttiError) => void;
  /** Something may be done: calls `look`. */
  readonly changed: () => void;
}

/** What all peers together have asked for. */
export class Serving {
  readonly #components: ServingComponents;
  /** By peer; the next in turn first. Only peers that are up. */
  readonly #waiting = new Map<NodeId, Asked[]>();
  #isReading = false;

  constructor(components: ServingComponents) {
    this.#components = components;
  }

  /** A peer is up. */
  peerUp(peer: NodeId): void {
    this.#waiting.set(peer, []);
  }

  /** A peer is gone, and wants nothing any more. */
  peerDown(peer: NodeId): void {
    this.#waiting.delete(peer);
  }

  /** A peer asks for something; one that asks for too much is not heard. */
  asked(peer: NodeId, asked: Asked): void {
    const waiting = this.#waiting.get(peer);
    if (waiting === undefined) return;
    const others = waiting.filter(({ id, index }) => id !== asked.id || index !== asked.index);
    const isOutline = ({ index }: Asked) => index === null;
    if (others.filter((other) => isOutline(other) === isOutline(asked)).length >= ASKS_WAITING_MAX) return;
    this.#waiting.set(peer, [...others, asked]);
  }

  /** Begins the next read, where there is room for what it gives. True where something waits for the network. */
  look(): boolean {
    if (this.#isReading) return false;
    const peers = [...this.#waiting];
    const found = peers.flatMap(([peer, waiting]) => waiting.map((asked) => ({ peer, asked })));
    if (found.length === 0) return false;
    const able = found.filter(({ peer, asked }) => this.#hasRoom(peer, asked));
    const next = able.find(({ asked }) => asked.index === null) ?? able.find(({ asked }) => asked.isDue) ?? able[0];
    if (next === undefined) return true;
    const { peer, asked } = next;
    const left = this.#waiting.get(peer)!.filter((other) => other !== asked);
    // It is the others' turn.
    this.#waiting.delete(peer);
    this.#waiting.set(peer, left);
    this.#isReading = true;
    void this.#give(peer, asked);
    return false;
  }

  #hasRoom(peer: NodeId, { id, index }: Asked): boolean {
    const { mail, chunkBytes } = this.#components;
    // An outline is small, and many chunks wait for it.
    if (index === null) return true;
    const bytes = chunkBytes(id);
    const queued = (of: NodeId) => mail.queuedBytes(of, 'bulk');
    if (queued(peer) > (CHUNKS_QUEUED_MAX - 1) * bytes) return false;
    const all = [...this.#waiting.keys()].reduce((sum, of) => sum + queued(of), 0);
    return all === 0 || all + bytes <= QUEUED_BYTES_MAX;
  }

  async #give(peer: NodeId, asked: Asked): Promise<void> {
    const answer = await this.#answer(asked);
    this.#isReading = false;
    // It may have gone, and come again, and then does not wait for this any more; it takes no harm.
    if (this.#waiting.has(peer)) this.#components.mail.send(peer, channelOf(answer), encodeMessage(answer));
    this.#components.changed();
  }

  async #answer(asked: Asked): Promise<Message> {
    const { files, unreadable } = this.#components;
    const { id, index } = asked;
    try {
      if (index === null) return { type: 'outline', id, ...(await files.outline(id)) };
      return { type: 'chunk', id, index, bytes: await files.readChunk(id, index) };
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      unreadable(asked, error);
      return index === null ? { type: 'outline-no', id } : { type: 'chunk-no', id, index };
    }
  }
}

const channelOf = ({ type }: Message) => (type === 'outline' || type === 'chunk' ? 'bulk' : 'control');
