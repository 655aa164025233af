/** The figures of the sync screen, asked for once a second while somebody looks at them. */
import { type Signal, signal } from '@preact/signals';
import type { Sync } from '../../http/schema.js';
import { read } from '../world/api.js';
import { every } from '../world/timers.js';

const EVERY_MS = 1_000;

/** What came last. */
export class SyncFeed {
  readonly latest: Signal<Sync | null> = signal(null);
  /** The reader wants the figures to stand still. */
  readonly isHeld = signal(false);
  #isAsking = false;

  /** Asks from now on; the function that it gives ends that. */
  follow(): () => void {
    void this.#ask();
    return every(EVERY_MS, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    if (this.isHeld.value || this.#isAsking || document.visibilityState === 'hidden') return;
    this.#isAsking = true;
    const sync = await read<Sync>('/sync');
    this.#isAsking = false;
    if (sync !== null && !this.isHeld.value) this.latest.value = sync;
  }
}
