import t from 'tap';
import { trackId } from '../../src/core/ids.js';
import { arrivingManifestPath, arrivingWavPath, manifestPath, wavPath } from '../../src/library/track-paths.js';

t.test('the store and the player look for a track in the same places', (t) => {
  const id = trackId('a'.repeat(64));
  t.equal(wavPath(id), `tracks/${id}.wav`);
  t.equal(manifestPath(id), `tracks/${id}.chunks`);
  t.equal(arrivingWavPath(id), `tmp/${id}.part`);
  t.equal(arrivingManifestPath(id), `tmp/${id}.chunks`);
  t.end();
});
