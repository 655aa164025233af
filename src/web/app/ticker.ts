/**
 * The moment as the page shows it: worked out anew whenever what was agreed changes, and on each second of the song while it plays and
 * somebody looks. Nothing else in the page ticks. Most of the page asks for the song, which changes when the song does.
 */
import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { isHeld, isSameMoment, type Moment, type Song, songOf, steady } from '../model/position.js';
import { Alarm } from '../world/timers.js';
import type { Store } from './store.js';

/** A little behind the second, so that it has come for sure. Milliseconds. */
const BEHIND_MS = 8;

/** Keeps {@link moment}. */
export class Ticker {
  /** Null before anything is known. */
  readonly moment: Signal<Moment | null> = signal(null);
  /** The moment but for its position: the same object while the same song goes on. */
  readonly song: ReadonlySignal<Song>;
  readonly #store: Store;
  readonly #next = new Alarm();
  #changedAt = '';

  constructor(components: { readonly store: Store }) {
    this.#store = components.store;
    let last = songOf(null);
    this.song = computed(() => {
      last = songOf(this.moment.value, last);
      return last;
    });
  }

  start(): void {
    effect(() => {
      // What a moment is worked out from.
      this.#store.state.value;
      this.#store.queue.value;
      this.#store.clock.value;
      this.#look();
    });
    document.addEventListener('visibilitychange', () => this.#look());
  }

  #look(): void {
    this.#next.cancel();
    const now = this.#store.momentNow();
    const changedAt = this.#store.state.peek()?.transport.changedBy?.atNs ?? '';
    const before = changedAt === this.#changedAt ? this.moment.peek() : null;
    this.#changedAt = changedAt;
    const shown = now === null ? null : steady(before, now);
    if (!isSameMoment(this.moment.peek(), shown)) this.moment.value = shown;
    if (now?.status !== 'playing' || document.visibilityState === 'hidden') return;
    const toSecond = 1_000 - (now.positionMs % 1_000);
    const toEnd = now.durationMs - now.positionMs;
    const waitMs = isHeld(now) ? now.startsInMs : Math.min(toSecond, toEnd);
    this.#next.set(waitMs + BEHIND_MS, () => this.#look());
  }
}
