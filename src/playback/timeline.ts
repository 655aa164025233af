/**
 * What sounds when: arithmetic over the facts of a {@link Playback}, the same on every node, without any message.
 *
 * The future of a playing queue is one sequence of items S[0], S[1], ...: first the queue as it stands, then, under repeat all, each
 * item again under a new number, for ever. Under repeat one it is S[0] again and again. Item k + 1 starts at the very nanosecond at
 * which item k ends. "Folding" to an instant t means to write the same facts down as of t: what is over by then has left the queue.
 * It changes nothing that can be seen or heard from t on, so commands may fold whenever they like, and views fold for themselves.
 *
 * A length of n frames at rate r is n * 1e9 / r nanoseconds, rounded to the nearest one, halves up: an item's end is off by at most
 * half a nanosecond, a forty-thousandth of a frame at 48 kHz, and every node is off alike. Where an item has been cut (pause, seek),
 * its first and second part are rounded each for itself. Everything is whole-number arithmetic on bigint: no float can differ.
 */
import { assert } from '../core/assert.js';
import { type ClusterTime, clusterTime, laterOf, NS_PER_S } from '../core/units.js';
import {
  currentItem,
  HISTORY_ITEMS_MAX,
  itemIdOf,
  type Playback,
  type QueueItem,
  SEQ_LIMIT,
  type Segment,
  TAIL_KEPT_NS,
  TAIL_SEGMENTS_MAX,
} from './model.js';

/** How long `frames` frames last at `sampleRate`, in nanoseconds, rounded to the nearest. At least 1 for a frame or more. */
export function durationNs(frames: number, sampleRate: number): bigint {
  const rate = BigInt(sampleRate);
  return (BigInt(frames) * NS_PER_S + rate / 2n) / rate;
}

/** How many whole frames have begun to sound `elapsedNs` after the first one did, not counting that one. `elapsedNs`: from 0. */
export const framesIn = (elapsedNs: bigint, sampleRate: number): number =>
  Number((elapsedNs * BigInt(sampleRate)) / NS_PER_S);

/** `frames` frames in whole milliseconds, rounded down. */
export const msOf = (frames: number, sampleRate: number): number =>
  Number((BigInt(frames) * 1_000n) / BigInt(sampleRate));

/** When the current item ends by itself; null unless playing. Always after `effectiveAt`. */
export function endOfCurrent(playback: Playback): ClusterTime | null {
  const { transport } = playback;
  if (transport.status !== 'playing') return null;
  const item = playback.queue[0]!;
  return clusterTime(transport.startedAt + durationNs(item.frames - transport.startFrame, item.sampleRate));
}

/** The sequence S of a playing queue that is not on repeat one. */
interface Sequence {
  /** How many there are: the queue itself, and under repeat all as many more as there are numbers left. */
  readonly length: number;
  item(index: number): QueueItem;
}

/**
 * Numbers of later rounds are foreseen, not given out: an item that is added meanwhile takes the next one, and the round that comes
 * after it takes others. So a timeline's id may come to stand for another track, and whoever keeps segments compares the track too.
 * Views, and what a command expects to be current, are not misled: they see the folded queue only, whose numbers are given out.
 */
function sequenceOf({ queue, repeat, nextSeq }: Playback): Sequence {
  const n = queue.length;
  return {
    length: repeat === 'all' ? n + (SEQ_LIMIT - nextSeq) : n,
    item(index) {
      if (index < n) return queue[index]!;
      const seq = nextSeq + (index - n);
      return { ...queue[index % n]!, id: itemIdOf(seq), seq };
    },
  };
}

/** How far a playing queue has got: item `ended` of S is current since `startedAt`; or S is over since then, and nothing is. */
interface Progress {
  /** How many items have ended. */
  readonly ended: number;
  readonly startedAt: ClusterTime;
}

