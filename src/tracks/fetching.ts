/**
 * Fetching: brings the files that are wanted to this card, chunk by chunk.
 *
 * For each file: ask a peer for its outline, by which chunks are checked, unless the card has it; let the card say what of the file is
 * here already; ask peers for the rest, as the plan says; keep what is right; and when all is here, let the card read it back and give it
 * its place. What goes wrong on the way is put right at its step: another peer's outline, another peer's chunk, another try later where
 * the card has no room.
 *
 *     resting --ask for outline--> asking --it came--> opening --the card has looked--> fetching --all is here--> finishing --> held
 *       ^ |                          |                  ^ |                               |                          |
 *       | '-----the card has it------+------------------' |                               |                          |
 *       '-------none in time---------'---a wrong one------'------the card failed----------'---it is another file-----'
 *
 * Invariants:
 *  1. A file is in the plan while, and only while, it is at `fetching`.
 *  2. The card is asked for one thing at a time for a file, save for chunks to keep.
 *  3. What the card answers counts at the stage that asked: after a file was set back or dropped, and perhaps begun anew, it is old news.
 *  4. A file at `finishing` is not dropped: it is held a moment later, and then whoever does not want it removes it.
 *  5. Peers are told of a file while, and only while, it is at `fetching` or `finishing`.
 */
import { TuttiError } from '../core/errors.js';
import type { NodeId, TrackId } from '../core/ids.js';
import { CHUNK_HASH_BYTES, CHUNK_LIMITS, type ChunkLimits, type ChunkPlan } from '../library/chunks.js';
import type { Track } from '../library/track.js';
import { CardTrouble } from './card-trouble.js';
import type { ChunkSet, FileOutline } from './chunk-files.js';
import { allChunks, countChunks, noChunks } from './chunk-set.js';
import {
  FILE_AGAIN_MS,
  FILES_AT_ONCE,
  LOOK_MS,
  OUTLINE_AGAIN_MS,
  OUTLINE_MS,
  OUTLINE_WRONG_MS,
} from './exchange-limits.js';
import { type Ask, type DueChunk, FetchPlan } from './fetch-plan.js';
import type { FetchingComponents, FetchingInit, FetchProgress } from './fetching-init.js';
import { OutlineSources } from './outline-sources.js';
import { type Arriving, Telling } from './telling.js';
import { planOf } from './track-plan.js';

/** Where a file is on its way: see the picture above. */
type Stage =
  | { readonly type: 'resting' }
  | { readonly type: 'asking'; readonly of: NodeId; readonly sinceMs: number }
  | { readonly type: 'opening' }
  | { readonly type: 'fetching' }
  | { readonly type: 'finishing' };

const RESTING: Stage = { type: 'resting' };

/** `place`: it is where held files are, and something of it is wrong, or may be. `card`: it was begun. `peers`: nothing is here. */
type Source = 'place' | 'card' | 'peers';

/** A file that is being fetched. */
interface Fetch {
  readonly track: Track;
  readonly plan: ChunkPlan;
  stage: Stage;
  /** Whose outline its chunks are checked by. */
  outlineOf: NodeId | null;
  readonly sources: OutlineSources;
  /** It was held, and is damaged. */
  readonly isRepair: boolean;
  /** Where to look for what is here of it and what it is checked by. */
  source: Source;
  /** Not to be touched before, local milliseconds. */
  againAtMs: number;
}

/** True where the chunks of one are those of the other. */
const isCutAlike = (one: Track, other: Track): boolean =>
  one.bytes === other.bytes && one.chunks?.bytes === other.chunks?.bytes && one.chunks?.root === other.chunks?.root;

/** The files that are on their way to this node. */
export class Fetching {
  readonly #components: FetchingComponents;
  readonly #limits: ChunkLimits;
  readonly #plan: FetchPlan;
  readonly #telling: Telling;
  readonly #fetches = new Map<TrackId, Fetch>();
  readonly #trouble: CardTrouble;
  #begun = 0;
  /** What is fetched now; and when that was chosen, local milliseconds. */
  #chosen: readonly Track[] = [];
  #chosenAtMs = Number.NEGATIVE_INFINITY;

