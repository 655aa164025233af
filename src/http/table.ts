/** The table of calls: what the server registers, and what the OpenAPI page, docs/http.md and the metrics' labels are made from. */
import { openApi } from './openapi.js';
import { type Route, route } from './route.js';
import { clusterRoutes } from './routes/cluster.js';
import { houseRoutes } from './routes/house.js';
import { queueRoutes } from './routes/queue.js';
import { trackRoutes } from './routes/tracks.js';
import { transportRoutes } from './routes/transport.js';

/** Every call of the interface. */
export const ROUTES: readonly Route[] = [
  ...houseRoutes,
  ...clusterRoutes,
  ...trackRoutes,
  ...queueRoutes,
  ...transportRoutes,
  route({
    method: 'GET',
    path: '/openapi.json',
    summary: 'All of this, as a document of OpenAPI 3.1.',
    answer: { status: 200, description: 'The document.', mediaType: 'application/json' },
    handle: ({ house }) => openApi(ROUTES, house.init.version),
  }),
];