/** Where `playback` has got to at `at`; null where the item that it names is still the current one. */
function progressTo(playback: Playback, at: ClusterTime): Progress | null {
  const firstEnd = endOfCurrent(playback);
  if (firstEnd === null || firstEnd > at) return null;
  const { queue, repeat } = playback;
  const n = queue.length;
  const duration = (index: number): bigint => {
    const item = queue[index % n]!;
    return durationNs(item.frames, item.sampleRate);
  };

  if (repeat === 'one') {
    const again = (at - firstEnd) / duration(0);
    return { ended: 1 + Number(again), startedAt: clusterTime(firstEnd + again * duration(0)) };
  }

  const { length } = sequenceOf(playback);
  let ended = 1;
  let startedAt: bigint = firstEnd;
  const walk = (limit: number) => {
    while (ended < limit && startedAt + duration(ended) <= at) startedAt += duration(ended++);
  };
  walk(Math.min(length, n + 1));
  if (ended === n + 1) {
    // Once around: every further round takes as long as this one, so that years of them are one division.
    const round = startedAt - firstEnd;
    const fitting = (at - startedAt) / round;
    const left = BigInt(Math.floor((length - ended) / n));
    const rounds = fitting < left ? fitting : left;
    ended += Number(rounds) * n;
    startedAt += rounds * round;
    walk(length);
  }
  return { ended, startedAt: clusterTime(startedAt) };
}

/** What ended last, in order, at the end of `history`. */
function remembered(history: readonly QueueItem[], sequence: Sequence, ended: number): readonly QueueItem[] {
  const first = Math.max(0, ended - HISTORY_ITEMS_MAX);
  const latest = Array.from({ length: ended - first }, (_, k) => sequence.item(first + k));
  return [...history, ...latest].slice(-HISTORY_ITEMS_MAX);
}

/** Those of `tail` that end after `from`: itself where that is all. */
function endingAfter(tail: readonly Segment[], from: bigint): readonly Segment[] {
  const first = tail.findIndex((segment) => segment.endAt > from);
  return first === 0 ? tail : first < 0 ? [] : tail.slice(first);
}

/** The last segments that end after `from` of what `playback` has played by itself by the end of its item `ended - 1`, in order. */
function playedLately(playback: Playback, { ended, startedAt }: Progress, from: bigint): Segment[] {
  const { transport, repeat } = playback;
  assert(transport.status === 'playing', 'only what plays comes to an end');
  const sequence = sequenceOf(playback);
  const played: Segment[] = [];
  let endAt = startedAt;
  for (let k = ended - 1; k >= 0 && endAt > from && played.length < TAIL_SEGMENTS_MAX; k--) {
    const item = sequence.item(repeat === 'one' ? 0 : k);
    const startFrame = k === 0 ? transport.startFrame : 0;
    const segment = segmentOf(
      item,
      startFrame,
      clusterTime(endAt - durationNs(item.frames - startFrame, item.sampleRate)),
    );
    played.push(segment);
    endAt = segment.startAt;
  }
  return played.reverse();
}

/** An item from `startFrame` to its end. */
function segmentOf(
  { id: itemId, trackId, frames, sampleRate }: QueueItem,
  startFrame: number,
  startAt: ClusterTime,
): Segment {
  const endAt = clusterTime(startAt + durationNs(frames - startFrame, sampleRate));
  return { itemId, trackId, startAt, endAt, startFrame, sampleRate, complete: true };
}

/**
 * The same facts, written down as of `at`: items that are over by then have left the queue for the history, and what sounded more than
 * {@link TAIL_KEPT_NS} earlier is forgotten. Every view from `at` on, and every timeline from a little earlier on, is the same before and
 * after. `at` may be earlier than the facts: then nothing has ended yet.
 */
