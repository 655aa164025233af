/**
 * Commands on the transport. Each takes a playback that is folded to the stamp, and gives the new one.
 *
 * "No change" answers the playback itself: to press pause twice is no error, and leaves no trace. Whether the item is current that the
 * person saw is for the caller to ask first (`expectCurrent`).
 */
import { TuttiError } from '../core/errors.js';
import type { ItemId } from '../core/ids.js';
import { laterOf } from '../core/units.js';
import {
  type Asked,
  changeSound,
  effectiveFrom,
  givesWayAt,
  headFromStart,
  indexOfItem,
  newItems,
  type Places,
  type Reduced,
  remember,
  requireCurrent,
  withoutCurrent,
} from './change.js';
import {
  currentItem,
  type Playback,
  PREVIOUS_RESTARTS_ABOVE_MS,
  type QueueItem,
  type Repeat,
  type TrackLength,
  type Transport,
} from './model.js';
import { foldTo, msOf, positionAt, queueVersionAt } from './timeline.js';

/** Resumes, or starts the queue from the start of its head. Playing already: no change. @throws TuttiError QUEUE_EMPTY */
export function play(playback: Playback, asked: Asked): Playback {
  const { transport } = playback;
  if (transport.status === 'playing') return playback;
  const head = playback.queue[0];
  if (head === undefined) throw new TuttiError('QUEUE_EMPTY', 'the queue is empty: add a track first');
  const at = effectiveFrom(playback, asked);
  const startFrame = transport.status === 'paused' ? transport.frame : 0;
  return changeSound(playback, asked, at, {
    transport: { status: 'playing', itemId: head.id, startedAt: at, startFrame },
  });
}

/**
 * Plays a track now, as a new item at the head. The item that was current is over; all others stay.
 * @throws TuttiError QUEUE_FULL
 */
export function playTrack(playback: Playback, asked: Asked, track: TrackLength): Reduced {
  const current = currentItem(playback);
  const places = current === null ? playback : withoutCurrent(playback, false);
  const items = newItems(playback, [track], asked.by, places.queue.length);
  const changed = startHead(playback, asked, {
    queue: [...items, ...places.queue],
    history: places.history,
    nextSeq: playback.nextSeq + 1,
  });
  return { playback: changed, itemIds: items.map((item) => item.id) };
}

/** Plays an item of the queue; those before it are over. The current one: as `play`. @throws TuttiError ITEM_NOT_FOUND */
export function playItem(playback: Playback, asked: Asked, id: ItemId): Playback {
  const index = indexOfItem(playback, id);
  if (index === 0) return play(playback, asked);
  return startHead(playback, asked, {
    queue: playback.queue.slice(index),
    history: remember(playback.history, playback.queue.slice(0, index)),
    nextSeq: playback.nextSeq,
  });
}

/** The head of new places plays from its start, whatever was before. */
function startHead(playback: Playback, asked: Asked, places: Places): Playback {
  const at = givesWayAt(playback, asked, places.queue[0]);
  const transport: Transport = { status: 'playing', itemId: places.queue[0]!.id, startedAt: at, startFrame: 0 };
  return changeSound(playback, asked, at, { ...places, transport });
}

/** Holds the music where the timeline has it when the pause takes effect; that may be in the next item. */
export const pause = (playback: Playback, asked: Asked): Playback =>
  silence(playback, asked, (item, frame) => ({ status: 'paused', itemId: item.id, frame }));

/** Silence, and back to the start of the current item; the queue is kept whole, with that item at its head. */
export function stop(playback: Playback, asked: Asked): Playback {
  if (playback.transport.status === 'paused') {
    return changeSound(playback, asked, effectiveFrom(playback, asked), { transport: { status: 'stopped' } });
  }
  return silence(playback, asked, () => ({ status: 'stopped' }));
}

/** Ends the sound of a playing queue. Where nothing plays, or the music will have ended by itself by then: no change. */
function silence(playback: Playback, asked: Asked, after: (item: QueueItem, frame: number) => Transport): Playback {
  if (playback.transport.status !== 'playing') return playback;
  const at = effectiveFrom(playback, asked);
  const { queue, history, nextSeq } = foldTo(playback, at);
  const position = positionAt(playback, at);
  if (position === null) return playback;
  const transport = after(position.item, position.frame);
  return changeSound(playback, asked, at, { queue, history, nextSeq, transport });
}

/**
 * On to the next item, also under repeat one; while paused it waits at its start. Under repeat all the skipped one comes round again.
 * @throws TuttiError NOTHING_PLAYING
 */
