/** OutlineScan: draws the outline of a file that was taken in long ago, from its bytes. */
import { PEAK_COUNT } from '../audio/peaks.js';
import { TrackScan } from '../audio/track-scan.js';
import { TuttiError } from '../core/errors.js';

/** For one file: `push` all its bytes in order, then ask for the `result`. Never fails: an outline is no reason to doubt a file. */
export class OutlineScan {
  #scan: TrackScan | null = new TrackScan();

  /** The next bytes of the file. */
  push(bytes: Uint8Array): void {
    this.#unlessFails((scan) => scan.push(bytes));
  }

  /** 2,048 bytes; flat for what is no audio that is played here. */
  result(): Uint8Array {
    return this.#unlessFails((scan) => scan.end().peaks) ?? new Uint8Array(PEAK_COUNT);
  }

  #unlessFails<T>(work: (scan: TrackScan) => T): T | null {
    if (this.#scan === null) return null;
    try {
      return work(this.#scan);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      this.#scan = null;
      return null;
    }
  }
}
