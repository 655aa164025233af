/** How components reach the page's logic: it is handed down, never imported. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { App } from '../app/app.js';
import type { Words } from '../text/en.js';

/** Holds the page's logic; set once, at the root. */
export const AppContext = createContext<App | null>(null);

/** The page's logic. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === null) throw new Error('there is no App around this component');
  return app;
}

/** All that is said, in the reader's language. */
export const useWords = (): Words => useApp().words.value;
