/** The real files keep the contract that the exchange is tested against. */
import t from 'tap';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { partPath, trackPath } from '../../src/tracks/paths.js';
import { serveTrackStore, TrackClient } from '../../src/tracks/track-client.js';
import { runChunkFilesContract } from '../contract/chunk-files.js';
import { portPair } from '../support/house.js';
import { open } from './support.js';

const CHUNK_BYTES = 256;

await runChunkFilesContract(t, 'TrackClient', () => {
  const disk = new FakeDisk();
  const start = () => {
    const { store } = open(disk);
    const [near, far] = portPair();
    serveTrackStore(store, far);
    return new TrackClient({ port: near });
  };
  return {
    files: start(),
    chunkBytes: CHUNK_BYTES,
    damage: (id, index) => {
      const path = disk.exists(trackPath(id)) ? trackPath(id) : partPath(id);
      disk.flipBit(path, index * CHUNK_BYTES, 0);
    },
    setFull: (isFull) => disk.setFreeBytes(isFull ? 0 : 1 << 30),
    restart: () => {
      disk.killProcess();
      return start();
    },
  };
});
