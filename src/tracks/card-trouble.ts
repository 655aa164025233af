/**
 * CardTrouble: what the card could not do for files of other nodes, and until when it is spared.
 *
 * Where one file does not fit, a smaller one may, so that all is not stopped for long; but a thousand files are not to be tried in a
 * second either. What was wrong is said once, and once more when it is well again.
 */
import type { TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import type { Log } from '../ports/log.js';
import { FILES_PAUSE_MS } from './exchange-limits.js';

/** What is wrong with the card, as far as the exchange can tell. */
export class CardTrouble {
  readonly #log: Log;
  #last: TuttiError | null = null;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(components: { readonly log: Log }) {
    this.#log = components.log;
  }

  /** Why nothing could be kept the last time; null where it could. */
  get last(): TuttiError | null {
    return this.#last;
  }

  /** True while nothing is to be fetched. */
  isPaused(nowMs: number): boolean {
    return nowMs < this.#pausedUntilMs;
  }

  /** Something could not be done for a file. */
  failed(track: TrackId, error: TuttiError, nowMs: number): void {
    this.#pausedUntilMs = nowMs + FILES_PAUSE_MS;
    if (this.#last?.code !== error.code) {
      const { code, detail } = error;
      this.#log.warn('A file of another node could not be kept; it is tried again.', { track, code, detail });
    }
    this.#last = error;
  }

  /** Something was kept. */
  isWell(): void {
    if (this.#last !== null) this.#log.info('Files of other nodes can be kept again.');
    this.#last = null;
  }
}
