/** Whose view this is, and the way to everything else. */
import { useApp, useWords } from '../context.js';
import { Icon } from '../parts/icon.js';
import { Navigation } from './navigation.js';

/** The head of the page. */
export function TopBar() {
  const app = useApp();
  const words = useWords();
  const state = app.store.state.value;
  const name = state?.node.name ?? document.documentElement.dataset.node ?? '';
  const hasHouse = state !== null && state.cluster.id !== null;
  return (
    <header class="top">
      <a class="brand" href="#/now">
        <bdi>{name}</bdi>
      </a>
      {hasHouse && app.width.value !== 'phone' && <Navigation place="head" />}
      <button type="button" class="round" aria-label={words.menu} popovertarget="menu">
        <Icon name="menu" />
      </button>
    </header>
  );
}
