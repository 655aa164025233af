/** The queue as it is told: `state` shows its head, and an event `queue` the whole of a longer one. */
import type { QueueEvent, QueueItem, StateEvent } from '../../http/schema.js';

/** All items, as far as they are known. */
export interface WholeQueue {
  readonly items: readonly QueueItem[];
  /** False where a part is missing: `GET /queue` has it. */
  readonly isWhole: boolean;
}

/** Puts both together; `told` is what came last as an event `queue` or from `GET /queue`. */
export function wholeQueue(
  { queue, queueLength, queueVersion }: Pick<StateEvent, 'queue' | 'queueLength' | 'queueVersion'>,
  told: QueueEvent | null,
): WholeQueue {
  if (queue.length >= queueLength) return { items: queue, isWhole: true };
  if (told?.rev === queueVersion) return { items: told.items, isWhole: true };
  // Songs that have ended take items from the head and nothing else: what comes behind what is shown is then known all the same.
  const last = queue.at(-1)?.itemId;
  const at = told === null || last === undefined ? -1 : told.items.findIndex(({ itemId }) => itemId === last);
  const items = told === null || at < 0 ? queue : [...queue, ...told.items.slice(at + 1)];
  return { items, isWhole: items.length === queueLength };
}
