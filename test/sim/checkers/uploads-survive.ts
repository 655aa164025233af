/** An upload that was answered is there: at the end its track is in the library, and on every card, unless somebody removed it since. */
import type { Checker, Observation } from './observation.js';

/** Follows each file by the slots that its uploaders were told, and in which it was removed. */
export class UploadsSurvive implements Checker {
  readonly name = 'answered uploads survive';
  readonly #uploaded = new Map<string, number>();
  readonly #removed = new Map<string, number>();

  observe(observation: Observation): string | undefined {
    switch (observation.type) {
      case 'uploaded':
        raise(this.#uploaded, observation);
        return undefined;
      case 'track-removed':
        raise(this.#removed, observation);
        return undefined;
      case 'library': {
        const there = new Set(observation.tracks);
        for (const [track, slot] of this.#uploaded) {
          if (there.has(track) || slot < (this.#removed.get(track) ?? 0)) continue;
          return `somebody was told that track ${track.slice(0, 8)} is there from slot ${slot} on, and nobody removed it; it is not in the library at the end`;
        }
        return undefined;
      }
      default:
        return undefined;
    }
  }
}

function raise(slots: Map<string, number>, { track, slot }: { readonly track: string; readonly slot: number }): void {
  slots.set(track, Math.max(slots.get(track) ?? 0, slot));
}
