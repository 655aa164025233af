/** Single keys, where no field has the focus and the reader wants them. */
import { REGIONS } from '../model/region.js';
import type { App } from './app.js';

const VOLUME_STEP = 5;
/** Id of the field for searching. */
const SEARCH = 'search';

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));

/** What has a meaning of its own for the space bar. */
const isPressable = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('button, a, summary, [role=menu], dialog') !== null;

/** Listens from now on. */
export function listenToKeys(app: App): void {
  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!isPlain || !app.preferences.keys.value || event.defaultPrevented || isTyping(target)) return;
    if (document.querySelector('dialog[open], [popover]:popover-open') !== null) return;
    if (key === ' ' && isPressable(target)) return;
    const run = actionOf(app, key);
    if (run === null) return;
    event.preventDefault();
    run();
  });
}

function actionOf(app: App, key: string): (() => void) | null {
  const region = /^[1-5]$/.test(key) ? REGIONS[Number(key) - 1] : undefined;
  if (region !== undefined) return () => app.goTo(region);
  switch (key) {
    case ' ':
    case 'k':
    case 'K':
      return () => app.press('toggle');
    case 'n':
    case 'N':
      return () => app.press('skip');
    case '+':
      return () => app.stepVolume(VOLUME_STEP);
    case '-':
      return () => app.stepVolume(-VOLUME_STEP);
    case '/':
      return () => app.goTo('library', SEARCH);
    case '?':
      return () => document.getElementById('menu')?.showPopover();
    default:
      return null;
  }
}
