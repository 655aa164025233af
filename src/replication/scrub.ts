/**
 * Scrub: once a day everything that the card holds of the log is read, past the cache, and compared with its checksums.
 *
 * Cards lose bits of what is never read, and a house that meets the loss at a restart, after a power cut say, may meet it on several cards at
 * once. Found in time it is harmless: this node has it all in memory, so a snapshot takes the place of what is damaged, log, superblock and
 * snapshot alike, and a person is told that the card wears out. A step reads a batch or a megabyte, and is taken only while nothing is written. A card that is whole is
 * only read.
 */
import type { Time, Timer } from '../ports/time.js';
import type { LogStore, ScrubStep } from './log-store.js';
import type { Self } from './self.js';

/** The first look, after the start has settled down. Milliseconds. */
export const SCRUB_AFTER_MS = 600_000;
/** From one look to the next: damage is found while the other copies are whole. Milliseconds. */
export const SCRUB_EVERY_MS = 24 * 3_600_000;
/** Between two steps: a log that is half full takes a quarter of an hour, and a card hardly notices. Milliseconds. */
const STEP_MS = 200;
/** While there is other work, it is looked again after this long. Milliseconds. */
const BUSY_MS = 5_000;

/** What the scrub works with. */
export interface ScrubComponents {
  readonly self: Pick<Self, 'log' | 'applied' | 'statusChanged'>;
  readonly time: Time;
  readonly store: Pick<LogStore, 'scrub'>;
  /** Writes of the core that are on their way to the disk. */
  readonly outstanding: () => number;
  /** Takes a snapshot, and so writes the superblock. */
  readonly renew: () => void;
}

/** Between `start` and `stop` (idempotent) it has one timer. */
export class Scrub {
  readonly #components: ScrubComponents;
  #timer: Timer | null = null;
  #isOver = false;
  #appliedAtLook = -1;
  #damages = 0;
  #hasFound = false;

  constructor(components: ScrubComponents) {
    this.#components = components;
  }

  /** The last look found damage, or the one that is under way did. */
  get hasFound(): boolean {
    return this.#hasFound;
  }

  start(): void {
    this.#later(SCRUB_AFTER_MS);
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  #later(ms: number): void {
    this.#timer = this.#components.time.after('consensus.scrub', ms, () => this.#look());
  }

  #look(): void {
    const { self, outstanding, store } = this.#components;
    const applied = self.applied();
    const isBusy = outstanding() > 0 || applied !== this.#appliedAtLook;
    this.#appliedAtLook = applied;
    if (isBusy) this.#later(BUSY_MS);
    else store.scrub((step) => this.#took(step));
  }

  #took({ isLast, damage }: ScrubStep): void {
    if (this.#isOver) return;
    if (damage !== null) this.#found(damage.detail);
    if (!isLast) {
      this.#later(STEP_MS);
      return;
    }
    const hasFound = this.#damages > 0;
    if (hasFound) this.#components.renew();
    else if (this.#hasFound) this.#tell(false);
    this.#damages = 0;
    this.#later(SCRUB_EVERY_MS);
  }

  #found(detail: string): void {
    this.#damages++;
    this.#components.self.log.error('the card has lost some of what was written to it', { detail });
    if (!this.#hasFound) this.#tell(true);
  }

  #tell(hasFound: boolean): void {
    this.#hasFound = hasFound;
    this.#components.self.statusChanged();
  }
}
