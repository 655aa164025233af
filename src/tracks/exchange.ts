/**
 * TrackExchange: the one part of a node that talks to the others about track files.
 *
 *     holdings.ts, peer-files.ts   who holds what, and what is on its way to whom
 *     fetching.ts                  what is wanted and not here; fetch-plan.ts says what to ask of whom
 *     serving.ts                   what others ask for
 *     offers.ts                    files that are not agreed to be tracks yet
 *
 * Every event, be it a message, a wish or an answer of the card, only changes what those parts know; then `evaluate` does all that can be
 * done.
 *
 * Invariants:
 *  1. This node says that it holds a file only between the card's word that the file has its place and the first doubt of that.
 *  2. A chunk is kept only if it is what its hash says, and a file has its place only if it is what its id says: the card sees to both.
 *  3. What is wanted, not here, and can be had from somebody who is up, is fetched: what is due first, then what is offered, what is
 *     under repair, and the library in its order.
 *  4. What is not wanted any more does not stay: it goes at once where it was removed, after LINGER_MS where it may only seem so.
 *  5. Memory is bounded by constants, whatever peers send: see exchange-limits.ts and messages.ts.
 *  6. Messages may get lost: all that is told is told again, all that is asked is asked again.
 */
import { TuttiError } from '../core/errors.js';
import type { NodeId, Slot, TrackId } from '../core/ids.js';
import { CHUNK_LIMITS, type ChunkLimits, type ChunkPlan } from '../library/chunks.js';
import type { Holder, Track } from '../library/track.js';
import type { Log } from '../ports/log.js';
import type { Timer } from '../ports/time.js';
import { Asking } from './asking.js';
import type { ExchangeComponents, ExchangeHandlers, ExchangeInit, ExchangeStart } from './exchange-init.js';
import { PROGRESS_MS, ROOM_LOOK_MS, STANDING_MS, SUSPECT_MS, WAKE_MS_MIN } from './exchange-limits.js';
import type { DueChunk } from './fetch-plan.js';
import { Fetching } from './fetching.js';
import type { FetchProgress } from './fetching-init.js';
import { type HoldingsMessage, holderOf, OwnHoldings } from './holdings.js';
import { Leaving, type Release } from './leaving.js';
import { Lingering } from './lingering.js';
import { CHUNK_BYTES_MAX, decodeMessage, encodeMessage, type Message, type OfferFate } from './messages.js';
import { type Offer, OwnOffers, PeerOffers } from './offers.js';
import { PeerFiles } from './peer-files.js';
import { type Asked, Serving } from './serving.js';
import { planOf } from './track-plan.js';

/** The exchange of one node. */
export class TrackExchange {
  readonly #components: ExchangeComponents;
  readonly #self: Holder;
  readonly #limits: ChunkLimits;
  readonly #log: Log;
  #handlers: ExchangeHandlers | null = null;

  readonly #own: OwnHoldings;
  readonly #others = new PeerFiles();
  readonly #ownOffers: OwnOffers;
  readonly #offers: PeerOffers;
  readonly #fetching: Fetching;
  readonly #serving: Serving;

  /** The library, in its order; and what of it is not here. */
  readonly #wanted = new Map<TrackId, Track>();
  readonly #missing = new Map<TrackId, Track>();
  #due: readonly TrackId[] = [];
  /** Parts of files that nobody wants, and held files whose offer was void. */
  readonly #leftovers: Lingering;
  readonly #orphans: Lingering;
  /** Files that were left out at the start, and were not held since. */
  readonly #leftOut = new Set<TrackId>();
  readonly #leaving = new Leaving();
  readonly #asking: Asking;
  /** Peers that said what could not be read, which was logged. */
  readonly #unclear = new Set<NodeId>();

