/** The page itself. What index.html shows is replaced by what is known. */
import { render } from 'preact';
import { App } from './app/app.js';
import { listenToKeys } from './app/keys.js';
import './style/index.css';
import { AppContext } from './view/context.js';
import { Page } from './view/frame/page.js';
import { prefetchDesk } from './view/frame/use-desk.js';

const app = new App();
listenToKeys(app);
if (app.width.value !== 'phone' || app.region.value !== 'now') void prefetchDesk();
void Promise.all([app.start(), documentRead()]).then(() => {
  const root = document.getElementById('app')!;
  root.replaceChildren();
  render(
    <AppContext.Provider value={app}>
      <Page />
    </AppContext.Provider>,
    root,
  );
});

/** When the whole document is here, and its style sheet, for which not every browser stops reading. */
async function documentRead(): Promise<void> {
  if (document.readyState === 'loading')
    await new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve));
  const link = document.querySelector<HTMLLinkElement>('link[rel=stylesheet]');
  if (link === null || link.sheet !== null) return;
  await new Promise((resolve) => {
    for (const name of ['load', 'error']) link.addEventListener(name, resolve);
  });
}
