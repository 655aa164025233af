/**
 * FetchPlan: which chunk to ask of whom. Pure: it is told what happened and what time it is, and says what to ask.
 *
 * A file that one node took in is to be on all the others as fast as its network card can give it once. So nodes must give each other
 * what they have got, and must not all ask for the same:
 *
 *  - Of what a peer has, the chunk that fewest others have is asked for first: what only the first node has is had from it, what others
 *    have as well from them.
 *  - Chunks that are equally rare are taken in turn from a place of this node's own: the nodes that lack the file divide it among
 *    themselves, without a word, by the order of their ids.
 *  - What only one has, and is on its way from it to somebody else, is left to that one for a moment.
 *  - Of two that have a chunk, one that is much slower is not asked for the last ones: all would wait for it.
 *
 * What is soon to be heard comes before everything else, in its order; then files in the order in which they are wanted.
 *
 * Rarest first is from BitTorrent: B. Cohen, "Incentives Build Robustness in BitTorrent", 2003; A. Legout et al., "Rarest First and Choke
 * Algorithms Are Enough", IMC 2006.
 *
 * Invariants:
 *  1. A chunk that is here, or being written, is not asked for.
 *  2. A chunk is on its way from one peer at a time; from two when it is soon heard and the first keeps it waiting.
 *  3. From a peer no more chunks are on their way or being written than its window, and one; on their way no more than its window. From
 *     all no more bytes than IN_FLIGHT_BYTES_MAX, or one chunk.
 *  4. A peer is asked only for what it says it has, and not for what it has refused or given wrong, until REFUSED_MS after the last time.
 *  5. Where a chunk is missing and a peer that has it may be asked, something is on its way, or is left to another node for a moment
 *     (SPARED_MS after that one's last word), or is asked for at the next `next`.
 */
import { assert } from '../core/assert.js';
import type { NodeId, TrackId } from '../core/ids.js';
import { type ChunkPlan, chunkLength } from '../library/chunks.js';
import type { RoundTrip } from '../ports/peer-mail.js';
import type { ChunkSet } from './chunk-files.js';
import { hasChunk, noChunks } from './chunk-set.js';
import {
  DUE_MAX,
  DUE_NEAR_MS,
  DUE_PATIENCE_MS,
  IN_FLIGHT_BYTES_MAX,
  SPARED_MS,
  WINDOW_MAX,
} from './exchange-limits.js';
import { Pace, patienceMs, Rate } from './pace.js';
import { isForgiven, type Said, type Share, type Source, WantedFile } from './wanted-file.js';

/** A chunk that is soon to be heard. */
export interface DueChunk {
  readonly id: TrackId;
  readonly index: number;
  /** When it is heard, local milliseconds. */
  readonly atMs: number;
}

/** What to ask of a peer. */
export interface Ask {
  readonly peer: NodeId;
  readonly id: TrackId;
  readonly index: number;
  /** It is soon to be heard: the peer is to give it before others. */
  readonly isDue: boolean;
}

/** A file that is being fetched, with the requests that its chunks came by. */
type Wanted = WantedFile<Request>;

/** A peer that is up. */
interface Peer {
  readonly node: NodeId;
  readonly pace: Pace;
  readonly sources: Map<Wanted, Source>;
  /** On their way, in the order in which they were asked for. */
  asked: Request[];
  /** Given up, and they may still come. */
  late: Request[];
  /** How many chunks of it are being written. */
  writing: number;
}

/** A chunk that a peer was asked for. */
interface Request {
  readonly peer: Peer;
  readonly file: Wanted;
  readonly index: number;
  readonly bytes: number;
  readonly atMs: number;
  /** Of this one and those that were on their way already: from this peer, and from all. */
  readonly peerBytes: number;
  readonly allBytes: number;
}

