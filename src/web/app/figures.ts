/**
 * Figures that move all the time: how far each room is from where it should be, how well it knows the time. The node tells of changes, and
 * these are none; so they are asked for while there is something to see of them.
 */
import { effect } from '@preact/signals';
import type { Members } from '../../http/schema.js';
import { read } from '../world/api.js';
import { Alarm } from '../world/timers.js';
import type { Store } from './store.js';

const EVERY_MS = 5_000;

/** What figures are asked with. */
export interface FiguresComponents {
  readonly store: Store;
  /** Somebody looks at the house, also while nothing plays. */
  readonly isWanted: () => boolean;
}

/** Asks from `start` on. */
export class Figures {
  readonly #store: Store;
  readonly #isWanted: () => boolean;
  readonly #next = new Alarm();

  constructor({ store, isWanted }: FiguresComponents) {
    this.#store = store;
    this.#isWanted = isWanted;
  }

  start(): void {
    effect(() => {
      const isPlaying = this.#store.state.value?.transport.status === 'playing';
      const isLive = this.#store.link.value.phase === 'live';
      const hasHouse = (this.#store.state.value?.nodes.length ?? 0) > 0;
      if (isLive && hasHouse && (isPlaying || this.#isWanted())) this.#wait();
      else this.#next.cancel();
    });
  }

  #wait(): void {
    this.#next.setUnlessSet(EVERY_MS, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const before = this.#store.state.peek();
    if (before === null) return;
    const answer = document.visibilityState === 'hidden' ? null : await read<Members>('/members');
    // What the stream has said meanwhile is newer; and the next view asks again in any case.
    if (answer !== null && this.#store.state.peek() === before) {
      this.#store.state.value = { ...before, nodes: answer.members };
    } else this.#wait();
  }
}
