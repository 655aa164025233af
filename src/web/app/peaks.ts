/** Outlines of tracks, fetched once each: they never change. */
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { readBytes } from '../world/api.js';
import { after } from '../world/timers.js';

/** A few songs back and forth. */
const KEPT = 12;
/** A node that has just begun to fetch a track has no outline of it yet. Milliseconds. */
const AGAIN_MS = 5_000;

/** The outlines that were asked for lately. */
export class Peaks {
  readonly #byTrack = new Map<string, Signal<Uint8Array | null>>();

  /** The outline of a track; null until it is here. */
  of(trackId: string): ReadonlySignal<Uint8Array | null> {
    const known = this.#byTrack.get(trackId);
    if (known !== undefined) return known;
    const peaks = signal<Uint8Array | null>(null);
    this.#byTrack.set(trackId, peaks);
    for (const old of [...this.#byTrack.keys()].slice(0, -KEPT)) this.#byTrack.delete(old);
    // Whoever asks is in the middle of drawing.
    after(0, () => void this.#fetch(trackId, peaks));
    return peaks;
  }

  async #fetch(trackId: string, peaks: Signal<Uint8Array | null>): Promise<void> {
    peaks.value = await readBytes(`/tracks/${trackId}/peaks`);
    if (peaks.value !== null || this.#byTrack.get(trackId) !== peaks) return;
    after(AGAIN_MS, () => void this.#fetch(trackId, peaks));
  }
}
