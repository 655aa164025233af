/** The page's timers, and the clock that they go by. Nothing in the page reads the wall clock. */

/** Monotonic milliseconds since the page began. */
export const nowMs = (): number => performance.now();

/** Calls `callback` once, `delayMs` from now, unless the function that it gives is called before. */
export function after(delayMs: number, callback: () => void): () => void {
  // A longer delay than this is taken for none at all.
  const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), 2 ** 31 - 1));
  return () => clearTimeout(timer);
}

/** Calls `callback` every `everyMs`, until the function that it gives is called. */
export function every(everyMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, everyMs);
  return () => clearInterval(timer);
}

/** One timer that is set anew: only the last setting counts. */
export class Alarm {
  #cancel: (() => void) | null = null;

  set(delayMs: number, callback: () => void): void {
    this.cancel();
    this.setUnlessSet(delayMs, callback);
  }

  /** Leaves a setting that is there as it is. */
  setUnlessSet(delayMs: number, callback: () => void): void {
    this.#cancel ??= after(delayMs, () => {
      this.#cancel = null;
      callback();
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
