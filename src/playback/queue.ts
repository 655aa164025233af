/**
 * Commands on the queue. Items are named, never numbered: two people edit at once.
 *
 * The current item keeps its place at the head; when the transport is stopped there is none, and the whole queue can be edited.
 * Each function takes a playback that is folded to the stamp, and gives the new one.
 */
import { TuttiError } from '../core/errors.js';
import type { ItemId, TrackId } from '../core/ids.js';
import { shuffled } from '../core/prng.js';
import {
  type Asked,
  changeQueue,
  changeSound,
  effectiveFrom,
  givesWayAt,
  headFromStart,
  indexOfItem,
  newItems,
  type Reduced,
  remember,
  withoutCurrent,
} from './change.js';
import { currentItem, type Playback, type QueueItem, type TrackLength } from './model.js';

/** Where new items go: before an item, next after the current one, or at the end. */
export type Place = { readonly before: ItemId } | 'next' | 'end';

/** How many items at the head keep their place: the current one. */
const pinned = (playback: Playback): number => (currentItem(playback) === null ? 0 : 1);

/** Index of an item that something is put before. @throws TuttiError ITEM_NOT_FOUND; ITEM_PLAYING where it is the current one. */
function indexBehindCurrent(playback: Playback, id: ItemId): number {
  const index = indexOfItem(playback, id);
  if (index < pinned(playback)) {
    throw new TuttiError('ITEM_PLAYING', `${id} is current and stays first`, { itemId: id });
  }
  return index;
}

function indexOfPlace(playback: Playback, place: Place): number {
  if (place === 'end') return playback.queue.length;
  if (place === 'next') return pinned(playback);
  return indexBehindCurrent(playback, place.before);
}

/** Adds `tracks` in their order. @throws TuttiError ITEM_NOT_FOUND, ITEM_PLAYING, QUEUE_FULL */
export function addItems(playback: Playback, asked: Asked, tracks: readonly TrackLength[], place: Place): Reduced {
  const index = indexOfPlace(playback, place);
  const { queue, nextSeq } = playback;
  const items = newItems(playback, tracks, asked.by, queue.length);
  const changed = changeQueue(playback, asked, {
    queue: [...queue.slice(0, index), ...items, ...queue.slice(index)],
    nextSeq: nextSeq + items.length,
  });
  return { playback: changed, itemIds: items.map((item) => item.id) };
}

/** Removes an item. Where it is the current one, the next one follows as after a skip; it does not come round again. @throws TuttiError ITEM_NOT_FOUND */
export function removeItem(playback: Playback, asked: Asked, id: ItemId): Playback {
  const index = indexOfItem(playback, id);
  if (index >= pinned(playback)) return changeQueue(playback, asked, { queue: playback.queue.toSpliced(index, 1) });
  const places = withoutCurrent(playback, false);
  const at = givesWayAt(playback, asked, places.queue[0]);
  return changeSound(playback, asked, at, {
    ...places,
    transport: headFromStart(playback.transport, places.queue, at),
  });
}

/** Moves an item before another, or to the end. @throws TuttiError ITEM_NOT_FOUND, ITEM_PLAYING */
export function moveItem(playback: Playback, asked: Asked, id: ItemId, before: ItemId | null): Playback {
  const from = indexBehindCurrent(playback, id);
  const { queue } = playback;
  const to = before === null ? queue.length : indexBehindCurrent(playback, before);
  // Before itself, or before the one that it precedes: it stands there already.
  if (to === from || to === from + 1) return playback;
  const moved = queue.toSpliced(from, 1);
  moved.splice(to > from ? to - 1 : to, 0, queue[from]!);
  return changeQueue(playback, asked, { queue: moved });
}

/** Empties the queue; the current item plays on, unless `current` says that it ends too: then there is silence. */
export function clearQueue(playback: Playback, asked: Asked, current: boolean): Playback {
  const item = currentItem(playback);
  if (item === null || !current) {
    const queue = item === null ? [] : [item];
    return queue.length === playback.queue.length ? playback : changeQueue(playback, asked, { queue });
  }
  return changeSound(playback, asked, effectiveFrom(playback, asked), {
    queue: [],
    history: remember(playback.history, [item]),
    transport: { status: 'stopped' },
  });
}

/** Puts all but the current item in an order that depends on `seed` alone. */
export function shuffleQueue(playback: Playback, asked: Asked, seed: number): Playback {
  const fixed = pinned(playback);
  const { queue } = playback;
  if (queue.length - fixed < 2) return playback;
  return changeQueue(playback, asked, { queue: [...queue.slice(0, fixed), ...shuffled(queue.slice(fixed), seed)] });
}

/**
 * Takes a track that leaves the library out of queue and history.
 * What of it a room that is behind by its latency has still to play goes with it.
 * @throws TuttiError TRACK_PLAYING while it is current, or still sounds.
 */
export function forgetTrack(playback: Playback, asked: Asked, trackId: TrackId): Playback {
  const sounds = playback.tail.some((segment) => segment.trackId === trackId && segment.endAt > asked.stamp);
  if (sounds || currentItem(playback)?.trackId === trackId) {
    throw new TuttiError('TRACK_PLAYING', 'this track is current: skip or stop it first', { trackId });
  }
  const without = (items: readonly QueueItem[]) =>
    items.some((item) => item.trackId === trackId) ? items.filter((item) => item.trackId !== trackId) : items;
  const queue = without(playback.queue);
  const history = without(playback.history);
  if (queue === playback.queue && history === playback.history) return playback;
  return changeQueue(playback, asked, { queue, history });
}
