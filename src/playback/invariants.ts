/** What is true of every playback, whatever was done to it. Tests ask after each command; a restored snapshot is asked once. */
import { assert } from '../core/assert.js';
import {
  currentItem,
  HISTORY_ITEMS_MAX,
  itemIdOf,
  type Playback,
  QUEUE_ITEMS_MAX,
  type QueueItem,
  SEQ_LIMIT,
  type Segment,
  TAIL_SEGMENTS_MAX,
} from './model.js';

/** @throws InvariantError where one of them is broken. */
export function checkPlayback(playback: Playback): void {
  const { queue, history, tail, nextSeq } = playback;
  assert(queue.length <= QUEUE_ITEMS_MAX, 'a queue holds at most 5,000 items');
  assert(history.length <= HISTORY_ITEMS_MAX, 'a history holds at most 50 items');
  assert(nextSeq >= 1 && nextSeq <= SEQ_LIMIT, 'items are numbered from 1 to 2^31 - 1');
  for (const item of [...queue, ...history]) checkItem(item, nextSeq);
  assert(new Set(queue.map((item) => item.seq)).size === queue.length, 'an item is in the queue once');
  checkTransport(playback);
  checkTail(tail, playback.effectiveAt);
}

function checkItem(item: QueueItem, nextSeq: number): void {
  assert(item.seq >= 1 && item.seq < nextSeq, 'an item has a number that was given out');
  assert(item.id === itemIdOf(item.seq), 'an item is named by its number');
  assert(item.frames >= 1 && item.sampleRate >= 1, 'an item has a length');
}

function checkTransport(playback: Playback): void {
  const { transport, effectiveAt } = playback;
  if (transport.status === 'stopped') return;
  const item = currentItem(playback);
  assert(item?.id === transport.itemId, 'the current item is the first of the queue');
  const frame = transport.status === 'playing' ? transport.startFrame : transport.frame;
  assert(frame >= 0 && frame < item.frames, 'the transport stands within its item');
  if (transport.status === 'playing') {
    assert(transport.startedAt === effectiveAt, 'an item starts when the fact of it takes effect');
  }
}

function checkTail(tail: readonly Segment[], effectiveAt: bigint): void {
  assert(tail.length <= 2 * TAIL_SEGMENTS_MAX, 'a tail has at most 64 segments of before and 64 of after a command');
  let end: bigint | null = null;
  for (const { startAt, endAt } of tail) {
    assert(startAt < endAt, 'a segment has a length');
    assert(end === null || startAt >= end, 'segments do not overlap');
    end = endAt;
  }
  assert(end === null || end <= effectiveAt, 'the tail ends before the newest fact begins');
}