export function skip(playback: Playback, asked: Asked): Playback {
  requireCurrent(playback);
  const places = withoutCurrent(playback, playback.repeat === 'all');
  const at = givesWayAt(playback, asked, places.queue[0]);
  return changeSound(playback, asked, at, {
    ...places,
    transport: headFromStart(playback.transport, places.queue, at),
  });
}

/** Another frame of the current item. @throws TuttiError NOTHING_PLAYING, BAD_POSITION */
export function seek(playback: Playback, asked: Asked, positionMs: number): Playback {
  const item = requireCurrent(playback);
  const frame = (BigInt(positionMs) * BigInt(item.sampleRate)) / 1_000n;
  if (frame >= BigInt(item.frames)) {
    const durationMs = msOf(item.frames, item.sampleRate);
    const detail = `the item is ${durationMs} ms long, and ${positionMs} ms is not within it`;
    throw new TuttiError('BAD_POSITION', detail, { positionMs, durationMs });
  }
  return changeFrame(playback, asked, item, Number(frame));
}

/**
 * The current item from `frame` on, playing or paused as it was. Where it ends within the lead, the next one's beginning sounds until
 * then; it stays next.
 */
function changeFrame(playback: Playback, asked: Asked, item: QueueItem, frame: number): Playback {
  const at = effectiveFrom(playback, asked);
  const transport: Transport =
    playback.transport.status === 'paused'
      ? { status: 'paused', itemId: item.id, frame }
      : { status: 'playing', itemId: item.id, startedAt: at, startFrame: frame };
  return changeSound(playback, asked, at, { transport });
}

/**
 * Back: more than 3 s into the item, to its start; else to the item before, playing or paused as it was. Under repeat all that is the
 * queue's last, which comes to the front as it is; else the latest of the history, as a new item, and the current one waits behind it.
 * Where there is none before, to the start.
 * @throws TuttiError NOTHING_PLAYING; QUEUE_FULL
 */
export function previous(playback: Playback, asked: Asked): Playback {
  const item = requireCurrent(playback);
  const frame = positionAt(playback, asked.stamp)!.frame;
  const before = msOf(frame, item.sampleRate) > PREVIOUS_RESTARTS_ABOVE_MS ? null : placesBefore(playback);
  if (before === null) return changeFrame(playback, asked, item, 0);
  const at = givesWayAt(playback, asked, before.queue[0]);
  return changeSound(playback, asked, at, {
    ...before,
    transport: headFromStart(playback.transport, before.queue, at),
  });
}

function placesBefore(playback: Playback): Places | null {
  const { queue, history, nextSeq, repeat } = playback;
  if (repeat === 'all') {
    return queue.length < 2 ? null : { queue: [queue.at(-1)!, ...queue.slice(0, -1)], history, nextSeq };
  }
  const last = history.at(-1);
  if (last === undefined) return null;
  const track = { id: last.trackId, frames: last.frames, sampleRate: last.sampleRate };
  const items = newItems(playback, [track], last.addedBy, queue.length);
  return { queue: [...items, ...queue], history: history.slice(0, -1), nextSeq: nextSeq + 1 };
}

/** What happens at an item's end from now on. Nothing that sounds changes before that. */
export function setRepeat(playback: Playback, asked: Asked, repeat: Repeat): Playback {
  if (repeat === playback.repeat) return playback;
  const queueVersion = queueVersionAt(playback, effectiveFrom(playback, asked));
  return { ...playback, repeat, queueVersion, markedAt: asked.stamp };
}

/** Writes down that the music has got as far as the stamp. */
export const mark = (playback: Playback, asked: Asked): Playback => ({ ...playback, markedAt: asked.stamp });

/**
 * Pauses a playing queue at the last instant to which the log proves that the music had got, `markedAt`; when, says cluster.ts. There is
 * no lead and no tail: silence at once, since what the new fact would sound until then may be what must not be heard.
 */
export function interrupt(playback: Playback, asked: Asked): Playback {
  if (playback.transport.status !== 'playing') return playback;
  const stood = foldTo(playback, playback.markedAt);
  const position = positionAt(stood, playback.markedAt)!;
  return {
    ...stood,
    transport: { status: 'paused', itemId: position.item.id, frame: position.frame },
    effectiveAt: laterOf(asked.stamp, stood.effectiveAt),
    tail: [],
    // Views between the mark and now may have counted ends that are now undone: a version never goes down.
    queueVersion: queueVersionAt(playback, asked.stamp),
    changedBy: { ...asked.by, at: asked.stamp },
    markedAt: asked.stamp,
  };
}
