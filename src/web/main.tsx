/** The page begins here: with its stream, which is on its way while the rest is fetched and made. The document asks for that rest as well. */
import { dropUnheard } from './world/event-stream.js';

void import('./page.js').catch((error: unknown) => {
  // The node was upgraded meanwhile, or is gone: nobody will hear what it tells.
  dropUnheard();
  throw error;
});
