/**
 * The event stream (server-sent events, HTML Living Standard 9.2): everyone who watches hears of every change.
 *
 * Events say what is, not what happened: `state` is the whole view without the library, so one that was left out is made good by the next.
 * That keeps everything bounded. A burst of changes becomes one event (at most 5 a second), rendered once for all watchers; a watcher
 * whose connection is full gets nothing until it has drained, and then the newest; one that stays full is dropped.
 * The library comes as differences (`tracks`): each names the revision that it starts from, and who has missed one asks for /tracks.
 */
import type { ServerResponse } from 'node:http';
import type { ClusterView } from '../cluster/view.js';
import { TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import type { Track } from '../library/track.js';
import type { House } from '../node/house.js';
import type { Node } from '../node/node.js';
import type { Time, Timer } from '../ports/time.js';
import { Places } from './places.js';
import type { PingEvent, QueueEvent, StateEvent, TracksEvent } from './schema.js';
import { type Facade, queueItemOf, stateEventOf, trackOf } from './state.js';

/** Changes within this time become one event. Milliseconds. */
export const EVENT_GAP_MS = 200;
/** Pages give up after 10 s without a word; this is three words in that time. Milliseconds. */
export const PING_EVERY_MS = 3_000;
/** A connection that has been full for so long is dropped. Milliseconds. */
export const FULL_MS_MAX = 10_000;
/** How soon a page should come back. Milliseconds. */
const RETRY_MS = 500;
/** Watchers at a time: every device of a house, several times over. */
export const STREAMS_MAX = 64;
/** Of these, from one address. */
export const STREAMS_OF_ONE_MAX = STREAMS_MAX / 2;
/** Tracks of which an event says that others hold them now: a card that comes back has all of them at once. */
export const HOLDERS_TOLD_MAX = 50;

interface Stream {
  readonly response: ServerResponse;
  /** Since when it takes nothing, milliseconds of local time; null while it does. */
  fullSinceMs: number | null;
  /** A whole queue was left out meanwhile. */
  missedQueue: boolean;
  /** A difference of the library was left out meanwhile. */
  missedTracks: boolean;
}

/** The watchers of this node. Between `start` and `stop` (idempotent) it holds one timer for pings and at most one for changes. */
export class EventStreams {
  readonly #house: House;
  readonly #time: Time;
  readonly #facade: Facade;
  readonly #streams = new Set<Stream>();
  readonly #places = new Places({ ofOneMax: STREAMS_OF_ONE_MAX });
  #timers: Timer[] = [];
  #next: Timer | null = null;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #dropped = 0;
  #unsubscribe: () => void = () => {};
  /** The library as it was told last. */
  #tracksRev = 0;
  #tracks: ReadonlyMap<TrackId, Track> = new Map();
  /** Who holds each track, as it was told last; and the revision at which nothing was left to tell. */
  readonly #holders = new Map<TrackId, string>();
  #holdingsRev = -1;
  /** The queue as it was told last, and how many of its items `state` showed. */
  #queue: ClusterView['queue'] = [];
  #queueShown = 0;
  /** Of a daemon without a node, as they were looked at last. */
  #troubles = '';

  constructor(components: { readonly house: House; readonly time: Time; readonly facade: Facade }) {
    this.#house = components.house;
    this.#time = components.time;
    this.#facade = components.facade;
  }

  start(): void {
    this.#rememberLibrary();
    this.#unsubscribe = this.#house.subscribe(() => this.#changed());
    this.#timers = [this.#time.every('events.ping', PING_EVERY_MS, () => this.#ping())];
  }

  /** Idempotent: ends every stream. */
  stop(): void {
    this.#unsubscribe();
    for (const timer of this.#timers) timer.cancel();
    this.#next?.cancel();
    this.#next = null;
    for (const { response } of this.#streams) response.end();
    this.#streams.clear();
  }

  get size(): number {
    return this.#streams.size;
  }

  /** How many were dropped so far because they took nothing for {@link FULL_MS_MAX}. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes over a response: headers, then the newest state, then every change. @throws TuttiError BUSY */
  add(response: ServerResponse): void {
    if (this.#streams.size >= STREAMS_MAX) {
      throw new TuttiError('BUSY', `${STREAMS_MAX} others watch this node already`);
    }
    const leave = this.#places.take(response.socket?.remoteAddress ?? '');
    // Nobody was told of changes while nobody watched: what there is now is where the next differences start.
    if (this.#streams.size === 0) this.#rememberLibrary();
    const stream: Stream = { response, fullSinceMs: null, missedQueue: false, missedTracks: false };
    this.#streams.add(stream);
    response.on('close', () => {
      leave();
      this.#streams.delete(stream);
    });
    // A connection that breaks is not worth a word; 'close' follows.
    response.on('error', () => {});
    response.on('drain', () => this.#drained(stream));
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // A proxy must pass on each event as it comes.
      'x-accel-buffering': 'no',
    });
    this.#send(stream, `retry: ${RETRY_MS}\n\n${this.#stateText(stateEventOf(this.#house, this.#facade))}`);
  }

  #changed(): void {
    if (this.#next !== null || this.#streams.size === 0) return;
    const waitMs = Math.max(0, this.#lastSentMs + EVENT_GAP_MS - this.#nowMs());
    this.#next = this.#time.after('events.send', waitMs, () => {
      this.#next = null;
      this.#lastSentMs = this.#nowMs();
      this.#sendToAll();
    });
  }

  #sendToAll(): void {
    const tracks = this.#tracksEvent();
    const state = stateEventOf(this.#house, this.#facade);
    const queue = this.#queueEvent(state.queue.length);
    const text = `${tracks}${queue}${this.#stateText(state)}`;
    for (const stream of this.#streams) {
      if (stream.fullSinceMs === null) this.#send(stream, text);
      else {
        stream.missedQueue ||= queue !== '';
        stream.missedTracks ||= tracks !== '';
      }
    }
  }

  /** It takes events again: the newest. */
  #drained(stream: Stream): void {
    stream.fullSinceMs = null;
    const { node } = this.#house;
    const queue = stream.missedQueue && node !== null ? this.#queueText(node) : '';
    const tracks = stream.missedTracks && node !== null ? this.#allTracksText(node) : '';
    stream.missedQueue = false;
    stream.missedTracks = false;
    this.#send(stream, `${tracks}${queue}${this.#stateText(stateEventOf(this.#house, this.#facade))}`);
  }

  #ping(): void {
    const nowMs = this.#nowMs();
    const { node } = this.#house;
    // A node tells of its troubles itself; a daemon that waits for a house is asked.
    const troubles = node === null ? this.#house.troubles().join() : '';
    if (troubles !== this.#troubles) this.#changed();
    this.#troubles = troubles;
    const ping: PingEvent = {
      timeNs: (node?.now() ?? 0n).toString(),
      appliedSlot: node?.cluster.appliedSlot ?? 0,
      tracksRev: node?.cluster.library.rev ?? 0,
    };
    for (const stream of this.#streams) {
      if (stream.fullSinceMs !== null && nowMs - stream.fullSinceMs >= FULL_MS_MAX) this.#drop(stream);
      else this.#send(stream, eventText('ping', ping));
    }
  }

  #drop(stream: Stream): void {
    this.#dropped += 1;
    this.#streams.delete(stream);
    stream.response.destroy();
  }

  #send(stream: Stream, text: string): void {
    if (stream.fullSinceMs !== null || stream.response.writableEnded) return;
    if (!stream.response.write(text)) stream.fullSinceMs = this.#nowMs();
  }

  #stateText(event: StateEvent): string {
    return eventText('state', event, `${event.cluster.appliedSlot}.${this.#house.node?.viewRev ?? 0}`);
  }

  /** What changed in the library, and who holds it, since it was told last; empty where nothing did. */
  #tracksEvent(): string {
    const { node } = this.#house;
    if (node === null) return '';
    const before = this.#tracks;
    const since = this.#tracksRev;
    if (node.cluster.library.rev !== since) this.#rememberTracks();
    const now = [...this.#tracks.values()];
    const isChanged = (track: Track) => before.has(track.id) && before.get(track.id) !== track;
    const held = this.#holdersNews(node, HOLDERS_TOLD_MAX);
    const json = (track: Track) => trackOf(track, node);
    const event: TracksEvent = {
      rev: this.#tracksRev,
      since,
      added: now.filter(({ id }) => !before.has(id)).map(json),
      changed: now.filter((track) => isChanged(track) || (before.has(track.id) && held.has(track.id))).map(json),
      removed: [...before.keys()].filter((id) => !this.#tracks.has(id)),
    };
    const isNews = event.rev !== since || event.changed.length > 0;
    return isNews ? eventText('tracks', event) : '';
  }

  /** All tracks, as changed: who knows this revision learns who holds them, and who does not asks for /tracks. */
  #allTracksText(node: Node): string {
    const rev = this.#tracksRev;
    const changed = [...this.#tracks.values()].map((track) => trackOf(track, node));
    return eventText('tracks', { rev, since: rev, added: [], changed, removed: [] } satisfies TracksEvent);
  }

  /** Up to `max` tracks that others hold than was told; from then on they are told. What is left comes with the next event. */
  #holdersNews(node: Node, max: number): ReadonlySet<TrackId> {
    const news = new Set<TrackId>();
    if (node.holdingsRev === this.#holdingsRev) return news;
    for (const id of this.#tracks.keys()) {
      const holders = node.holdersOf(id).join();
      if (this.#holders.get(id) === holders) continue;
      if (news.size >= max) {
        this.#changed();
        return news;
      }
      this.#holders.set(id, holders);
      news.add(id);
    }
    this.#holdingsRev = node.holdingsRev;
    return news;
  }

  /** The whole queue, where `state` shows the first `shown` only and watchers do not know the rest; else empty. */
  #queueEvent(shown: number): string {
    const { node } = this.#house;
    if (node === null) return '';
    const { queue } = node.cluster.view(node.now());
    const isKnown = queue === this.#queue && shown >= this.#queueShown;
    this.#queue = queue;
    this.#queueShown = shown;
    return isKnown || shown === queue.length ? '' : this.#queueText(node);
  }

  #queueText(node: Node): string {
    const { queue, queueVersion } = node.cluster.view(node.now());
    const event: QueueEvent = { rev: queueVersion, items: queue.map((item) => queueItemOf(item, node)) };
    return eventText('queue', event);
  }

  #rememberLibrary(): void {
    this.#rememberTracks();
    const { node } = this.#house;
    if (node !== null) this.#holdersNews(node, Number.POSITIVE_INFINITY);
  }

  #rememberTracks(): void {
    const library = this.#house.node?.cluster.library;
    this.#tracksRev = library?.rev ?? 0;
    this.#tracks = new Map(library?.list().map((track) => [track.id, track]));
    for (const id of this.#holders.keys()) if (!this.#tracks.has(id)) this.#holders.delete(id);
  }

  #nowMs(): number {
    return Number(this.#time.now() / 1_000_000n);
  }
}

/** One event as the stream has it. JSON has no line breaks of its own. */
const eventText = (event: string, data: unknown, id?: string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
