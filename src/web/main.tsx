/** The page begins here. What index.html shows by itself is replaced by what is known. */
import { render } from 'preact';
import { App } from './app/app.js';
import { listenToKeys } from './app/keys.js';
import './style/index.css';
import { AppContext } from './view/context.js';
import { Page } from './view/frame/page.js';

const app = new App();
listenToKeys(app);
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
