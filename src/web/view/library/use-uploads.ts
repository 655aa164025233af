/** The page's uploads: made when they are first looked at, since what sends files is not needed at first sight. */
import type { App } from '../../app/app.js';
import { Uploads } from '../../app/uploads.js';
import { useApp } from '../context.js';

const made = new WeakMap<App, Uploads>();

/** The same for all who ask. */
export function useUploads(): Uploads {
  const app = useApp();
  const known = made.get(app);
  if (known !== undefined) return known;
  const { store, actions, notices, preferences } = app;
  const uploads = new Uploads({ store, actions, notices, preferences, words: () => app.words.peek() });
  made.set(app, uploads);
  return uploads;
}
