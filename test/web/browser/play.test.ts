/** Journeys of whoever wants to hear something else, or something of it again. */
import { position } from './journeys/position.js';
import { tabs } from './journeys/tabs.js';
import { transport } from './journeys/transport.js';
import { throughOneHouse } from './support/one-house.js';

await throughOneHouse({
  'what plays, as people change it': transport,
  'where the song is': position,
  'tabs that nobody sees': tabs,
});
