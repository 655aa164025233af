/** Journeys of whoever brings music, puts it in order, or wants to know how it sounds. */
import { everyScreen } from './journeys/every-screen.js';
import { library } from './journeys/library.js';
import { proof } from './journeys/proof.js';
import { queue } from './journeys/queue.js';
import { throughOneHouse } from './support/one-house.js';

await throughOneHouse({
  'what comes next': queue,
  'to be sure': proof,
  'an album comes in': library,
  'every screen, by the rules': everyScreen,
});