/** The plan of one node. What is asked for is told as it goes: `arrived`, then `kept`, `failed` or `bad`; or `lacks`. */
export class FetchPlan {
  readonly #self: NodeId;
  readonly #mixer: number;
  readonly #files = new Map<TrackId, Wanted>();
  readonly #peers = new Map<NodeId, Peer>();
  #order: readonly Wanted[] = [];
  #due: readonly DueChunk[] = [];
  /** On their way or being written, from all peers. */
  #inFlightBytes = 0;
  /** Of what comes from all peers: this node's own link may be the slow one. */
  readonly #rate = new Rate();

  constructor(init: { readonly self: NodeId }) {
    this.#self = init.self;
    this.#mixer = mixerOf(init.self);
  }

  /** Bytes that were asked for and are not kept yet. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  // Peers, and what they have.

  /** A peer is there. What it has is told by `has`. */
  peerUp(node: NodeId): void {
    assert(!this.#peers.has(node), 'a peer comes up once');
    this.#peers.set(node, { node, pace: new Pace(), sources: new Map(), asked: [], late: [], writing: 0 });
  }

  /** It is not: what was on its way from it is lost. */
  peerDown(node: NodeId): void {
    const peer = this.#peers.get(node);
    if (peer === undefined) return;
    for (const request of peer.asked) this.#release(request);
    for (const [file, source] of peer.sources) file.counted(source, -1);
    this.#peers.delete(node);
  }

  /** What a peer says of a file that is being fetched; null where it has nothing of it any more. */
  has(node: NodeId, id: TrackId, said: Said | null, nowMs: number): void {
    const [peer, file] = [this.#peers.get(node), this.#files.get(id)];
    if (peer === undefined || file === undefined) return;
    const before = peer.sources.get(file);
    if (before !== undefined) file.counted(before, -1);
    peer.sources.delete(file);
    if (said === null) return;
    const source = file.sourceOf(said, before, nowMs);
    file.counted(source, 1);
    peer.sources.set(file, source);
  }

  /** What control messages with a peer take now; null where nobody knows. */
  measured(node: NodeId, roundTrip: RoundTrip | null, nowMs: number): void {
    this.#peers.get(node)?.pace.measured(roundTrip, nowMs);
  }

  // Files.

  /** A file is being fetched; `have` is what is here of it. What peers have of it is told from now on. */
  begin(id: TrackId, plan: ChunkPlan, have: ChunkSet): void {
    assert(!this.#files.has(id), 'a file is fetched once at a time');
    const file: Wanted = new WantedFile(id, plan, have);
    this.#files.set(id, file);
    // What was asked for before it ended comes yet, and is as good.
    for (const peer of this.#peers.values()) {
      const renew = (request: Request) => (request.file.id === id ? { ...request, file } : request);
      peer.asked = peer.asked.map(renew);
      peer.late = peer.late.map(renew);
      for (const request of peer.asked) if (request.file === file) file.asked(request.index);
    }
  }

  /** It is not any more. What is on its way of it is dropped when it comes, unless the file was begun again. */
  end(id: TrackId): void {
    const file = this.#files.get(id);
    if (file === undefined) return;
    this.#files.delete(id);
    this.#order = this.#order.filter((other) => other !== file);
    for (const peer of this.#peers.values()) peer.sources.delete(file);
    for (const request of file.writing.values()) this.#written(request);
  }

  /** Which of the files to fetch, the most wanted first; the others rest. */
  order(ids: readonly TrackId[]): void {
    this.#order = ids.map((id) => this.#files.get(id)).filter((file) => file !== undefined);
  }

  /** What is soon to be heard, the soonest first. More than DUE_MAX are not looked at. */
  due(chunks: readonly DueChunk[]): void {
    this.#due = chunks.slice(0, DUE_MAX);
  }

  /** What is here of a file that is being fetched: not to be changed. Null for others. */
  chunksOf(id: TrackId): ChunkSet | null {
    return this.#files.get(id)?.have ?? null;
  }

  /** What of it is on its way or being written. */
  comingOf(id: TrackId): ChunkSet | null {
    return this.#files.get(id)?.coming() ?? null;
  }

  /** True where nothing of a file is missing. */
  isWhole(id: TrackId): boolean {
    return this.#files.get(id)?.left === 0;
  }

  /** True where some peer gave what is not right by this node's outline of the file: one of them is wrong. */
  isDisputed(id: TrackId): boolean {
    const file = this.#files.get(id);
    return file !== undefined && [...this.#peers.values()].some(({ sources }) => (sources.get(file)?.bad ?? 0) > 0);
  }

  /** True where something of a file is on its way, or could be. */
  canMove(id: TrackId): boolean {
    const file = this.#files.get(id);
    if (file === undefined) return false;
    const sources = [...this.#peers.values()].map((peer) => peer.sources.get(file));
    return file.canMove(sources.filter((source) => source !== undefined));
  }

  // What happens to what was asked for.

  /** A chunk came. True where it is to be written; false where nobody asked, or it is here already. */
  arrived(node: NodeId, id: TrackId, index: number, nowMs: number): boolean {
    const peer = this.#peers.get(node);
    const request = peer === undefined ? undefined : this.#taken(peer, id, index);
    if (peer === undefined || request === undefined) return false;
    const { file, bytes, atMs } = request;
    peer.pace.arrived(bytes, atMs, nowMs);
    this.#rate.arrived(bytes, atMs, nowMs);
    if (this.#files.get(id) !== file || !file.came(index, request)) return false;
    peer.writing++;
    this.#inFlightBytes += bytes;
    return true;
  }

  /** What came is written. */
  kept(id: TrackId, index: number): void {
    this.#written(this.#files.get(id)?.written(index, true));
  }

  /** It could not be written: it is missing as before. */
  failed(id: TrackId, index: number): void {
    this.#written(this.#files.get(id)?.written(index, false));
  }

  /** What came is not what its hash says. Gives the peer that it came from; null where that is not known any more. */
  bad(id: TrackId, index: number, nowMs: number): NodeId | null {
    const request = this.#files.get(id)?.written(index, false);
    this.#written(request);
    if (request === undefined || this.#peers.get(request.peer.node) !== request.peer) return null;
    const { peer, file } = request;
    const source = peer.sources.get(file);
    if (source !== undefined) file.refused(source, index, { isBad: true, nowMs });
    return peer.node;
  }

  /** A peer says that it has not got a chunk. */
  lacks(node: NodeId, id: TrackId, index: number, nowMs: number): void {
    const [peer, file] = [this.#peers.get(node), this.#files.get(id)];
    if (peer === undefined) return;
    this.#taken(peer, id, index);
    const source = file === undefined ? undefined : peer.sources.get(file);
    if (file === undefined || source === undefined || index >= file.plan.count) return;
    file.refused(source, index, { isBad: false, nowMs });
  }

  // The decision.

  /** What to ask now. Counts as asked. */
  next(nowMs: number): Ask[] {
    for (const peer of this.#peers.values()) {
      this.#giveUpLate(peer, nowMs);
      this.#forgive(peer, nowMs);
    }
    const asks: Ask[] = [];
    this.#askDue(asks, nowMs);
    const peers = [...this.#peers.values()].filter(({ pace }) => !pace.isAside(nowMs));
    // Who has least chooses first: who has everything can give what is left.
    peers.sort((a, b) => countHeld(a) - countHeld(b));
    // One each at a time, so that all share.
    for (let goesOn = true; goesOn; ) {
      goesOn = false;
      for (const peer of peers) {
        const found = this.#choose(peer, nowMs);
        if (found === null) continue;
        this.#ask(asks, peer, found.file, found.index, { isDue: false, nowMs });
        goesOn = true;
      }
    }
    return asks;
  }

  #giveUpLate(peer: Peer, nowMs: number): void {
    const late = peer.asked.filter(({ atMs, peerBytes, allBytes }) => {
      const takesMs = Math.max(peer.pace.rate.takesMs(peerBytes), this.#rate.takesMs(allBytes));
      return nowMs - atMs > patienceMs(takesMs);
    });
    if (late.length === 0) return;
    peer.asked = peer.asked.filter((request) => !late.includes(request));
    for (const request of late) this.#release(request);
    // What comes after all is taken; more than a window of it is more than was ever asked for at once.
    peer.late = [...peer.late, ...late].slice(-WINDOW_MAX);
    peer.pace.missed(nowMs);
  }

  #forgive(peer: Peer, nowMs: number): void {
    for (const [file, source] of [...peer.sources]) {
      if (isForgiven(source, nowMs)) this.has(peer.node, file.id, source.said, nowMs);
    }
  }

  #askDue(asks: Ask[], nowMs: number): void {
    for (const { id, index, atMs } of this.#due) {
      const file = this.#files.get(id);
      if (file === undefined) continue;
      const isUrgent = atMs - nowMs < DUE_NEAR_MS && this.#isKeptWaiting(file, index, nowMs);
      if (!file.isOpen(index) && !isUrgent) continue;
      const peer = this.#quickest(file, index, nowMs);
      if (peer !== null) this.#ask(asks, peer, file, index, { isDue: true, nowMs });
    }
  }

  /** It is on its way from one peer, and for long. */
  #isKeptWaiting(file: Wanted, index: number, nowMs: number): boolean {
    if (file.askedOf(index) !== 1 || file.writing.has(index) || hasChunk(file.have, index)) return false;
    const requests = [...this.#peers.values()].flatMap(({ asked }) => asked);
    const request = requests.find((one) => one.file === file && one.index === index);
    return request !== undefined && nowMs - request.atMs >= DUE_PATIENCE_MS;
  }

  /** Of those who have a chunk, may be asked and were not yet, the one that will have given it first; null where there is none. */
  #quickest(file: Wanted, index: number, nowMs: number): Peer | null {
    const bytes = chunkLength(file.plan, index);
    const takesMs = ({ pace, asked }: Peer) => pace.rate.takesMs(bytesOf(asked) + bytes);
    const able = [...this.#peers.values()].filter(
      (peer) =>
        this.#hasRoom(peer, bytes) &&
        hasIt(peer, file, index) &&
        !peer.asked.some((request) => request.file === file && request.index === index),
    );
    // One that was set aside is better than none.
    const trusted = able.filter(({ pace }) => !pace.isAside(nowMs));
    const [first = null, ...others] = trusted.length > 0 ? trusted : able;
    return others.reduce((best, peer) => (best !== null && takesMs(best) <= takesMs(peer) ? best : peer), first);
  }

  /** The chunk to ask of a peer next; null where there is none, or it has no room. */
  #choose(peer: Peer, nowMs: number): { readonly file: Wanted; readonly index: number } | null {
    for (const file of this.#order) {
      const source = peer.sources.get(file);
      if (source === undefined || !this.#hasRoom(peer, file.plan.chunkBytes)) continue;
      const index = file.rarest(source.chunks, this.#spared(file, nowMs), this.#share(file));
      if (index !== null && !this.#isBetterLeft(peer, file, index, nowMs)) return { file, index };
    }
    return null;
  }

  /**
   * What is on its way to other nodes, going by what they said lately: who has it is to give it once, and they will have it soon. Without
   * this, all would ask the first node for the last chunks at once.
   */
  #spared(file: Wanted, nowMs: number): ChunkSet {
    const spared = noChunks(file.plan.count);
    for (const { sources } of this.#peers.values()) {
      const source = sources.get(file);
      if (source === undefined || nowMs - source.saidAtMs > SPARED_MS) continue;
      for (let at = 0; at < spared.length; at++) spared[at] = spared[at]! | source.coming[at]!;
    }
    return spared;
  }

  /** The part of a file that is this node's to begin with: those who lack the file divide it by the order of their ids. */
  #share(file: Wanted): Share {
    const lacking = [...this.#peers.values()].filter(({ sources }) => sources.get(file)?.said !== 'all');
    const place = lacking.filter(({ node }) => node < this.#self).length;
    const at = (part: number) => Math.floor((part * file.plan.count) / (lacking.length + 1));
    return { from: at(place), to: at(place + 1), mixer: this.#mixer };
  }

  /** Another peer would have given this chunk, and all that is left, before this one gives it. */
  #isBetterLeft(peer: Peer, file: Wanted, index: number, nowMs: number): boolean {
    if (!peer.pace.rate.isKnown) return false;
    const ownMs = peer.pace.rate.takesMs(bytesOf(peer.asked) + chunkLength(file.plan, index));
    const leftBytes = file.openCount * file.plan.chunkBytes;
    return [...this.#peers.values()].some(
      (other) =>
        other !== peer &&
        other.pace.rate.isKnown &&
        !other.pace.isAside(nowMs) &&
        hasIt(other, file, index) &&
        other.pace.rate.takesMs(bytesOf(other.asked) + leftBytes) < ownMs,
    );
  }

  #hasRoom({ asked, writing, pace }: Peer, bytes: number): boolean {
    const fits = this.#inFlightBytes === 0 || this.#inFlightBytes + bytes <= IN_FLIGHT_BYTES_MAX;
    // One is written while the next comes, so that neither card nor network waits for the other.
    return fits && asked.length + Math.max(0, writing - 1) < pace.window;
  }

  #ask(
    asks: Ask[],
    peer: Peer,
    file: Wanted,
    index: number,
    { isDue, nowMs }: { readonly isDue: boolean; readonly nowMs: number },
  ): void {
    const bytes = chunkLength(file.plan, index);
    file.asked(index);
    this.#inFlightBytes += bytes;
    const [peerBytes, allBytes] = [bytesOf(peer.asked) + bytes, this.#inFlightBytes];
    peer.asked.push({ peer, file, index, bytes, atMs: nowMs, peerBytes, allBytes });
    asks.push({ peer: peer.node, id: file.id, index, isDue });
  }

  /** Finds what a peer was asked for, late or not: it is on its way no more. */
  #taken(peer: Peer, id: TrackId, index: number): Request | undefined {
    const isIt = (request: Request) => request.file.id === id && request.index === index;
    const asked = peer.asked.find(isIt);
    if (asked !== undefined) {
      peer.asked = peer.asked.filter((request) => request !== asked);
      this.#release(asked);
      return asked;
    }
    const late = peer.late.find(isIt);
    peer.late = peer.late.filter((request) => request !== late);
    return late;
  }

  /** A chunk is not on its way from that peer any more. */
  #release({ file, index, bytes }: Request): void {
    this.#inFlightBytes -= bytes;
    file.released(index);
  }

  #written(request: Request | undefined): void {
    if (request === undefined) return;
    request.peer.writing--;
    this.#inFlightBytes -= request.bytes;
  }
}

/** An odd number of 32 bits that other nodes do not have: FNV-1a of the id. */
function mixerOf(node: NodeId): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < node.length; at++) hash = Math.imul(hash ^ node.charCodeAt(at), 0x01000193);
  return (hash | 1) >>> 0;
}

const bytesOf = (requests: readonly Request[]): number => requests.reduce((sum, { bytes }) => sum + bytes, 0);

/** True where a peer may be asked for this chunk. */
function hasIt({ sources }: Peer, file: Wanted, index: number): boolean {
  const source = sources.get(file);
  return source !== undefined && hasChunk(source.chunks, index);
}

/** How much a peer could give, of all files. */
const countHeld = ({ sources }: Peer): number => [...sources.values()].reduce((sum, { count }) => sum + count, 0);