export function foldTo(playback: Playback, at: ClusterTime): Playback {
  const keptFrom = at - TAIL_KEPT_NS;
  const kept = endingAfter(playback.tail, keptFrom);
  const progress = progressTo(playback, at);
  if (progress === null) return kept.length === playback.tail.length ? playback : { ...playback, tail: kept };

  const { ended, startedAt } = progress;
  const folded = {
    ...playback,
    tail: [...kept, ...playedLately(playback, progress, keptFrom)].slice(-TAIL_SEGMENTS_MAX),
    effectiveAt: startedAt,
    queueVersion: playback.queueVersion + ended,
  };
  if (playback.repeat === 'one') {
    const { id } = playback.queue[0]!;
    return { ...folded, transport: { status: 'playing', itemId: id, startedAt, startFrame: 0 } };
  }

  const sequence = sequenceOf(playback);
  const n = playback.queue.length;
  const history = remembered(playback.history, sequence, ended);
  if (ended === sequence.length) {
    return { ...folded, history, queue: [], nextSeq: nextSeqAfter(playback, ended), transport: { status: 'stopped' } };
  }
  const queueLength = Math.min(n, sequence.length - ended);
  // The part of the queue that stays is copied whole; only what came round again is made anew.
  const queue = playback.queue.slice(ended);
  while (queue.length < queueLength) queue.push(sequence.item(ended + queue.length));
  return {
    ...folded,
    history,
    queue,
    nextSeq: nextSeqAfter(playback, ended),
    transport: { status: 'playing', itemId: queue[0]!.id, startedAt, startFrame: 0 },
  };
}

/** The number after those that `ended` ends have used up: one each under repeat all, none else. */
const nextSeqAfter = ({ repeat, nextSeq }: Playback, ended: number): number =>
  repeat === 'all' ? Math.min(SEQ_LIMIT, nextSeq + ended) : nextSeq;

/** `queueVersion` as it is at `at`, without folding. Never goes down as `at` rises. */
export const queueVersionAt = (playback: Playback, at: ClusterTime): number =>
  playback.queueVersion + (progressTo(playback, at)?.ended ?? 0);

/**
 * What sounds from `from` on: the segments that end after it, in order of time, at most `limit`. The first may have begun earlier. Where
 * a segment is complete and another follows, that one starts at the nanosecond at which it ends. It is the whole truth from
 * {@link TAIL_KEPT_NS} before the last command on.
 */
export function segments(playback: Playback, from: ClusterTime, limit: number): Segment[] {
  const folded = foldTo(playback, from);
  const result = endingAfter(folded.tail, from).slice(0, limit);
  const { transport } = folded;
  if (transport.status !== 'playing') return result;

  const sequence = sequenceOf(folded);
  const forever = folded.repeat === 'one';
  let startAt = transport.startedAt;
  let startFrame = transport.startFrame;
  for (let k = 0; result.length < limit && (forever || k < sequence.length); k++) {
    const item = sequence.item(forever ? 0 : k);
    const segment = segmentOf(item, startFrame, startAt);
    result.push(segment);
    startAt = segment.endAt;
    startFrame = 0;
  }
  return result;
}

/**
 * The {@link Playback.tail} of a change of sound that was asked at `stamp` and takes effect at `until`: what has sounded lately, and what
 * sounds until then, concretely, the last segment cut there. `playback` is folded to the stamp.
 */
export function tailUntil(playback: Playback, stamp: ClusterTime, until: ClusterTime): Segment[] {
  const over = playback.tail.filter((segment) => segment.endAt <= stamp).slice(-TAIL_SEGMENTS_MAX);
  const coming = segments(playback, stamp, TAIL_SEGMENTS_MAX)
    .filter((segment) => segment.startAt < until)
    .map((segment) => (segment.endAt <= until ? segment : { ...segment, endAt: until, complete: false }));
  return [...over, ...coming];
}

/** An item and the frame of it that sounds, or would if it were not paused. */
export interface Position {
  readonly item: QueueItem;
  /** From 0 to `item.frames - 1`. */
  readonly frame: number;
}

/** Where the newest fact stands at `at`; before it takes effect, where it will begin. Null when stopped. */
export function positionAt(playback: Playback, at: ClusterTime): Position | null {
  const folded = foldTo(playback, at);
  const { transport } = folded;
  const item = currentItem(folded);
  if (item === null || transport.status === 'stopped') return null;
  if (transport.status === 'paused') return { item, frame: transport.frame };
  const elapsed = laterOf(at, transport.startedAt) - transport.startedAt;
  const frame = transport.startFrame + framesIn(elapsed, item.sampleRate);
  assert(frame < item.frames, 'a frame sounds before its item ends');
  return { item, frame };
}
