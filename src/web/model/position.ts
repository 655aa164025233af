/**
 * What is heard at an instant, worked out from what was agreed. The end of a song needs no message, here as little as on the nodes: the page
 * goes on to the next item of the queue by itself.
 */
import type { QueueItem, StateEvent, Transport } from '../../http/schema.js';

/** What is heard at an instant. */
export interface Moment {
  readonly status: Transport['status'];
  /** Places from the head of the queue. */
  readonly index: number;
  readonly itemId: string | null;
  readonly trackId: string | null;
  readonly title: string | null;
  readonly positionMs: number;
  readonly durationMs: number;
  /** In how many milliseconds it begins to go on; 0 where it does, or stands for good. */
  readonly startsInMs: number;
}

const NOTHING: Moment = {
  status: 'stopped',
  index: 0,
  itemId: null,
  trackId: null,
  title: null,
  positionMs: 0,
  durationMs: 0,
  startsInMs: 0,
};

/** What a moment is worked out from. */
export interface Agreed {
  readonly transport: Transport;
  readonly repeat: StateEvent['repeat'];
  /** The current item first. */
  readonly queue: readonly Pick<QueueItem, 'itemId' | 'trackId' | 'title' | 'durationMs'>[];
}

/**
 * The moment `sinceMs` milliseconds after `transport` began to hold (the later of its `atNs` and `startAtNs`; before that it stands still).
 * Positions are within the item, from 0 to its length.
 */
export function momentOf({ transport, repeat, queue }: Agreed, sinceMs: number): Moment {
  const { status, itemId, trackId, title, positionMs, durationMs } = transport;
  if (status === 'stopped' || itemId === null) return NOTHING;
  const startsInMs = status === 'playing' ? Math.max(0, -sinceMs) : 0;
  const first = { status, index: 0, itemId, trackId, title, durationMs, startsInMs };
  if (status === 'paused') return { ...first, positionMs: within(positionMs, durationMs) };
  let left = positionMs + Math.max(0, sinceMs);
  if (left < durationMs || durationMs <= 0) return { ...first, positionMs: within(left, durationMs) };
  if (repeat === 'one') return { ...first, positionMs: left % durationMs };
  left -= durationMs;
  const rounds = queue.slice(1);
  // Under repeat all the items come round again; the nodes will tell how they are called then.
  const items = repeat === 'all' ? [...rounds, ...queue] : rounds;
  for (const [at, item] of items.entries()) {
    if (left < item.durationMs) {
      const { itemId, trackId, title, durationMs } = item;
      return { status, index: at + 1, itemId, trackId, title, positionMs: left, durationMs, startsInMs };
    }
    left -= item.durationMs;
  }
  return NOTHING;
}

/** What plays, wherever it is in it. */
export type Song = Omit<Moment, 'positionMs' | 'index' | 'startsInMs'>;

/** The song of a moment; `before`, the same object, where it is that one still. */
export function songOf(moment: Moment | null, before?: Song): Song {
  const { status, itemId, trackId, title, durationMs } = moment ?? NOTHING;
  const song: Song = { status, itemId, trackId, title, durationMs };
  return before !== undefined && isSameSong(before, song) ? before : song;
}

const isSameSong = (a: Song, b: Song): boolean =>
  a.status === b.status &&
  a.itemId === b.itemId &&
  a.trackId === b.trackId &&
  a.title === b.title &&
  a.durationMs === b.durationMs;

/** There is nothing new to see. */
export const isSameMoment = (a: Moment | null, b: Moment | null): boolean =>
  a === b ||
  (a !== null &&
    b !== null &&
    isSameSong(a, b) &&
    a.positionMs === b.positionMs &&
    a.index === b.index &&
    isHeld(a) === isHeld(b));

/** It is to play, and has not begun yet. */
export const isHeld = ({ startsInMs }: Moment): boolean => startsInMs > 0;

/** A correction of the clock this small must not be seen to turn the time back. Milliseconds. */
const SLEW_MS_MAX = 250;

/** The moment as it is shown after `before`, where nobody has sought meanwhile: time stands still for a while, and never runs backwards. */
export function steady(before: Moment | null, now: Moment): Moment {
  const isSame = before?.itemId === now.itemId && before.status === 'playing' && now.status === 'playing';
  const backMs = isSame ? before.positionMs - now.positionMs : 0;
  return backMs > 0 && backMs < SLEW_MS_MAX ? { ...now, positionMs: before!.positionMs } : now;
}

const within = (positionMs: number, durationMs: number): number => Math.max(0, Math.min(positionMs, durationMs));
