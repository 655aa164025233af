/**
 * Leaving: files in their place that nobody wants, on their way out.
 *
 * From the moment at which the others are told that one is not held here any more it waits for a while: it may be wanted again, and then it is
 * held as before. Those that have waited are released, all at once; from then on it is for whoever was told so to say what becomes of each,
 * and it does not count as held before it is said to be, whatever is wanted meanwhile: it may be half gone.
 */
import type { TrackId } from '../core/ids.js';
import { RELEASE_MS } from './exchange-limits.js';

/** Files that were released together. A file that comes back and goes once more is of another release then. */
export interface Release {
  readonly ids: readonly TrackId[];
}

/** The files of one node that are on their way out. */
export class Leaving {
  /** Until when each waits, local milliseconds; or the release that it is of. */
  readonly #files = new Map<TrackId, number | Release>();
  /** Local milliseconds. */
  #releasedAtMs = Number.NEGATIVE_INFINITY;

  /** True for one that waits or is released. */
  has(id: TrackId): boolean {
    return this.#files.has(id);
  }

  /** It is to go; one that is released already goes on. */
  add(id: TrackId, nowMs: number): void {
    if (typeof this.#files.get(id) !== 'object') this.#files.set(id, nowMs + RELEASE_MS);
  }

  /** It is held again, or gone. */
  end(id: TrackId): void {
    this.#files.delete(id);
  }

  /** Those that wait. */
  waiting(): TrackId[] {
    return [...this.#files].filter(([, state]) => typeof state === 'number').map(([id]) => id);
  }

  /** Releases those that have waited; null where there are none. Many that were removed one by one go together. */
  release(nowMs: number): Release | null {
    if (nowMs - this.#releasedAtMs < RELEASE_MS) return null;
    const ids = [...this.#files].filter(([, state]) => typeof state === 'number' && nowMs >= state).map(([id]) => id);
    if (ids.length === 0) return null;
    const release: Release = { ids };
    for (const id of ids) this.#files.set(id, release);
    this.#releasedAtMs = nowMs;
    return release;
  }

  /** True where this is the release that it is of. */
  isOf(id: TrackId, release: Release): boolean {
    return this.#files.get(id) === release;
  }

  /** It could not go: it waits once more. */
  again(id: TrackId, release: Release, nowMs: number): void {
    if (this.isOf(id, release)) this.#files.set(id, nowMs + RELEASE_MS);
  }
}