  constructor(components: FetchingComponents, { self, chunkLimits = CHUNK_LIMITS }: FetchingInit) {
    this.#components = components;
    this.#limits = chunkLimits;
    this.#trouble = new CardTrouble(components);
    this.#plan = new FetchPlan({ self });
    const { send, peers, said, isOfferedBy } = components;
    const isIndifferent = (peer: NodeId, id: TrackId) => said(peer, id) === 'all' && !isOfferedBy(peer, id);
    this.#telling = new Telling({ send, peers, isIndifferent, arriving: (id) => this.#arriving(id) });
  }

  /** Why nothing could be kept the last time; null where it could. */
  get trouble(): TuttiError | null {
    return this.#trouble.last;
  }

  /** Bytes that were asked for and are not kept yet. */
  get inFlightBytes(): number {
    return this.#plan.inFlightBytes;
  }

  /** Files that were begun. */
  ids(): TrackId[] {
    return [...this.#fetches.keys()];
  }

  /** What is on its way, in the order in which it was begun. */
  progress(): FetchProgress[] {
    return [...this.#fetches].map(([id, { plan }]) => {
      return { id, chunks: countChunks(this.#arriving(id).chunks), count: plan.count };
    });
  }

  /** Tracks that were held, and damaged, the longest under repair first. */
  repairs(): TrackId[] {
    return [...this.#fetches].filter(([, { isRepair }]) => isRepair).map(([id]) => id);
  }

  // What happens.

  /** A peer is up. */
  peerUp(peer: NodeId): void {
    this.#plan.peerUp(peer);
    for (const id of this.#fetches.keys()) this.told(peer, id);
    this.#telling.greet(peer);
  }

  /** It is not. */
  peerDown(peer: NodeId): void {
    this.#plan.peerDown(peer);
    for (const fetch of this.#fetches.values()) {
      if (fetch.stage.type === 'asking' && fetch.stage.of === peer) fetch.stage = RESTING;
    }
  }

  /** What a peer says of a file has changed. */
  told(peer: NodeId, id: TrackId): void {
    this.#plan.has(peer, id, this.#components.said(peer, id), this.#components.nowMs());
  }

  /** A peer held a file, and does not any more: it may want what is here. */
  lost(peer: NodeId, id: TrackId): void {
    this.told(peer, id);
    this.#telling.greet(peer, [id]);
  }

  /** What is soon to be heard, the soonest first. */
  due(chunks: readonly DueChunk[]): void {
    this.#plan.due(chunks);
  }

  /** A peer gives what chunks are checked by. */
  outline(from: NodeId, id: TrackId, outline: FileOutline): void {
    const fetch = this.#fetches.get(id);
    if (fetch?.stage.type !== 'asking' || fetch.stage.of !== from) return;
    fetch.outlineOf = from;
    void this.#openWith(fetch, () => this.#beginOnCard(fetch, outline));
  }

  /** A peer has no outline. */
  outlineNo(from: NodeId, id: TrackId): void {
    const fetch = this.#fetches.get(id);
    if (fetch?.stage.type === 'asking' && fetch.stage.of === from) this.#noOutline(fetch, from, OUTLINE_AGAIN_MS);
  }

  /** A peer gives a chunk. */
  chunk(from: NodeId, id: TrackId, index: number, bytes: Uint8Array): void {
    const { nowMs, roundTrip } = this.#components;
    const isWanted = this.#plan.arrived(from, id, index, nowMs());
    this.#plan.measured(from, roundTrip(from), nowMs());
    const fetch = this.#fetches.get(id);
    if (isWanted && fetch !== undefined) void this.#keep(fetch, index, bytes);
  }

  /** A peer has not got a chunk. */
  chunkNo(from: NodeId, id: TrackId, index: number): void {
    this.#plan.lacks(from, id, index, this.#components.nowMs());
  }

  /** A held file is damaged: what is right of it stays, the rest is fetched. */
  repair(track: Track): void {
    const fetch = this.#begin(track, 'place', true);
    if (fetch !== null) this.#open(fetch);
  }

  /** Something of what has come of a file may be wrong: the card is to look at it again. */
  recheck(id: TrackId): void {
    const fetch = this.#fetches.get(id);
    if (fetch?.stage.type === 'fetching') this.#rest(fetch);
  }

  /** A held file is damaged, and nobody wants it now: it is one that was begun. */
  quarantine(id: TrackId): void {
    this.#unlessFails(id, this.#components.files.quarantine(id, null));
  }

  /** Nobody wants the file any more: what has come of it goes, also what came before the last start. */
  drop(id: TrackId): void {
    if (this.#fetches.get(id)?.stage.type !== 'finishing') this.took(id);
  }

  /** The file has its place already: it was taken in here. */
  took(id: TrackId): void {
    this.chooseAgain();
    const fetch = this.#fetches.get(id);
    if (fetch !== undefined) this.#forget(fetch);
    this.#unlessFails(id, this.#components.files.dropFetch(id));
  }

  // What is done.

  /** What is wanted, or who has it, has changed: which files to fetch is to be chosen anew. */
  chooseAgain(): void {
    this.#chosenAtMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Does what can be done now. `wanted` gives the tracks that are to be here, the most wanted first; it is asked only now and then, since
   * they may be thousands. Gives after how many milliseconds to look again although nothing happens; null for never.
   */
  look(wanted: () => Iterable<Track>): number | null {
    const { nowMs } = this.#components;
    this.#giveUpOutlines(nowMs());
    const isPaused = this.#trouble.isPaused(nowMs());
    if (!isPaused) {
      this.#choose(wanted, nowMs());
      this.#plan.order(this.#chosen.map(({ id }) => id));
      this.#ask(this.#plan.next(nowMs()));
    }
    const tellInMs = this.#telling.look(nowMs());
    return isPaused || this.#fetches.size > 0 ? Math.min(LOOK_MS, tellInMs ?? LOOK_MS) : null;
  }

  #choose(wanted: () => Iterable<Track>, nowMs: number): void {
    const before = this.#chosen;
    const isOld = nowMs - this.#chosenAtMs >= LOOK_MS;
    if (!isOld) this.#chosen = before.filter((track) => this.#takesPlace(track));
    if (!isOld && this.#chosen.length === before.length) return;
    this.#chosenAtMs = nowMs;
    const chosen: Track[] = [];
    for (const track of wanted()) {
      if (chosen.length === FILES_AT_ONCE) break;
      if (!chosen.some(({ id }) => id === track.id) && this.#takesPlace(track)) chosen.push(track);
    }
    this.#chosen = chosen;
  }

  /** Does the next thing for a track, and says whether it keeps the network busy. */
  #takesPlace(track: Track): boolean {
    const { isHeld, nowMs, whoHas } = this.#components;
    const { id } = track;
    if (isHeld(id)) return false;
    let fetch = this.#fetches.get(id);
    // One was offered, and another agreed: what is here of it is looked at by the new one.
    if (fetch !== undefined && fetch.stage.type !== 'finishing' && !isCutAlike(fetch.track, track)) {
      this.#forget(fetch);
      fetch = this.#begin(track, fetch.source, fetch.isRepair) ?? undefined;
    } else if (fetch === undefined) {
      const { isOnCard, isLeftOut } = this.#components;
      const source = isOnCard(id) ? 'card' : isLeftOut(id) ? 'place' : 'peers';
      if (source === 'peers' && whoHas(id).length === 0) return false;
      fetch = this.#begin(track, source) ?? undefined;
    }
    if (fetch === undefined || nowMs() < fetch.againAtMs) return false;
    switch (fetch.stage.type) {
      case 'resting':
        return this.#open(fetch);
      case 'asking':
      case 'opening':
        return true;
      case 'fetching':
        return this.#plan.canMove(id) || this.#doubtOutline(fetch);
      case 'finishing':
        return false;
    }
  }

  /** Null for a track whose file is cut in a way that no peer could say. */
  #begin(track: Track, source: Source, isRepair = false): Fetch | null {
    const plan = planOf(track, this.#limits);
    if (plan === null) return null;
    const fetch: Fetch = {
      track,
      plan,
      stage: RESTING,
      outlineOf: null,
      sources: new OutlineSources({ first: this.#begun++ }),
      isRepair,
      source,
      againAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#fetches.set(track.id, fetch);
    return fetch;
  }

  /** Invariant 3. */
  #isAt(fetch: Fetch, stage: Stage): boolean {
    return this.#fetches.get(fetch.track.id) === fetch && fetch.stage === stage;
  }

  // Outlines.

  /** Begins to find out what is here of a file. False where nobody can be asked now. */
  #open(fetch: Fetch): boolean {
    const { files } = this.#components;
    const { id } = fetch.track;
    fetch.outlineOf = null;
    switch (fetch.source) {
      case 'place':
        void this.#openWith(fetch, () => files.quarantine(id, fetch.track));
        return true;
      case 'card':
        void this.#openWith(fetch, async () => this.#beginOnCard(fetch, await files.outline(id)));
        return true;
      case 'peers':
        return this.#askOutline(fetch);
    }
  }

  #askOutline(fetch: Fetch): boolean {
    const { send, nowMs, whoHas } = this.#components;
    const of = fetch.sources.choose(whoHas(fetch.track.id), nowMs());
    if (of === null) return false;
    fetch.stage = { type: 'asking', of, sinceMs: nowMs() };
    send(of, { type: 'outline-ask', id: fetch.track.id });
    return true;
  }

  #giveUpOutlines(nowMs: number): void {
    for (const fetch of this.#fetches.values()) {
      if (fetch.stage.type !== 'asking' || nowMs - fetch.stage.sinceMs < OUTLINE_MS) continue;
      this.#noOutline(fetch, fetch.stage.of, OUTLINE_AGAIN_MS);
    }
  }

  #noOutline(fetch: Fetch, of: NodeId, forMs: number): void {
    fetch.stage = RESTING;
    fetch.sources.refuse(of, forMs, this.#components.nowMs());
  }

  #wrongOutline(fetch: Fetch, error: TuttiError): void {
    const { track, outlineOf } = fetch;
    fetch.stage = RESTING;
    // The card's own is of another cut.
    if (outlineOf === null) return;
    this.#components.log.warn('A peer says wrongly how a file is to be checked.', {
      track: track.id,
      peer: outlineOf,
      detail: error.detail,
    });
    this.#noOutline(fetch, outlineOf, OUTLINE_WRONG_MS);
  }

  /** Nobody can give what is missing. Where no manifest was agreed, the one that is believed may be why: true where another is to be had. */
  #doubtOutline(fetch: Fetch): boolean {
    const { track, outlineOf } = fetch;
    if (track.chunks !== undefined || !this.#plan.isDisputed(track.id)) return false;
    this.#rest(fetch);
    fetch.source = 'peers';
    if (outlineOf !== null) this.#noOutline(fetch, outlineOf, OUTLINE_WRONG_MS);
    return true;
  }

  // The card.

  #beginOnCard({ track, plan }: Fetch, outline: FileOutline): Promise<ChunkSet> {
    const isWhole = outline.manifest.length === plan.count * CHUNK_HASH_BYTES;
    if (!isWhole) throw new TuttiError('BAD_CHUNK', 'the manifest has the wrong length');
    return this.#components.files.beginFetch(track, outline, plan.chunkBytes);
  }

  /** Lets the card say what of a file is here, and goes on from there. */
  async #openWith(fetch: Fetch, look: () => Promise<ChunkSet>): Promise<void> {
    const stage: Stage = { type: 'opening' };
    fetch.stage = stage;
    const { id } = fetch.track;
    try {
      const have = await look();
      if (!this.#isAt(fetch, stage)) return;
      fetch.stage = { type: 'fetching' };
      fetch.source = 'card';
      this.#plan.begin(id, fetch.plan, have);
      for (const peer of this.#components.peers()) this.told(peer, id);
      this.#telling.note(id);
      this.#finishIfWhole(fetch);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      if (!this.#isAt(fetch, stage)) return;
      // What is not where it was, or not what it was, or cannot be read, is to be had from others. A held file has to be moved away first.
      const isGone = error.code === 'TRACK_MISSING' || error.code === 'BAD_CHUNK';
      const isForNow = error.code === 'DISK_FULL' || error.code === 'BUSY';
      if (isGone || (fetch.source === 'card' && !isForNow)) fetch.source = 'peers';
      if (error.code === 'BAD_CHUNK') this.#wrongOutline(fetch, error);
      else this.#setBack(fetch, error);
    }
    this.#components.changed();
  }

  async #keep(fetch: Fetch, index: number, bytes: Uint8Array): Promise<void> {
    const { track, stage } = fetch;
    const { id } = track;
    try {
      await this.#components.files.putChunk(id, index, bytes);
      if (!this.#isAt(fetch, stage)) return;
      this.#plan.kept(id, index);
      this.#telling.note(id);
      this.#trouble.isWell();
      this.#components.kept(id, index);
      this.#finishIfWhole(fetch);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      if (!this.#isAt(fetch, stage)) return;
      if (error.code === 'BAD_CHUNK') {
        this.#bad(fetch, index);
      } else {
        this.#plan.failed(id, index);
        this.#setBack(fetch, error);
      }
    }
    this.#components.changed();
  }

  #bad(fetch: Fetch, index: number): void {
    const { id } = fetch.track;
    const from = this.#plan.bad(id, index, this.#components.nowMs());
    this.#components.log.warn('A chunk that a peer gave is not what its hash says.', { track: id, index, peer: from });
    if (from !== null) this.#components.send(from, { type: 'chunk-bad', id, index });
  }

  #finishIfWhole(fetch: Fetch): void {
    if (!this.#plan.isWhole(fetch.track.id)) return;
    this.#plan.end(fetch.track.id);
    fetch.stage = { type: 'finishing' };
    this.#telling.note(fetch.track.id);
    void this.#finish(fetch);
  }

  async #finish(fetch: Fetch): Promise<void> {
    const { track, stage, outlineOf } = fetch;
    const { files, arrived, log, changed } = this.#components;
    try {
      await files.finishFetch(track.id);
      if (!this.#isAt(fetch, stage)) return;
      this.#fetches.delete(track.id);
      this.#telling.held(track.id);
      this.#trouble.isWell();
      arrived(track);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      if (!this.#isAt(fetch, stage)) return;
      if (error.code === 'BAD_CHUNK') {
        // The card has spoilt what it was given; or, where no manifest was agreed, it was wrong, and another peer is asked for it next.
        fetch.source = 'peers';
        log.error('A file that came in is another one: it is fetched anew.', { track: track.id, outlineOf });
      }
      this.#setBack(fetch, error);
    }
    changed();
  }

  /** The card could not do what it was to do: the file is left alone for a while, and all others for a moment. */
  #setBack(fetch: Fetch, error: TuttiError): void {
    // One that has no room yet goes on where it is.
    if (fetch.stage.type !== 'fetching' || error.code !== 'DISK_FULL') this.#rest(fetch);
    if (error.code === 'TRACK_MISSING') return;
    const nowMs = this.#components.nowMs();
    fetch.againAtMs = nowMs + FILE_AGAIN_MS;
    this.#trouble.failed(fetch.track.id, error, nowMs);
  }

  /** Back to the beginning, with whatever the card has of the file. */
  #rest(fetch: Fetch): void {
    this.#plan.end(fetch.track.id);
    fetch.stage = RESTING;
    this.#telling.over(fetch.track.id);
  }

