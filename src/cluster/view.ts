/**
 * The agreed part of `GET /state`, as of an instant. What a node knows by itself (clock, output, disks, uploads) is added by others.
 *
 * It shows the newest fact at once, also while that is still ahead: whoever pressed skip sees the next title, and the position
 * stands at its start until `startAtNs`. From then on a page lets it run by itself.
 */
import type { ItemId, Slot, TrackId } from '../core/ids.js';
import type { ClusterTime } from '../core/units.js';
import type { ReadonlyLibrary } from '../library/library.js';
import type { Track } from '../library/track.js';
import { currentItem, type Playback, type QueueItem, type Repeat, type Wisher } from '../playback/model.js';
import { msOf, positionAt } from '../playback/timeline.js';
import type { Level } from './volume.js';

/** A place in the queue, with what a person wants to know of its track. Whole milliseconds, rounded down. */
export interface QueueItemView {
  readonly itemId: ItemId;
  readonly seq: number;
  readonly trackId: TrackId;
  readonly title: string;
  readonly durationMs: number;
  readonly addedBy: Wisher;
}

/** What plays and where it has got to, at the instant of the view. */
export interface TransportView {
  readonly status: 'playing' | 'paused' | 'stopped';
  /** Null, with title and track, when stopped. */
  readonly itemId: ItemId | null;
  readonly trackId: TrackId | null;
  readonly title: string | null;
  /** At `atNs`; 0 when stopped. Whole milliseconds, rounded down. */
  readonly positionMs: number;
  /** Of the whole item; 0 when stopped. */
  readonly durationMs: number;
  /** The instant of the view. */
  readonly atNs: ClusterTime;
  /** From when this holds; where it is later than `atNs`, the position stands still until then. */
  readonly startAtNs: ClusterTime;
  readonly changedBy: (Wisher & { readonly atNs: ClusterTime }) | null;
}

/** What everyone sees alike: two nodes that have applied the same slots give equal views of one instant. */
export interface ClusterView {
  readonly appliedSlot: Slot;
  /** Moves with each change of the library. */
  readonly tracksRev: number;
  /** By title, then id. The same array until `tracksRev` moves. */
  readonly tracks: readonly Track[];
  /** Moves with each change of the queue and each item that ends; never goes down. */
  readonly queueVersion: number;
  readonly queueLength: number;
  /** The current item first, unless stopped. The same array until the queue or a title changes. */
  readonly queue: readonly QueueItemView[];
  readonly transport: TransportView;
  readonly repeat: Repeat;
  /** The house's, whole per cent; each node has its own besides. */
  readonly volume: number;
  readonly muted: boolean;
}

/** Tracks in the queue are in the library: `track.remove` sees to it. */
const titleOf = (library: ReadonlyLibrary, item: QueueItem): string => library.get(item.trackId)!.title;

/** One item as the view shows it. */
export const viewOfItem = (library: ReadonlyLibrary, item: QueueItem): QueueItemView => ({
  itemId: item.id,
  seq: item.seq,
  trackId: item.trackId,
  title: titleOf(library, item),
  durationMs: msOf(item.frames, item.sampleRate),
  addedBy: item.addedBy,
});

/** The transport of a playback that is folded to `at`. */
export function viewOfTransport(library: ReadonlyLibrary, playback: Playback, at: ClusterTime): TransportView {
  const item = currentItem(playback);
  const frame = positionAt(playback, at)?.frame ?? 0;
  const { changedBy } = playback;
  return {
    status: playback.transport.status,
    itemId: item?.id ?? null,
    trackId: item?.trackId ?? null,
    title: item === null ? null : titleOf(library, item),
    positionMs: item === null ? 0 : msOf(frame, item.sampleRate),
    durationMs: item === null ? 0 : msOf(item.frames, item.sampleRate),
    atNs: at,
    startAtNs: playback.effectiveAt,
    changedBy: changedBy === null ? null : { node: changedBy.node, via: changedBy.via, atNs: changedBy.at },
  };
}

/** All that a view is made of; `playback` is folded to the view's instant. */
export interface ViewSources {
  readonly appliedSlot: Slot;
  readonly library: ReadonlyLibrary;
  readonly playback: Playback;
  readonly house: Level;
}

/**
 * Makes views, and keeps the queue's between them: the rest is a handful of fields, but a queue of 5,000 titles is not to be listed
 * anew five times a second.
 */
export class Viewer {
  #queue: readonly QueueItem[] = [];
  #tracksRev = -1;
  #items: readonly QueueItemView[] = [];

  view({ appliedSlot, library, playback, house }: ViewSources, at: ClusterTime): ClusterView {
    if (this.#queue !== playback.queue || this.#tracksRev !== library.rev) {
      this.#queue = playback.queue;
      this.#tracksRev = library.rev;
      this.#items = playback.queue.map((item) => viewOfItem(library, item));
    }
    return {
      appliedSlot,
      tracksRev: library.rev,
      tracks: library.list(),
      queueVersion: playback.queueVersion,
      queueLength: playback.queue.length,
      queue: this.#items,
      transport: viewOfTransport(library, playback, at),
      repeat: playback.repeat,
      volume: house.volume,
      muted: house.muted,
    };
  }
}
