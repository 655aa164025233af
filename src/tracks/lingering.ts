/** Lingering: files, or parts of them, that nobody wants for now, each with the time at which it is to go unless somebody does. */
import type { TrackId } from '../core/ids.js';
import { LINGER_MS } from './exchange-limits.js';

/** Keeps the times. */
export class Lingering {
  /** Local milliseconds. */
  readonly #untilMs = new Map<TrackId, number>();
  readonly #lingerMs: number;

  /** `lingerMs`: how long each is kept, milliseconds. */
  constructor({ lingerMs = LINGER_MS }: { readonly lingerMs?: number | undefined } = {}) {
    this.#lingerMs = lingerMs;
  }

  /** This one is to go after a while. */
  add(id: TrackId, nowMs: number): void {
    this.#untilMs.set(id, nowMs + this.#lingerMs);
  }

  /** It is gone, or is to stay. */
  remove(id: TrackId): void {
    this.#untilMs.delete(id);
  }

  /** True for one that was added and not removed. */
  has(id: TrackId): boolean {
    return this.#untilMs.has(id);
  }

  /** Those whose time has come, unless they are wanted: removed. */
  over(nowMs: number, isWanted: (id: TrackId) => boolean): TrackId[] {
    const over = [...this.#untilMs].filter(([id, untilMs]) => nowMs >= untilMs && !isWanted(id)).map(([id]) => id);
    for (const id of over) this.#untilMs.delete(id);
    return over;
  }
}