  #standingAtMs = Number.NEGATIVE_INFINITY;
  #suspectedAtMs = Number.NEGATIVE_INFINITY;
  /** Something changed that handlers are to be told of. */
  #isNews = false;
  /** Something has come of a file, here or elsewhere: handlers are told now and then, for it may be a hundred times a second. */
  #isProgress = false;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;
  #isEvaluating = false;
  /** Somebody told a wish meanwhile. */
  #isAgain = false;

  constructor(components: ExchangeComponents, init: ExchangeInit) {
    const { self, incarnation, chunkLimits = CHUNK_LIMITS, lingerMs, offerLapseMs } = init;
    const { mail, files, log } = components;
    this.#components = components;
    this.#self = { node: self, incarnation };
    this.#limits = chunkLimits;
    this.#log = log.child('exchange');
    this.#own = new OwnHoldings({ incarnation });
    this.#offers = new PeerOffers({ lapseMs: offerLapseMs });
    this.#leftovers = new Lingering({ lingerMs });
    this.#orphans = new Lingering({ lingerMs });
    const others = this.#others;
    const changed = () => this.#evaluate();
    const peers = () => others.peers();
    const send = (to: NodeId, message: Message) => this.#send(to, message);
    this.#asking = new Asking({
      time: components.time,
      peers,
      send: (to) => send(to, { type: 'holdings-ask' }),
      word: (node) => (node === self ? this.#own.word() : others.word(node)),
    });
    this.#ownOffers = new OwnOffers({
      send,
      peers,
      holders: (id) => this.holders(id),
      progress: (track) => others.progress(track.id, planOf(track, this.#limits)?.count ?? 0, components.stillCounts),
      ended: () => this.#evaluateSoon(),
    });
    this.#serving = new Serving({
      mail,
      files,
      changed,
      chunkBytes: (id) => this.#planOf(id)?.chunkBytes ?? CHUNK_BYTES_MAX,
      unreadable: (asked, error) => this.#unreadable(asked, error),
    });
    this.#fetching = new Fetching(
      {
        files,
        changed,
        peers,
        send,
        log: this.#log,
        nowMs: () => this.#nowMs(),
        isHeld: (id) => this.#own.has(id),
        isOnCard: (id) => this.#leftovers.has(id),
        isLeftOut: (id) => this.#leftOut.has(id),
        said: (peer, id) => others.said(peer, id),
        isOfferedBy: (peer, id) => this.#offers.isFrom(peer, id),
        whoHas: (id) => others.whoHas(id),
        roundTrip: (peer) => mail.roundTripMs(peer),
        kept: (id, index) => this.#kept(id, index),
        arrived: (track) => this.#arrived(track),
      },
      { self, chunkLimits },
    );
  }

  /** Speaks with peers from now until `stop` is called. To be called once; wishes may be told before. */
  start({ held, arriving, leftOut }: ExchangeStart, handlers: ExchangeHandlers): void {
    for (const id of held) this.#hold(id);
    for (const id of arriving) this.#leftovers.add(id, this.#nowMs());
    for (const id of leftOut) this.#leftOut.add(id);
    this.#handlers = handlers;
    this.#components.mail.start({
      message: (from, _channel, bytes) => this.#message(from, bytes),
      up: (peer) => this.#up(peer),
      down: (peer) => this.#down(peer),
    });
    this.#evaluateSoon();
  }

  /** Idempotent: no handler is called afterwards. What was offered may yet be agreed. */
  stop(): void {
    this.#ownOffers.stop();
    this.#asking.stop();
    this.#handlers = null;
    this.#timer?.cancel();
    this.#components.mail.stop();
  }

  // Wishes of this node. What follows from them is done a moment later, so that many may be told at once.

  /** The library has this track: its file is to be here. Said of every track, in the library's order, and again when one changes. */
  want(track: Track): void {
    this.#wanted.set(track.id, track);
    this.#orphans.remove(track.id);
    if (!this.#own.has(track.id)) this.#missing.set(track.id, track);
    this.#evaluateSoon();
  }

  /**
   * The library has it no more, or never had. What has come of its file is dropped; of one in its place the others hear that it is not held here
   * any more, and where nobody has asked for it some seconds later, it is released.
   */
  unwant(id: TrackId): void {
    this.#wanted.delete(id);
    this.#missing.delete(id);
    if (this.#own.has(id) || this.#leaving.has(id)) {
      if (!this.isWanted(id)) this.#leave(id);
    } else if (!this.isWanted(id)) {
      this.#drop(id);
    }
    this.#evaluateSoon();
  }

  /** What is heard next, the soonest first: what of it is not here comes before everything else. Replaces what was said before. */
  due(chunks: readonly DueChunk[]): void {
    this.#due = [...new Set(chunks.map(({ id }) => id))];
    this.#fetching.due(chunks);
    this.#evaluateSoon();
  }

  /** A file found its place here otherwise than by the exchange. */
  took(id: TrackId): void {
    this.#hold(id);
    this.#fetching.took(id);
    this.#evaluateSoon();
  }

  /** A file that was `released` may be removed now: nobody wants it. */
  isReleased(id: TrackId, release: Release): boolean {
    return this.#leaving.isOf(id, release) && !this.isWanted(id);
  }

  /** A file that was `released` is in its place as it was: it is held again where somebody wants it, and else released once more in a while. */
  stays(id: TrackId, release: Release): void {
    if (!this.#leaving.isOf(id, release)) return;
    if (this.isWanted(id)) this.took(id);
    else this.#leaving.again(id, release, this.#nowMs());
    this.#evaluateSoon();
  }

  /** It is agreed that what this node said before that slot counts no more: what it holds now it says anew. Said again, nothing happens. */
  retracted(sinceSlot: Slot): void {
    if (sinceSlot === this.#own.sinceSlot) return;
    this.#own.retracted(sinceSlot);
    this.#isNews = true;
    this.#evaluateSoon();
  }

  /** A file was removed from its place, or that failed half-way: what there may be of it is looked at when it is fetched. */
  dropped(id: TrackId): void {
    this.#leaving.end(id);
    this.#unhold(id);
    this.#evaluateSoon();
  }

  /** A chunk of a file, in its place or on its way, was found to be wrong here. */
  damaged(id: TrackId, index: number): void {
    if (this.#own.has(id)) this.#doubt(id);
    else void this.#look(id, index, () => this.#fetching.recheck(id));
    this.#evaluateSoon();
  }

  /** A chunk did not verify where it was read: the card is to look, which may find that only what it is checked by is wrong, and make that anew. */
  suspected(id: TrackId, index: number): void {
    if (!this.#own.has(id)) this.damaged(id, index);
    else void this.#look(id, index, (error) => this.#unreadable({ id, index }, error));
  }

  /**
   * Others are to fetch this file, which was taken in here, before it is agreed that it is a track. One offer for a file at a time.
   * @throws TuttiError BODY_TOO_LARGE where its description is too long to be sent
   */
  offer(track: Track): Offer {
    const offer = this.#ownOffers.add(track);
    this.#evaluateSoon();
    return offer;
  }

  /** A node is no member any more: what it said counts no more. */
  forget(node: NodeId): void {
    this.#others.forget(node);
    this.#isNews = true;
    this.#evaluateSoon();
  }

  /** What these members say now that they hold, this node included: see {@link Asking}. */
  ask(members: readonly Holder[], withinMs: number): Promise<ReadonlyMap<NodeId, ReadonlySet<TrackId>>> {
    return this.#asking.ask(members, this.#self, withinMs);
  }

  // What is to be seen.

  /** The library has the track, or somebody offers it. */
  isWanted(id: TrackId): boolean {
    return this.#wish(id) !== undefined;
  }

  /** Who holds a file: this node, and what the others say, also of those who are away; those whose word still counts. */
  holders(id: TrackId): Holder[] {
    const { node, incarnation } = this.#self;
    const own = this.#own.has(id) ? [holderOf(node, incarnation, this.#own.sinceSlot)] : [];
    return [...own, ...this.#others.holders(id)].filter(this.#components.stillCounts);
  }

  /** What is on its way to this node. */
  arriving(): FetchProgress[] {
    return this.#fetching.progress();
  }

  /** Why nothing could be kept the last time, such as DISK_FULL; null where it could. */
  trouble(): TuttiError | null {
    return this.#fetching.trouble;
  }

  // What peers do and say.

  #up(peer: NodeId): void {
    this.#others.up(peer, this.#nowMs());
    this.#serving.peerUp(peer);
    this.#fetching.peerUp(peer);
    for (const page of this.#own.pages()) this.#send(peer, page);
    this.#ownOffers.greet(peer);
    this.#isNews = true;
    this.#evaluate();
  }

  #down(peer: NodeId): void {
    this.#others.down(peer);
    this.#asking.down(peer);
    this.#serving.peerDown(peer);
    this.#fetching.peerDown(peer);
    this.#unclear.delete(peer);
    this.#isNews = true;
    this.#evaluate();
  }

  #message(from: NodeId, bytes: Uint8Array): void {
    try {
      this.#heard(from, decodeMessage(bytes));
    } catch (error) {
      if (!(error instanceof TuttiError) || error.code !== 'BAD_FRAME') throw error;
      // It may be of a newer version, and there may be many of the kind.
      if (this.#unclear.has(from)) return;
      this.#unclear.add(from);
      this.#log.warn('A message of a peer cannot be read.', { peer: from, detail: error.detail });
    }
    this.#evaluate();
  }

  #heard(from: NodeId, message: Message): void {
    switch (message.type) {
      case 'holdings':
      case 'holdings-change':
        this.#heardHoldings(from, message);
        break;
      case 'holdings-ask':
        for (const page of this.#own.pages()) this.#send(from, page);
        break;
      case 'offer':
        this.#offers.heard(from, message.track, this.#nowMs());
        this.#fetching.chooseAgain();
        break;
      case 'offer-over':
        if (this.#offers.over(from, message.id)) this.#unoffered(message.id, message.fate);
        break;
      case 'outline-ask':
        this.#serving.asked(from, { id: message.id, index: null, isDue: false });
        break;
      case 'outline':
        this.#fetching.outline(from, message.id, message);
        break;
      case 'outline-no':
        this.#fetching.outlineNo(from, message.id);
        break;
      case 'chunk-ask': {
        const { id, isDue, indexes } = message;
        for (const index of indexes) this.#serving.asked(from, { id, index, isDue });
        break;
      }
      case 'chunk':
        this.#fetching.chunk(from, message.id, message.index, message.bytes);
        break;
      case 'chunk-no':
        this.#fetching.chunkNo(from, message.id, message.index);
        break;
      case 'chunk-bad':
        this.#suspect(from, message.id, message.index);
        break;
      case 'arriving':
        this.#others.heardArriving(from, message.id, message);
        this.#fetching.told(from, message.id);
        this.#isProgress = true;
        break;
    }
  }

  #heardHoldings(from: NodeId, message: HoldingsMessage): void {
    const { added, removed, isGap } = this.#others.heardHoldings(from, message);
    for (const id of added) this.#fetching.told(from, id);
    for (const id of removed) this.#fetching.lost(from, id);
    if (message.type === 'holdings' && message.isLast && !isGap) this.#asking.heard(from);
    if (isGap) this.#log.debug('Something was missed of what a peer holds.', { peer: from });
    if (added.length + removed.length === 0) return;
    this.#isNews = true;
    this.#fetching.chooseAgain();
  }

  /** A peer says that it was given a wrong chunk. The fault may be its own: nothing is taken back before the card says so too. */
  #suspect(from: NodeId, id: TrackId, index: number): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#suspectedAtMs < SUSPECT_MS) return;
    this.#suspectedAtMs = nowMs;
    this.#log.warn('A peer says that it was given a wrong chunk.', { peer: from, track: id, index });
    void this.#look(id, index, (error) => this.#unreadable({ id, index }, error));
  }

  // Files.

  #hold(id: TrackId): void {
    this.#own.add(id);
    this.#leaving.end(id);
    this.#missing.delete(id);
    this.#leftovers.remove(id);
    this.#leftOut.delete(id);
    this.#isNews = true;
  }

  #unhold(id: TrackId): void {
    this.#own.remove(id);
    this.#orphans.remove(id);
    const track = this.#wanted.get(id);
    if (track !== undefined) this.#missing.set(id, track);
    this.#isNews = true;
  }

  #leave(id: TrackId): void {
    this.#unhold(id);
    this.#leaving.add(id, this.#nowMs());
  }

  /** Something of a held file is wrong, or may be: nobody is to count on it until the card has looked at all of it. */
  #doubt(id: TrackId): void {
    this.#unhold(id);
    const track = this.#wish(id);
    if (track !== undefined) {
      this.#fetching.repair(track);
    } else {
      // It may be wanted in a moment, and then what is right of it is as good as before.
      this.#fetching.quarantine(id);
      this.#leftovers.add(id, this.#nowMs());
    }
    this.#handlers?.withdrawn(id);
  }

  /** Has the card compare a chunk with its hash. */
  async #look(id: TrackId, index: number, wrong: (error: TuttiError) => void): Promise<void> {
    try {
      await this.#components.files.readChunk(id, index);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      wrong(error);
      this.#evaluate();
    }
  }

  #unreadable({ id, index }: Pick<Asked, 'id' | 'index'>, error: TuttiError): void {
    const { code, detail } = error;
    if (!this.#own.has(id)) {
      // Of one that is on its way much may be missing, and peers ask for what was there a moment ago.
      if (code === 'TRACK_DAMAGED') this.#fetching.recheck(id);
      return;
    }
    // A peer may ask for what there is none of.
    if (code === 'TRACK_MISSING' && (index ?? 0) >= (this.#planOf(id)?.count ?? 0)) return;
    this.#log.warn('A file that is held here cannot be read.', { track: id, code, detail });
    // What says nothing of its bytes, such as that there is no room for what is to lie beside them, takes nobody's trust from it.
    if (code === 'TRACK_DAMAGED' || code === 'TRACK_MISSING') this.#doubt(id);
  }

  #kept(id: TrackId, index: number): void {
    this.#isProgress = true;
    this.#handlers?.kept(id, index);
  }

  #arrived(track: Track): void {
    this.#hold(track.id);
    this.#handlers?.arrived(track);
    // It may have been unwanted while it was read back.
    if (!this.isWanted(track.id) && this.#own.has(track.id)) this.#leave(track.id);
  }

  /** The track as whoever wants its file here describes it. */
  #wish(id: TrackId): Track | undefined {
    return this.#wanted.get(id) ?? this.#offers.get(id) ?? this.#ownOffers.get(id);
  }

  /** No other node offers it any more. */
  #unoffered(id: TrackId, fate: OfferFate): void {
    if (this.isWanted(id)) return;
    // Somebody may count on what this node said that it holds; and what is agreed may be known here a moment later only.
    if (this.#own.has(id)) {
      if (fate === 'void') this.#orphans.add(id, this.#nowMs());
      else this.#orphans.remove(id);
    } else if (fate === 'open') {
      this.#leftovers.add(id, this.#nowMs());
    } else {
      this.#drop(id);
    }
  }

  #drop(id: TrackId): void {
    this.#leftovers.remove(id);
    this.#fetching.drop(id);
  }

  /** Null where this node does not know the track. */
  #planOf(id: TrackId): ChunkPlan | null {
    const track = this.#wish(id);
    return track === undefined ? null : planOf(track, this.#limits);
  }

  // What is done.

  #nowMs(): number {
    return Number(this.#components.time.now()) / 1e6;
  }

  #send(to: NodeId, message: Message): void {
    this.#components.mail.send(to, 'control', encodeMessage(message));
  }

  /** Does, in a moment, everything that can be done. */
  #evaluateSoon(): void {
    this.#fetching.chooseAgain();
    if (this.#isEvaluating) this.#isAgain = true;
    else this.#wakeIn(0);
  }

  /** Does everything that can be done now. */
  #evaluate(): void {
    if (this.#handlers === null || this.#isEvaluating) return;
    this.#isEvaluating = true;
    this.#isAgain = false;
    const nowMs = this.#nowMs();
    this.#tellOffers(nowMs);
    this.#endLingering(nowMs);
    // Not before what is held may have changed, or it would be told when something else happens.
    this.#tellHoldings(nowMs);
    const fetchInMs = this.#fetching.look(() => this.#candidates()) ?? STANDING_MS;
    const giveInMs = this.#serving.look() ? ROOM_LOOK_MS : STANDING_MS;
    const newsInMs = this.#tellNews(nowMs);
    this.#isEvaluating = false;
    this.#wakeIn(this.#isAgain ? 0 : Math.max(WAKE_MS_MIN, Math.min(fetchInMs, giveInMs, newsInMs)));
  }

  #wakeIn(ms: number): void {
    this.#timer?.cancel();
    if (this.#handlers === null) return;
    this.#timer = this.#components.time.after('tracks.exchange', ms, () => this.#evaluate());
  }

  /** Gives after how many milliseconds to look again. */
  #tellNews(nowMs: number): number {
    const progressInMs = this.#isProgress ? this.#toldAtMs + PROGRESS_MS - nowMs : STANDING_MS;
    if (!this.#isNews && progressInMs > 0) return progressInMs;
    this.#isNews = false;
    this.#isProgress = false;
    this.#toldAtMs = nowMs;
    this.#ownOffers.look();
    this.#handlers?.changed();
    return STANDING_MS;
  }

  #tellHoldings(nowMs: number): void {
    const messages: Message[] = this.#own.changes();
    if (nowMs - this.#standingAtMs >= STANDING_MS) {
      this.#standingAtMs = nowMs;
      messages.push(this.#own.standing());
    }
    for (const message of messages) for (const peer of this.#others.peers()) this.#send(peer, message);
    for (const peer of this.#others.toAsk(nowMs)) this.#send(peer, { type: 'holdings-ask' });
  }

  #tellOffers(nowMs: number): void {
    this.#ownOffers.repeat(nowMs);
    for (const { id } of this.#offers.lapsed(nowMs)) this.#unoffered(id, 'open');
  }

  #endLingering(nowMs: number): void {
    const isWanted = (id: TrackId) => this.isWanted(id);
    for (const id of this.#leftovers.over(nowMs, isWanted)) this.#fetching.drop(id);
    // One that was about to be held when it was not wanted any more, and then was not.
    for (const id of this.#fetching.ids()) if (!isWanted(id) && !this.#leftovers.has(id)) this.#fetching.drop(id);
    for (const id of this.#orphans.over(nowMs, isWanted)) this.#leave(id);
    for (const id of this.#leaving.waiting()) if (isWanted(id)) this.#hold(id);
    const release = this.#leaving.release(nowMs);
    if (release !== null) this.#handlers?.released(release);
  }

  /** What is to be here and may not be, the most wanted first; some perhaps more than once. */
  *#candidates(): Generator<Track> {
    const ids = [...this.#due, ...this.#offers.ids(), ...this.#fetching.repairs()];
    for (const id of ids) {
      const track = this.#wish(id);
      if (track !== undefined && !this.#leaving.has(id)) yield track;
    }
    for (const track of this.#missing.values()) if (!this.#leaving.has(track.id)) yield track;
  }
}
