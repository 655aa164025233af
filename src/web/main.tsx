/** The page begins here: with its stream, which is on its way while the rest is fetched and made. The document asks for that rest as well. */
import { dropUnheard } from './world/event-stream.js';
import { recall } from './world/storage.js';

// The reader's colours, before anything else is there to be seen in them. A browser takes a while to open what it keeps, and has the time now.
document.documentElement.dataset.theme = recall('theme') ?? 'system';

void import('./page.js').catch((error: unknown) => {
  // The node was upgraded meanwhile, or is gone: nobody will hear what it tells.
  dropUnheard();
  throw error;
});
