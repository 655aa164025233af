/** The fake of a node's files keeps the contract: what is proven of the exchange with it holds for the real ones. */
import t from 'tap';
import { FakeTime } from '../../src/ports/fake-time.js';
import { FakeChunkFiles } from '../../src/tracks/fake-chunk-files.js';
import { runChunkFilesContract } from '../contract/chunk-files.js';
import { rejectionOf } from '../contract/support.js';
import { chunkedFile } from '../support/chunked-file.js';

await runChunkFilesContract(t, 'FakeChunkFiles', () => {
  const time = new FakeTime();
  let files = new FakeChunkFiles({ time });
  const { card } = files;
  return {
    files,
    chunkBytes: 256,
    damage: (id, index) => card.damage(id, index),
    setFull: (isFull) => {
      card.roomBytes = isFull ? 0 : Number.POSITIVE_INFINITY;
    },
    restart: () => {
      files.kill();
      files = new FakeChunkFiles({ time, card });
      return files;
    },
  };
});

t.test('a card can be slow, full, and broken', async (t) => {
  const time = new FakeTime();
  const files = new FakeChunkFiles({ time });
  const { track, outline, bytes } = chunkedFile({ seed: 1, bytes: 100, chunkBytes: 64 });
  files.card.hold(track, outline, bytes);
  files.delayMs = 20;
  const read = files.readChunk(track.id, 1);
  await new Promise(setImmediate);
  t.equal(files.outstanding, 1);
  time.advance(20);
  t.equal((await read).length, 36);
  t.equal(files.outstanding, 0);
  files.delayMs = 0;
  const other = chunkedFile({ seed: 2, bytes: 100, chunkBytes: 64 });
  await files.beginFetch(other.track, other.outline, 64);
  files.card.roomBytes = 63;
  t.equal(await rejectionOf(files.putChunk(other.track.id, 0, other.chunk(0))), 'DISK_FULL');
  await files.putChunk(other.track.id, 1, other.chunk(1));
  files.card.isBroken = true;
  t.equal(await rejectionOf(files.readChunk(track.id, 1)), 'DISK_FAILED');
});
