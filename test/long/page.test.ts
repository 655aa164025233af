/** Journeys through the page that are taken every time, at their whole length; and one that is too long for every time. */
import { bigAlbum } from '../web/browser/journeys/big-album.js';
import { library } from '../web/browser/journeys/library.js';
import { whereTheNodesAre } from '../web/browser/journeys/position.js';
import { twoSkips } from '../web/browser/journeys/transport.js';
import { throughOneHouse } from '../web/browser/support/one-house.js';

// Four minutes on a machine that has time.
const TIMEOUT_MS = 590_000;
const ROUNDS = 50;
const SHARES = [0.3, 0.6, 0.1, 0.5, 0.2];

await throughOneHouse(
  {
    'two who skip at once, fifty times': (t, place) => twoSkips(t, place, ROUNDS),
    'where the song is, through five pauses and seeks': (t, place) => whereTheNodesAre(t, place, SHARES),
    'an album by phone': (t, place) => library(t, place, ['phone']),
    'a folder of large files': bigAlbum,
  },
  TIMEOUT_MS,
);
