/** The figures of how the rooms keep in step, asked for again and again while somebody looks at them. */
import { type Signal, signal } from '@preact/signals';
import type { Sync } from '../../http/schema.js';
import { read } from '../world/api.js';
import { Alarm } from '../world/timers.js';

/** What came last. */
export class SyncFeed {
  readonly latest: Signal<Sync | null> = signal(null);
  /** The reader wants the figures to stand still. */
  readonly isHeld = signal(false);
  #isAsking = false;

  /** Asks from now on, while the page is seen; the function that it gives ends that. */
  follow(everyMs: number): () => void {
    const next = new Alarm();
    const look = () => {
      next.cancel();
      if (document.visibilityState === 'hidden') return;
      void this.#ask();
      next.set(everyMs, look);
    };
    document.addEventListener('visibilitychange', look);
    look();
    return () => {
      document.removeEventListener('visibilitychange', look);
      next.cancel();
    };
  }

  async #ask(): Promise<void> {
    if (this.isHeld.value || this.#isAsking) return;
    this.#isAsking = true;
    const sync = await read<Sync>('/sync');
    this.#isAsking = false;
    if (sync !== null && !this.isHeld.value) this.latest.value = sync;
  }
}
