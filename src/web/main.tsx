/** The page begins here. What index.html shows by itself is replaced by what is known. */
import './world/event-stream.js';
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
const root = document.getElementById('app')!;
void app.start().then(() => {
  root.replaceChildren();
  render(
    <AppContext.Provider value={app}>
      <Page />
    </AppContext.Provider>,
    root,
  );
});
