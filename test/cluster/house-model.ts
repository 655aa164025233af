/**
 * What a house does where everybody asks one after another, written down a second time and as plainly as can be: an order of items, one
 * of which may be current, and three settings. It knows nothing of time: songs are long enough that none ends.
 */
import type { ErrorCode } from '../../src/core/errors.js';
import type { Model } from './linearizable.js';

/** What a strong read sees. */
export interface View {
  /** Items, the current one first unless stopped. */
  readonly queue: readonly string[];
  readonly status: 'playing' | 'paused' | 'stopped';
  /** Per cent. */
  readonly volume: number;
  readonly repeat: 'off' | 'one';
}

/** And the number of the next item. */
export interface HouseState extends View {
  readonly nextSeq: number;
}

/** What clients ask for. */
export type Asked =
  | { readonly what: 'read' | 'play' | 'pause' | 'stop' }
  /** Nobody asked for it: all was dark, and what played stands still. */
  | { readonly what: 'outage' }
  | { readonly what: 'add'; readonly next: boolean }
  | { readonly what: 'remove'; readonly item: string }
  | { readonly what: 'move'; readonly item: string; readonly before: string | null }
  | { readonly what: 'skip'; readonly expectItem: string }
  | { readonly what: 'volume'; readonly volume: number }
  | { readonly what: 'repeat'; readonly repeat: View['repeat'] };

/** And what they are told. */
export type Answer =
  | { readonly seen: View }
  | { readonly done: true; readonly items?: readonly string[] }
  | { readonly refused: ErrorCode };

/** A state after a call, or why it is refused. */
type Outcome = { readonly state: HouseState; readonly items?: readonly string[] } | { readonly refused: ErrorCode };

const withoutItem = (queue: readonly string[], item: string) => queue.filter((each) => each !== item);
/** The current item is gone: the next takes its place, and where there is none it is silent. */
const withQueue = (state: HouseState, queue: readonly string[]): HouseState => ({
  ...state,
  queue,
  status: queue.length === 0 ? 'stopped' : state.status,
});

function outcomeOf(state: HouseState, asked: Asked): Outcome {
  const { queue, status, nextSeq } = state;
  const current = status === 'stopped' ? undefined : queue[0];
  const pinned = current === undefined ? 0 : 1;
  switch (asked.what) {
    case 'read':
      return { state };
    case 'add': {
      const item = `i${nextSeq}`;
      const at = asked.next ? pinned : queue.length;
      return { state: { ...state, queue: queue.toSpliced(at, 0, item), nextSeq: nextSeq + 1 }, items: [item] };
    }
    case 'remove':
      if (!queue.includes(asked.item)) return { refused: 'ITEM_NOT_FOUND' };
      return { state: withQueue(state, withoutItem(queue, asked.item)) };
    case 'move': {
      for (const item of [asked.item, ...(asked.before === null ? [] : [asked.before])]) {
        if (!queue.includes(item)) return { refused: 'ITEM_NOT_FOUND' };
        if (item === current) return { refused: 'ITEM_PLAYING' };
      }
      if (asked.before === asked.item) return { state };
      const rest = withoutItem(queue, asked.item);
      const at = asked.before === null ? rest.length : rest.indexOf(asked.before);
      return { state: { ...state, queue: rest.toSpliced(at, 0, asked.item) } };
    }
    case 'play':
      return queue.length === 0 ? { refused: 'QUEUE_EMPTY' } : { state: { ...state, status: 'playing' } };
    case 'pause':
    case 'outage':
      return { state: status === 'playing' ? { ...state, status: 'paused' } : state };
    case 'stop':
      return { state: { ...state, status: 'stopped' } };
    case 'skip':
      if (current !== asked.expectItem) return { refused: 'ITEM_CHANGED' };
      return { state: withQueue(state, queue.slice(1)) };
    case 'volume':
      return { state: { ...state, volume: asked.volume } };
    case 'repeat':
      return { state: { ...state, repeat: asked.repeat } };
  }
}

const isView = (state: HouseState, { queue, status, volume, repeat }: View): boolean =>
  state.queue.join() === queue.join() && state.status === status && state.volume === volume && state.repeat === repeat;

function isAnswer(outcome: Outcome, answer: Answer): boolean {
  if ('refused' in outcome) return 'refused' in answer && answer.refused === outcome.refused;
  if ('seen' in answer) return isView(outcome.state, answer.seen);
  return 'done' in answer && (outcome.items ?? []).join() === (answer.items ?? []).join();
}

/** The house from a state on in which nobody asked for anything. */
export const houseModel = (initial: HouseState): Model<HouseState, Asked, Answer> => ({
  initial,
  step(state, asked, answer) {
    const outcome = outcomeOf(state, asked);
    if (answer !== undefined && !isAnswer(outcome, answer)) return null;
    return 'refused' in outcome ? state : outcome.state;
  },
  key: ({ queue, status, volume, repeat, nextSeq }) => `${queue} ${status} ${volume} ${repeat} ${nextSeq}`,
});