  #forget({ track }: Fetch): void {
    this.#plan.end(track.id);
    this.#fetches.delete(track.id);
    this.#telling.over(track.id);
  }

  #unlessFails(track: TrackId, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!(error instanceof TuttiError)) throw error;
      // It is found at the next start.
      const { code, detail } = error;
      this.#components.log.warn('A file that nobody wants could not be removed.', { track, code, detail });
    });
  }

  /** Asks for chunks, with as few messages as there can be. */
  #ask(asks: readonly Ask[]): void {
    const messages = new Map<
      string,
      { readonly to: NodeId; readonly id: TrackId; isDue: boolean; indexes: number[] }
    >();
    for (const { peer, id, index, isDue } of asks) {
      const key = `${peer} ${id} ${isDue}`;
      const message = messages.get(key) ?? { to: peer, id, isDue, indexes: [] };
      message.indexes.push(index);
      messages.set(key, message);
      this.#telling.note(id);
    }
    for (const { to, ...ask } of messages.values()) this.#components.send(to, { type: 'chunk-ask', ...ask });
  }

  /** What is here of a file that was begun, and what is on its way. */
  #arriving(id: TrackId): Arriving {
    const fetch = this.#fetches.get(id);
    const count = fetch?.plan.count ?? 0;
    if (fetch?.stage.type === 'finishing') return { chunks: allChunks(count), coming: noChunks(count) };
    return {
      chunks: this.#plan.chunksOf(id) ?? noChunks(count),
      coming: this.#plan.comingOf(id) ?? noChunks(count),
    };
  }
}
