/**
 * What the page knows: what the node said last, and what was asked of it since. Everything that is shown is worked out from these.
 */
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { NodeView, QueueEvent, StateEvent, TracksEvent } from '../../http/schema.js';
import { type ClusterClock, clusterMs, instantMs } from '../model/cluster-clock.js';
import { type Link, NO_LINK, stepLink } from '../model/link.js';
import { type Pending, queueWith, type ShownItem, stillPending } from '../model/overlay.js';
import { type Moment, momentOf } from '../model/position.js';
import { NO_TRACKS, type TrackTable, withChanges } from '../model/track-table.js';
import { wholeQueue } from '../model/whole-queue.js';
import { nowMs } from '../world/timers.js';

/** The page's knowledge, in signals. */
export class Store {
  /** The newest view; null before the first. */
  readonly state: Signal<StateEvent | null> = signal(null);
  readonly tracks: Signal<TrackTable> = signal(NO_TRACKS);
  readonly pending: Signal<readonly Pending[]> = signal([]);
  readonly link: Signal<Link> = signal(NO_LINK);
  readonly clock: Signal<ClusterClock | null> = signal(null);
  readonly #toldQueue: Signal<QueueEvent | null> = signal(null);

  /** The queue as the node knows it. */
  readonly queue = computed(() => {
    const state = this.state.value;
    return state === null ? { items: [], isWhole: true } : wholeQueue(state, this.#toldQueue.value);
  });

  /** The queue as it is shown: with what was asked for. */
  readonly shownQueue: ReadonlySignal<readonly ShownItem[]> = computed(() =>
    queueWith(this.queue.value.items, this.pending.value, this.hasCurrent.value),
  );

  /** Some item is current: the first of the queue. */
  readonly hasCurrent = computed(() => (this.state.value?.transport.itemId ?? null) !== null);

  /** Nothing that is shown is known to be true any more. */
  readonly isStale = computed(() => this.link.value.lostMs !== null);

  /** The node that serves this page, as a member of the house; undefined while it waits for one. */
  readonly self: ReadonlySignal<NodeView | undefined> = computed(() => {
    const state = this.state.value;
    return state?.nodes.find(({ id }) => id === state.node.id);
  });

  /** Takes a view in; what it has of what was asked for is over. */
  takeState(state: StateEvent): void {
    batch(() => {
      this.state.value = state;
      this.settle();
    });
  }

  takeQueue(queue: QueueEvent): void {
    this.#toldQueue.value = queue;
  }

  /** @returns false where the whole library has to be asked for */
  takeTracks(event: TracksEvent): boolean {
    const next = withChanges(this.tracks.value, event);
    if (next !== null) this.tracks.value = next;
    return next !== null;
  }

  /** Lets go of wishes that are over. */
  settle(): void {
    const slot = this.state.value?.cluster.appliedSlot ?? 0;
    this.pending.value = stillPending(this.pending.value, slot, nowMs());
  }

  /** What is heard now; null before anything is known. Not a signal: it changes all the time. */
  momentNow(): Moment | null {
    const state = this.state.value;
    return state === null ? null : momentOf(this.#agreed(state), this.sinceTransportMs());
  }

  /** How long the transport has held, milliseconds; negative while it is still ahead. */
  sinceTransportMs(): number {
    const state = this.state.value;
    const clock = this.clock.value;
    if (state === null || clock === null) return 0;
    const { atNs, startAtNs } = state.transport;
    return clusterMs(clock, nowMs()) - Math.max(instantMs(clock, atNs), instantMs(clock, startAtNs));
  }

  #agreed(state: StateEvent) {
    return { transport: state.transport, repeat: state.repeat, queue: this.queue.value.items };
  }

  /** Moves the line on by one event. @returns what is to be done */
  stepLink(event: Parameters<typeof stepLink>[1]) {
    const [link, effect] = stepLink(this.link.value, event, nowMs(), Math.random());
    this.link.value = link;
    return effect;
  }
}
