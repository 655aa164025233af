/** What somebody hears who cannot see the page: whatever comes to stand in its live regions, in order. */
import type { Page } from 'playwright-core';

/** Runs before the page, and keeps what is said as it comes. */
export const LISTEN = `
  window.heard = [];
  const before = { status: '', alert: '' };
  new MutationObserver(() => {
    for (const role of ['status', 'alert']) {
      const text = Array.from(document.querySelectorAll('[role=' + role + ']'), (region) => region.textContent.trim()).join(' ').trim();
      if (text !== '' && text !== before[role]) window.heard.push({ role, text });
      before[role] = text;
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
`;

/** A text that was said: a status is what happened, an alert interrupts. */
export interface Heard {
  readonly role: 'status' | 'alert';
  readonly text: string;
}

/** All that was said until now on a page that was opened with {@link LISTEN}. */
export const heardOn = (page: Page): Promise<readonly Heard[]> => page.evaluate('window.heard');
