/**
 * What is queued and what plays, as facts.
 *
 * Nothing here happens: "item 7 plays since instant T from frame F" is true for ever, and which frame sounds *now* is arithmetic over
 * it (timeline.ts). So the end of a song needs no message, and no node is in charge of it.
 *
 * A command takes effect a little after it was agreed (the leader's lead), so that every card can obey at one instant. The newest
 * fact is therefore often still ahead; what sounds until then is kept in `tail`, and a moment longer, since not every room is as far.
 */
import { type Static, Type } from 'typebox';
import { type ItemId, itemId, type NodeId, type TrackId } from '../core/ids.js';
import { LATENCY_US } from '../core/latency.js';
import { type ClusterTime, clusterTime, NS_PER_MS } from '../core/units.js';

/** off: items leave the queue as they end. all: they go to its end, as new items. one: the current item starts over. */
export const Repeat = Type.Union([Type.Literal('off'), Type.Literal('all'), Type.Literal('one')]);
export type Repeat = Static<typeof Repeat>;

/** How a wish reached a node. `node`: by itself, such as the leader's own entries. */
export const Via = Type.Union([
  Type.Literal('web'),
  Type.Literal('cli'),
  Type.Literal('button'),
  Type.Literal('panel'),
  Type.Literal('api'),
  Type.Literal('node'),
]);
export type Via = Static<typeof Via>;

/** How long a track is: all that the timeline needs to know of it. */
export interface TrackLength {
  readonly id: TrackId;
  /** Length in frames at `sampleRate`; at least 1. */
  readonly frames: number;
  readonly sampleRate: number;
}

/** Who wished for something, and how the wish came. */
export interface Wisher {
  readonly node: NodeId;
  readonly via: Via;
}

/** One place in the queue. Length and rate are the track's, copied so that the timeline needs nothing else. */
export interface QueueItem {
  /** `i` and the decimal `seq`: made by `itemIdOf`. */
  readonly id: ItemId;
  /** The same on every node, rising by one with every item, from 1; below 2^31. */
  readonly seq: number;
  readonly trackId: TrackId;
  readonly frames: number;
  readonly sampleRate: number;
  readonly addedBy: Wisher;
}

/** The transport as it is from `Playback.effectiveAt` on. Unless stopped, its item is `queue[0]`. */
export type Transport =
  | { readonly status: 'stopped' }
  /** Frame `startFrame` of the item sounds at `startedAt`, which is `Playback.effectiveAt`. */
  | {
      readonly status: 'playing';
      readonly itemId: ItemId;
      readonly startedAt: ClusterTime;
      readonly startFrame: number;
    }
  | { readonly status: 'paused'; readonly itemId: ItemId; readonly frame: number };

/** A stretch of one item's sound: frame `startFrame` at `startAt`, on and on until `endAt` (excluded). */
export interface Segment {
  readonly itemId: ItemId;
  readonly trackId: TrackId;
  readonly startAt: ClusterTime;
  readonly endAt: ClusterTime;
  readonly startFrame: number;
  readonly sampleRate: number;
  /** True where the item's own end closes it, so that what follows joins on without a gap; false where a command cuts it. */
  readonly complete: boolean;
}

/** The most items that a queue holds. */
export const QUEUE_ITEMS_MAX = 5_000;
/** How many items that are over are remembered for `previous`. */
export const HISTORY_ITEMS_MAX = 50;
/** `previous` above this position goes back to the item's start, below it to the item before. Milliseconds. */
export const PREVIOUS_RESTARTS_ABOVE_MS = 3_000;
/**
 * Items are numbered below this, so that a 32-bit signed integer of another player's protocol holds every number. Where none is left,
 * nothing can be added any more, and repeat all ends like repeat off, for good. Under repeat all, songs of 1 s take 68 years to get
 * there; only tracks that are no songs can (a single frame at 192 kHz: 3 hours).
 */
export const SEQ_LIMIT = 2 ** 31;
/**
 * How long what has sounded stays in `tail`, nanoseconds: a room may be behind the others by its latency, and its player's clock by 250 ms
 * before that is set right (node/program.ts).
 */
export const TAIL_KEPT_NS = BigInt(-LATENCY_US.least) * 1_000n + 250n * NS_PER_MS;
/**
 * The most segments that `tail` keeps of what is over at the last command, and as many of what was still to sound then. A second holds one or
 * two; only a run of tracks of a few frames each could hold more, a buzz that nobody misses when its rest is silence, and the state stays
 * small whatever was uploaded.
 */
export const TAIL_SEGMENTS_MAX = 64;

/** Queue and transport: an immutable value. Commands (queue.ts, transport.ts) and time (`foldTo`) make new ones of it. */
export interface Playback {
  /** The current item first, unless stopped; then what comes, in order. */
  readonly queue: readonly QueueItem[];
  /** What is over, the latest last; at most {@link HISTORY_ITEMS_MAX}. */
  readonly history: readonly QueueItem[];
  readonly transport: Transport;
  /** From when `transport` holds. Never goes back from one command to the next. */
  readonly effectiveAt: ClusterTime;
  /**
   * What sounds before `effectiveAt`, in order, without overlap; it ends by then. What is over stays for {@link TAIL_KEPT_NS}: in a room with
   * a negative latency it is still to be heard. At most twice {@link TAIL_SEGMENTS_MAX}.
   */
  readonly tail: readonly Segment[];
  readonly repeat: Repeat;
  /** `seq` of the next item; at most {@link SEQ_LIMIT}, which means that there is none left. */
  readonly nextSeq: number;
  /** Moves with every change of the queue and every item that ends; never goes down. As of the last command: `foldTo` counts on. */
  readonly queueVersion: number;
  /** Who changed what sounds last. */
  readonly changedBy: (Wisher & { readonly at: ClusterTime }) | null;
  /** Until when the music is known to have got: the stamp of the last change of queue or transport, or mark. */
  readonly markedAt: ClusterTime;
}

/** Nothing was ever queued. */
export const EMPTY_PLAYBACK: Playback = {
  queue: [],
  history: [],
  transport: { status: 'stopped' },
  effectiveAt: clusterTime(0n),
  tail: [],
  repeat: 'off',
  nextSeq: 1,
  queueVersion: 0,
  changedBy: null,
  markedAt: clusterTime(0n),
};

/** The id of the item with this number: `i7`. */
export const itemIdOf = (seq: number): ItemId => itemId(`i${seq}`);

/** The item that plays or is paused; null when stopped, also when the queue holds items. */
export const currentItem = (playback: Playback): QueueItem | null =>
  playback.transport.status === 'stopped' ? null : playback.queue[0]!;
