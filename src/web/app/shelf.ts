/**
 * The library as it stands on the shelf: in order, and with what is not on every card. Put in order, and counted, in a quiet moment after it has
 * come, since for a large one that takes as long as drawing it, and whoever goes there should not wait.
 */
import { computed, effect, type ReadonlySignal } from '@preact/signals';
import type { Track } from '../../http/schema.js';
import { missingOn, SORTS, type Sort, sorted } from '../model/library-list.js';
import type { Words } from '../text/en.js';
import { after } from '../world/timers.js';
import type { Store } from './store.js';

/** After the library has come. Milliseconds. */
const QUIET_MS = 300;

/** What the shelf is made of. */
export interface ShelfComponents {
  readonly store: Store;
  readonly words: ReadonlySignal<Words>;
}

/** Alive from the moment it is made. */
export class Shelf {
  /** On how many cards a track is missing, by its id; of those alone that are missing somewhere. The same object while that holds. */
  readonly missing: ReadonlySignal<ReadonlyMap<string, number>>;
  readonly #orders: ReadonlyMap<Sort, ReadonlySignal<readonly Track[]>>;

  constructor({ store, words }: ShelfComponents) {
    const lang = computed(() => words.value.lang);
    const collate = computed(() => new Intl.Collator(lang.value, { numeric: true }).compare);
    this.#orders = new Map(
      SORTS.map((sort) => [sort, computed(() => sorted([...store.tracks.value.byId.values()], sort, collate.value))]),
    );
    let last: ReadonlyMap<string, number> = new Map();
    this.missing = computed(() => {
      last = missingOn(store.state.value?.nodes ?? [], last);
      return last;
    });
    let isReady = false;
    effect(() => {
      if (isReady || store.tracks.value.rev < 0) return;
      // Once: a library that changes while nobody looks at it is put in order when somebody does.
      isReady = true;
      after(QUIET_MS, () => words.peek().f.count(this.inOrder('title').peek().length));
    });
  }

  /** All tracks, in an order. */
  inOrder(sort: Sort): ReadonlySignal<readonly Track[]> {
    return this.#orders.get(sort)!;
  }
}
