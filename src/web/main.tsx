/** The page begins here: with its stream, which is on its way while the rest is fetched and made. The document asks for that rest as well. */
import './world/event-stream.js';

void import('./page.js');
