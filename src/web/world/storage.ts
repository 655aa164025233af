/** What this browser remembers of the page: the reader's choices. Where nothing may be kept, nothing is. */

/** What was kept under `name`; null where nothing was. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`tutti.${name}`);
  } catch {
    return null;
  }
}

/** Keeps `value` under `name`, or forgets it. */
export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`tutti.${name}`);
    else localStorage.setItem(`tutti.${name}`, value);
  } catch {
    // A private window, or a full disk: the choice holds until the page is closed.
  }
}
