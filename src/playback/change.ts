/**
 * What all commands on queue and transport share: from when a change holds, and what it leaves behind.
 *
 * A reducer takes a playback that is folded to the command's stamp and gives a new one, or throws a TuttiError and has changed nothing.
 * There are two kinds of change. A *change of sound* (pause, skip, ...) holds from a little later on, when every card can obey:
 * `effectiveFrom`. The new fact is written down at once, and what sounds until then joins the `tail`. A *change of the queue* holds
 * at once, at the stamp: it touches only what has not begun. (An item that begins within the lead of such a command may have begun
 * otherwise on a node that hears late; that node joins at the frame that is due, as after any late entry.)
 */
import { TuttiError } from '../core/errors.js';
import type { ItemId } from '../core/ids.js';
import { addTime, type ClusterTime, laterOf } from '../core/units.js';
import {
  currentItem,
  HISTORY_ITEMS_MAX,
  itemIdOf,
  type Playback,
  QUEUE_ITEMS_MAX,
  type QueueItem,
  SEQ_LIMIT,
  type TrackLength,
  type Transport,
  type Wisher,
} from './model.js';
import { endOfCurrent, foldTo, queueVersionAt, tailUntil } from './timeline.js';

/** When something was asked, and by whom. */
export interface Asked {
  /** The entry's stamp. */
  readonly stamp: ClusterTime;
  /** What a change of sound needs to reach every card, from 0, in nanoseconds. */
  readonly leadNs: bigint;
  readonly by: Wisher;
}

/** Queue, history and the next number: what changes together when items come and go. */
export type Places = Pick<Playback, 'queue' | 'history' | 'nextSeq'>;

/** A reducer's answer where items may have been made: their ids, in order. */
export interface Reduced {
  readonly playback: Playback;
  readonly itemIds: readonly ItemId[];
}

/** From when a change of sound holds: after its lead, and never before the change that was asked earlier. */
export const effectiveFrom = (playback: Playback, { stamp, leadNs }: Asked): ClusterTime =>
  laterOf(addTime(stamp, leadNs), playback.effectiveAt);

/**
 * From when `head` is current, as any change of sound; but where the timeline begins that very item anyway, when the current one ends
 * within the lead, from then. Who skips a song in its last moments hears the next one's start once. Anything else needs the whole lead,
 * or cards would hear of it too late: what begins until then (by itself, or again) sounds in the tail, and is cut.
 * `head` is undefined where silence follows.
 */
export function givesWayAt(playback: Playback, asked: Asked, head: QueueItem | undefined): ClusterTime {
  const at = effectiveFrom(playback, asked);
  const end = endOfCurrent(playback);
  if (end === null || end >= at) return at;
  const due = foldTo(playback, end).queue[0];
  // A number that repeat all foresees may go to another track: an id alone does not prove it.
  const again = playback.repeat === 'one' || due?.id !== head?.id || due?.trackId !== head?.trackId;
  return again ? at : end;
}

/** @throws TuttiError ITEM_CHANGED unless `expected` is the current item of the newest fact, or nothing was expected. */
export function expectCurrent(playback: Playback, expected: ItemId | undefined): void {
  const current = currentItem(playback)?.id ?? null;
  if (expected === undefined || expected === current) return;
  throw new TuttiError('ITEM_CHANGED', `${expected} is not current: ${current ?? 'nothing'} is`, {
    expectItem: expected,
    currentItem: current,
  });
}

/** @throws TuttiError NOTHING_PLAYING when stopped. */
export function requireCurrent(playback: Playback): QueueItem {
  const item = currentItem(playback);
  if (item === null) throw new TuttiError('NOTHING_PLAYING', 'the transport is stopped: press play first');
  return item;
}

/** Index of an item in the queue. @throws TuttiError ITEM_NOT_FOUND */
export function indexOfItem(playback: Playback, id: ItemId): number {
  const index = playback.queue.findIndex((item) => item.id === id);
  if (index < 0) throw new TuttiError('ITEM_NOT_FOUND', `the queue has no item ${id}`, { itemId: id });
  return index;
}

/** New items, numbered from `nextSeq`. @throws TuttiError QUEUE_FULL where `kept` others leave no room, or numbers have run out. */
export function newItems(
  { nextSeq }: Playback,
  tracks: readonly TrackLength[],
  addedBy: Wisher,
  kept: number,
): QueueItem[] {
  const room = Math.min(QUEUE_ITEMS_MAX - kept, SEQ_LIMIT - nextSeq);
  if (tracks.length > room) {
    const detail = `there is room for ${room} more, and ${tracks.length} were to be added`;
    throw new TuttiError('QUEUE_FULL', detail, { room, adding: tracks.length });
  }
  return tracks.map(({ id: trackId, frames, sampleRate }, k) => {
    const seq = nextSeq + k;
    return { id: itemIdOf(seq), seq, trackId, frames, sampleRate, addedBy };
  });
}

/** `history` with `ended` at its end. */
export const remember = (history: readonly QueueItem[], ended: readonly QueueItem[]): readonly QueueItem[] =>
  [...history, ...ended].slice(-HISTORY_ITEMS_MAX);

/** The queue without its current item, which is over: it goes to the history, and with `requeue` to the queue's end as a new item. */
export function withoutCurrent({ queue, history, nextSeq }: Playback, requeue: boolean): Places {
  const ended = queue[0]!;
  const rest = queue.slice(1);
  const places = { queue: rest, history: remember(history, [ended]), nextSeq };
  if (!requeue || nextSeq >= SEQ_LIMIT) return places;
  rest.push({ ...ended, id: itemIdOf(nextSeq), seq: nextSeq });
  return { ...places, nextSeq: nextSeq + 1 };
}

/** The head of `queue` from its start: playing from `at` where music played before, else paused; stopped where there is none. */
export function headFromStart(before: Transport, queue: readonly QueueItem[], at: ClusterTime): Transport {
  const head = queue[0];
  if (head === undefined) return { status: 'stopped' };
  if (before.status === 'paused') return { status: 'paused', itemId: head.id, frame: 0 };
  return { status: 'playing', itemId: head.id, startedAt: at, startFrame: 0 };
}

/** A change of sound: `transport` holds from `at` on, with the `places` given. */
export function changeSound(
  playback: Playback,
  asked: Asked,
  at: ClusterTime,
  { transport, ...places }: { readonly transport: Transport } & Partial<Places>,
): Playback {
  return {
    ...playback,
    ...places,
    transport,
    effectiveAt: at,
    tail: tailUntil(playback, asked.stamp, at),
    queueVersion: versionAfter(playback, asked, places.queue ?? playback.queue),
    changedBy: { ...asked.by, at: asked.stamp },
    markedAt: asked.stamp,
  };
}

/** A change of the queue, at once; what sounds goes on. */
export const changeQueue = (
  playback: Playback,
  asked: Asked,
  places: Partial<Places> & Pick<Places, 'queue'>,
): Playback => ({
  ...playback,
  ...places,
  queueVersion: versionAfter(playback, asked, places.queue),
  markedAt: asked.stamp,
});

/**
 * The queue's version after a command. Ends up to the effective time are counted although the command may undo them: a node that applies
 * the entry within its lead may have shown them already, and a version never goes down.
 */
function versionAfter(playback: Playback, asked: Asked, queue: readonly QueueItem[]): number {
  const shown = queueVersionAt(playback, effectiveFrom(playback, asked));
  return queue === playback.queue ? shown : shown + 1;
}
